//go:build !unix

package main

import (
	"context"

	"github.com/pkg/errors"
)

// fileLimit says that it is for other systems.
func fileLimit(context.Context, settings, string) (score, error) {
	return score{note: "skipped: the system has no limit of the size of files"}, nil
}

func saveUnderLimit(string) error { return errors.New("no limit") }
