package graph

import (
	"context"

	"github.com/pkg/errors"
)

// A Decoder runs a model on a sequence that grows, keeping the keys and values of the tokens so far. It is the Model that
// package sampler generates from. Decoders share the parameters of the model, so any number of them may run at the same
// time; one is not safe for concurrent use.
//
// Logits have the same bits whether tokens come one by one, in a prompt, or beside other sequences in a [BatchDecoder].
type Decoder struct {
	s    *sequences
	rows [][]float32
}

// errZeroDecoder is the error of a decoder without a model.
var errZeroDecoder = errors.New("graph: Decoder: it is the zero value, which NewDecoder has not made")

// NewDecoder builds forward, which maps tokens (batch, seq) to logits (batch, seq, vocab), in graphs that generate a
// sequence of up to maxSeq tokens. Options apply to these graphs.
func NewDecoder(forward func(tokens Node) Node, maxSeq int, opts ...Option) (*Decoder, error) {
	b, err := newBlueprint(forward, 1, maxSeq, opts)
	if err != nil {
		return nil, errors.WithMessage(err, "graph: NewDecoder")
	}
	s, err := newSequences(b)
	if err != nil {
		return nil, errors.WithMessage(err, "graph: NewDecoder")
	}
	return &Decoder{s: s}, nil
}

// Next appends tokens to the sequence and returns the logits (vocab) of the token that follows. The next call
// overwrites them. After an error, such as that of a ctx that ends, the sequence is as it was before the call.
func (d *Decoder) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	if d.s == nil {
		return nil, errZeroDecoder
	}
	rows, vocab, err := d.s.next(ctx, tokens)
	if err != nil {
		return nil, errors.WithMessage(err, "graph: Decoder")
	}
	return rows[:vocab:vocab], nil
}

// NextAll is Next that returns the logits after each of the tokens. The next call of NextAll overwrites them.
func (d *Decoder) NextAll(ctx context.Context, tokens ...int) ([][]float32, error) {
	if d.s == nil {
		return nil, errZeroDecoder
	}
	all, vocab, err := d.s.score(ctx, tokens)
	if err != nil {
		return nil, errors.WithMessage(err, "graph: Decoder")
	}
	d.rows = d.rows[:0]
	for i := range tokens {
		d.rows = append(d.rows, all[i*vocab:(i+1)*vocab:(i+1)*vocab])
	}
	return d.rows, nil
}

// Fork returns a Decoder that goes on from the sequence as it is now, independently of d. It may run on another goroutine.
func (d *Decoder) Fork() (*Decoder, error) {
	if d.s == nil {
		return nil, errZeroDecoder
	}
	s, err := d.s.fork()
	if err != nil {
		return nil, errors.WithMessage(err, "graph: Decoder")
	}
	return &Decoder{s: s}, nil
}

// Len returns how many tokens the sequence has.
func (d *Decoder) Len() int {
	if d.s == nil {
		return 0
	}
	return d.s.lens[0]
}

// Max returns how many tokens the sequence may have.
func (d *Decoder) Max() int {
	if d.s == nil {
		return 0
	}
	return d.s.maxSeq
}

// Reset forgets the sequence.
func (d *Decoder) Reset() {
	if d.s != nil {
		d.s.lens[0] = 0
	}
}

// Truncate forgets all but the first n tokens.
func (d *Decoder) Truncate(n int) error {
	if d.s == nil {
		return errZeroDecoder
	}
	return errors.WithMessage(d.s.truncate(0, n), "graph: Decoder")
}
