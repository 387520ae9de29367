//go:build !linux

package main

import (
	"context"

	"github.com/pkg/errors"
)

// realDisk says that it is for another system.
func realDisk(context.Context, settings, string) (score, error) {
	return score{note: "skipped: needs a mount, as Linux has it"}, nil
}

func mountDisk(string) error { return errors.New("no mount") }

func saveToFullDisk(string) error { return errors.New("no mount") }
