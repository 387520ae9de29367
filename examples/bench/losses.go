package main

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/loss"
)

//go:embed losses_torch.py
var lossesSource string

// A head is cross-entropy with its gradient, of logits that are given if dim is 0, or of those of an output layer, whose
// gradients it finds, too. If chunked is set, the logits of the layer never exist all at once.
type head struct {
	rows, dim, vocab int
	chunked          bool
}

// heads lists what is measured. Those of given logits are measured on one thread.
var heads = []head{
	{8192, 0, 500, false}, {128, 0, 32000, false}, {32, 0, 131072, false},
	{2048, 256, 32000, false}, {2048, 256, 32000, true},
}

func (h head) name() string {
	switch {
	case h.dim == 0:
		return fmt.Sprintf("%d x %d", h.rows, h.vocab)
	case h.chunked:
		return fmt.Sprintf("%d x %d x %d in chunks", h.rows, h.dim, h.vocab)
	}
	return fmt.Sprintf("%d x %d x %d", h.rows, h.dim, h.vocab)
}

func (h head) threads() int {
	if h.dim == 0 {
		return 1
	}
	return kernel.Threads()
}

// A headRun is what one process measured of a head.
type headRun struct {
	Seconds  float64 `json:"seconds"`   // of the loss and its gradients, the median
	MemoryMB float64 `json:"memory_mb"` // that they, the operands and the result added to the process
}

// fields are the head as arguments of a process.
func (h head) fields() []string {
	return []string{strconv.Itoa(h.rows), strconv.Itoa(h.dim), strconv.Itoa(h.vocab), strconv.FormatBool(h.chunked)}
}

// parseHead reads what fields has made.
func parseHead(fields []string) (h head, err error) {
	_, err = fmt.Sscan(strings.Join(fields, " "), &h.rows, &h.dim, &h.vocab, &h.chunked)
	return h, errors.Wrapf(err, "reading a head of %q", fields)
}

// measureLoss computes a head for the time that -time gives.
func measureLoss(ctx context.Context, s settings, fields []string) (r headRun, err error) {
	before := largestMemory()
	h, err := parseHead(fields)
	if err != nil {
		return r, err
	}
	g, ps := graph.New(), graph.NewParams(1)
	targets := g.Tokens("targets", 1, h.rows)
	var cost graph.Node
	switch {
	case h.dim == 0:
		x := g.Param(ps.Root().Param("x", graph.Normal(3), 1, h.rows, h.vocab))
		cost = graph.Apply2(loss.CrossEntropy, x, targets)
	default:
		x := g.Param(ps.Root().Param("x", graph.Normal(1), 1, h.rows, h.dim))
		w := g.Param(ps.Root().Param("w", graph.Normal(0.1), h.vocab, h.dim))
		if h.chunked {
			cost = graph.Apply3(loss.LinearCrossEntropy, x, w, targets)
		} else {
			cost = graph.Apply2(loss.CrossEntropy, x.Linear(w), targets)
		}
	}
	program, err := graph.CompileTrain(cost)
	if err != nil {
		return r, err
	}
	ids := make([]int, h.rows)
	for i := range ids {
		ids[i] = i * 7919 % h.vocab
	}
	feed := graph.Feed{targets: graph.Ints(ids, 1, h.rows)}
	times, err := timeSteps(ctx, func(ctx context.Context) error { return program.Run(ctx, feed) }, s.seconds)
	if err != nil {
		return r, err
	}
	return headRun{median(times), largestMemory() - before}, nil
}

// A headRow compares a head here and with PyTorch: the medians of all runs.
type headRow struct {
	Head  string  `json:"head"`
	Ours  headRun `json:"ours"`
	Torch headRun `json:"torch,omitzero"`
	Ratio float64 `json:"ratio,omitzero"` // PyTorch's time to ours
}

// losses prints how long cross-entropy takes with its gradients, and what memory.
func losses(ctx context.Context, s settings, r *report) error {
	r.say("cross-entropy of rows x vocabulary on one thread, and with an output layer of rows x width x vocabulary on all,\n" +
		"each with its gradients; medians\n")
	r.say("%-31s %9s %9s %6s  %9s %9s", "", "ours", "torch", "ratio", "our MB", "torch MB")
	for _, h := range heads {
		row, err := h.compare(ctx, s)
		if err != nil {
			return err
		}
		unit, scale := "ms", 1e3
		if h.dim == 0 {
			unit, scale = "ns a logit", 1e9/float64(h.rows*h.vocab)
		}
		line := fmt.Sprintf("%-31s %9.2f", h.name()+", "+unit, scale*row.Ours.Seconds)
		if s.torch == "" {
			line += fmt.Sprintf(" %9s %6s  %9.0f", "", "", row.Ours.MemoryMB)
		} else {
			line += fmt.Sprintf(" %9.2f %6.2f  %9.0f %9.0f", scale*row.Torch.Seconds, row.Ratio, row.Ours.MemoryMB, row.Torch.MemoryMB)
		}
		if err := r.row("loss", row, "%s", line); err != nil {
			return err
		}
	}
	return nil
}

// compare measures a head in turns, each time in a new process.
func (h head) compare(ctx context.Context, s settings) (headRow, error) {
	var ours, theirs []headRun
	s.threads = h.threads()
	turns := []func() error{func() error {
		var run headRun
		err := s.here(ctx, &run, append([]string{"loss"}, h.fields()...)...)
		ours = append(ours, run)
		return err
	}}
	if s.torch != "" {
		turns = append(turns, func() error {
			var run headRun
			err := figures(s.script(ctx, lossesSource, s.threads, append(h.fields(), fmt.Sprint(s.seconds.Seconds()))...), &run)
			theirs = append(theirs, run)
			return err
		})
	}
	row := headRow{Head: h.name()}
	if err := inTurns(s.pairs, turns...); err != nil {
		return row, err
	}
	row.Ours = medianHead(ours)
	if s.torch != "" {
		row.Torch, row.Ratio = medianHead(theirs), median(ratios(secondsOf(theirs), secondsOf(ours)))
	}
	return row, nil
}

func secondsOf(runs []headRun) (seconds []float64) {
	for _, r := range runs {
		seconds = append(seconds, r.Seconds)
	}
	return seconds
}

func medianHead(runs []headRun) headRun {
	var memory []float64
	for _, r := range runs {
		memory = append(memory, r.MemoryMB)
	}
	return headRun{median(secondsOf(runs)), median(memory)}
}
