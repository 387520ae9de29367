package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
)

// A size is a model and the batch that trains it.
type size struct {
	batch  int
	config layers.Config
}

var sizes = map[string]size{
	"tiny":  {16, layers.Config{VocabSize: 512, ContextLength: 128, DModel: 128, NumLayers: 4, NumHeads: 4, DFF: 344}},
	"small": {32, layers.Config{VocabSize: 500, ContextLength: 128, DModel: 256, NumLayers: 4, NumHeads: 8, DFF: 688}},
	"ts":    {8, layers.Config{VocabSize: 10000, ContextLength: 256, DModel: 512, NumLayers: 4, NumHeads: 16, DFF: 1344}},
}

// flops returns the floating-point operations of training on one token: six for each weight of a matrix and those of
// causal attention. The forward pass takes a third.
func (s size) flops() float64 {
	c := s.config
	weights := c.NumLayers*(4*c.DModel*c.DModel+3*c.DModel*c.DFF) + c.DModel*c.VocabSize
	return float64(6*weights + 6*c.NumLayers*c.DModel*(c.ContextLength+1))
}

// tokens returns how many tokens a step takes.
func (s size) tokens() int { return s.batch * s.config.ContextLength }

// A stepper builds a model and returns a function that takes a step of training, or a forward pass with all logits.
func (s size) stepper(pass string) (step func(ctx context.Context) error, err error) {
	ps := graph.NewParams(1)
	m, err := layers.NewTransformerLM(ps.Root(), s.config)
	if err != nil {
		return nil, err
	}
	g := graph.New()
	seq := s.config.ContextLength
	tokens := g.Tokens("tokens", s.batch, seq)
	ids := make([]int, s.tokens())
	for i := range ids {
		ids[i] = i * 7919 % s.config.VocabSize
	}
	feed := graph.Feed{tokens: graph.Ints(ids, s.batch, seq)}
	if pass == "forward" {
		prog, err := graph.Compile(m.Forward(tokens))
		return func(ctx context.Context) error { return prog.Run(ctx, feed) }, err
	}
	targets := g.Tokens("targets", s.batch, seq)
	feed[targets] = graph.Ints(append(slices.Clone(ids[1:]), ids[0]), s.batch, seq)
	x := m.Hidden(tokens)
	prog, err := graph.CompileTrain(graph.Apply3(loss.LinearCrossEntropy, x, x.Param(m.Head()), targets))
	if err != nil {
		return nil, err
	}
	weights, opt := ps.ValueGrads(), &optim.AdamW{WeightDecay: 0.1, MaxNorm: 1}
	return func(ctx context.Context) error {
		if err := prog.Run(ctx, feed); err != nil {
			return err
		}
		return opt.Step(weights)
	}, nil
}

// A figure is what a process measured.
type figure struct {
	Tokens   float64 // per second, the median of all steps
	Best     float64
	GFLOPs   float64 // per second
	MemoryMB float64 // the largest the process had
}

// measure takes steps of what -child names, a model and a pass, for the time that -time gives.
func measure(ctx context.Context, s settings) (figure, error) {
	name, pass, _ := strings.Cut(s.child, "/")
	m, ok := sizes[name]
	if !ok {
		return figure{}, errors.Errorf("unknown model %q", name)
	}
	kernel.SetThreads(s.threads)
	step, err := m.stepper(pass)
	if err != nil {
		return figure{}, err
	}
	times, err := timeSteps(ctx, step, s.seconds)
	if err != nil {
		return figure{}, err
	}
	n, work := float64(m.tokens()), m.flops()
	if pass == "forward" {
		work /= 3
	}
	f := figure{Tokens: n / times[len(times)/2], Best: n / times[0], MemoryMB: largestMemory()}
	f.GFLOPs = f.Tokens * work / 1e9
	return f, nil
}

// timeSteps takes three steps to warm up, and more until the time is over. It returns their times in seconds, sorted.
func timeSteps(ctx context.Context, step func(context.Context) error, d time.Duration) ([]float64, error) {
	var times []float64
	start := time.Now()
	for i := 0; len(times) < 3 || time.Since(start) < d; i++ {
		before := time.Now()
		if err := step(ctx); err != nil {
			return nil, err
		}
		if i == 2 {
			start = time.Now()
		}
		if i > 2 {
			times = append(times, time.Since(before).Seconds())
		}
	}
	slices.Sort(times)
	return times, nil
}

// ours measures a model in a process of its own.
func ours(ctx context.Context, s settings, model, pass string) (f figure, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, errors.Wrap(err, "finding this program")
	}
	cmd := exec.CommandContext(ctx, self, "-child", model+"/"+pass, "-time", s.seconds.String(), "-threads", strconv.Itoa(s.threads))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return f, errors.Wrapf(err, "measuring %s", model)
	}
	return f, errors.Wrapf(json.Unmarshal(out, &f), "reading the figures of %s", model)
}

// largestMemory returns the most memory this process has had, in MB, or 0 where the system does not tell.
func largestMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}
