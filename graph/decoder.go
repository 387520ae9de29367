package graph

import (
	"context"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// prefill is how many tokens of a prompt a [Decoder] takes at a time.
const prefill = 32

// A Decoder runs a model on a growing sequence, keeping the keys and values of the tokens so far. It is the Model that
// package sampler generates from. Decoders share the parameters of the model; one is not safe for concurrent use.
type Decoder struct {
	chunk, step *stage // of prefill tokens, and of one; chunk is nil if sequences are too short for it
	maxSeq      int
	pos         []int // tokens so far, which both stages count from
	row         []float32
}

// A stage is a model for a fixed number of tokens at a time.
type stage struct {
	prog           *Program
	tokens, logits Node
	ids            []int
	feed           Feed
}

// NewDecoder builds forward, which maps tokens (1, seq) to logits (1, seq, vocab), in graphs that generate sequences of
// up to maxSeq tokens. Options apply to these graphs.
func NewDecoder(forward func(tokens Node) Node, maxSeq int, opts ...Option) (*Decoder, error) {
	d := &Decoder{maxSeq: maxSeq, pos: make([]int, 1)}
	var err error
	if d.step, err = newStage(forward, 1, maxSeq, opts); err != nil {
		return nil, errors.WithMessage(err, "graph: NewDecoder")
	}
	d.step.prog.offsets = d.pos
	if maxSeq >= prefill {
		if d.chunk, err = newStage(forward, prefill, maxSeq, opts); err != nil {
			return nil, errors.WithMessage(err, "graph: NewDecoder")
		}
		d.chunk.prog.offsets = d.pos
		if err := d.chunk.prog.shareState(d.step.prog); err != nil {
			return nil, errors.WithMessage(err, "graph: NewDecoder")
		}
	}
	return d, nil
}

func newStage(forward func(tokens Node) Node, seq, maxSeq int, opts []Option) (*stage, error) {
	if forward == nil {
		return nil, errors.New("no model")
	}
	g := New(append(slices.Clone(opts), Decode(maxSeq))...)
	s := &stage{tokens: g.Tokens("tokens", 1, seq), ids: make([]int, seq)}
	s.logits = forward(s.tokens)
	if shape := s.logits.Shape(); g.err == nil && (len(shape) != 3 || shape[0] != 1 || shape[1] != seq) {
		return nil, errors.Errorf("the model maps tokens (1, %d) to %v, want (1, %d, vocab)", seq, shape, seq)
	}
	var err error
	s.prog, err = Compile(s.logits)
	s.feed = Feed{s.tokens: Ints(s.ids, 1, seq)}
	return s, err
}

// shareState makes p use the keys and values of other, a program of the same model.
func (p *Program) shareState(other *Program) error {
	var states [][]gorgonia.Value
	for _, s := range other.steps {
		if s.call.State != nil {
			states = append(states, s.call.State)
		}
	}
	for i := range p.steps {
		s := p.steps[i]
		if s.call.State == nil {
			continue
		}
		if len(states) == 0 {
			return errors.New("the model depends on how many tokens it is given")
		}
		s.call.State, states = states[0], states[1:]
	}
	return nil
}

// Next appends tokens to the sequence and returns the logits (vocab) of the token that follows. The next call
// overwrites them. After an error the sequence is as it was before the call.
func (d *Decoder) Next(ctx context.Context, tokens ...int) (logits []float32, err error) {
	start := d.pos[0]
	defer func() {
		if err != nil {
			d.pos[0] = start
			err = errors.WithMessage(err, "graph: Decoder")
		}
	}()
	if len(tokens) == 0 {
		return nil, errors.New("no tokens")
	}
	if len(tokens) > d.maxSeq-start {
		return nil, errors.Errorf("%d tokens after %d exceed a sequence of %d", len(tokens), start, d.maxSeq)
	}
	for len(tokens) > 0 {
		s := d.step
		if d.chunk != nil && len(tokens) >= prefill {
			s = d.chunk
		}
		n := copy(s.ids, tokens)
		if err := s.prog.Run(ctx, s.feed); err != nil {
			return nil, err
		}
		d.pos[0] += n
		tokens = tokens[n:]
		if len(tokens) > 0 {
			continue
		}
		v, err := s.prog.Value(s.logits)
		if err != nil {
			return nil, err
		}
		return d.last(v.(*tensor.Dense)), nil
	}
	return nil, nil
}

// last returns the last row of logits (1, seq, vocab).
func (d *Decoder) last(v *tensor.Dense) []float32 {
	vocab := v.Shape()[2]
	if v.Dtype() == tensor.Float64 {
		all := v.Float64s()
		d.row = d.row[:0]
		for _, x := range all[len(all)-vocab:] {
			d.row = append(d.row, float32(x))
		}
		return d.row
	}
	all := v.Float32s()
	return all[len(all)-vocab:]
}

// Len returns how many tokens the sequence has, and Max how many it may have.
func (d *Decoder) Len() int { return d.pos[0] }

// Max returns how many tokens the sequence may have.
func (d *Decoder) Max() int { return d.maxSeq }

// Reset forgets the sequence.
func (d *Decoder) Reset() { d.pos[0] = 0 }

// Truncate forgets all but the first n tokens.
func (d *Decoder) Truncate(n int) error {
	if n < 0 || n > d.pos[0] {
		return errors.Errorf("graph: Decoder: %d tokens of %d", n, d.pos[0])
	}
	d.pos[0] = n
	return nil
}
