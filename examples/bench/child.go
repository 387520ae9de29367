package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// measure prints what -child asks for: the name of a measurement and its arguments, parted by slashes.
func measure(ctx context.Context, s settings) (err error) {
	var figures any
	switch what := strings.Split(s.child, "/"); {
	case what[0] == "speed" && len(what) == 3:
		figures, err = measureSpeed(ctx, s, what[1], what[2])
	case what[0] == "decode" && len(what) == 2:
		figures, err = measureDecoding(ctx, s, what[1])
	case what[0] == "recipe" && len(what) == 2:
		figures, err = trainRecipe(ctx, s, what[1])
	case what[0] == "loss":
		figures, err = measureLoss(ctx, s, what[1:])
	case s.child == "products":
		return serveProducts(os.Stdin, os.Stdout)
	case s.child == "draws" || s.child == "plain draws":
		return serveDraws(s.child != "draws", os.Stdin, os.Stdout)
	default:
		return errors.Errorf("nothing called %q can be measured", s.child)
	}
	if err != nil {
		return err
	}
	return errors.WithStack(json.NewEncoder(os.Stdout).Encode(figures))
}

// command returns the command that measures something in a process of its own.
func (s settings) command(ctx context.Context, what ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, errors.Wrap(err, "finding this program")
	}
	cmd := exec.CommandContext(ctx, self, "-child", strings.Join(what, "/"), "-time", s.seconds.String(),
		"-threads", strconv.Itoa(s.threads), "-recipe", s.recipe, "-steps", strconv.Itoa(s.steps))
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// here measures something in a process of its own and puts the figures that it prints in v.
func (s settings) here(ctx context.Context, v any, what ...string) error {
	cmd, err := s.command(ctx, what...)
	if err != nil {
		return err
	}
	return figures(cmd, v)
}

// figures runs a command and puts the JSON in the last line that it prints in v.
func figures(cmd *exec.Cmd, v any) error {
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return errors.Wrapf(err, "running %s", cmd)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return errors.Wrapf(json.Unmarshal(lines[len(lines)-1], v), "reading the figures of %s", cmd)
}

// inTurns calls all functions in each round. Every round begins with another one, so that none is always the first.
func inTurns(rounds int, fs ...func() error) error {
	for r := range rounds {
		for i := range fs {
			if err := fs[(r+i)%len(fs)](); err != nil {
				return err
			}
		}
	}
	return nil
}

// largestMemory returns the most memory this process has had, in units of 2²⁰ bytes, or 0 where the system does not tell.
func largestMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return parseMemory(string(status))
}

// parseMemory finds the largest resident memory in the text of /proc/self/status.
func parseMemory(status string) float64 {
	for line := range strings.Lines(status) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				return 0
			}
			return kib / 1024
		}
	}
	return 0
}
