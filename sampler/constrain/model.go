package constrain

import (
	"context"

	"github.com/logits-go/logits/sampler"
	"github.com/pkg/errors"
)

// A Model is a sampler.Model that masks the logits of another one. The tokens of the first call of Next are the prompt,
// of which the constraint knows nothing; those of later calls are the text that it has to allow.
//
// A Model is for one text. The end tokens of the vocabulary belong into Sampler.Stop or Beam.Stop: after one of them no
// token may follow, and Next is an error. For the next text around the same model make another Model.
type Model struct {
	model      sampler.Model
	constraint Constraint
	begun      bool
	mask       Mask
	logits     []float32
}

// NewModel returns a Model that lets model say what c allows. It takes a clone of c, which stays as it is.
func NewModel(model sampler.Model, c Constraint) (*Model, error) {
	if model == nil || c == nil {
		return nil, errors.Errorf("constrain: model %T with constraint %T", model, c)
	}
	return &Model{model: model, constraint: c.Clone()}, nil
}

// Next appends tokens to the text so far and returns the logits (vocab) of the token to follow, -Inf for those that may
// not. The next call overwrites them. A token that may not follow is an error, and the model is not given it. After
// an error the constraint is as it was before the call, as a graph.Decoder is.
func (m *Model) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	if m.model == nil {
		return nil, errors.New("constrain: the Model is the zero value, which NewModel has not made")
	}
	c := m.constraint
	if m.begun {
		c = c.Clone()
		for _, token := range tokens {
			if err := c.Accept(token); err != nil {
				return nil, err
			}
		}
	}
	if err := c.Mask(&m.mask); err != nil {
		return nil, err
	}
	logits, err := m.model.Next(ctx, tokens...)
	if err != nil {
		return nil, err
	}
	if m.logits, err = m.mask.Apply(m.logits, logits); err != nil {
		return nil, err
	}
	m.constraint, m.begun = c, true
	return m.logits, nil
}

// Constraint returns a clone of the constraint as the text so far has left it.
func (m *Model) Constraint() Constraint { return m.constraint.Clone() }

// A Forker is a Model around a model that can fork, for sampler.BeamSearch.
type Forker[M sampler.Forker[M]] struct {
	Model
	inner M
}

// NewForker returns a Forker that lets model say what c allows. It takes a clone of c, which stays as it is.
func NewForker[M sampler.Forker[M]](model M, c Constraint) (*Forker[M], error) {
	m, err := NewModel(model, c)
	if err != nil {
		return nil, err
	}
	return &Forker[M]{Model: *m, inner: model}, nil
}

// Fork returns a Forker with the same text, which goes on by itself.
func (f *Forker[M]) Fork() (*Forker[M], error) {
	inner, err := f.inner.Fork()
	if err != nil {
		return nil, err
	}
	m := Model{model: inner, constraint: f.constraint.Clone(), begun: f.begun}
	return &Forker[M]{Model: m, inner: inner}, nil
}
