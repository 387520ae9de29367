package graph

import (
	"context"

	"github.com/pkg/errors"
)

// A BatchDecoder runs a model on several sequences at a time, each as long as it is. What makes generating slow is that
// every token needs all weights; here the tokens of all sequences share them. One is not safe for concurrent use.
type BatchDecoder struct {
	s    *sequences
	rows [][]float32
}

// NewBatchDecoder builds forward, which maps tokens (batch, seq) to logits (batch, seq, vocab), in graphs that generate
// batch sequences of up to maxSeq tokens each. Options apply to these graphs.
func NewBatchDecoder(forward func(tokens Node) Node, batch, maxSeq int, opts ...Option) (*BatchDecoder, error) {
	b, err := newBlueprint(forward, batch, maxSeq, opts)
	if err != nil {
		return nil, errors.WithMessage(err, "graph: NewBatchDecoder")
	}
	s, err := newSequences(b)
	if err != nil {
		return nil, errors.WithMessage(err, "graph: NewBatchDecoder")
	}
	return &BatchDecoder{s: s, rows: make([][]float32, batch)}, nil
}

// Next appends tokens[i] to sequence i and returns for each sequence the logits (vocab) of the token that follows. A
// sequence that is given none stays as it is, and its logits are nil. The next call overwrites the results. After an
// error, such as that of a ctx that ends, all sequences are as they were before the call.
func (d *BatchDecoder) Next(ctx context.Context, tokens [][]int) ([][]float32, error) {
	if d.s == nil {
		return nil, errors.New("graph: BatchDecoder: it is the zero value, which NewBatchDecoder has not made")
	}
	all, vocab, err := d.s.next(ctx, tokens...)
	if err != nil {
		return nil, errors.WithMessage(err, "graph: BatchDecoder")
	}
	for i, t := range tokens {
		d.rows[i] = nil
		if len(t) > 0 {
			d.rows[i] = all[i*vocab : (i+1)*vocab : (i+1)*vocab]
		}
	}
	return d.rows, nil
}

// Copy makes sequence `to` the same as sequence `from`, so that a prompt that several sequences begin with goes through
// the model once.
func (d *BatchDecoder) Copy(to, from int) error {
	for _, i := range []int{to, from} {
		if err := d.check(i); err != nil {
			return err
		}
	}
	if to != from {
		d.s.copy(to, d.s, from)
	}
	return nil
}

func (d *BatchDecoder) check(i int) error {
	if i < 0 || i >= d.Batch() {
		return errors.Errorf("graph: BatchDecoder: sequence %d of %d", i, d.Batch())
	}
	return nil
}

// Batch returns how many sequences there are.
func (d *BatchDecoder) Batch() int {
	if d.s == nil {
		return 0
	}
	return len(d.s.lens)
}

// Len returns how many tokens sequence i has, 0 if there is no such sequence.
func (d *BatchDecoder) Len(i int) int {
	if d.check(i) != nil {
		return 0
	}
	return d.s.lens[i]
}

// Max returns how many tokens a sequence may have.
func (d *BatchDecoder) Max() int {
	if d.s == nil {
		return 0
	}
	return d.s.maxSeq
}

// Reset forgets all sequences.
func (d *BatchDecoder) Reset() {
	if d.s != nil {
		clear(d.s.lens)
	}
}

// Truncate forgets all but the first n tokens of sequence i.
func (d *BatchDecoder) Truncate(i, n int) error {
	if err := d.check(i); err != nil {
		return err
	}
	return errors.WithMessage(d.s.truncate(i, n), "graph: BatchDecoder")
}
