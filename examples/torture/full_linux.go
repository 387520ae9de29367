package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// realDisk saves to a file system of a mebibyte that is full. A child mounts it where nobody else sees it, and it is gone
// when the child ends, however that is.
func realDisk(ctx context.Context, _ settings, dir string) (score, error) {
	cmd, err := command(ctx, "full", dir)
	if err != nil {
		return score{}, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		// In a name space of its own everybody is root, where the system allows that.
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	probe := exec.CommandContext(ctx, cmd.Path)
	probe.Env, probe.SysProcAttr = append(cmd.Env, childKey+"=mount "+dir), cmd.SysProcAttr
	if err := probe.Run(); err != nil && ctx.Err() == nil {
		return score{note: fmt.Sprintf("skipped: needs a mount: %v", err)}, nil
	}
	return attempted(ctx, cmd, "the error is ENOSPC and names the file; what was saved before is there")
}

// mountDisk mounts the file system.
func mountDisk(dir string) error {
	return errors.Wrap(unix.Mount("torture", dir, "tmpfs", 0, "size=1m,nr_inodes=64"), "mount")
}

// saveToFullDisk mounts the file system and saves there, with any number of pages left, and where no file can be made.
func saveToFullDisk(dir string) error {
	if err := mountDisk(dir); err != nil {
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	return saveWithout(dir, limit{
		rooms: func(size int) []int {
			rooms := []int{noFile}
			for page := 0; page*os.Getpagesize() < size; page++ {
				rooms = append(rooms, page*os.Getpagesize())
			}
			return rooms
		},
		leave: func(room int) error {
			if err := os.Mkdir(ballast, 0o700); err != nil {
				return err
			}
			if room == noFile {
				return fillNames(ballast)
			}
			var disk unix.Statfs_t
			if err := unix.Statfs(dir, &disk); err != nil {
				return err
			}
			free := int(disk.Bavail) * int(disk.Bsize)
			return os.WriteFile(filepath.Join(ballast, "file"), make([]byte, free-room), 0o600)
		},
		free: func() error { return os.RemoveAll(ballast) },
		want: unix.ENOSPC,
	})
}

// noFile is the room of a disk on which no file can be made.
const noFile = -1

// fillNames makes empty files until no more can be made.
func fillNames(dir string) error {
	for i := 0; ; i++ {
		switch err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); {
		case errors.Is(err, unix.ENOSPC):
			return nil
		case err != nil:
			return err
		}
	}
}
