package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/pkg/errors"
)

// besideTorch measures each model alternately here and with PyTorch, each time in a new process, and prints the ratios.
func besideTorch(ctx context.Context, s settings, models []string) error {
	impls := [][]string{{"--impl", "best"}}
	if s.naive {
		impls = append(impls, []string{"--impl", "naive", "--env", "tuned"})
	}
	fmt.Printf("%-6s %-8s %-6s %10s %10s %7s  %-24s %16s\n", "model", "pass", "torch", "ours", "torch", "ratio", "of each pair", "memory MB")
	for _, m := range models {
		for _, pass := range []string{"train", "forward"} {
			for _, impl := range impls {
				if err := alternate(ctx, s, m, pass, impl); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// alternate measures one pass of one model against one implementation.
func alternate(ctx context.Context, s settings, model, pass string, impl []string) error {
	var our, their, ratios []float64
	var ourMemory, theirMemory float64
	for range max(1, s.pairs) {
		f, err := ours(ctx, s, model, pass)
		if err != nil {
			return err
		}
		t, err := theirs(ctx, s, model, pass, impl)
		if err != nil {
			return err
		}
		our, their, ratios = append(our, f.Tokens), append(their, t.Tokens), append(ratios, f.Tokens/t.Tokens)
		ourMemory, theirMemory = max(ourMemory, f.MemoryMB), max(theirMemory, t.MemoryMB)
	}
	each := ""
	for _, r := range ratios {
		each += fmt.Sprintf("%.3f ", r)
	}
	fmt.Printf("%-6s %-8s %-6s %10.0f %10.0f %7.3f  %-24s %7.0f %8.0f\n",
		model, pass, impl[1], median(our), median(their), median(our)/median(their), each, ourMemory, theirMemory)
	return nil
}

// theirs runs bench_torch.py, whose last line is JSON.
func theirs(ctx context.Context, s settings, model, pass string, impl []string) (figure, error) {
	args := append([]string{filepath.Join(s.torch, "bench_torch.py"), "--config", model, "--mode", pass,
		"--threads", strconv.Itoa(threads(s.threads)), "--secs", fmt.Sprint(s.seconds.Seconds())}, impl...)
	cmd := exec.CommandContext(ctx, s.python, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return figure{}, errors.Wrapf(err, "PyTorch with %s", model)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var r struct {
		Tokens float64 `json:"tok_s"`
		Memory float64 `json:"rss_mb"`
	}
	if err := json.Unmarshal(lines[len(lines)-1], &r); err != nil {
		return figure{}, errors.Wrapf(err, "reading PyTorch's figures for %s", model)
	}
	return figure{Tokens: r.Tokens, MemoryMB: r.Memory}, nil
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}
