package op

import (
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// Softmax returns e**x / Σ e**x over the last axis. The largest element of each row is subtracted first, so no
// finite logit overflows. A row of -Inf alone becomes zeros.
func Softmax(x *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return rowwise("Softmax", x, kernel.Softmax[float64], kernel.SoftmaxBackward[float64])
	}
	return rowwise("Softmax", x, kernel.Softmax[float32], kernel.SoftmaxBackward[float32])
}

// LogSoftmax returns x - log Σ e**x over the last axis, as stably as Softmax.
func LogSoftmax(x *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return rowwise("LogSoftmax", x, kernel.LogSoftmax[float64], kernel.LogSoftmaxBackward[float64])
	}
	return rowwise("LogSoftmax", x, kernel.LogSoftmax[float32], kernel.LogSoftmaxBackward[float32])
}

// rowwise makes an op of two loops over rows. The gradient needs the result, not the input.
func rowwise[F kernel.Float](name string, x *gorgonia.Node, forward func(y, x []F, cols int), backward func(dx, dy, y []F, cols int)) (*gorgonia.Node, error) {
	o := operands{op: name}
	xs := floatShape[F](&o, "x", x)
	if o.err == nil && len(xs) == 0 {
		o.fail("x is a scalar, want at least 1 axis")
	}
	if o.err != nil {
		return nil, o.err
	}
	cols := xs[len(xs)-1]
	return apply(&Op{
		name: name, out: []signature{like[F](xs...)}, inPlace: true,
		run: func(c *Call) error {
			forward(output[F](c, 0), input[F](c, 0), cols)
			return nil
		},
		wrt: always(1),
		grad: func(_ gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: name + "Backward", out: []signature{like[F](xs...)}, inPlace: true,
				run: func(c *Call) error {
					backward(output[F](c, 0), input[F](c, 0), input[F](c, 1), cols)
					return nil
				},
			}, dy, y)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}
