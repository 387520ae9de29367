package op

import (
	"math"

	"github.com/pkg/errors"
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

func (r Reduction) check(o *operands) {
	if r < ReduceMean || r > ReduceNone {
		o.fail("unknown reduction %d", r)
	}
}

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
			return errors.Errorf("%s: logits at %v %s", name, index(i, rows), without)
		}
	}
	return nil
}
