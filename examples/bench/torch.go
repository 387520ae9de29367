package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/logits-go/logits/internal/kernel"
)

// A rival is a way to write the models in PyTorch.
type rival struct {
	name string
	args []string // of bench_torch.py
}

// besideTorch measures each model in turns here and with PyTorch, each time in a new process, and prints the ratios.
func besideTorch(ctx context.Context, s settings, r *report) error {
	models, err := s.chosen()
	if err != nil {
		return err
	}
	rivals := []rival{{"best", []string{"--impl", "best"}}}
	if s.naive {
		rivals = append(rivals, rival{"naive", []string{"--impl", "naive", "--env", "tuned"}})
	}
	r.say("tokens per second, medians; the ratio is the median of those of the pairs, ours to PyTorch's\n")
	r.say("%-6s %-8s %-6s %9s %9s %6s  %-*s %9s %9s %6s", "model", "pass", "torch", "ours", "torch", "ratio",
		5*s.pairs, "of each", "our MB", "torch MB", "ratio")
	for _, model := range models {
		for _, pass := range passes {
			for _, v := range rivals {
				p, err := compareTorch(ctx, s, v, model, pass)
				if err != nil {
					return err
				}
				err = r.row("torch", p, "%-6s %-8s %-6s %9.0f %9.0f %6.2f  %-*s %9.0f %9.0f %6.2f", p.Model, p.Pass, p.Torch,
					p.Ours, p.Theirs, p.Ratio, 5*s.pairs, each(p.Ratios), p.OurMB, p.TheirMB, p.MemoryRatio)
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// A torchRow compares one pass through one model with one rival.
type torchRow struct {
	Model       string    `json:"model"`
	Pass        string    `json:"pass"`
	Torch       string    `json:"torch"`
	Ours        float64   `json:"tokens_per_second"`
	Theirs      float64   `json:"torch_tokens_per_second"`
	Ratio       float64   `json:"ratio"`
	Ratios      []float64 `json:"ratios"`
	OurMB       float64   `json:"memory_mb"`
	TheirMB     float64   `json:"torch_memory_mb"`
	MemoryRatio float64   `json:"memory_ratio"`
}

// compareTorch measures all pairs of a row. Memory is the largest of all.
func compareTorch(ctx context.Context, s settings, v rival, model, pass string) (torchRow, error) {
	p := torchRow{Model: model, Pass: pass, Torch: v.name}
	var ours, theirs []float64
	err := inTurns(s.pairs, func() error {
		var f speed
		err := s.here(ctx, &f, "speed", model, pass)
		ours, p.OurMB = append(ours, f.Tokens), max(p.OurMB, f.MemoryMB)
		return err
	}, func() error {
		var f struct { // what bench_torch.py prints
			Tokens   float64 `json:"tok_s"`
			MemoryMB float64 `json:"rss_mb"`
		}
		args := append([]string{filepath.Join(s.torch, "bench_torch.py"), "--config", model, "--mode", pass,
			"--threads", strconv.Itoa(kernel.Threads()), "--secs", fmt.Sprint(s.seconds.Seconds())}, v.args...)
		err := figures(exec.CommandContext(ctx, s.python, args...), &f)
		theirs, p.TheirMB = append(theirs, f.Tokens), max(p.TheirMB, f.MemoryMB)
		return err
	})
	if err != nil {
		return p, err
	}
	p.Ratios = ratios(ours, theirs)
	p.Ours, p.Theirs, p.Ratio, p.MemoryRatio = median(ours), median(theirs), median(p.Ratios), p.OurMB/p.TheirMB
	return p, nil
}

// ratios divides x by y.
func ratios(x, y []float64) []float64 {
	r := make([]float64, len(x))
	for i := range r {
		r[i] = x[i] / y[i]
	}
	return r
}
