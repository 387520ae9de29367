package loss

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// Binary says how logits that each answer a question of their own, such as which of several labels apply, are scored. With
// p = sigmoid(x) the loss of a logit x against a target y is
//
//	y·PosWeight·Alpha·(1-p)**FocalGamma·(-log p) + (1-y)·(1-Alpha)·p**FocalGamma·(-log(1-p))
//
// The zero value is the mean of cross-entropies.
type Binary struct {
	// Reduction is over all elements; None keeps the loss of each.
	Reduction Reduction
	// PosWeight is how much yes counts: one number, or one of each class in the last axis; nil means 1.
	PosWeight []float64
	// FocalGamma is the exponent of the focal loss, https://arxiv.org/abs/1708.02002. 0 is the cross-entropy.
	FocalGamma float64
	// Alpha balances yes, which counts Alpha times, and no, which counts 1 - Alpha times. The paper takes 0.25 with the
	// exponent 2. 0 means that both count once.
	Alpha float64
}

// BinaryCrossEntropy returns the mean of the cross-entropies, in nats, of logits of any shape against targets of the same
// shape: the probability in [0, 1] that the answer is yes.
func BinaryCrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return Binary{}.CrossEntropy(logits, targets)
}

// CrossEntropy scores logits of any shape against targets of the same shape, numbers in [0, 1]; others are an error of the
// run. Infinite logits are certain answers: they cost 0 if right and +Inf, with a finite gradient, if wrong. NaN is an
// error of the run. Targets get no gradient.
func (b Binary) CrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return b.crossEntropy(logits, targets, nil)
}

// CrossEntropyWeighted is CrossEntropy with a weight of every element, or a mask, of the shape of the logits, as in
// [Options.CrossEntropyWeighted]. The mean divides by Σ weight, unlike PyTorch's, and is 0 if that is 0.
func (b Binary) CrossEntropyWeighted(logits, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if weights == nil {
		return nil, errors.New("loss: BinaryCrossEntropy: weights are missing")
	}
	return b.crossEntropy(logits, targets, weights)
}

func (b Binary) crossEntropy(logits, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) {
		return op.BinaryCrossEntropy{
			Reduction: op.Reduction(b.Reduction), PosWeight: b.PosWeight, Alpha: b.Alpha, Focal: b.FocalGamma,
		}.Apply(logits, targets, weights)
	})
}
