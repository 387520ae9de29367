package op

import (
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// rowLoss is a loss of rows of x (..., classes) against rows of y, of the same shape. y has no gradient.
type rowLoss[F kernel.Float] struct {
	name string
	x, y string // what the operands are called
	rule kernel.RowLoss[F]
	// wrong says what is wrong with a row whose loss is NaN or infinite, and with which operand; nothing if what is "".
	wrong func(loss F, x, y []F) (operand, what string)
}

// shape checks operands and returns their shape.
func (l rowLoss[F]) shape(o *operands, r Reduction, x, y *gorgonia.Node) tensor.Shape {
	xs, ys := floatShape[F](o, l.x, x), floatShape[F](o, l.y, y)
	if o.err == nil && (len(xs) < 2 || !slices.Equal(xs, ys)) {
		o.fail("%s does not fit %s", show(l.x, x), show(l.y, y))
	}
	r.check(o)
	return xs
}

// apply scores x against y, of shape xs, with a weight of every row unless weights is nil. The mean divides by the weight
// of all rows.
func (l rowLoss[F]) apply(o *operands, r Reduction, xs tensor.Shape, x, y, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if o.err != nil {
		return nil, o.err
	}
	classes, rows := xs[len(xs)-1], xs[:len(xs)-1]
	weights = rowWeights[F](o, weights, rows)
	if o.err != nil {
		return nil, o.err
	}
	n := rows.TotalSize()
	in := given(x, y, weights)
	return apply(&Op{
		name: l.name, out: results[F](r, rows),
		run: func(c *Call) error {
			losses, x, y, weights := rowLosses[F](c, r), input[F](c, 0), input[F](c, 1), optional[F](c, 2)
			if err := checkWeights(l.name, weights, rows); err != nil {
				return err
			}
			kernel.RowLosses(l.rule, losses, x, y, weights, classes)
			for i, loss := range losses {
				if loss-loss == 0 {
					continue
				}
				if operand, what := l.wrong(loss, x[i*classes:][:classes], y[i*classes:][:classes]); what != "" {
					return errors.Errorf("%s: %s at %v %s", l.name, operand, index(i, rows), what)
				}
			}
			reduceRows(c, r, losses, totalWeight(weights, n))
			return nil
		},
		wrt: first(len(in), 1),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: l.name + "Backward", out: []signature{like[F](xs...)}, inPlace: true,
				run: func(c *Call) error {
					g := rowGradient(r, input[F](c, 1), totalWeight(optional[F](c, 3), n))
					g.Weights = optional[F](c, 3)
					kernel.RowGradients(l.rule, output[F](c, 0), input[F](c, 0), input[F](c, 2), classes, g)
					return nil
				},
			}, append(gorgonia.Nodes{in[0], dy}, in[1:]...)...)
			return gradients(len(in), dx), err
		},
	}, in...)
}

// without says of a row that it has no softmax.
const without = "hold NaN, +Inf or nothing but -Inf"

// softmaxless reports whether a row has no softmax.
func softmaxless[F kernel.Float](x []F) bool {
	_, z := kernel.LogSumExp(x)
	return z != z || math.IsInf(float64(kernel.Max(x)), 0)
}
