// Bench measures how fast this machine trains and runs language models, beside PyTorch and OpenBLAS if they are there.
//
//	go run ./examples/bench
//	go run ./examples/bench -torch FOLDER [-naive]
//	go run ./examples/bench -decode
//	go run ./examples/bench -sampler [-torch FOLDER]
//	go run ./examples/bench -loss [-torch FOLDER]
//	go run ./examples/bench -gemm [-openblas]
//	go run ./examples/bench -growth
//	go run ./examples/bench -recipe TEXT [-steps 200] [-torch FOLDER]
//
// Without flags it prints, for three models, tokens per second of training (forward, backward, clipping and AdamW), of
// the forward pass alone and of generating a sequence, the share of the arithmetic that this processor can do at all,
// measured in the same run, and the largest memory of the process. That takes a minute.
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
	"slices"
	"strings"
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
	decode         bool
	sampler, loss  bool
	gemm, openblas bool
	growth         bool
	recipe         string
	steps          int
	json, child    string
}

func main() {
	var s settings
	flag.StringVar(&s.models, "models", "tiny,small,ts", "models to measure")
	flag.DurationVar(&s.seconds, "time", 4*time.Second, "time to measure a model in; a point of -growth takes a quarter of it, a product or a draw a sixteenth")
	flag.IntVar(&s.pairs, "pairs", 3, "turns of all that is compared")
	flag.IntVar(&s.threads, "threads", 0, "threads; 0 means GOMAXPROCS")
	flag.StringVar(&s.torch, "torch", "", "`folder` with bench_torch.py, to measure in turns with PyTorch")
	flag.StringVar(&s.python, "python", "python3", "interpreter that has torch")
	flag.BoolVar(&s.naive, "naive", false, "compare with PyTorch as a student writes it, with tuned libraries, too")
	flag.BoolVar(&s.decode, "decode", false, "measure generating instead")
	flag.BoolVar(&s.sampler, "sampler", false, "measure drawing tokens instead")
	flag.BoolVar(&s.loss, "loss", false, "measure cross-entropy and its gradient, and the output layer with it, instead")
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
	var given []string
	flag.Visit(func(f *flag.Flag) { given = append(given, f.Name) })
	if err := run(ctx, s, given, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// modes are what the program can do, each with the flags that matter to it besides -threads and -json.
var modes = map[string]struct {
	do    func(ctx context.Context, s settings, r *report) error
	flags string
}{
	"":        {speeds, "models time"},
	"torch":   {besideTorch, "torch python naive models time pairs"},
	"decode":  {decodes, "decode models time"},
	"sampler": {sampling, "sampler time pairs torch python"},
	"loss":    {losses, "loss time pairs torch python"},
	"gemm":    {products, "gemm openblas time pairs"},
	"growth":  {growth, "growth time pairs"},
	"recipe":  {recipe, "recipe steps pairs torch python"},
}

// run does what the flags ask for. No flag is ignored: one that does not matter is an error.
func run(ctx context.Context, s settings, given, args []string) error {
	kernel.SetThreads(s.threads)
	if s.child != "" {
		return measure(ctx, s)
	}
	mode := modes[s.mode()]
	for _, name := range given {
		if !slices.Contains(strings.Fields(mode.flags+" threads json"), name) {
			return errors.Errorf("-%s does not go with the other flags", name)
		}
	}
	if len(args) > 0 || s.threads < 0 || s.pairs < 1 || s.steps < 1 || s.seconds <= 0 {
		return errors.Errorf("arguments %q, %d threads, %d pairs, %d steps, %v of time", args, s.threads, s.pairs, s.steps, s.seconds)
	}
	r, err := newReport(os.Stdout, s.json)
	if err != nil {
		return err
	}
	err = mode.do(ctx, s, r)
	if e := r.close(); err == nil {
		err = e
	}
	return err
}

// mode returns the name of the mode that the flags ask for.
func (s settings) mode() string {
	switch {
	case s.decode:
		return "decode"
	case s.sampler:
		return "sampler"
	case s.loss:
		return "loss"
	case s.gemm:
		return "gemm"
	case s.growth:
		return "growth"
	case s.recipe != "":
		return "recipe"
	case s.torch != "":
		return "torch"
	}
	return ""
}
