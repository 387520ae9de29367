package sampler_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// counter is a model that expects one more than the last token, and writes down what it was given.
type counter struct {
	logits []float32
	given  [][]int
	fail   error
}

func (c *counter) Next(_ context.Context, tokens ...int) ([]float32, error) {
	c.given = append(c.given, slices.Clone(tokens))
	if c.fail != nil && len(c.given) == 3 {
		return nil, c.fail
	}
	if c.logits == nil {
		c.logits = make([]float32, 10)
	}
	clear(c.logits) // the row of the last call
	c.logits[(tokens[len(tokens)-1]+1)%len(c.logits)] = 100
	return c.logits, nil
}

func collect(seq iter.Seq2[int, error]) (tokens []int, err error) {
	for token, e := range seq {
		if e != nil {
			err = errors.Join(err, e)
		}
		tokens = append(tokens, token)
	}
	return tokens, err
}

func TestGenerate(t *testing.T) {
	ctx := context.Background()
	boom := errors.New("boom")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for _, c := range []struct {
		name   string
		s      sampler.Sampler
		ctx    context.Context
		fail   error
		prompt []int
		n      int
		want   []int
		given  string
		err    string
	}{
		{"greedy", sampler.Sampler{}, ctx, nil, []int{7, 3}, 3, []int{4, 5, 6}, "[[7 3] [4] [5]]", ""},
		{"sampling", sampler.Sampler{Temperature: 1, TopP: 0.9}, ctx, nil, []int{3}, 3, []int{4, 5, 6}, "[[3] [4] [5]]", ""},
		{"stop", sampler.Sampler{Stop: []int{0, 6}}, ctx, nil, []int{3}, 9, []int{4, 5}, "[[3] [4] [5]]", ""},
		{"stop at once", sampler.Sampler{Stop: []int{4}}, ctx, nil, []int{3}, 9, nil, "[[3]]", ""},
		{"stop in the prompt", sampler.Sampler{Stop: []int{3}}, ctx, nil, []int{3}, 1, []int{4}, "[[3]]", ""},
		{"no tokens", sampler.Sampler{}, ctx, nil, []int{3}, 0, nil, "[]", ""},
		{"empty prompt", sampler.Sampler{}, ctx, nil, nil, 1, []int{-1}, "[]", "from a prompt of 0"},
		{"negative n", sampler.Sampler{}, ctx, nil, []int{3}, -1, []int{-1}, "[]", "generate -1 tokens"},
		{"cancelled", sampler.Sampler{}, cancelled, nil, []int{3}, 9, []int{-1}, "[]", "context canceled"},
		{"model fails", sampler.Sampler{}, ctx, boom, []int{3}, 9, []int{4, 5, -1}, "[[3] [4] [5]]", "token 2: boom"},
		{"setting", sampler.Sampler{TopK: -1}, ctx, nil, []int{3}, 9, []int{-1}, "[[3]]", "top-k is -1"},
	} {
		m := &counter{fail: c.fail}
		got, err := collect(c.s.Generate(c.ctx, m, c.prompt, c.n))
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: generated %v, %v, want %v, %q", c.name, got, err, c.want, c.err)
		}
		if given := fmt.Sprint(m.given); given != c.given {
			t.Errorf("%s: the model was given %v, want %v", c.name, given, c.given)
		}
		if c.fail != nil && !errors.Is(err, c.fail) || c.ctx == cancelled && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v hides its cause", c.name, err)
		}
	}
	if _, err := collect((&sampler.Sampler{}).Generate(ctx, nil, []int{1}, 1)); err == nil {
		t.Error("Generate succeeds without a model")
	}
}

func TestGenerateStopsWhereTheCallerDoes(t *testing.T) {
	m := new(counter)
	var s sampler.Sampler
	prompt := []int{1}
	seq := s.Generate(context.Background(), m, prompt, 9)
	prompt[0] = 8 // too late to matter
	for token := range seq {
		if token == 3 {
			break
		}
	}
	if given := fmt.Sprint(m.given); given != "[[1] [2]]" || s.Step != 2 {
		t.Errorf("the model was given %s and Step is %d, want [[1] [2]] and 2", given, s.Step)
	}
}

func TestGenerateLooksAtContextBetweenTokens(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var got []int
	var last error
	for token, err := range new(sampler.Sampler).Generate(ctx, new(counter), []int{1}, 9) {
		got, last = append(got, token), err
		cancel()
	}
	if !slices.Equal(got, []int{2, -1}) || !errors.Is(last, context.Canceled) {
		t.Errorf("generated %v, %v, want [2 -1] and the context's error", got, last)
	}
}
