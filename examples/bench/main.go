// Bench measures how fast this machine trains and runs language models, beside PyTorch and OpenBLAS if they are there.
//
//	go run ./examples/bench
//	go run ./examples/bench -torch FOLDER [-naive]
//	go run ./examples/bench -gemm [-openblas]
//	go run ./examples/bench -growth
//	go run ./examples/bench -recipe TEXT [-steps 200] [-torch FOLDER]
//
// Without flags it prints, for three models, tokens per second of training (forward, backward, clipping and AdamW) and of
// the forward pass alone, the share of the arithmetic that this processor can do at all, measured in the same run, and
// the largest memory of the process. That takes half a minute.
//
// A machine has better and worse moments. So what is compared is measured in turns, in processes of their own, and what
// is printed are medians.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/kernel"
)

// settings are what the flags say.
type settings struct {
	models         string
	seconds        time.Duration
	pairs, threads int
	torch, python  string
	naive          bool
	gemm, openblas bool
	growth         bool
	recipe         string
	steps          int
	json, child    string
}

func main() {
	var s settings
	flag.StringVar(&s.models, "models", "tiny,small,ts", "models to measure")
	flag.DurationVar(&s.seconds, "time", 4*time.Second, "time to measure a model in; a point of -growth takes a quarter of it, a product a sixteenth")
	flag.IntVar(&s.pairs, "pairs", 3, "turns of all that is compared")
	flag.IntVar(&s.threads, "threads", 0, "threads; 0 means GOMAXPROCS")
	flag.StringVar(&s.torch, "torch", "", "`folder` with bench_torch.py, to measure in turns with PyTorch")
	flag.StringVar(&s.python, "python", "python3", "interpreter that has torch")
	flag.BoolVar(&s.naive, "naive", false, "compare with PyTorch as a student writes it, with tuned libraries, too")
	flag.BoolVar(&s.gemm, "gemm", false, "measure matrix products in the shapes of training instead")
	flag.BoolVar(&s.openblas, "openblas", false, "measure those products in turns with OpenBLAS; needs a C compiler")
	flag.BoolVar(&s.growth, "growth", false, "measure how the time of a step grows with the sizes of a model instead")
	flag.StringVar(&s.recipe, "recipe", "", "train nanoGPT's recipe for a CPU on the characters of `text`, in turns with PyTorch, instead")
	flag.IntVar(&s.steps, "steps", recipeSteps, "steps of the recipe")
	flag.StringVar(&s.json, "json", "", "write the results to `file`, too, each as a line of JSON")
	flag.StringVar(&s.child, "child", "", "measure one thing and print it as JSON: for the processes that this program starts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run does what the flags ask for.
func run(ctx context.Context, s settings) error {
	if err := s.check(); err != nil {
		return err
	}
	kernel.SetThreads(s.threads)
	if s.child != "" {
		return measure(ctx, s)
	}
	r, err := newReport(os.Stdout, s.json)
	if err != nil {
		return err
	}
	switch {
	case s.gemm:
		err = products(ctx, s, r)
	case s.growth:
		err = growth(ctx, s, r)
	case s.recipe != "":
		err = recipe(ctx, s, r)
	case s.torch != "":
		err = besideTorch(ctx, s, r)
	default:
		err = speeds(ctx, s, r)
	}
	if e := r.close(); err == nil {
		err = e
	}
	return err
}

// check refuses what does not go together, since no flag is ignored.
func (s settings) check() error {
	modes := 0
	for _, on := range []bool{s.gemm, s.growth, s.recipe != "", s.torch != "" && s.recipe == ""} {
		if on {
			modes++
		}
	}
	switch {
	case flag.NArg() > 0:
		return errors.Errorf("unexpected argument %q", flag.Arg(0))
	case modes > 1:
		return errors.New("one of -gemm, -growth, -recipe and -torch at a time; only -recipe and -torch go together")
	case s.openblas && !s.gemm:
		return errors.New("-openblas needs -gemm")
	case s.naive && (s.torch == "" || s.recipe != ""):
		return errors.New("-naive needs -torch without -recipe")
	case s.threads < 0 || s.pairs < 1 || s.steps < 1 || s.seconds <= 0:
		return errors.New("-time, -pairs and -steps must be positive, and -threads not negative")
	}
	return nil
}
