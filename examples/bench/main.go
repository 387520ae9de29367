// Bench measures how fast this machine trains and runs language models, beside PyTorch if it is there.
//
//	go run ./examples/bench
//	go run ./examples/bench -gemm
//	go run ./examples/bench -growth
//	go run ./examples/bench -torch FOLDER -pairs 3
//
// Without flags it prints, for three models, tokens per second of training (forward, backward, clipping and AdamW) and of
// the forward pass alone, the share of the arithmetic that this processor can do at all, measured in the same run, and
// the largest memory of a process that trains. Each figure comes from a process of its own.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// settings are what the flags say.
type settings struct {
	models        string
	seconds       time.Duration
	threads       int
	gemm, growth  bool
	torch, python string
	naive         bool
	pairs         int
	child         string
}

func main() {
	var s settings
	flag.StringVar(&s.models, "models", "tiny,small,ts", "models to measure")
	flag.DurationVar(&s.seconds, "time", 4*time.Second, "time for each figure")
	flag.IntVar(&s.threads, "threads", 0, "threads; 0 means one for each processor")
	flag.BoolVar(&s.gemm, "gemm", false, "measure matrix products in the shapes of training instead")
	flag.BoolVar(&s.growth, "growth", false, "measure how the time of a step grows with the sizes of a model instead")
	flag.StringVar(&s.torch, "torch", "", "`folder` with bench_torch.py, to measure alternately with PyTorch")
	flag.StringVar(&s.python, "python", "python3", "interpreter that has torch")
	flag.BoolVar(&s.naive, "naive", false, "compare with PyTorch as a student writes it, with tuned libraries, too")
	flag.IntVar(&s.pairs, "pairs", 3, "alternations with PyTorch")
	flag.StringVar(&s.child, "child", "", "measure one thing and print it as JSON: for the processes that this program starts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	switch {
	case s.child != "":
		r, err := measure(ctx, s)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	case s.gemm:
		return products(s)
	case s.growth:
		return growth(ctx)
	}
	models := strings.Split(s.models, ",")
	if s.torch != "" {
		return besideTorch(ctx, s, models)
	}
	peak := measurePeak(s.threads)
	fmt.Printf("fused multiply-adds: %.0f GFLOP/s on %d threads\n\n", peak, threads(s.threads))
	fmt.Printf("%-6s %9s  %12s %12s %8s %8s  %9s\n", "model", "pass", "tokens/s", "best", "GFLOP/s", "of peak", "memory MB")
	for _, m := range models {
		for _, pass := range []string{"train", "forward"} {
			r, err := ours(ctx, s, m, pass)
			if err != nil {
				return err
			}
			fmt.Printf("%-6s %9s  %12.0f %12.0f %8.0f %7.0f%%  %9.0f\n", m, pass, r.Tokens, r.Best, r.GFLOPs, 100*r.GFLOPs/peak, r.MemoryMB)
		}
	}
	return nil
}
