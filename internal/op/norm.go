package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// RMSNorm returns x / √(mean(x²) + eps) · w over the last axis of x (..., dim) for w (dim),
// https://arxiv.org/abs/1910.07467.
func RMSNorm(x, w *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	if is64(x) {
		return rmsnorm[float64](x, w, eps)
	}
	return rmsnorm[float32](x, w, eps)
}

func rmsnorm[F kernel.Float](x, w *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	o := operands{op: "RMSNorm"}
	xs, rows := normShape[F](&o, x, eps, "w", w)
	if o.err != nil {
		return nil, o.err
	}
	dim := xs[len(xs)-1]
	return apply(&Op{
		name: "RMSNorm", out: []signature{like[F](xs...), like[F](rows)}, // y, 1/rms
		run: func(c *Call) error {
			kernel.RMSNorm(output[F](c, 0), output[F](c, 1), input[F](c, 0), input[F](c, 1), eps)
			return nil
		},
		rowwise: func(c *Call, lo, hi int) {
			kernel.RMSNorm(output[F](c, 0)[lo*dim:hi*dim], output[F](c, 1)[lo:hi], input[F](c, 0)[lo*dim:hi*dim], input[F](c, 1), eps)
		},
		wrt: always(2),
		grad: func(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			inv, err := part(y, 1)
			if err != nil {
				return nil, err
			}
			backward := func(c *Call, r []F) error {
				kernel.RMSNormBackward(output[F](c, 0), output[F](c, 1), input[F](c, 0), input[F](c, 1), input[F](c, 2), input[F](c, 3), r)
				return nil
			}
			dx, err := apply(&Op{
				name: "RMSNormBackward", out: []signature{like[F](xs...), like[F](dim)}, // dx, dw
				run:  func(c *Call) error { return backward(c, nil) },
				plus: func(c *Call) error { return backward(c, input[F](c, 4)) },
			}, dy, in[0], in[1], inv)
			if err != nil {
				return nil, err
			}
			return parts(dx, 2)
		},
	}, x, w)
}

// LayerNorm returns (x - mean(x)) / √(variance(x) + eps) · w + b over the last axis of x (..., dim) for w and b (dim),
// https://arxiv.org/abs/1607.06450. The variance is that of the row itself, divided by dim.
func LayerNorm(x, w, b *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	if is64(x) {
		return layernorm[float64](x, w, b, eps)
	}
	return layernorm[float32](x, w, b, eps)
}

func layernorm[F kernel.Float](x, w, b *gorgonia.Node, eps float64) (*gorgonia.Node, error) {
	o := operands{op: "LayerNorm"}
	xs, rows := normShape[F](&o, x, eps, "w", w)
	normShape[F](&o, x, eps, "b", b)
	if o.err != nil {
		return nil, o.err
	}
	dim := xs[len(xs)-1]
	return apply(&Op{
		name: "LayerNorm", out: []signature{like[F](xs...), like[F](rows), like[F](rows)}, // y, mean, 1/deviation
		run: func(c *Call) error {
			kernel.LayerNorm(output[F](c, 0), output[F](c, 1), output[F](c, 2), input[F](c, 0), input[F](c, 1), input[F](c, 2), eps)
			return nil
		},
		rowwise: func(c *Call, lo, hi int) {
			kernel.LayerNorm(output[F](c, 0)[lo*dim:hi*dim], output[F](c, 1)[lo:hi], output[F](c, 2)[lo:hi],
				input[F](c, 0)[lo*dim:hi*dim], input[F](c, 1), input[F](c, 2), eps)
		},
		wrt: always(3),
		grad: func(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			saved, err := parts(y, 3)
			if err != nil {
				return nil, err
			}
			backward := func(c *Call, r []F) error {
				kernel.LayerNormBackward(output[F](c, 0), output[F](c, 1), output[F](c, 2),
					input[F](c, 0), input[F](c, 1), input[F](c, 2), input[F](c, 3), input[F](c, 4), r)
				return nil
			}
			dx, err := apply(&Op{
				name: "LayerNormBackward", out: []signature{like[F](xs...), like[F](dim), like[F](dim)}, // dx, dw, db
				run:  func(c *Call) error { return backward(c, nil) },
				plus: func(c *Call) error { return backward(c, input[F](c, 5)) },
			}, dy, in[0], in[1], saved[1], saved[2])
			if err != nil {
				return nil, err
			}
			return parts(dx, 3)
		},
	}, x, w, b)
}

// normShape checks the operands of a norm and returns the shape of x and how many rows it has.
func normShape[F kernel.Float](o *operands, x *gorgonia.Node, eps float64, what string, w *gorgonia.Node) (xs tensor.Shape, rows int) {
	xs, ws := floatShape[F](o, "x", x), floatShape[F](o, what, w, 1)
	if o.err != nil {
		return nil, 0
	}
	if len(xs) == 0 || xs[len(xs)-1] != ws[0] {
		o.fail("%s does not fit %s", show("x", x), show(what, w))
		return nil, 0
	}
	if !(eps >= 0) || eps-eps != 0 {
		o.fail("eps is %v, want a finite number of at least 0", eps)
		return nil, 0
	}
	return xs, xs.TotalSize() / ws[0]
}
