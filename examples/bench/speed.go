package main

import (
	"context"
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/kernel"
)

// A speed is what one process measured of one pass through a model.
type speed struct {
	Tokens   float64 `json:"tokens_per_second"` // the median of all steps
	Best     float64 `json:"best_tokens_per_second"`
	Peak     float64 `json:"peak_gflops"` // the larger of before and after
	MemoryMB float64 `json:"memory_mb"`   // the largest the process had
}

// measureSpeed takes steps for the time that -time gives.
func measureSpeed(ctx context.Context, s settings, model, pass string) (speed, error) {
	m, ok := sizes[model]
	if !ok || !slices.Contains(passes, pass) {
		return speed{}, errors.Errorf("no model %q or no pass %q", model, pass)
	}
	peak := measurePeak(kernel.Threads())
	step, err := m.stepper(pass)
	if err != nil {
		return speed{}, err
	}
	times, err := timeSteps(ctx, step, s.seconds)
	if err != nil {
		return speed{}, err
	}
	n := float64(m.tokensOf(pass))
	return speed{
		Tokens:   n / median(times),
		Best:     n / slices.Min(times),
		Peak:     max(peak, measurePeak(kernel.Threads())),
		MemoryMB: largestMemory(),
	}, nil
}

// A speedRow is a line of the table.
type speedRow struct {
	Model string `json:"model"`
	Pass  string `json:"pass"`
	speed
	GFLOPs float64 `json:"gflops"`
	Share  float64 `json:"share_of_peak"`
}

// speeds prints the speed of all passes through all models. The peak is the largest of the run.
func speeds(ctx context.Context, s settings, r *report) error {
	models, err := s.chosen()
	if err != nil {
		return err
	}
	var rows []speedRow
	var peak float64
	for _, model := range models {
		for _, pass := range passes {
			row := speedRow{Model: model, Pass: pass}
			if err := s.here(ctx, &row.speed, "speed", model, pass); err != nil {
				return err
			}
			rows, peak = append(rows, row), max(peak, row.Peak)
		}
	}
	r.say("fused multiply-adds reach %.0f GFLOP/s\n", peak)
	r.say("%-6s %-8s %10s %10s %9s %8s %10s", "model", "pass", "tokens/s", "best", "GFLOP/s", "of peak", "memory MB")
	for _, row := range rows {
		row.Peak, row.GFLOPs = peak, row.Tokens*sizes[row.Model].flops(row.Pass)/1e9
		row.Share = row.GFLOPs / peak
		err := r.row("speed", row, "%-6s %-8s %10.0f %10.0f %9.1f %7.0f%% %10.0f",
			row.Model, row.Pass, row.Tokens, row.Best, row.GFLOPs, 100*row.Share, row.MemoryMB)
		if err != nil {
			return err
		}
	}
	return nil
}
