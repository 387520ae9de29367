package loss

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// SequenceLogProb returns the log-probabilities (batch) of the sequences of targets (batch, seq) under logits
// (batch, seq, vocab): Σ log p of the targets that are not [Ignored]. They are what [DPO] compares.
func SequenceLogProb(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return Options{Reduction: Sum}.SequenceLogProb(logits, targets)
}

// TokenLogProb returns log p of every target (batch, seq) under logits (batch, seq, vocab), and 0 of targets that are
// [Ignored]. They are what [PolicyGradient] compares.
func TokenLogProb(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return Options{Reduction: None}.SequenceLogProb(logits, targets)
}

// SequenceLogProb is the function SequenceLogProb with options: what to ignore, a soft cap, and a reduction over the last
// axis of the targets, which [None] keeps. [Mean] divides by the number of targets that are kept; that of none is 0. Other
// options make no probabilities, and are errors. A target whose logit is -Inf has log-probability -Inf.
func (o Options) SequenceLogProb(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return o.sequence(targets, func(rule op.CrossEntropy) (*gorgonia.Node, error) {
		return rule.Apply(logits, targets, nil)
	})
}

// LinearSequenceLogProb is SequenceLogProb under the logits x·wᵀ of an output layer, for x (batch, seq, dim) and
// w (vocab, dim), which never exist in full; see [LinearCrossEntropy]. The backward pass computes them again.
func (o Options) LinearSequenceLogProb(x, w, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return o.sequence(targets, func(rule op.CrossEntropy) (*gorgonia.Node, error) {
		return rule.ApplyLinear(x, w, targets, nil)
	})
}

func (o Options) sequence(
	targets *gorgonia.Node, score func(op.CrossEntropy) (*gorgonia.Node, error),
) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) {
		switch {
		case o.Reduction < Mean || o.Reduction > None:
			return nil, errors.Errorf("SequenceLogProb: unknown reduction %d", o.Reduction)
		case o.Weights != nil || o.LabelSmoothing != 0 || o.ZLoss != 0 || o.FocalGamma != 0:
			return nil, errors.New("SequenceLogProb: weights, label smoothing, z-loss and focal loss make no log-probabilities")
		}
		losses, err := score(op.CrossEntropy{Reduction: op.ReduceNone, Ignore: o.ignored(), SoftCap: o.SoftCap})
		if err != nil {
			return nil, errors.WithMessage(err, "SequenceLogProb")
		}
		return op.SequenceLogProb(op.Reduction(o.Reduction), o.ignored(), losses, targets)
	})
}
