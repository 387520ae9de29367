package op

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Add returns x + y, broadcast as in NumPy: axes are matched from the last, and an axis of length 1 repeats.
func Add(x, y *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return add2[float64](x, y)
	}
	return add2[float32](x, y)
}

func add2[F kernel.Float](x, y *gorgonia.Node) (*gorgonia.Node, error) {
	return broadcast("Add", x, y, kernel.BroadcastAdd[F],
		func(in gorgonia.Nodes, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			return sumBoth[F](in, dy, 1, dy, 1)
		})
}

// Sub returns x - y, broadcast as in Add.
func Sub(x, y *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return sub2[float64](x, y)
	}
	return sub2[float32](x, y)
}

func sub2[F kernel.Float](x, y *gorgonia.Node) (*gorgonia.Node, error) {
	return broadcast("Sub", x, y, kernel.BroadcastSub[F],
		func(in gorgonia.Nodes, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			return sumBoth[F](in, dy, 1, dy, -1)
		})
}

// Mul returns the elementwise product of x and y, broadcast as in Add.
func Mul(x, y *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return mul2[float64](x, y)
	}
	return mul2[float32](x, y)
}

func mul2[F kernel.Float](x, y *gorgonia.Node) (*gorgonia.Node, error) {
	return broadcast("Mul", x, y, kernel.BroadcastMul[F],
		func(in gorgonia.Nodes, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			byY, err := mul2[F](dy, in[1])
			if err != nil {
				return nil, err
			}
			byX, err := mul2[F](dy, in[0])
			if err != nil {
				return nil, err
			}
			return sumBoth[F](in, byY, 1, byX, 1)
		})
}

func broadcast[F kernel.Float](name string, x, y *gorgonia.Node, f func(*kernel.Strided, []F, []F, []F),
	grad func(in gorgonia.Nodes, dy *gorgonia.Node) (gorgonia.Nodes, error)) (*gorgonia.Node, error) {
	o := operands{op: name}
	xs, ys := floatShape[F](&o, "x", x), floatShape[F](&o, "y", y)
	if o.err != nil {
		return nil, o.err
	}
	out, ok := broadcastShape(xs, ys)
	if !ok {
		o.fail("%s does not fit %s", show("x", x), show("y", y))
		return nil, o.err
	}
	plan := kernel.NewBroadcast(out, xs, ys)
	return apply(&Op{
		name: name, out: []signature{like[F](out...)}, inPlace: slices.Equal(out, xs),
		run: func(c *Call) error {
			f(plan, output[F](c, 0), input[F](c, 0), input[F](c, 1))
			return nil
		},
		wrt:  always(2),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) { return grad(in, dy) },
	}, x, y)
}

// broadcastShape returns the shape that x and y make together.
func broadcastShape(x, y tensor.Shape) (tensor.Shape, bool) {
	if len(x) < len(y) {
		x, y = y, x
	}
	out := x.Clone()
	for i, d := range y {
		switch at := len(x) - len(y) + i; {
		case out[at] == 1:
			out[at] = d
		case d != 1 && d != out[at]:
			return nil, false
		}
	}
	return out, true
}

// sumBoth sums dx and dy, each times its factor, to the shapes of the two inputs.
func sumBoth[F kernel.Float](in gorgonia.Nodes, dx *gorgonia.Node, alpha F, dy *gorgonia.Node, beta F) (gorgonia.Nodes, error) {
	gx, err := sumTo(dx, in[0].Shape(), alpha)
	if err != nil {
		return nil, err
	}
	gy, err := sumTo(dy, in[1].Shape(), beta)
	return gorgonia.Nodes{gx, gy}, err
}

// sumTo sums x over the axes that broadcasting from shape repeated, times alpha.
func sumTo[F kernel.Float](x *gorgonia.Node, shape tensor.Shape, alpha F) (*gorgonia.Node, error) {
	from := x.Shape()
	if slices.Equal(from, shape) {
		if alpha == 1 {
			return x, nil
		}
		return Scale(x, float64(alpha))
	}
	plan := kernel.NewSumTo(shape, from)
	return apply(&Op{
		name: "SumTo", out: []signature{like[F](shape...)},
		run: func(c *Call) error {
			kernel.SumTo(plan, output[F](c, 0), input[F](c, 0), alpha)
			return nil
		},
	}, x)
}

// Scale returns alpha · x.
func Scale(x *gorgonia.Node, alpha float64) (*gorgonia.Node, error) {
	if is64(x) {
		return scale(x, alpha)
	}
	return scale(x, float32(alpha))
}

func scale[F kernel.Float](x *gorgonia.Node, alpha F) (*gorgonia.Node, error) {
	o := operands{op: "Scale"}
	xs := floatShape[F](&o, "x", x)
	if alpha-alpha != 0 {
		o.fail("factor %v of %s is not finite", alpha, show("x", x))
	}
	if o.err != nil {
		return nil, o.err
	}
	return apply(&Op{
		name: "Scale", out: []signature{like[F](xs...)}, inPlace: true,
		run: func(c *Call) error {
			kernel.Scale(output[F](c, 0), input[F](c, 0), alpha)
			return nil
		},
		wrt: always(1),
		grad: func(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := scale(dy, alpha)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}
