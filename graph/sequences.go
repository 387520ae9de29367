package graph

import (
	"context"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// sequences are texts that a model continues, and what it remembers of them.
//
// A prompt goes through the model in pieces, for which the output layer and whatever else no later token sees is left out.
// A row of logits has the same bits in whatever pieces and beside whatever other sequences its tokens came.
type sequences struct {
	*blueprint
	states       [][]gorgonia.Value
	one          *stage // for a token of each sequence
	piece, small *stage // for pieces of a sequence; nil if nothing is remembered, or sequences are too short for piece
	scored       *stage // for pieces whose logits are wanted; nil until they are
	lens         []int
	before       []int // lens before a call
	scores       []float32
}

func newSequences(b *blueprint) (*sequences, error) {
	s := &sequences{blueprint: b, lens: make([]int, b.batch), before: make([]int, b.batch)}
	var err error
	if s.one, err = b.stage(b.step, true, nil); err != nil {
		return nil, err
	}
	for i := range s.one.past.Slots {
		s.one.past.Slots[i] = i
	}
	s.states = s.one.prog.states()
	if s.small, err = b.stage(b.smalls, false, s.states); err != nil {
		return nil, err
	}
	if b.pieces != nil {
		if s.piece, err = b.stage(b.pieces, false, s.states); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// fork returns sequences that go on from the same texts, and share no memory with s but that of parameters.
func (s *sequences) fork() (*sequences, error) {
	f, err := newSequences(s.blueprint)
	if err != nil {
		return nil, err
	}
	for i := range s.lens {
		f.copy(i, s, i)
	}
	return f, nil
}

// copy makes sequence `to` the sequence `from` of other.
func (s *sequences) copy(to int, other *sequences, from int) {
	for i, state := range s.states {
		for j, v := range state {
			op.CopyColumns(v, to, other.states[i][j], from, other.lens[from])
		}
	}
	s.lens[to] = other.lens[from]
}

// restore makes sequences as long again as they were before a call that has failed.
func (s *sequences) restore() { copy(s.lens, s.before) }

// begin checks that sequences can be continued.
func (s *sequences) begin(tokens ...[]int) error {
	copy(s.before, s.lens)
	if len(tokens) != len(s.lens) {
		return errors.Errorf("tokens of %d sequences for %d", len(tokens), len(s.lens))
	}
	most := 0
	for i, t := range tokens {
		most = max(most, len(t))
		if len(t) > s.maxSeq-s.lens[i] {
			return errors.Errorf("%d tokens after %d exceed a sequence of %d", len(t), s.lens[i], s.maxSeq)
		}
	}
	if most == 0 {
		return errors.New("no tokens")
	}
	return nil
}

// next continues each sequence and returns rows of logits, of which those mean something whose sequences got tokens, and
// the length of a row.
func (s *sequences) next(ctx context.Context, tokens ...[]int) (logits []float32, vocab int, err error) {
	if err := s.begin(tokens...); err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			s.restore()
		}
	}()
	one := s.one
	for i, t := range tokens {
		if len(t) > 1 {
			if err := s.read(ctx, i, t[:len(t)-1]); err != nil {
				return nil, 0, err
			}
		}
	}
	for i, t := range tokens {
		one.ids[i], one.past.Offsets[i], one.past.Counts[i] = 0, s.lens[i], min(1, len(t))
		if len(t) > 0 {
			one.ids[i] = t[len(t)-1]
		}
	}
	if err := one.prog.Run(ctx, one.feed); err != nil {
		return nil, 0, err
	}
	for i, n := range one.past.Counts {
		s.lens[i] += n
	}
	return one.rows()
}

// read continues sequence i with tokens whose logits nobody wants.
func (s *sequences) read(ctx context.Context, i int, tokens []int) error {
	for len(tokens) > 0 {
		n := len(tokens)
		if s.small != nil { // something is remembered
			t := s.piece
			switch {
			case n <= 2 && len(s.lens) == 1: // they cost less than a piece
				t = s.one
			case n <= piece/2 || t == nil:
				t = s.small
			}
			n = min(n, len(t.ids))
			if err := t.run(ctx, i, s.lens[i], tokens[:n]); err != nil {
				return err
			}
		}
		s.lens[i] += n
		tokens = tokens[n:]
	}
	return nil
}

// score continues the only sequence and returns the logits after each of the tokens, row by row.
func (s *sequences) score(ctx context.Context, tokens []int) (logits []float32, vocab int, err error) {
	if err := s.begin(tokens); err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			s.restore()
		}
	}()
	if s.scored == nil {
		if s.scored, err = s.stage(s.smalls, true, s.states); err != nil {
			return nil, 0, err
		}
	}
	s.scores = s.scores[:0]
	for len(tokens) > 0 {
		n := min(len(tokens), len(s.scored.ids))
		if err := s.scored.run(ctx, 0, s.lens[0], tokens[:n]); err != nil {
			return nil, 0, err
		}
		logits, vocab, err = s.scored.rows()
		if err != nil {
			return nil, 0, err
		}
		s.scores = append(s.scores, logits[:n*vocab]...)
		s.lens[0] += n
		tokens = tokens[n:]
	}
	return s.scores, vocab, nil
}

// truncate forgets all but the first n tokens of sequence i.
func (s *sequences) truncate(i, n int) error {
	if n < 0 || n > s.lens[i] {
		return errors.Errorf("%d tokens of %d", n, s.lens[i])
	}
	s.lens[i] = n
	return nil
}
