package sampler_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// A countdown is a context that ends at its n-th look. Calls counts those of a model that come after that.
type countdown struct {
	context.Context
	left, calls int
}

func (c *countdown) Err() error {
	if c.left > 0 {
		c.left--
		return nil
	}
	return context.Canceled
}

// A watched model notes calls with a context that has ended.
type watched struct{ *toy }

func (m watched) look(ctx context.Context) {
	if c := ctx.(*countdown); c.left == 0 {
		c.calls++
	}
}

func (m watched) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	m.look(ctx)
	return m.toy.Next(ctx, tokens...)
}

func (m watched) NextAll(ctx context.Context, tokens ...int) ([][]float32, error) {
	m.look(ctx)
	return m.toy.NextAll(ctx, tokens...)
}

func (m watched) NextHidden(ctx context.Context, tokens ...int) ([]float32, [][]float32, error) {
	m.look(ctx)
	rows, err := m.toy.NextAll(ctx, tokens...)
	if err != nil {
		return nil, nil, err
	}
	return rows[len(rows)-1], rows, nil
}

func (m watched) Fork() (watched, error) {
	f, err := m.toy.Fork()
	return watched{f}, err
}

// Whatever generates looks at its context before every call of a model, so when that ends no more than the call under way
// is finished, and the error is that of the context.
func TestCancellation(t *testing.T) {
	model := func(seed uint64) watched { return watched{newToy(gauss(seed, 9, 2))} }
	drain := func(seq iter.Seq2[int, error]) (last error) {
		for token, err := range seq {
			if last = err; err != nil && token != -1 {
				t.Errorf("token %d with error %v", token, err)
			}
		}
		return last
	}
	prompt := []int{1, 2, 3}
	s := sampler.Sampler{Temperature: 1, Seed: 1}
	for name, generate := range map[string]func(ctx context.Context) error{
		"Generate": func(ctx context.Context) error { s := s; return drain(s.Generate(ctx, model(1), prompt, 9)) },
		"Speculative": func(ctx context.Context) error {
			s := s
			return drain((&sampler.Speculative{Target: model(1), Draft: model(2)}).Generate(ctx, &s, prompt, 9))
		},
		"BeamSearch": func(ctx context.Context) error {
			_, err := sampler.BeamSearch(ctx, sampler.Beam{Width: 3}, model(1), prompt, 9)
			return err
		},
		"ContrastiveSearch": func(ctx context.Context) error {
			return drain(sampler.ContrastiveSearch{Alpha: 0.5}.Generate(ctx, model(1), prompt, 9))
		},
		"Guidance": func(ctx context.Context) error {
			s := s
			return drain(s.Generate(ctx, &sampler.Guidance{Cond: model(1), Uncond: model(2), Scale: 1.5}, prompt, 9))
		},
		"Contrastive": func(ctx context.Context) error {
			s := s
			return drain(s.Generate(ctx, &sampler.Contrastive{Expert: model(1), Amateur: model(2), Alpha: 0.1}, prompt, 9))
		},
	} {
		at := 0
		for ; ; at++ {
			ctx := &countdown{Context: context.Background(), left: at + 1}
			err := generate(ctx)
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s ends with %v", name, err)
			}
			// The look that finds nothing wrong and brings the count to 0 is followed by the calls it was for: two of models
			// that go together.
			if ctx.calls > 2 {
				t.Fatalf("%s calls a model %d times after the end of its context", name, ctx.calls)
			}
		}
		if at < 8 {
			t.Errorf("%s looks at its context %d times for 9 tokens", name, at)
		}
	}
}
