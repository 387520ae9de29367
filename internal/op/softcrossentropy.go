package op

import (
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// SoftCrossEntropy is the cross-entropy of logits against probabilities. Its settings are those of CrossEntropy.
type SoftCrossEntropy struct {
	Reduction                 Reduction
	Weights                   []float64
	Smoothing, ZLoss, SoftCap float64
}

// Apply scores logits (..., classes) against target probabilities of the same shape, Σ p·(lse - logit) for every row, with
// a weight of every row unless weights is nil. A term with p = 0 is 0 even if the logit is -Inf. Targets and weights have
// no gradient. The mean divides by the weight of the rows, whatever the classes weigh.
func (e SoftCrossEntropy) Apply(logits, probs, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(logits) {
		return softCrossEntropy[float64](e, logits, probs, weights)
	}
	return softCrossEntropy[float32](e, logits, probs, weights)
}

func softCrossEntropy[F kernel.Float](e SoftCrossEntropy, logits, probs, weights *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "SoftCrossEntropy"}
	rule := &kernel.SoftCrossEntropy[F]{Smoothing: e.Smoothing, ZLoss: e.ZLoss, SoftCap: e.SoftCap}
	l := rowLoss[F]{name: o.op, x: "logits", y: "targets", rule: rule, wrong: func(loss F, x, q []F) (string, string) {
		switch {
		case softmaxless(x):
			return "logits", without
		case loss != loss:
			return "targets", "are no probabilities"
		}
		return "", ""
	}}
	xs := l.shape(&o, e.Reduction, logits, probs)
	smoothing(&o, e.Smoothing)
	amount(&o, "factor of the z-loss", e.ZLoss)
	softCap[F](&o, e.SoftCap)
	if o.err == nil {
		classWeights(&o, e.Weights, show("logits", logits), xs[len(xs)-1])
	}
	for _, w := range e.Weights {
		rule.Weights = append(rule.Weights, F(w))
	}
	return l.apply(&o, e.Reduction, xs, logits, probs, weights)
}
