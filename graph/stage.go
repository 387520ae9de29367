package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/op"
)

// piece and smallPiece are how many tokens of a prompt a model takes at a time. A piece that is not full costs as much as
// one that is.
const piece, smallPiece = 32, 8

// A blueprint is a model as graphs that generate: for one token of every sequence, and for pieces of a single one.
// Decoders that are forks of each other share it.
type blueprint struct {
	mu             sync.Mutex // held while programs are compiled
	batch, maxSeq  int
	step           *sheet
	smalls, pieces *sheet // pieces is nil if sequences are too short for it
}

// A sheet is the graph of a model for a number of tokens.
type sheet struct{ tokens, logits Node }

// newBlueprint builds the graphs of forward, which maps tokens (batch, seq) to logits (batch, seq, vocab).
func newBlueprint(forward func(tokens Node) Node, batch, maxSeq int, opts []Option) (*blueprint, error) {
	if forward == nil {
		return nil, errors.New("no model")
	}
	if collect(opts).decode {
		return nil, errors.New("Decode is not an option of decoders, which say how long sequences are themselves")
	}
	if batch <= 0 {
		return nil, errors.Errorf("%d sequences", batch)
	}
	b := &blueprint{batch: batch, maxSeq: maxSeq}
	opts = append(slices.Clone(opts), Decode(maxSeq))
	for _, s := range []struct {
		to         **sheet
		batch, seq int
	}{{&b.step, batch, 1}, {&b.smalls, 1, min(smallPiece, maxSeq)}, {&b.pieces, 1, piece}} {
		if s.seq == piece && maxSeq < piece {
			continue
		}
		g := New(opts...)
		tokens := g.Tokens("tokens", s.batch, s.seq)
		logits := apart(forward, tokens)
		shape := logits.Shape()
		switch {
		case g.err != nil:
			return nil, g.err
		case len(shape) != 3 || shape[0] != s.batch || shape[1] != s.seq:
			return nil, errors.Errorf("the model maps tokens (%d, %d) to %v, want (%d, %d, vocab)", s.batch, s.seq, shape, s.batch, s.seq)
		case logits.g != g:
			return nil, errors.New("the model returns a node of another graph than its tokens are in")
		}
		*s.to = &sheet{tokens, logits}
	}
	return b, nil
}

// apart returns forward(tokens), and makes a panic of it an error of the graph: a model may call Gorgonia, which panics.
func apart(forward func(tokens Node) Node, tokens Node) (logits Node) {
	defer func() {
		if r := recover(); r != nil {
			logits = tokens.g.Wrap(nil, errors.Errorf("the model: %v", r))
		}
	}()
	return forward(tokens)
}

// A stage runs a sheet.
type stage struct {
	prog   *Program
	logits Node // the zero Node if only what is remembered matters
	ids    []int
	feed   Feed
	past   op.Sequences
	narrow []float32 // logits of a model of float64
}

// stage readies a sheet, to compute logits if that is wanted, and otherwise only what ops remember.
func (b *blueprint) stage(s *sheet, logits bool, states [][]gorgonia.Value) (*stage, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	outputs := []Node{s.logits}
	if !logits {
		outputs = remembering(s.logits)
		if len(outputs) == 0 {
			return nil, nil
		}
	}
	shape := s.tokens.Shape()
	t := &stage{ids: make([]int, shape.TotalSize())}
	t.feed = Feed{s.tokens: Ints(t.ids, shape...)}
	t.past = op.Sequences{
		Slots: make([]int, shape[0]), Offsets: make([]int, shape[0]), Counts: make([]int, shape[0]), Max: b.maxSeq,
	}
	var err error
	if t.prog, err = compileOn(states, outputs...); err != nil {
		return nil, err
	}
	for _, in := range t.prog.inputs {
		if in.node != s.tokens.n && in.node.Value() == nil {
			return nil, errors.Errorf("the model has an input of its own, %s %v, which a decoder cannot feed", in.node.Name(), in.shape)
		}
	}
	if logits {
		t.logits = s.logits
	}
	t.prog.past, t.prog.tokens = &t.past, 0 // counted here
	return t, nil
}

// run has the model continue a sequence of so many tokens with more of them, at most as many as the stage is for.
func (t *stage) run(ctx context.Context, sequence, length int, tokens []int) error {
	n := copy(t.ids, tokens)
	clear(t.ids[n:])
	t.past.Slots[0], t.past.Offsets[0], t.past.Counts[0] = sequence, length, n
	return t.prog.Run(ctx, t.feed)
}

// rows returns the logits of the last run, row by row, and the length of a row. The next run overwrites them.
func (t *stage) rows() (logits []float32, vocab int, err error) {
	v, err := t.prog.Value(t.logits)
	if err != nil {
		return nil, 0, err
	}
	d := v.(*tensor.Dense)
	vocab = d.Shape()[2]
	if d.Dtype() == tensor.Float32 {
		return d.Float32s(), vocab, nil
	}
	t.narrow = t.narrow[:0]
	for _, x := range d.Float64s() {
		t.narrow = append(t.narrow, float32(x))
	}
	return t.narrow, vocab, nil
}
