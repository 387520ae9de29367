package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Sum returns the sum of x over axes, which disappear; without axes it is the sum of everything.
func Sum(x *gorgonia.Node, axes ...int) (*gorgonia.Node, error) {
	if is64(x) {
		return reduce[float64]("Sum", x, axes)
	}
	return reduce[float32]("Sum", x, axes)
}

// Mean returns the mean of x over axes, which disappear; without axes it is the mean of everything.
func Mean(x *gorgonia.Node, axes ...int) (*gorgonia.Node, error) {
	if is64(x) {
		return reduce[float64]("Mean", x, axes)
	}
	return reduce[float32]("Mean", x, axes)
}

func reduce[F kernel.Float](name string, x *gorgonia.Node, axes []int) (*gorgonia.Node, error) {
	o := operands{op: name}
	xs := floatShape[F](&o, "x", x)
	if o.err != nil {
		return nil, o.err
	}
	gone := make([]bool, len(xs))
	for _, axis := range axes {
		if axis < 0 || axis >= len(xs) || gone[axis] {
			o.fail("axes %v are not different axes of %s", axes, show("x", x))
			return nil, o.err
		}
		gone[axis] = true
	}
	// kept has the rank of x, out has not.
	kept, out, n := make(tensor.Shape, len(xs)), tensor.Shape{}, 1
	for i, d := range xs {
		if gone[i] || len(axes) == 0 {
			kept[i] = 1
			n *= d
			continue
		}
		kept[i] = d
		out = append(out, d)
	}
	alpha := F(1)
	if name == "Mean" {
		alpha = 1 / F(n)
	}
	down, up := kernel.NewSumTo(kept, xs), kernel.NewBroadcastTo(xs, kept)
	return apply(&Op{
		name: name, out: []signature{like[F](out...)},
		run: func(c *Call) error {
			kernel.SumTo(down, output[F](c, 0), input[F](c, 0), alpha)
			return nil
		},
		wrt: always(1),
		grad: func(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: name + "Backward", out: []signature{like[F](xs...)},
				run: func(c *Call) error {
					kernel.BroadcastTo(up, output[F](c, 0), input[F](c, 0), alpha)
					return nil
				},
			}, dy)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}
