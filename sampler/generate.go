package sampler

import (
	"context"
	"iter"
	"reflect"
	"slices"

	"github.com/pkg/errors"
)

// A Model is what Generate asks for logits: anything that remembers the tokens it was given.
type Model interface {
	// Next appends tokens to the text so far and returns the logits (vocab) of the token to follow. The model
	// may overwrite the returned slice in the next call, and must not keep or change tokens.
	Next(ctx context.Context, tokens ...int) ([]float32, error)
}

// Generate gives a model the prompt and then ranges over up to n tokens that it draws from the model's
// logits. The model should be fresh, or the prompt continue what it has been given.
//
// A token of s.Stop ends the generation and is not yielded. A token is given to the model only when the next
// one is asked for: the last one yielded has not been, nor has a stop token, so a chat that goes on begins
// its next prompt with them.
//
// An error is the last that is yielded, with a token of -1: of the model, of Sample, or of ctx, which is
// looked at before every token. An empty prompt and a negative n are errors. The caller may stop at any
// token. Ranging twice over the result runs the prompt twice.
//
// If there are Steps, History begins anew with the prompt: what they look back at is this call's.
func (s *Sampler) Generate(ctx context.Context, model Model, prompt []int, n int) iter.Seq2[int, error] {
	prompt = slices.Clone(prompt)
	return func(yield func(int, error) bool) {
		if absent(model) || len(prompt) == 0 || n < 0 {
			yield(-1, errors.Errorf("sampler: generate %d tokens from a prompt of %d with model %T", n, len(prompt), model))
			return
		}
		if s.Steps != nil {
			s.History = NewHistory(prompt...)
		}
		tokens, next := prompt, []int{-1}
		for i := range n {
			token, err := s.next(ctx, model, tokens)
			if err != nil {
				yield(-1, errors.WithMessagef(err, "sampler: generate token %d", i))
				return
			}
			if slices.Contains(s.Stop, token) || !yield(token, nil) {
				return
			}
			next[0] = token
			tokens = next
		}
	}
}

// alive returns an error if ctx has ended or is nil.
func alive(ctx context.Context) error {
	if ctx == nil {
		return errors.New("no context")
	}
	return ctx.Err()
}

// absent reports whether there is no model: none, or a nil pointer.
func absent(model any) bool {
	v := reflect.ValueOf(model)
	return model == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

func (s *Sampler) next(ctx context.Context, model Model, tokens []int) (int, error) {
	if err := alive(ctx); err != nil {
		return -1, errors.WithStack(err)
	}
	logits, err := model.Next(ctx, tokens...)
	if err != nil {
		return -1, err
	}
	return s.Sample(logits)
}
