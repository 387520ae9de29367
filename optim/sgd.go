package optim

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// SGD is stochastic gradient descent, with momentum as PyTorch defines it. The zero value has PyTorch's defaults.
type SGD struct {
	LR          Schedule // nil means 1e-3
	Momentum    float64  // 0 means none
	Dampening   float64
	Nesterov    bool    // look ahead along the momentum, https://proceedings.mlr.press/v28/sutskever13.html
	WeightDecay float64 // added to the gradient
	Decay       func(gorgonia.ValueGrad) bool
	MaxNorm     float64 // as in AdamW

	step     int
	norm     float64
	first    []bool // kept for its memory
	velocity memory
	weights  []weight
}

var _ gorgonia.Solver = (*SGD)(nil)

// Steps returns how many steps have been taken.
func (s *SGD) Steps() int { return s.step }

// GradNorm returns the norm that the gradients of the last step had together, before MaxNorm.
func (s *SGD) GradNorm() float64 { return s.norm }

// State returns what the optimizer remembers of params: their velocities, under PyTorch's name, if there is momentum.
func (s *SGD) State(params []gorgonia.ValueGrad) State { return s.velocity.state(params, s.step) }

// SetState makes the optimizer go on from state. An error lists all that is missing, misshapen or unknown, and then
// nothing has changed.
func (s *SGD) SetState(params []gorgonia.ValueGrad, state State) error {
	if s.velocity.kinds = nil; s.Momentum != 0 {
		s.velocity.kinds = sgdKinds
	}
	if err := s.velocity.setState(params, state); err != nil {
		return errors.WithMessage(err, "optim: SetState")
	}
	s.step = state.Step
	return nil
}

var sgdKinds = []string{"momentum_buffer"}

// Step changes params once by their gradients.
func (s *SGD) Step(params []gorgonia.ValueGrad) error {
	return errors.WithMessage(s.update(params), "optim: SGD")
}

func (s *SGD) update(params []gorgonia.ValueGrad) (err error) {
	switch {
	case !(s.Momentum >= 0 && s.Momentum < 1):
		return errors.Errorf("momentum %v, want 0 <= momentum < 1", s.Momentum)
	case s.Dampening != 0 && s.Momentum == 0:
		return errors.Errorf("dampening %v without momentum", s.Dampening)
	case !(s.Dampening >= 0 && s.Dampening <= 1):
		return errors.Errorf("dampening %v, want a number in [0, 1]", s.Dampening)
	case s.Nesterov && (s.Momentum == 0 || s.Dampening != 0):
		return errors.New("Nesterov needs momentum and no dampening")
	case !rate(s.WeightDecay):
		return errors.Errorf("weight decay %v", s.WeightDecay)
	}
	lr, err := rateAt(s.LR, s.step+1)
	if err != nil {
		return err
	}
	var squares float64
	if s.weights, squares, err = open(s.weights, params); err != nil {
		return err
	}
	factor, norm, err := clip(squares, s.MaxNorm)
	if err != nil {
		return err
	}
	if s.Momentum != 0 {
		s.velocity.kinds = sgdKinds
	}
	first := s.first[:0]
	for i, p := range params {
		_, known := s.velocity.slots[p]
		first = append(first, !known)
		if s.Momentum != 0 {
			if _, err := s.velocity.of(p, s.weights[i]); err != nil {
				return err
			}
		}
	}
	s.step++
	s.norm, s.first = norm, first
	k := kernel.SGD{Factor: factor, Rate: lr, Momentum: s.Momentum, Dampening: s.Dampening, Nesterov: s.Nesterov}
	for i, p := range params {
		k.First, k.Penalty = first[i], 0
		if s.Decay == nil || s.Decay(p) {
			k.Penalty = s.WeightDecay
		}
		w := &s.weights[i]
		switch m := s.velocity.slots[p]; {
		case w.w64 != nil && m != nil:
			kernel.SGDStep(k, w.w64, w.g64, m[0].Float64s())
		case w.w64 != nil:
			kernel.SGDStep(k, w.w64, w.g64, nil)
		case m != nil:
			kernel.SGDStep(k, w.w32, w.g32, m[0].Float32s())
		default:
			kernel.SGDStep(k, w.w32, w.g32, nil)
		}
	}
	return nil
}
