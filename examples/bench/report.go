package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/kernel"
)

// A report is tables for people and, where -json names a file, the same in lines of JSON for machines: the kind of a
// measurement, and its figures.
type report struct {
	table io.Writer
	file  io.WriteCloser // nil without -json
}

// newReport begins a report with what machine and program it is about.
func newReport(table io.Writer, file string) (*report, error) {
	path, err := kernel.Path()
	if err != nil {
		return nil, err
	}
	r := &report{table: table}
	if file != "" {
		f, err := os.Create(file)
		if err != nil {
			return nil, errors.WithStack(err)
		}
		r.file = f
	}
	r.say("%s kernels, %d threads, %s\n", path, kernel.Threads(), runtime.Version())
	return r, r.json("machine", struct {
		Kernels string `json:"kernels"`
		Threads int    `json:"threads"`
		Go      string `json:"go"`
		Arch    string `json:"arch"`
	}{path, kernel.Threads(), runtime.Version(), runtime.GOARCH})
}

func (r *report) close() error {
	if r.file == nil {
		return nil
	}
	return errors.WithStack(r.file.Close())
}

// say prints what only people read.
func (r *report) say(format string, args ...any) { fmt.Fprintf(r.table, format+"\n", args...) }

// json writes what only machines read.
func (r *report) json(kind string, figures any) error {
	if r.file == nil {
		return nil
	}
	e := json.NewEncoder(r.file)
	e.SetEscapeHTML(false) // "d->ff" stays so
	return errors.WithStack(e.Encode(struct {
		Kind    string `json:"kind"`
		Figures any    `json:"figures"`
	}{kind, figures}))
}

// row prints the line that format and args make, and writes the same figures for machines.
func (r *report) row(kind string, figures any, format string, args ...any) error {
	r.say(format, args...)
	return r.json(kind, figures)
}

// median returns the middle of x, which is not empty, or the mean of the two in the middle.
func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// each writes ratios side by side.
func each(ratios []float64) string {
	var s strings.Builder
	for _, r := range ratios {
		fmt.Fprintf(&s, " %.2f", r)
	}
	return strings.TrimSpace(s.String())
}
