package op

import (
	"slices"
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Linears returns x·wᵀ + b for x (..., in) and several weights w (out, in) and biases b (out) side by side in the last
// axis. There are as many biases as weights, or none. Weights that lie one behind the other in memory are multiplied as one.
func Linears(x *gorgonia.Node, ws, bs gorgonia.Nodes) (*gorgonia.Node, error) {
	return applyLinears(x, ws, bs, false)
}

// SteadyLinears is [Linears] for generating graphs: every row of the result has the same bits whatever other rows there are.
func SteadyLinears(x *gorgonia.Node, ws, bs gorgonia.Nodes) (*gorgonia.Node, error) {
	return applyLinears(x, ws, bs, true)
}

func applyLinears(x *gorgonia.Node, ws, bs gorgonia.Nodes, steady bool) (*gorgonia.Node, error) {
	if is64(x) {
		return linears[float64](x, ws, bs, steady)
	}
	return linears[float32](x, ws, bs, steady)
}

// projection is the shape of Linears.
type projection struct {
	rows, in int
	outs     []int // of each weight
	out      int   // their sum
	steady   bool  // rows have the same bits whatever other rows there are
}

// shape returns the shape of the result for x of shape xs.
func (p *projection) shape(xs tensor.Shape) []int { return append(slices.Clone(xs[:len(xs)-1]), p.out) }

func linears[F kernel.Float](x *gorgonia.Node, ws, bs gorgonia.Nodes, steady bool) (*gorgonia.Node, error) {
	p, xs, err := project[F]("Linear", x, ws, bs)
	if err != nil {
		return nil, err
	}
	p.steady = steady
	n := len(ws)
	return apply(&Op{
		name: "Linear", out: []signature{like[F](p.shape(xs)...)}, flops: product(1, p.rows, p.out, p.in),
		run:  func(c *Call) error { forward[F](c, &p, false, nil); return nil },
		plus: func(c *Call) error { forward[F](c, &p, true, nil); return nil },
		then: func(c *Call, add bool, after func(lo, hi int)) { forward[F](c, &p, add, after) },
		wrt:  always(1 + n + len(bs)),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			return linearsGradient[F](&p, xs, in, dy)
		},
	}, slices.Concat(gorgonia.Nodes{x}, ws, bs)...)
}

// project checks the operands of an op that is like Linears.
func project[F kernel.Float](name string, x *gorgonia.Node, ws, bs gorgonia.Nodes) (p projection, _ tensor.Shape, _ error) {
	o := operands{op: name}
	xs := floatShape[F](&o, "x", x)
	if o.err == nil && len(ws) == 0 {
		o.fail("no weights for %s", show("x", x))
	}
	if o.err == nil && len(bs) != 0 && len(bs) != len(ws) {
		o.fail("%d biases for %d weights of %s", len(bs), len(ws), show("x", x))
	}
	for i, w := range ws {
		shape := floatShape[F](&o, "w", w, 2)
		if o.err == nil && (len(xs) == 0 || xs[len(xs)-1] != shape[1]) {
			o.fail("%s does not fit %s", show("x", x), show("w", w))
		}
		if len(bs) != 0 {
			if b := floatShape[F](&o, "b", bs[i], 1); o.err == nil && b[0] != shape[0] {
				o.fail("%s does not fit %s", show("b", bs[i]), show("w", w))
			}
		}
		if o.err != nil {
			break
		}
		p.in = shape[1]
		p.outs = append(p.outs, shape[0])
		p.out += shape[0]
	}
	if o.err != nil {
		return p, nil, o.err
	}
	p.rows = xs.TotalSize() / p.in
	return p, xs, nil
}

// forward computes y = x·wᵀ + b, or adds it to the last operand, for operands x, the weights and the biases. It calls
// after, if that is not nil, for rows that are done.
func forward[F kernel.Float](c *Call, p *projection, add bool, after func(lo, hi int)) {
	y, x := output[F](c, 0), input[F](c, 0)
	operands := len(c.In)
	if add {
		operands--
		copyTo(y, input[F](c, operands))
	}
	ws := c.In[1:][:len(p.outs)]
	if w := together[F](c, ws, p.out*p.in); w != nil && operands == 1+len(ws) {
		if !p.steady {
			kernel.GemmThen(false, true, p.rows, p.out, p.in, x, p.in, w, p.in, y, p.out, add, after)
			return
		}
		kernel.Dots(p.rows, p.out, p.in, x, p.in, w, p.in, y, p.out, add)
		if after != nil {
			after(0, p.rows)
		}
		return
	}
	at := 0
	for i, out := range p.outs {
		if p.steady {
			kernel.Dots(p.rows, out, p.in, x, p.in, floats[F](ws[i]), p.in, y[at:], p.out, add)
		} else {
			kernel.Gemm(false, true, p.rows, out, p.in, x, p.in, floats[F](ws[i]), p.in, y[at:], p.out, add)
		}
		if operands > 1+len(ws) {
			kernel.AddToRows(y[at:], p.out, p.rows, input[F](c, 1+len(ws)+i)[:out])
		}
		at += out
	}
	if after != nil {
		after(0, p.rows)
	}
}

// copyTo copies src to dst unless they are the same memory.
func copyTo[F kernel.Float](dst, src []F) {
	if unsafe.SliceData(dst) != unsafe.SliceData(src) {
		kernel.Copy(dst, src)
	}
}

// together returns the numbers of operands as one slice of the given size if they are one or packed, and else nil.
func together[F kernel.Float](c *Call, vs []gorgonia.Value, size int) []F {
	if len(vs) > 1 && !c.Packed {
		return nil
	}
	return joined[F](vs, size)
}

// joined returns the numbers of vs as one slice of the given size if they lie one behind the other, and else nil.
func joined[F kernel.Float](vs []gorgonia.Value, size int) []F {
	first := floats[F](vs[0])
	if len(vs) == 1 {
		return first
	}
	end := uintptr(unsafe.Pointer(unsafe.SliceData(first))) // a number, since it may be where nothing lies
	for _, v := range vs {
		x := floats[F](v)
		if uintptr(unsafe.Pointer(unsafe.SliceData(x))) != end {
			return nil
		}
		end += uintptr(len(x)) * unsafe.Sizeof(x[0])
	}
	return unsafe.Slice(unsafe.SliceData(first), size)
}

// linearsGradient returns the gradients of x, the weights and the biases.
func linearsGradient[F kernel.Float](p *projection, xs tensor.Shape, in gorgonia.Nodes, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	n := len(p.outs)
	ws := in[1 : 1+n]
	backward := func(c *Call, add bool, after func(lo, hi int)) {
		dx, dy := output[F](c, 0), input[F](c, 0)
		if add {
			copyTo(dx, input[F](c, len(c.In)-1))
		}
		ws := c.In[1:][:n]
		if w := together[F](c, ws, p.out*p.in); w != nil {
			kernel.GemmThen(false, false, p.rows, p.in, p.out, dy, p.out, w, p.in, dx, p.in, add, after)
			return
		}
		at := 0
		for i, out := range p.outs {
			kernel.Gemm(false, false, p.rows, p.in, out, dy[at:], p.out, floats[F](ws[i]), p.in, dx, p.in, add || at > 0)
			at += out
		}
		if after != nil {
			after(0, p.rows)
		}
	}
	var shapes, biases []signature
	for _, out := range p.outs {
		shapes, biases = append(shapes, like[F](out, p.in)), append(biases, like[F](out))
	}
	dw, err := apply(&Op{
		name: "LinearDW", out: shapes, join: true, flops: product(1, p.rows, p.out, p.in),
		run: func(c *Call) error {
			dw := joined[F](c.Out, p.out*p.in)
			kernel.Gemm(true, false, p.out, p.in, p.rows, input[F](c, 0), p.out, input[F](c, 1), p.in, dw, p.in, false)
			return nil
		},
	}, dy, in[0])
	if err != nil {
		return nil, err
	}
	grads, err := parts(dw, n)
	if err != nil {
		return nil, err
	}
	if len(in) > 1+n {
		db, err := apply(&Op{
			name: "LinearDB", out: biases, join: true,
			run: func(c *Call) error {
				kernel.ColumnSums(joined[F](c.Out, p.out), input[F](c, 0))
				return nil
			},
		}, dy)
		if err != nil {
			return nil, err
		}
		dbs, err := parts(db, n)
		if err != nil {
			return nil, err
		}
		grads = append(grads, dbs...)
	}
	// The gradient of x comes last, so that the op before x can take over its rows.
	dx, err := apply(&Op{
		name: "LinearDX", out: []signature{like[F](xs...)}, flops: product(1, p.rows, p.out, p.in),
		run:  func(c *Call) error { backward(c, false, nil); return nil },
		plus: func(c *Call) error { backward(c, true, nil); return nil },
		then: backward,
	}, append(gorgonia.Nodes{dy}, ws...)...)
	return append(gorgonia.Nodes{dx}, grads...), err
}
