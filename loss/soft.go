package loss

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// SoftCrossEntropy returns Σ p·(log Σ e**logit - logit) of logits (..., vocab) against target probabilities p of the
// same shape, reduced over rows. A term with p = 0 is 0, even where the logit is -Inf. Targets get no gradient.
func SoftCrossEntropy(logits, probs *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return Options{Reduction: r}.SoftCrossEntropy(logits, probs)
}

// SoftCrossEntropy is the function SoftCrossEntropy with options: the reduction, weights of classes, label smoothing,
// z-loss and soft cap. The mean divides by the number of rows, whatever the classes weigh, as in PyTorch. Targets that are
// distributions have no ids to ignore, and no focal loss: these options are errors.
func (o Options) SoftCrossEntropy(logits, probs *gorgonia.Node) (*gorgonia.Node, error) {
	return o.soft(logits, probs, nil)
}

// SoftCrossEntropyWeighted is SoftCrossEntropy with a weight of every row, or a mask, as in
// [Options.CrossEntropyWeighted]. The mean divides by Σ weight.
func (o Options) SoftCrossEntropyWeighted(logits, probs, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if weights == nil {
		return nil, errors.New("loss: SoftCrossEntropy: weights are missing")
	}
	return o.soft(logits, probs, weights)
}

func (o Options) soft(logits, probs, weights *gorgonia.Node) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) {
		switch {
		case o.Ignore != nil:
			return nil, errors.New("SoftCrossEntropy: targets that are distributions have no ids to ignore; weigh rows instead")
		case o.FocalGamma != 0:
			return nil, errors.New("SoftCrossEntropy: there is no focal loss of targets that are distributions")
		}
		return op.SoftCrossEntropy{
			Reduction: op.Reduction(o.Reduction),
			Weights:   o.Weights,
			Smoothing: o.LabelSmoothing,
			ZLoss:     o.ZLoss,
			SoftCap:   o.SoftCap,
		}.Apply(logits, probs, weights)
	})
}
