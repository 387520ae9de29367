package loss

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/internal/op"
)

// A Measure says how the distribution q of a student is compared with the distribution p of a teacher.
type Measure int

const (
	// ForwardKL is Σ p·log(p/q): the student must cover all that the teacher does.
	ForwardKL Measure = iota
	// ReverseKL is Σ q·log(q/p): the student must keep to what the teacher does, as in MiniLLM,
	// https://arxiv.org/abs/2306.08543.
	ReverseKL
	// JensenShannon is β·Σ p·log(p/m) + (1-β)·Σ q·log(q/m) with m = β·p + (1-β)·q, the generalized divergence of GKD,
	// https://arxiv.org/abs/2306.13649. It is finite whatever p and q. Divided by β it goes to ForwardKL with β to 0, and
	// divided by 1-β to ReverseKL with β to 1.
	JensenShannon
)

// Distillation says how a student learns the distributions of a teacher, https://arxiv.org/abs/1503.02531. The zero value
// is the mean of forward KL divergences.
type Distillation struct {
	Reduction Reduction
	Measure   Measure
	// Beta of JensenShannon, between 0 and 1; 0 means 0.5. Other measures refuse it.
	Beta float64
	// Temperature divides the logits of both before softmax; 0 means 1. The loss is multiplied by its square, so that
	// gradients, which shrink with it, keep their size beside those of other losses.
	Temperature float64
}

// Divergence compares logits (..., vocab) of a student with those of a teacher, reduced over rows. The teacher gets no
// gradient. Where one of them rules a class out, by a logit of -Inf, and the other does not: ForwardKL is +Inf, with
// finite gradients, if that is the student; ReverseKL, which has no gradient there, is an error of the run if it is the
// teacher; all else is finite.
func (d Distillation) Divergence(student, teacher *gorgonia.Node) (*gorgonia.Node, error) {
	return d.divergence(student, teacher, nil)
}

// DivergenceWeighted is Divergence with a weight of every row, or a mask, as in [Options.CrossEntropyWeighted]. The mean
// divides by Σ weight.
func (d Distillation) DivergenceWeighted(student, teacher, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if weights == nil {
		return nil, errors.New("loss: Divergence: weights are missing")
	}
	return d.divergence(student, teacher, weights)
}

// KLDivergence returns Σ p·log(p/q) of a student's logits (..., vocab) against a teacher's, reduced over rows: p is the
// softmax of the teacher and q that of the student. For matrices the mean is PyTorch's "batchmean". The teacher gets
// no gradient. [Distillation] has more of its kind.
func KLDivergence(student, teacher *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return Distillation{Reduction: r}.Divergence(student, teacher)
}

func (d Distillation) divergence(student, teacher, weights *gorgonia.Node) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) {
		rule := op.Divergence{
			Reduction:   op.Reduction(d.Reduction),
			Measure:     kernel.Measure(d.Measure),
			Beta:        d.Beta,
			Temperature: d.Temperature,
		}
		switch {
		case d.Measure != JensenShannon && d.Beta != 0:
			return nil, errors.Errorf("Divergence: beta is %v, which is a setting of JensenShannon alone", d.Beta)
		case d.Measure == JensenShannon && d.Beta == 0:
			rule.Beta = 0.5
		}
		if d.Temperature == 0 {
			rule.Temperature = 1
		}
		return rule.Apply(student, teacher, weights)
	})
}
