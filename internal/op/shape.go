package op

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Reshape returns x, in row-major order, under another shape of the same size. One axis may be -1: what is left. The
// result never shares memory that Gorgonia could write to.
func Reshape(x *gorgonia.Node, shape ...int) (*gorgonia.Node, error) {
	if is64(x) {
		return reshape[float64](x, shape)
	}
	return reshape[float32](x, shape)
}

func reshape[F kernel.Float](x *gorgonia.Node, shape []int) (*gorgonia.Node, error) {
	o := operands{op: "Reshape"}
	xs := floatShape[F](&o, "x", x)
	if o.err != nil {
		return nil, o.err
	}
	to, ok := complete(shape, xs.TotalSize())
	if !ok {
		o.fail("%s does not fit shape %v", show("x", x), shape)
		return nil, o.err
	}
	return apply(&Op{
		name: "Reshape", out: []signature{like[F](to...)}, alias: true,
		run: func(c *Call) error {
			copy(output[F](c, 0), input[F](c, 0))
			return nil
		},
		wrt: always(1),
		grad: func(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := reshape[F](dy, xs)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

// complete replaces one -1 in shape so that it holds size elements, and reports whether that is possible.
func complete(shape []int, size int) ([]int, bool) {
	to, known, open := slices.Clone(shape), 1, -1
	for i, d := range to {
		switch {
		case d == -1 && open < 0:
			open = i
		case d <= 0 || d > size:
			return nil, false
		default:
			// Neither factor exceeds size, so the product of the two cannot overflow where it matters.
			if known > size/d {
				return nil, false
			}
			known *= d
		}
	}
	if open >= 0 {
		if size%known != 0 {
			return nil, false
		}
		to[open] = size / known
		return to, true
	}
	return to, known == size
}

// Transpose returns a copy of x whose axis i is axis axes[i] of x. Without axes it reverses them.
func Transpose(x *gorgonia.Node, axes ...int) (*gorgonia.Node, error) {
	if is64(x) {
		return transpose[float64](x, axes)
	}
	return transpose[float32](x, axes)
}

func transpose[F kernel.Float](x *gorgonia.Node, axes []int) (*gorgonia.Node, error) {
	o := operands{op: "Transpose"}
	xs := floatShape[F](&o, "x", x)
	if o.err != nil {
		return nil, o.err
	}
	axes = slices.Clone(axes)
	if len(axes) == 0 {
		for i := len(xs) - 1; i >= 0; i-- {
			axes = append(axes, i)
		}
	}
	inverse := make([]int, len(xs))
	to := make(tensor.Shape, len(xs))
	seen := make([]bool, len(xs))
	for i, axis := range axes {
		if len(axes) != len(xs) || axis < 0 || axis >= len(xs) || seen[axis] {
			o.fail("axes %v do not order those of %s", axes, show("x", x))
			return nil, o.err
		}
		seen[axis], inverse[axis], to[i] = true, i, xs[axis]
	}
	plan := kernel.NewTranspose(xs, axes)
	return apply(&Op{
		name: "Transpose", out: []signature{like[F](to...)},
		run: func(c *Call) error {
			kernel.Transpose(plan, output[F](c, 0), input[F](c, 0))
			return nil
		},
		wrt: always(1),
		grad: func(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := transpose[F](dy, inverse)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}
