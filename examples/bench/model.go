package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
	"github.com/logits-go/logits/sampler"
)

// A size is a model and the batch that trains it.
type size struct {
	batch  int
	config layers.Config
}

// modelNames are the names of sizes, from the smallest.
var modelNames = []string{"tiny", "small", "ts"}

var sizes = map[string]size{
	"tiny":  {16, layers.Config{VocabSize: 512, ContextLength: 128, DModel: 128, NumLayers: 4, NumHeads: 4, DFF: 344}},
	"small": {32, layers.Config{VocabSize: 500, ContextLength: 128, DModel: 256, NumLayers: 4, NumHeads: 8, DFF: 688}},
	"ts":    {8, layers.Config{VocabSize: 10000, ContextLength: 256, DModel: 512, NumLayers: 4, NumHeads: 16, DFF: 1344}},
}

// The passes through a model that are measured.
const (
	passTrain   = "train"   // forward, backward, clipping, AdamW
	passForward = "forward" // up to all logits
	passDecode  = "decode"  // one sequence, token by token, always the most likely one
)

var passes = []string{passTrain, passForward, passDecode}

// chosen returns the models that -models names.
func (s settings) chosen() ([]string, error) {
	names := strings.Split(s.models, ",")
	for _, name := range names {
		if !slices.Contains(modelNames, name) {
			return nil, errors.Errorf("unknown model %q; there are %s", name, strings.Join(modelNames, ", "))
		}
	}
	return names, nil
}

// tokens returns how many tokens a step takes.
func (s size) tokens() int { return s.batch * s.config.ContextLength }

// tokensOf returns how many tokens a step of a pass takes, or makes.
func (s size) tokensOf(pass string) int {
	if pass == passDecode {
		return s.config.ContextLength
	}
	return s.tokens()
}

// flops returns the floating-point operations that a pass takes for a token. Training takes six for each weight of a
// matrix, 6·(layers·(4·d² + 3·d·ff) + d·V), and 6·layers·d·(T+1) for causal attention; the forward pass takes a third,
// and so does generating.
func (s size) flops(pass string) float64 {
	c := s.config
	weights := c.NumLayers*(4*c.DModel*c.DModel+3*c.DModel*c.DFF) + c.DModel*c.VocabSize
	train := float64(6*weights + 6*c.NumLayers*c.DModel*(c.ContextLength+1))
	if pass == passTrain {
		return train
	}
	return train / 3
}

// stepper builds a model and returns a function that takes one step of a pass.
func (s size) stepper(pass string) (step func(context.Context) error, err error) {
	params := graph.NewParams(1)
	model, err := layers.NewTransformerLM(params.Root(), s.config)
	if err != nil {
		return nil, err
	}
	seq := s.config.ContextLength
	if pass == passDecode {
		dec, err := graph.NewDecoder(model.Forward, seq)
		return func(ctx context.Context) error {
			dec.Reset()
			for _, err := range new(sampler.Sampler).Generate(ctx, dec, []int{1}, seq) {
				if err != nil {
					return err
				}
			}
			return nil
		}, err
	}
	g := graph.New()
	tokens := g.Tokens("tokens", s.batch, seq)
	ids := make([]int, s.tokens())
	for i := range ids {
		ids[i] = i * 7919 % s.config.VocabSize
	}
	feed := graph.Feed{tokens: graph.Ints(ids, s.batch, seq)}
	if pass == passForward {
		prog, err := graph.Compile(model.Forward(tokens))
		return func(ctx context.Context) error { return prog.Run(ctx, feed) }, err
	}
	targets := g.Tokens("targets", s.batch, seq)
	feed[targets] = graph.Ints(append(slices.Clone(ids[1:]), ids[0]), s.batch, seq)
	x := model.Hidden(tokens)
	prog, err := graph.CompileTrain(graph.Apply3(loss.LinearCrossEntropy, x, x.Param(model.Head()), targets))
	if err != nil {
		return nil, err
	}
	weights, opt := params.ValueGrads(), &optim.AdamW{WeightDecay: 0.1, MaxNorm: 1}
	return func(ctx context.Context) error {
		if err := prog.Run(ctx, feed); err != nil {
			return err
		}
		return opt.Step(weights)
	}, nil
}

// timeSteps takes three steps to warm up, and then at least three until the time is over. It returns their times in
// seconds.
func timeSteps(ctx context.Context, step func(context.Context) error, d time.Duration) ([]float64, error) {
	const warm, least = 3, 3
	var times []float64
	var start time.Time
	for i := 0; i < warm+least || time.Since(start) < d; i++ {
		if i == warm {
			start = time.Now()
		}
		before := time.Now()
		if err := step(ctx); err != nil {
			return nil, err
		}
		if i >= warm {
			times = append(times, time.Since(before).Seconds())
		}
	}
	return times, nil
}
