package main

import (
	"context"
	_ "embed"
	"strconv"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/optim"
	"github.com/logits-go/logits/text"
)

//go:embed nanogpt_torch.py
var nanoGPTSource string

// The recipe is nanoGPT's for a CPU: see nanogpt_torch.py. A shorter run takes the first steps of it.
const (
	recipeSteps = 2000
	recipeEvery = 250 // steps between estimates of both losses
	recipeEval  = 20  // batches of an estimate
)

// A recipeRun is one training run.
type recipeRun struct {
	Seconds  float64 `json:"seconds"` // of all steps and estimates
	Loss     float64 `json:"loss"`    // over all of the validation text, at the end
	MemoryMB float64 `json:"memory_mb"`
}

// trainRecipe trains from a seed.
func trainRecipe(ctx context.Context, s settings, seed string) (r recipeRun, err error) {
	n, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return r, errors.Wrap(err, "seed")
	}
	training, validation, vocab, err := readChars(s.recipe)
	if err != nil {
		return r, err
	}
	m, err := newNanoGPT(vocab, n)
	if err != nil {
		return r, err
	}
	train, err := text.NewStream(training, n)
	if err != nil {
		return r, err
	}
	valid, err := text.NewStream(validation, n)
	if err != nil {
		return r, err
	}
	weights, opt := m.params.ValueGrads(), &optim.AdamW{
		LR:    optim.Cosine{Peak: 1e-3, Floor: 1e-4, Warmup: 100, Steps: recipeSteps},
		Beta2: 0.99, WeightDecay: 0.1, Decay: optim.Matrices, MaxNorm: 1,
	}
	start := time.Now()
	for step := range s.steps + 1 {
		if step%recipeEvery == 0 || step == s.steps {
			for _, part := range []*text.Stream{train, valid} {
				if _, err := m.loss(ctx, recipeEval, m.random(part)); err != nil {
					return r, err
				}
			}
		}
		if step == s.steps {
			break
		}
		if err := train.Next(m.x, m.y, m.batch, m.config.ContextLength); err != nil {
			return r, err
		}
		if err := m.trainer.Run(ctx, m.feed); err != nil {
			return r, err
		}
		if err := opt.Step(weights); err != nil {
			return r, err
		}
	}
	r.Seconds, r.MemoryMB = time.Since(start).Seconds(), largestMemory()
	all, err := text.NewWindows(validation)
	if err != nil {
		return r, err
	}
	r.Loss, err = m.loss(ctx, 0, func() (int, error) { return all.Next(m.x, m.y, m.batch, m.config.ContextLength) })
	return r, err
}

// A recipeRow compares two runs from one seed, or the medians of all.
type recipeRow struct {
	Seed  string    `json:"seed"`
	Steps int       `json:"steps"`
	Ours  recipeRun `json:"ours"`
	Torch recipeRun `json:"torch"`
	Ratio float64   `json:"ratio"` // PyTorch's time to ours
}

func (p recipeRow) print(r *report) error {
	return r.row("recipe", p, "%-7s %8.1f %8.1f %6.2f  %9.4f %9.4f  %9.0f %9.0f",
		p.Seed, p.Ours.Seconds, p.Torch.Seconds, p.Ratio, p.Ours.Loss, p.Torch.Loss, p.Ours.MemoryMB, p.Torch.MemoryMB)
}

// recipe trains in turns here and with PyTorch and prints times, losses and ratios.
func recipe(ctx context.Context, s settings, r *report) error {
	r.say("nanoGPT's recipe for a CPU, %d of %d steps. The time is that of all steps, with losses of %d batches of each part every\n"+
		"%d steps; the ratio is PyTorch's to ours; the loss is that of the whole validation text at the end.\n", s.steps, recipeSteps, recipeEval, recipeEvery)
	r.say("%-7s %8s %8s %6s  %9s %9s  %9s %9s", "seed", "ours, s", "torch, s", "ratio", "our loss", "torch", "our MB", "torch MB")
	var ours, theirs []recipeRun
	var ratios []float64
	turn := func(runs *[]recipeRun, train func(seed string, run *recipeRun) error) func() error {
		return func() error {
			var run recipeRun
			seed := strconv.Itoa(len(*runs) + 1)
			if err := train(seed, &run); err != nil {
				return err
			}
			*runs = append(*runs, run)
			if len(ours) != len(theirs) {
				return nil
			}
			o, t := ours[len(ours)-1], theirs[len(theirs)-1]
			ratios = append(ratios, t.Seconds/o.Seconds)
			return recipeRow{seed, s.steps, o, t, t.Seconds / o.Seconds}.print(r)
		}
	}
	err := inTurns(s.pairs,
		turn(&ours, func(seed string, run *recipeRun) error { return s.here(ctx, run, "recipe", seed) }),
		turn(&theirs, func(seed string, run *recipeRun) error {
			return figures(s.script(ctx, nanoGPTSource, kernel.Threads(), s.recipe, strconv.Itoa(s.steps), seed), run)
		}))
	if err != nil {
		return err
	}
	return recipeRow{"median", s.steps, medianRun(ours), medianRun(theirs), median(ratios)}.print(r)
}

// medianRun returns the medians of all figures.
func medianRun(runs []recipeRun) recipeRun {
	var seconds, losses, memory []float64
	for _, r := range runs {
		seconds, losses, memory = append(seconds, r.Seconds), append(losses, r.Loss), append(memory, r.MemoryMB)
	}
	return recipeRun{median(seconds), median(losses), median(memory)}
}
