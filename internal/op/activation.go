package op

import (
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// ReLU returns max(x, 0).
func ReLU(x *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return unary("ReLU", x, kernel.ReLU[float64], kernel.ReLUBackward[float64])
	}
	return unary("ReLU", x, kernel.ReLU[float32], kernel.ReLUBackward[float32])
}

// SiLU returns x · sigmoid(x), https://arxiv.org/abs/1702.03118.
func SiLU(x *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return unary("SiLU", x, kernel.SiLU[float64], kernel.SiLUBackward[float64])
	}
	return unary("SiLU", x, kernel.SiLU[float32], kernel.SiLUBackward[float32])
}

// GELU returns x · Φ(x), Φ being the normal distribution function, https://arxiv.org/abs/1606.08415.
func GELU(x *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return unary("GELU", x, kernel.GELU[float64], kernel.GELUBackward[float64])
	}
	return unary("GELU", x, kernel.GELU[float32], kernel.GELUBackward[float32])
}

// GELUTanh returns the approximation of GELU by tanh that GPT-2 uses.
func GELUTanh(x *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return unary("GELUTanh", x, kernel.GELUTanh[float64], kernel.GELUTanhBackward[float64])
	}
	return unary("GELUTanh", x, kernel.GELUTanh[float32], kernel.GELUTanhBackward[float32])
}

// unary makes an op of two elementwise loops.
func unary[F kernel.Float](name string, x *gorgonia.Node, forward func(y, x []F), backward func(dx, dy, x []F)) (*gorgonia.Node, error) {
	o := operands{op: name}
	xs := floatShape[F](&o, "x", x)
	if o.err != nil {
		return nil, o.err
	}
	cols := 1
	if len(xs) > 0 {
		cols = xs[len(xs)-1]
	}
	return apply(&Op{
		name: name, out: []signature{like[F](xs...)}, inPlace: true,
		run: func(c *Call) error {
			forward(output[F](c, 0), input[F](c, 0))
			return nil
		},
		rowwise: func(c *Call, lo, hi int) {
			forward(output[F](c, 0)[lo*cols:hi*cols], input[F](c, 0)[lo*cols:hi*cols])
		},
		wrt: always(1),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: name + "Backward", out: []signature{like[F](xs...)}, inPlace: true,
				run: func(c *Call) error {
					backward(output[F](c, 0), input[F](c, 0), input[F](c, 1))
					return nil
				},
				rowwise: func(c *Call, lo, hi int) {
					backward(output[F](c, 0)[lo*cols:hi*cols], input[F](c, 0)[lo*cols:hi*cols], input[F](c, 1)[lo*cols:hi*cols])
				},
			}, dy, in[0])
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

// SwiGLU returns silu(gate) · up, https://arxiv.org/abs/2002.05202.
func SwiGLU(gate, up *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(gate) {
		return swiglu[float64](gate, up)
	}
	return swiglu[float32](gate, up)
}

func swiglu[F kernel.Float](gate, up *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "SwiGLU"}
	gs, us := floatShape[F](&o, "gate", gate), floatShape[F](&o, "up", up)
	if o.err == nil && !gs.Eq(us) {
		o.fail("%s does not fit %s", show("gate", gate), show("up", up))
	}
	if o.err != nil {
		return nil, o.err
	}
	return apply(&Op{
		name: "SwiGLU", out: []signature{like[F](gs...)}, inPlace: true,
		run: func(c *Call) error {
			kernel.SwiGLU(output[F](c, 0), input[F](c, 0), input[F](c, 1))
			return nil
		},
		wrt: always(2),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dgate, err := apply(&Op{
				name: "SwiGLUBackward", out: []signature{like[F](gs...), like[F](gs...)}, inPlace: true,
				run: func(c *Call) error {
					kernel.SwiGLUBackward(output[F](c, 0), output[F](c, 1), input[F](c, 0), input[F](c, 1), input[F](c, 2))
					return nil
				},
			}, dy, in[0], in[1])
			if err != nil {
				return nil, err
			}
			return parts(dgate, 2)
		},
	}, gate, up)
}

// SwiGLUPacked returns silu(gate) · up for x (..., 2·hidden), whose last axis holds gate and then up.
func SwiGLUPacked(x *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return swigluPacked[float64](x)
	}
	return swigluPacked[float32](x)
}

func swigluPacked[F kernel.Float](x *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "SwiGLU"}
	xs := floatShape[F](&o, "x", x)
	if o.err == nil && (len(xs) == 0 || xs[len(xs)-1]%2 != 0) {
		o.fail("the last axis of %s has no halves", show("x", x))
	}
	if o.err != nil {
		return nil, o.err
	}
	hidden := xs[len(xs)-1] / 2
	ys := append(xs[:len(xs)-1].Clone(), hidden)
	return apply(&Op{
		name: "SwiGLU", out: []signature{like[F](ys...)},
		run: func(c *Call) error {
			kernel.SwiGLUPacked(output[F](c, 0), input[F](c, 0), hidden)
			return nil
		},
		rowwise: func(c *Call, lo, hi int) {
			kernel.SwiGLUPacked(output[F](c, 0)[lo*hidden:hi*hidden], input[F](c, 0)[2*lo*hidden:2*hi*hidden], hidden)
		},
		wrt: always(1),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: "SwiGLUBackward", out: []signature{like[F](xs...)},
				run: func(c *Call) error {
					kernel.SwiGLUPackedBackward(output[F](c, 0), input[F](c, 0), input[F](c, 1), hidden)
					return nil
				},
				rowwise: func(c *Call, lo, hi int) {
					kernel.SwiGLUPackedBackward(output[F](c, 0)[2*lo*hidden:2*hi*hidden], input[F](c, 0)[lo*hidden:hi*hidden],
						input[F](c, 1)[2*lo*hidden:2*hi*hidden], hidden)
				},
			}, dy, in[0])
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}
