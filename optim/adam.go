package optim

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// None as the value of a setting is zero, where 0 stands for the default: AdamW{WeightDecay: optim.None} decays nothing.
const None = -1

// AdamW is Adam with decoupled weight decay, https://arxiv.org/abs/1711.05101, as PyTorch defines it. The zero value has
// PyTorch's defaults.
type AdamW struct {
	LR           Schedule // nil means 1e-3
	Beta1, Beta2 float64  // 0 means 0.9 and 0.999; None means 0
	Eps          float64  // 0 means 1e-8; None means 0
	WeightDecay  float64  // 0 means 0.01; None means 0
	// Decay tells the parameters that weight decay applies to; nil means all. See Matrices.
	Decay func(gorgonia.ValueGrad) bool
	// MaxNorm is the largest norm of all gradients together that a step takes; larger ones are scaled down to it, as by
	// ClipGradNorm but in the same pass and without changing them. 0 means no limit.
	MaxNorm float64

	adam
}

// Adam is https://arxiv.org/abs/1412.6980 as PyTorch defines it: weight decay, if there is any, is added to the
// gradient. The zero value has PyTorch's defaults.
type Adam struct {
	LR           Schedule // nil means 1e-3
	Beta1, Beta2 float64  // 0 means 0.9 and 0.999; None means 0
	Eps          float64  // 0 means 1e-8; None means 0
	WeightDecay  float64  // 0 means none
	Decay        func(gorgonia.ValueGrad) bool
	MaxNorm      float64 // as in AdamW

	adam
}

var (
	_ gorgonia.Solver = (*AdamW)(nil)
	_ gorgonia.Solver = (*Adam)(nil)
)

// Step changes params once by their gradients.
func (a *AdamW) Step(params []gorgonia.ValueGrad) error {
	set := settings{a.LR, or(a.Beta1, 0.9), or(a.Beta2, 0.999), or(a.Eps, 1e-8), or(a.WeightDecay, 0.01), true, a.Decay, a.MaxNorm}
	return errors.WithMessage(a.update(params, set), "optim: AdamW")
}

// Step changes params once by their gradients.
func (a *Adam) Step(params []gorgonia.ValueGrad) error {
	set := settings{a.LR, or(a.Beta1, 0.9), or(a.Beta2, 0.999), or(a.Eps, 1e-8), or(a.WeightDecay, 0), false, a.Decay, a.MaxNorm}
	return errors.WithMessage(a.update(params, set), "optim: Adam")
}

// or returns v, the default if v is 0, and 0 if v is None.
func or(v, def float64) float64 {
	switch v {
	case 0:
		return def
	case None:
		return 0
	}
	return v
}

// settings are those of Adam with their defaults filled in.
type settings struct {
	lr                       Schedule
	beta1, beta2, eps, decay float64
	decoupled                bool
	decays                   func(gorgonia.ValueGrad) bool
	maxNorm                  float64
}

// adam is what Adam and AdamW have in common.
type adam struct {
	step    int
	norm    float64
	moments memory
	weights []weight // kept for its memory
}

// GradNorm returns the norm that the gradients of the last step had together, before MaxNorm.
func (a *adam) GradNorm() float64 { return a.norm }

// Steps returns how many steps have been taken.
func (a *adam) Steps() int { return a.step }

// State returns what the optimizer remembers of params: the moments of their gradients, under PyTorch's names.
func (a *adam) State(params []gorgonia.ValueGrad) State { return a.moments.state(params, a.step) }

// SetState makes the optimizer go on from s. An error lists all that is missing, misshapen or unknown, and then nothing
// has changed.
func (a *adam) SetState(params []gorgonia.ValueGrad, s State) error {
	a.moments.kinds = adamKinds
	if err := a.moments.setState(params, s); err != nil {
		return errors.WithMessage(err, "optim: SetState")
	}
	a.step = s.Step
	return nil
}

var adamKinds = []string{"exp_avg", "exp_avg_sq"}

func (a *adam) update(params []gorgonia.ValueGrad, s settings) (err error) {
	switch {
	case !(s.beta1 >= 0 && s.beta1 < 1) || !(s.beta2 >= 0 && s.beta2 < 1):
		return errors.Errorf("betas %v and %v, want 0 <= beta < 1", s.beta1, s.beta2)
	case !rate(s.eps):
		return errors.Errorf("eps %v", s.eps)
	case !rate(s.decay):
		return errors.Errorf("weight decay %v", s.decay)
	}
	lr, err := rateAt(s.lr, a.step+1)
	if err != nil {
		return err
	}
	var squares float64
	if a.weights, squares, err = open(a.weights, params); err != nil {
		return err
	}
	factor, norm, err := clip(squares, s.maxNorm)
	if err != nil {
		return err
	}
	a.moments.kinds = adamKinds
	for i, p := range params {
		if _, err := a.moments.of(p, a.weights[i]); err != nil {
			return err
		}
	}
	a.step++
	a.norm = norm
	k := kernel.Adam{
		Factor: factor, Rate: lr, Beta1: s.beta1, Beta2: s.beta2, Eps: s.eps,
		Correct1: 1 - math.Pow(s.beta1, float64(a.step)),
		Correct2: 1 - math.Pow(s.beta2, float64(a.step)),
	}
	for i, p := range params {
		k.Shrink, k.Penalty = 1, 0
		if s.decays == nil || s.decays(p) {
			if s.decoupled {
				k.Shrink = 1 - lr*s.decay
			} else {
				k.Penalty = s.decay
			}
		}
		w, m := &a.weights[i], a.moments.slots[p]
		if w.w64 != nil {
			kernel.AdamStep(k, w.w64, w.g64, m[0].Float64s(), m[1].Float64s())
		} else {
			kernel.AdamStep(k, w.w32, w.g32, m[0].Float32s(), m[1].Float32s())
		}
	}
	return nil
}
