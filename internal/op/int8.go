package op

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// LinearsInt8 returns what [Linears] does in float32, with x and the weights rounded to eight bits as [kernel.GemmInt8]
// says. The op holds the rounded weights, which quantize returns for ws once these fit. It reads x and the biases alone,
// and has no gradient.
func LinearsInt8(x *gorgonia.Node, ws, bs gorgonia.Nodes, quantize func() *kernel.Int8) (*gorgonia.Node, error) {
	const name = "LinearInt8"
	p, xs, err := project[float32](name, x, ws, bs)
	if err != nil {
		return nil, err
	}
	w := quantize()
	return apply(&Op{
		name: name, out: []signature{like[float32](p.shape(xs)...)}, flops: product(1, p.rows, p.out, p.in),
		run:  func(c *Call) error { forwardInt8(c, &p, w, false); return nil },
		plus: func(c *Call) error { forwardInt8(c, &p, w, true); return nil },
		// Without this a gradient would take the op for a constant.
		wrt: always(1 + len(bs)),
		grad: func(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
			return nil, errors.New("weights of eight bits have none")
		},
	}, append(gorgonia.Nodes{x}, bs...)...)
}

// forwardInt8 computes y = x·wᵀ + b, or adds it to the last operand, for operands x and the biases.
func forwardInt8(c *Call, p *projection, w *kernel.Int8, add bool) {
	y, bs := output[float32](c, 0), c.In[1:]
	if add {
		last := len(bs) - 1
		copyTo(y, floats[float32](bs[last]))
		bs = bs[:last]
	}
	kernel.GemmInt8(p.rows, input[float32](c, 0), w, y, add)
	at := 0
	for i, b := range bs {
		kernel.AddToRows(y[at:], p.out, p.rows, floats[float32](b)[:p.outs[i]])
		at += p.outs[i]
	}
}
