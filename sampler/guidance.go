package sampler

import (
	"context"
	"math"
	"reflect"
	"slices"

	"github.com/pkg/errors"
)

// Guidance is a Model made of two: classifier-free guidance, which goes on from what Uncond expects in the direction
// in which Cond differs from it, and beyond. With c and u the log-probabilities of a token its logit is
//
//	u + Scale·(c - u)
//
// as in Sanchez et al., "Stay on topic with classifier-free guidance", 2023, in Hugging Face (guidance_scale) and
// in llama.cpp (cfg_scale). Scale 1 is Cond alone; above 1 the prompt weighs more; below 1 it weighs less. The row that
// Next returns holds these logits less the largest of them, so no scale overflows.
//
// A token that either model masks is masked. The formula would give one that only Uncond masks +Inf above Scale 1
// and -Inf below, and no distribution has an infinite logit.
//
// Both models must be fresh, or hold what the prompt continues, and have the same vocabulary. After an error of one of
// them they may no longer hold the same tokens, so every later call returns that error.
type Guidance struct {
	Cond     Model   // has the prompt
	Uncond   Model   // does not, and is another Model than Cond, such as another graph.Decoder of the same weights
	Scale    float64 // above 0 and at most math.MaxFloat32; 1.5 is usual
	Negative []int   // what Uncond gets in the first call, in place of the prompt; if empty, its last token

	pair pair
}

// Next appends tokens to the texts of both models and returns the guided logits (vocab) of the token to follow. The
// next call overwrites them.
func (g *Guidance) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	if !(g.Scale > 0 && g.Scale <= math.MaxFloat32) {
		return nil, errors.Errorf("sampler: guidance: the scale is %v, want more than 0 and at most %v", g.Scale, math.MaxFloat32)
	}
	negative := tokens
	if !g.pair.begun && len(g.Negative) > 0 {
		negative = g.Negative
	} else if !g.pair.begun && len(tokens) > 0 {
		negative = tokens[len(tokens)-1:]
	}
	c, u, err := g.pair.next(ctx, g.Cond, g.Uncond, tokens, negative)
	if err != nil {
		return nil, errors.WithMessage(err, "sampler: guidance")
	}
	for i := range c {
		if masked(c[i]) || masked(u[i]) {
			c[i] = math.Inf(-1)
			continue
		}
		c[i] = u[i] + float64(g.Scale*(c[i]-u[i]))
	}
	return g.pair.row(c), nil
}

func masked(x float64) bool { return math.IsInf(x, -1) }

// A pair is two models that are given the same tokens.
type pair struct {
	begun bool
	err   error
	a, b  []float64
	out   []float32
}

// next gives a and b their tokens and returns the log-probabilities of what follows.
func (p *pair) next(ctx context.Context, a, b Model, tokensA, tokensB []int) (logA, logB []float64, err error) {
	if p.err != nil {
		return nil, nil, p.err
	}
	if absent(a) || absent(b) || len(tokensA) == 0 {
		return nil, nil, errors.Errorf("%d tokens for models %T and %T", len(tokensA), a, b)
	}
	if same(a, b) {
		return nil, nil, errors.Errorf("both models are one %T, which would be given every token twice", a)
	}
	if err := alive(ctx); err != nil {
		return nil, nil, errors.WithStack(err)
	}
	defer func() { p.err = err }()
	p.begun = true
	if p.a, err = logProbs(ctx, p.a, a, tokensA); err != nil {
		return nil, nil, errors.WithMessage(err, "the first model")
	}
	if p.b, err = logProbs(ctx, p.b, b, tokensB); err != nil {
		return nil, nil, errors.WithMessage(err, "the second model")
	}
	if len(p.a) != len(p.b) {
		return nil, nil, errors.Errorf("the models have vocabularies of %d and %d", len(p.a), len(p.b))
	}
	return p.a, p.b, nil
}

// same reports whether two models are pointers to one variable.
func same(a, b Model) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	return x.Kind() == reflect.Pointer && x.Type() == y.Type() && x.Pointer() == y.Pointer() && x.Type().Elem().Size() > 0
}

func logProbs(ctx context.Context, dst []float64, m Model, tokens []int) ([]float64, error) {
	logits, err := m.Next(ctx, tokens...)
	if err != nil {
		return dst, err
	}
	return LogSoftmax(dst, logits)
}

// row returns logits less the largest of them.
func (p *pair) row(logits []float64) []float32 {
	top := slices.Max(logits)
	if masked(top) {
		top = 0
	}
	p.out = p.out[:0]
	for _, x := range logits {
		p.out = append(p.out, float32(x-top))
	}
	return p.out
}
