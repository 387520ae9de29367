package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/pkg/errors"
)

// childKey is the environment variable that makes a process a child: what it has to do, and the folder to do it in.
const childKey = "LOGITS_TORTURE_CHILD"

// chores are what children do.
var chores = map[string]func(dir string) error{
	"train": trainIn,
	"mount": mountDisk,
	"full":  saveToFullDisk,
	"limit": saveUnderLimit,
}

// child does what this process has to do if it is a child, and reports whether it is.
func child() bool {
	chore, dir, ok := strings.Cut(os.Getenv(childKey), " ")
	if !ok {
		return false
	}
	if err := chores[chore](dir); err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	return true
}

// command returns a child that is yet to be started. It is killed when ctx ends.
func command(ctx context.Context, chore, dir string, env ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, errors.WithStack(err)
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(append(os.Environ(), childKey+"="+chore+" "+dir), env...)
	return cmd, nil
}
