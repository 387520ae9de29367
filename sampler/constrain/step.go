package constrain

import (
	"github.com/logits-go/logits/sampler"
	"github.com/pkg/errors"
)

// A Step is a step of a sampler.Chain that drops the tokens which a constraint does not allow. It does so for any model,
// where a Model is one, and so for a sampler.Speculative and the rows of a sampler.Batch. It knows the tokens that the
// sampler draws, all of which it has to allow; the prompt it does not.
//
// Like a Model it is for one text, whose end tokens belong into Sampler.Stop. It should stand before filters, which could
// leave nothing that it allows.
type Step struct {
	constraint Constraint
	err        error // of a token that was drawn against the constraint
	mask       Mask
	tokens     []int
}

// NewStep returns a Step for the text that c allows. It takes a clone of c, which stays as it is.
func NewStep(c Constraint) (*Step, error) {
	if c == nil {
		return nil, errors.New("constrain: a step without a constraint")
	}
	return &Step{constraint: c.Clone()}, nil
}

// Apply drops the tokens that may not follow. It is an error if no token is left, if the vocabulary is not that of the
// constraint, and after a token that the constraint does not allow, which another step may have forced.
func (s *Step) Apply(d *sampler.Distribution, _ *sampler.History) error {
	if s.err != nil {
		return s.err
	}
	if err := s.constraint.Mask(&s.mask); err != nil {
		return err
	}
	size := s.mask.Size()
	if d.Vocab() != size {
		return errors.Errorf("constrain: %d logits, the vocabulary has %d tokens", d.Vocab(), size)
	}
	few := s.mask.Len() <= size/2
	s.tokens = s.mask.appendTokens(s.tokens[:0], few)
	if few {
		return d.Allow(s.tokens...)
	}
	return d.Suppress(s.tokens...)
}

// Learn adds a token to the text.
func (s *Step) Learn(_ *sampler.Distribution, token int) {
	if s.err == nil {
		s.err = s.constraint.Accept(token)
	}
}

// Clone returns a Step with the same text, which goes on by itself.
func (s *Step) Clone() sampler.Step { return &Step{constraint: s.constraint.Clone(), err: s.err} }

// Constraint returns a clone of the constraint as the text so far has left it.
func (s *Step) Constraint() Constraint { return s.constraint.Clone() }
