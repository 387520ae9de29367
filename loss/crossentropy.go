package loss

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// Ignored is the target that marks a row to leave out, as in PyTorch.
const Ignored = -100

// A Reduction makes one result of the losses of all rows.
type Reduction int

const (
	// Mean is over the rows that are kept. It is 0, with gradient 0, if there are none.
	Mean Reduction = iota
	// Sum is over all rows.
	Sum
	// None keeps the loss of every row; the result has the shape of the targets.
	None
)

// Options say how logits are scored against targets. The zero value is the mean over targets that are not [Ignored]. A
// function that has no use for an option refuses it.
type Options struct {
	Reduction Reduction
	// Ignore lists targets, beside Ignored, whose rows are left out, such as the id of padding.
	Ignore []int
	// Weights of the classes; nil means 1. The mean divides by the weight of the targets that are kept.
	Weights []float64
	// LabelSmoothing is the share of each target that is spread evenly over all classes, in [0, 1],
	// https://arxiv.org/abs/1512.00567. With it a logit of -Inf costs +Inf.
	LabelSmoothing float64
	// ZLoss is the factor of the square of log Σ e**logit, which keeps logits from drifting, as in PaLM,
	// https://arxiv.org/abs/2204.02311. The mean of this part is over the rows that are kept, whatever the weights of
	// classes.
	ZLoss float64
	// SoftCap bounds logits before everything else: x becomes SoftCap·tanh(x/SoftCap), as in Gemma 2, which takes 30,
	// https://arxiv.org/abs/2408.00118. Infinite logits stay so: what is masked remains masked. 0 means no bound.
	SoftCap float64
	// FocalGamma makes the focal loss, (1-p)**FocalGamma·(-log p) for a target of probability p, which lets targets that
	// are likely already count for little, https://arxiv.org/abs/1708.02002. There 2 is best; 0 is the cross-entropy.
	// Weights are the paper's alpha. It does not go with label smoothing.
	FocalGamma float64
}

// CrossEntropy returns the mean cross-entropy, in nats, of logits (batch, seq, vocab) or (n, vocab) against integer
// targets (batch, seq) or (n). Targets that are [Ignored] leave their row out.
func CrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return Options{}.CrossEntropy(logits, targets)
}

// CrossEntropy is the function CrossEntropy with options. It returns a scalar, or the shape of targets if the reduction
// is [None].
func (o Options) CrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) { return o.rule().Apply(logits, targets, nil) })
}

// CrossEntropyWeighted is CrossEntropy with a weight of every row, for weights of the shape of targets: numbers of the
// type of the logits, or bools, a mask that keeps the rows where it is true. The loss of a row counts weight times, its
// z-loss too. The mean divides by Σ weight, times the weight of the target's class if classes have weights, over the rows
// that are kept; it is 0 if that is 0. Rows of weight 0 are left out: neither their logits nor their targets are looked
// at. Weights that are negative or not finite are an error of the run; they get no gradient.
func (o Options) CrossEntropyWeighted(logits, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) {
		if weights == nil {
			return nil, errors.New("CrossEntropy: weights are missing")
		}
		return o.rule().Apply(logits, targets, weights)
	})
}

// LinearCrossEntropy returns the cross-entropy of the logits x·wᵀ of an output layer, for x (batch, seq, dim) or
// (n, dim) and w (vocab, dim), against targets (batch, seq) or (n). It is what [CrossEntropy] makes of the product, but
// goes through the rows in chunks and finds both gradients on the way, so the logits never exist in full. With a large
// vocabulary they would be the largest tensor of the model.
func LinearCrossEntropy(x, w, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return Options{}.LinearCrossEntropy(x, w, targets)
}

// LinearCrossEntropy is the function LinearCrossEntropy with options. With the reduction [None] the backward pass
// computes the logits again.
func (o Options) LinearCrossEntropy(x, w, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) { return o.rule().ApplyLinear(x, w, targets, nil) })
}

// LinearCrossEntropyWeighted is LinearCrossEntropy with a weight of every row, as in [Options.CrossEntropyWeighted].
func (o Options) LinearCrossEntropyWeighted(x, w, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) {
		if weights == nil {
			return nil, errors.New("LinearCrossEntropy: weights are missing")
		}
		return o.rule().ApplyLinear(x, w, targets, weights)
	})
}

func (o Options) rule() op.CrossEntropy {
	return op.CrossEntropy{
		Reduction: op.Reduction(o.Reduction),
		Ignore:    o.ignored(),
		Weights:   o.Weights,
		Smoothing: o.LabelSmoothing,
		ZLoss:     o.ZLoss,
		SoftCap:   o.SoftCap,
		Focal:     o.FocalGamma,
	}
}

func (o Options) ignored() []int { return append([]int{Ignored}, o.Ignore...) }

// safely turns a panic of Gorgonia into an error.
func safely(build func() (*gorgonia.Node, error)) (n *gorgonia.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = nil, errors.Errorf("%v", r)
		}
		err = errors.WithMessage(err, "loss")
	}()
	return build()
}
