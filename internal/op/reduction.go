package op

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// A Reduction makes the result of a loss from the losses of rows.
type Reduction int

const (
	ReduceMean Reduction = iota
	ReduceSum
	ReduceNone
)

// results returns the results of a loss over rows of the given shape: what the reduction yields, and the losses of the
// rows where that is something else.
func results[F kernel.Float](r Reduction, rows tensor.Shape) []signature {
	if r == ReduceNone {
		return []signature{like[F](rows...)}
	}
	return []signature{like[F](), like[F](rows...)}
}

// rowLosses returns where a loss writes the losses of rows.
func rowLosses[F kernel.Float](c *Call, r Reduction) []F {
	if r == ReduceNone {
		return output[F](c, 0)
	}
	return output[F](c, 1)
}

// reduceRows writes the result of a loss from those of the rows; a mean divides by n, and is 0 if n is.
func reduceRows[F kernel.Float](c *Call, r Reduction, losses []F, n float64) {
	switch {
	case r == ReduceNone:
	case r == ReduceSum:
		output[F](c, 0)[0] = F(kernel.Sum(losses))
	case n == 0:
		output[F](c, 0)[0] = 0
	default:
		output[F](c, 0)[0] = F(kernel.Sum(losses) / n)
	}
}

// rowGradient returns the gradients of the losses of rows from dy, that of the result.
func rowGradient[F kernel.Float](r Reduction, dy []F, n float64) kernel.RowFactors[F] {
	switch g := float64(dy[0]); {
	case r == ReduceNone:
		return kernel.RowFactors[F]{Rows: dy}
	case r == ReduceMean && n == 0:
		return kernel.RowFactors[F]{}
	case r == ReduceMean:
		return kernel.RowFactors[F]{All: g / n}
	default:
		return kernel.RowFactors[F]{All: g}
	}
}

// checkLosses returns an error if a loss is not a number, naming the row.
func checkLosses[F kernel.Float](name string, losses []F, rows tensor.Shape) error {
	for i, l := range losses {
		if math.IsNaN(float64(l)) {
			return errors.Errorf("%s: logits at %v hold NaN, +Inf or nothing but -Inf", name, index(i, rows))
		}
	}
	return nil
}

// rowLoss is a loss whose rows are scored alike: forward fills the losses, backward the gradient of the first operand
// from those of the rows.
type rowLoss[F kernel.Float] struct {
	name     string
	forward  func(losses, logits, targets []F, classes int)
	backward func(dlogits, logits, targets []F, classes int, g kernel.RowFactors[F])
}

// apply scores logits (..., classes) against targets of the same shape.
func (l rowLoss[F]) apply(r Reduction, logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: l.name}
	xs, ts := floatShape[F](&o, "logits", logits), floatShape[F](&o, "targets", targets)
	if o.err == nil && (len(xs) < 2 || !xs.Eq(ts)) {
		o.fail("%s does not fit %s", show("logits", logits), show("targets", targets))
	}
	if r < ReduceMean || r > ReduceNone {
		o.fail("unknown reduction %d", r)
	}
	if o.err != nil {
		return nil, o.err
	}
	classes, rows := xs[len(xs)-1], xs[:len(xs)-1]
	n := float64(rows.TotalSize())
	return apply(&Op{
		name: l.name, out: results[F](r, rows),
		run: func(c *Call) error {
			losses := rowLosses[F](c, r)
			l.forward(losses, input[F](c, 0), input[F](c, 1), classes)
			if err := checkLosses(l.name, losses, rows); err != nil {
				return err
			}
			reduceRows(c, r, losses, n)
			return nil
		},
		wrt: []bool{true, false},
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: l.name + "Backward", out: []signature{like[F](xs...)},
				run: func(c *Call) error {
					l.backward(output[F](c, 0), input[F](c, 1), input[F](c, 2), classes, rowGradient(r, input[F](c, 0), n))
					return nil
				},
			}, dy, in[0], in[1])
			return gorgonia.Nodes{dx, nil}, err
		},
	}, logits, targets)
}

// SoftCrossEntropy scores logits (..., classes) against target probabilities of the same shape: Σ p·(lse - logit) for
// every row. A term with p = 0 is 0 even if the logit is -Inf. Targets have no gradient.
func SoftCrossEntropy(r Reduction, logits, probs *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(logits) {
		return rowLoss[float64]{"SoftCrossEntropy", kernel.SoftCrossEntropy[float64], kernel.SoftCrossEntropyBackward[float64]}.apply(r, logits, probs)
	}
	return rowLoss[float32]{"SoftCrossEntropy", kernel.SoftCrossEntropy[float32], kernel.SoftCrossEntropyBackward[float32]}.apply(r, logits, probs)
}

// KLDivergence scores logits (..., classes) of a student against those of a teacher: Σ p·log(p/q) for every row, p
// being the teacher's softmax and q the student's. The teacher has no gradient.
func KLDivergence(r Reduction, student, teacher *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(student) {
		return rowLoss[float64]{"KLDivergence", kernel.KLDivergence[float64], kernel.KLDivergenceBackward[float64]}.apply(r, student, teacher)
	}
	return rowLoss[float32]{"KLDivergence", kernel.KLDivergence[float32], kernel.KLDivergenceBackward[float32]}.apply(r, student, teacher)
}
