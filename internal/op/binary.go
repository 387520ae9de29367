package op

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// BinaryCrossEntropy is the cross-entropy of logits that each answer a question of their own.
type BinaryCrossEntropy struct {
	Reduction Reduction
	PosWeight []float64 // of yes, one of all or one of each class in the last axis; nil means 1
	Alpha     float64   // if not 0, yes counts alpha times and no 1 - alpha times
	Focal     float64   // exponent of the focal loss; 0 means none
}

// Apply scores logits against targets of the same shape, probabilities of yes, with a weight of every element unless
// weights is nil. The mean divides by the weight of the elements. Targets and weights have no gradient.
func (e BinaryCrossEntropy) Apply(logits, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(logits) {
		return binaryCrossEntropy[float64](e, logits, targets, weights)
	}
	return binaryCrossEntropy[float32](e, logits, targets, weights)
}

func binaryCrossEntropy[F kernel.Float](
	e BinaryCrossEntropy, logits, targets, weights *gorgonia.Node,
) (*gorgonia.Node, error) {
	o := operands{op: "BinaryCrossEntropy"}
	xs, ts := floatShape[F](&o, "logits", logits), floatShape[F](&o, "targets", targets)
	if o.err == nil && !slices.Equal(xs, ts) {
		o.fail("%s does not fit %s", show("logits", logits), show("targets", targets))
	}
	e.Reduction.check(&o)
	amount(&o, "exponent of the focal loss", e.Focal)
	if !(e.Alpha >= 0 && e.Alpha < 1) {
		o.fail("alpha is %v, want a number in [0, 1)", e.Alpha)
	}
	if o.err == nil && e.PosWeight != nil && len(e.PosWeight) != 1 && (len(xs) == 0 || len(e.PosWeight) != xs[len(xs)-1]) {
		o.fail("%d weights of yes do not fit %s", len(e.PosWeight), show("logits", logits))
	}
	rule := &kernel.Binary[F]{Yes: []float64{1}, No: 1, Focal: e.Focal}
	if e.PosWeight != nil {
		rule.Yes = slices.Clone(e.PosWeight)
	}
	for i, w := range rule.Yes {
		amount(&o, "weight of yes", w)
		if e.Alpha != 0 {
			rule.Yes[i] *= e.Alpha
		}
	}
	if e.Alpha != 0 {
		rule.No = 1 - e.Alpha
	}
	weights = rowWeights[F](&o, weights, xs)
	if o.err != nil {
		return nil, o.err
	}
	r, n, in := e.Reduction, xs.TotalSize(), given(logits, targets, weights)
	return apply(&Op{
		name: o.op, out: results[F](r, xs),
		run: func(c *Call) error {
			losses, x, y, weights := rowLosses[F](c, r), input[F](c, 0), input[F](c, 1), optional[F](c, 2)
			if err := checkWeights(o.op, weights, xs); err != nil {
				return err
			}
			for i, p := range y {
				if !(p >= 0 && p <= 1) && (weights == nil || weights[i] != 0) {
					return errors.Errorf("%s: the target at %v is %v, want a number in [0, 1]", o.op, index(i, xs), p)
				}
			}
			rule.Losses(losses, x, y, weights)
			for i, l := range losses {
				if l != l {
					return errors.Errorf("%s: the logit at %v is NaN", o.op, index(i, xs))
				}
			}
			reduceRows(c, r, losses, totalWeight(weights, n))
			return nil
		},
		wrt: first(len(in), 1),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: "BinaryCrossEntropyBackward", out: []signature{like[F](xs...)}, inPlace: true,
				run: func(c *Call) error {
					g := rowGradient(r, input[F](c, 1), totalWeight(optional[F](c, 3), n))
					g.Weights = optional[F](c, 3)
					rule.Gradients(output[F](c, 0), input[F](c, 0), input[F](c, 2), g)
					return nil
				},
			}, append(gorgonia.Nodes{in[0], dy}, in[1:]...)...)
			return gradients(len(in), dx), err
		},
	}, in...)
}
