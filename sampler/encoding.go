package sampler

import (
	"context"

	"github.com/pkg/errors"
)

// Encoding is an [Encoder] of two models that are given the same text: Logits ends in logits, and Hidden, whose rows are
// vectors, ends before the output layer that makes them. A graph.Decoder of the Forward of a layers.TransformerLM and one
// of its Hidden serve. After an error both hold the text that they held before the call, if Hidden can be truncated.
type Encoding struct {
	Logits Rewinder
	Hidden Scorer
}

// check tells an Encoding that lacks a model or whose models hold different texts.
func (e *Encoding) check() error {
	if e.Logits == nil || e.Hidden == nil {
		return errors.Errorf("sampler: Encoding of the models %T and %T, want two", e.Logits, e.Hidden)
	}
	if n, m := e.Logits.Len(), e.Hidden.Len(); n != m {
		return errors.Errorf("sampler: Encoding: its models hold %d and %d tokens", n, m)
	}
	return nil
}

// NextHidden appends tokens and returns the logits after the last and a vector for each.
func (e *Encoding) NextHidden(ctx context.Context, tokens ...int) (logits []float32, hidden [][]float32, err error) {
	if err := e.check(); err != nil {
		return nil, nil, err
	}
	held := e.Hidden.Len()
	if hidden, err = e.Hidden.NextAll(ctx, tokens...); err != nil {
		return nil, nil, errors.WithMessage(err, "sampler: Encoding: vectors")
	}
	if logits, err = e.Logits.Next(ctx, tokens...); err != nil {
		e.Hidden.Truncate(held) // the error of the call says more than one of this
		return nil, nil, errors.WithMessage(err, "sampler: Encoding: logits")
	}
	return logits, hidden, nil
}

// Next appends tokens and returns the logits after the last.
func (e *Encoding) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	logits, _, err := e.NextHidden(ctx, tokens...)
	return logits, err
}

// Len returns how many tokens the models hold.
func (e *Encoding) Len() int {
	if e.Logits == nil {
		return 0
	}
	return e.Logits.Len()
}

// Truncate forgets all but the first n tokens.
func (e *Encoding) Truncate(n int) error {
	if err := e.check(); err != nil {
		return err
	}
	if err := e.Logits.Truncate(n); err != nil {
		return errors.WithMessage(err, "sampler: Encoding: logits")
	}
	return errors.WithMessage(e.Hidden.Truncate(n), "sampler: Encoding: vectors")
}
