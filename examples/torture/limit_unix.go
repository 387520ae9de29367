//go:build unix

package main

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// fileLimit saves in a child whose files the system lets grow to some size only, which needs no permission.
func fileLimit(ctx context.Context, _ settings, dir string) (score, error) {
	cmd, err := command(ctx, "limit", dir)
	if err != nil {
		return score{}, err
	}
	return attempted(ctx, cmd, "the error is EFBIG and names the file; what was saved before is there")
}

// saveUnderLimit saves with such limits.
func saveUnderLimit(dir string) error {
	signal.Ignore(unix.SIGXFSZ) // which would end the process
	var whole unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &whole); err != nil {
		return errors.WithStack(err)
	}
	return saveWithout(dir, limit{
		rooms: func(size int) (rooms []int) {
			for room := range evenly(size, 20) {
				rooms = append(rooms, room)
			}
			return append(rooms, size-1)
		},
		leave: func(room int) error {
			limited := whole
			limited.Cur = 0
			for range room { // the type of Cur differs between systems
				limited.Cur++
			}
			return unix.Setrlimit(unix.RLIMIT_FSIZE, &limited)
		},
		free: func() error { return unix.Setrlimit(unix.RLIMIT_FSIZE, &whole) },
		want: syscall.EFBIG,
	})
}
