package sampler

import (
	"cmp"
	"context"
	"iter"
	"math"
	"slices"

	"github.com/pkg/errors"
)

// An Encoder is a Rewinder that shows the vectors from which its output layer makes logits.
type Encoder interface {
	Rewinder
	// NextHidden is Next, and also returns a vector (dim) for each of the tokens it is given. The model may overwrite
	// logits and vectors in the next call.
	NextHidden(ctx context.Context, tokens ...int) (logits []float32, hidden [][]float32, err error)
}

// ContrastiveSearch chooses tokens that are probable and do not repeat what the text has said (Su et al., "A
// contrastive framework for neural text generation", 2022). Of the TopK most probable tokens v it takes the one with the
// largest
//
//	(1 - Alpha)·p(v) - Alpha·max cos(h(v), h(x))
//
// where p is the model's probability, h(v) is the vector of v if it came next and the maximum is over the tokens x
// of the text so far. The lowest token wins where several are equal. The zero value is greedy search.
type ContrastiveSearch struct {
	TopK  int     // candidates; 0 is 4
	Alpha float64 // in [0, 1]; 0.6 is usual
	Stop  []int   // tokens at which Generate ends
}

// Generate gives a model the prompt and then ranges over up to n tokens, under the rules of [Sampler.Generate]. The
// model must be fresh: vectors of what it held before are not known. It is given each of the candidates in turn, which
// it then forgets, so that a token takes TopK+1 calls and the model needs room for the prompt and n tokens. An error
// may leave it with a candidate.
func (c ContrastiveSearch) Generate(ctx context.Context, model Encoder, prompt []int, n int) iter.Seq2[int, error] {
	prompt = slices.Clone(prompt)
	return func(yield func(int, error) bool) {
		if model == nil || len(prompt) == 0 || n < 0 || c.TopK < 0 || !(c.Alpha >= 0 && c.Alpha <= 1) {
			yield(-1, errors.Errorf("sampler: contrastive search: %d tokens from a prompt of %d with model %T, top-k %d, alpha %v",
				n, len(prompt), model, c.TopK, c.Alpha))
			return
		}
		s := contrastive{ContrastiveSearch: c, model: model}
		tokens := prompt
		for i := range n {
			token, err := s.next(ctx, tokens)
			if err != nil {
				yield(-1, errors.WithMessagef(err, "sampler: contrastive search: token %d", i))
				return
			}
			if slices.Contains(c.Stop, token) || !yield(token, nil) {
				return
			}
			tokens = []int{token}
		}
	}
}

// contrastive is the state of a search.
type contrastive struct {
	ContrastiveSearch
	model Encoder
	text  [][]float64 // the directions of the vectors of the text
	dist  Distribution
	probs []float64
}

// next gives the model tokens and returns the one to follow.
func (s *contrastive) next(ctx context.Context, tokens []int) (int, error) {
	logits, directions, err := s.ask(ctx, tokens)
	if err != nil {
		return -1, err
	}
	s.text = append(s.text, directions...)
	if err := s.dist.Reset(logits); err != nil {
		return -1, err
	}
	s.probs = s.dist.Probs(s.probs)
	if err := s.dist.TopK(cmp.Or(s.TopK, 4)); err != nil {
		return -1, err
	}
	best, top := -1, math.Inf(-1)
	held := s.model.Len()
	for token := range s.dist.All() {
		_, directions, err := s.ask(ctx, []int{token})
		if err != nil {
			return -1, err
		}
		if err := s.model.Truncate(held); err != nil {
			return -1, err
		}
		nearest := math.Inf(-1)
		for _, x := range s.text {
			nearest = max(nearest, dot(x, directions[0]))
		}
		if score := float64((1-s.Alpha)*s.probs[token]) - float64(s.Alpha*nearest); score > top {
			best, top = token, score
		}
	}
	return best, nil
}

// ask gives the model tokens and returns its logits and the directions of its vectors.
func (s *contrastive) ask(ctx context.Context, tokens []int) (logits []float32, directions [][]float64, err error) {
	if err := alive(ctx); err != nil {
		return nil, nil, errors.WithStack(err)
	}
	logits, hidden, err := s.model.NextHidden(ctx, tokens...)
	if err != nil {
		return nil, nil, err
	}
	if len(hidden) != len(tokens) {
		return nil, nil, errors.Errorf("%d vectors of %d tokens", len(hidden), len(tokens))
	}
	for _, h := range hidden {
		d := make([]float64, len(h))
		for i, x := range h {
			d[i] = float64(x)
		}
		norm := math.Sqrt(dot(d, d))
		if math.IsNaN(norm) || math.IsInf(norm, 0) || len(s.text) > 0 && len(d) != len(s.text[0]) {
			return nil, nil, errors.Errorf("a vector of %d elements has length %v", len(d), norm)
		}
		for i := range d {
			d[i] /= max(norm, math.SmallestNonzeroFloat64) // a vector of zeros has no direction
		}
		directions = append(directions, d)
	}
	return logits, directions, nil
}

func dot(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(x[i] * y[i])
	}
	return sum
}
