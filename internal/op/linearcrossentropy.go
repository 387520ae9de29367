package op

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// ApplyLinear scores the logits x·wᵀ, for x (..., dim) and w (classes, dim), against targets (...), as Apply does. It
// goes through the rows in chunks, so only the logits of a chunk exist at a time. Unless the losses of rows are asked
// for, the gradients of x and w are found in the same pass.
func (e CrossEntropy) ApplyLinear(x, w, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return linearCrossEntropy[float64](e, x, w, targets, weights)
	}
	return linearCrossEntropy[float32](e, x, w, targets, weights)
}

// chunkLogits is how many logits exist at a time, if a row has no more.
const chunkLogits = 10 << 20

// head is the output layer and the loss of LinearCrossEntropy.
type head[F kernel.Float] struct {
	*scoring[F]
	n, dim int // rows and columns of x
	chunk  int // rows whose logits exist at a time
	one    []F // the gradient of the loss that gradients are found for
}

func linearCrossEntropy[F kernel.Float](e CrossEntropy, x, w, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "LinearCrossEntropy"}
	xs, ws, ts := floatShape[F](&o, "x", x), floatShape[F](&o, "w", w, 2), o.ids("targets", targets)
	switch {
	case o.err != nil:
	case len(xs) < 2 || xs[len(xs)-1] != ws[1]:
		o.fail("%s does not fit %s", show("x", x), show("w", w))
	case !slices.Equal(xs[:len(xs)-1], ts): // Eq takes (2) and (2, 1) for the same
		o.fail("%s does not fit %s", show("x", x), show("targets", targets))
	}
	weights = rowWeights[F](&o, weights, ts)
	if o.err != nil {
		return nil, o.err
	}
	h := &head[F]{scoring: newScoring[F](&o, e, show("w", w), ws[0], ts), n: ts.TotalSize(), dim: ws[1], one: []F{1}}
	if o.err != nil {
		return nil, o.err
	}
	chunks := max(1, h.n*ws[0]/chunkLogits)
	h.chunk = (h.n + chunks - 1) / chunks
	room := like[F](h.chunk, ws[0])
	in := given(x, w, targets, weights)
	if h.reduction == ReduceNone {
		return h.rowwise(in, room)
	}
	// The results: the loss, those of rows, their sums, the gradients if somebody reads them, logits of a chunk.
	return apply(&Op{
		name: "LinearCrossEntropy",
		out:  []signature{like[F](), like[F](ts...), h.sums(h.n), like[F](xs...), like[F](ws...), room},
		lazy: []bool{3: true, 4: true, 5: false},
		flops: func(c *Call) float64 {
			products := 1.0
			for _, d := range c.Out[3:5] {
				if d != nil {
					products++
				}
			}
			return 2 * products * float64(h.n) * float64(ws[0]) * float64(h.dim)
		},
		run: func(c *Call) error {
			targets, weights := ints(c.In[2]), optional[F](c, 3)
			rows, weight := 1.0, 1.0
			if h.reduction == ReduceMean {
				rows, weight = h.kept(targets, weights)
			}
			p := pass[F]{
				x: input[F](c, 0), w: input[F](c, 1), dx: output[F](c, 3), dw: output[F](c, 4),
				losses: output[F](c, 1), sums: output[F](c, 2), room: output[F](c, 5),
				main: rowGradient(h.reduction, h.one, weight), z: rowGradient(h.reduction, h.one, rows),
			}
			if err := h.run(p, targets, weights); err != nil {
				return err
			}
			return h.reduce(c, p.losses, p.sums, targets, weights)
		},
		wrt: first(len(in), 2),
		grad: func(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			ps, err := parts(y, 5)
			if err != nil {
				return nil, err
			}
			dx, err := scaleBy[F](ps[3], dy)
			if err != nil {
				return nil, err
			}
			dw, err := scaleBy[F](ps[4], dy)
			return gradients(len(in), dx, dw), err
		},
	}, in...)
}

// rowwise keeps the loss of every row. Each has a gradient of its own then, which is known only in the backward pass;
// that computes the logits again.
func (h *head[F]) rowwise(in gorgonia.Nodes, room signature) (*gorgonia.Node, error) {
	xs, ws := in[0].Shape(), in[1].Shape()
	return apply(&Op{
		name: "LinearCrossEntropy", out: []signature{like[F](h.rows...), h.sums(h.n), room},
		run: func(c *Call) error {
			targets, weights := ints(c.In[2]), optional[F](c, 3)
			p := pass[F]{
				x: input[F](c, 0), w: input[F](c, 1),
				losses: output[F](c, 0), sums: output[F](c, 1), room: output[F](c, 2),
			}
			if err := h.run(p, targets, weights); err != nil {
				return err
			}
			return h.reduce(c, p.losses, p.sums, targets, weights)
		},
		wrt: first(len(in), 2),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: "LinearCrossEntropyBackward",
				out:  []signature{like[F](xs...), like[F](ws...), like[F](h.rows...), h.sums(h.n), room},
				run: func(c *Call) error {
					g := rowGradient(ReduceNone, input[F](c, 0), 1)
					p := pass[F]{
						x: input[F](c, 1), w: input[F](c, 2), dx: output[F](c, 0), dw: output[F](c, 1),
						losses: output[F](c, 2), sums: output[F](c, 3), room: output[F](c, 4), main: g, z: g,
					}
					return h.run(p, ints(c.In[3]), optional[F](c, 4))
				},
			}, append(gorgonia.Nodes{dy}, in...)...)
			if err != nil {
				return nil, err
			}
			ds, err := parts(dx, 2)
			return gradients(len(in), ds...), err
		},
	}, in...)
}

// pass is what one pass over all rows reads and writes. dx, dw or both may be nil: nobody asks for them.
type pass[F kernel.Float] struct {
	x, w, dx, dw       []F
	losses, sums, room []F
	main, z            kernel.RowFactors[F] // gradients of the losses of rows, and of what the z-loss adds to them
}

// run computes the losses of all rows, the sums that they come from and the gradients that p asks for.
func (h *head[F]) run(p pass[F], targets []int, weights []F) error {
	if err := h.check(targets, weights); err != nil {
		return err
	}
	p.main.Weights, p.z.Weights = weights, weights
	classes, dim := h.rule.Classes, h.dim
	for at := 0; at < h.n; at += h.chunk {
		n := min(h.chunk, h.n-at)
		x, logits, targets, sums := p.x[at*dim:][:n*dim], p.room[:n*classes], targets[at:][:n], p.sums[2*at:][:2*n]
		main, z := p.main.From(at), p.z.From(at)
		kernel.Gemm(false, true, n, classes, dim, x, dim, p.w, dim, logits, classes, false)
		h.rule.Forward(p.losses[at:][:n], sums, logits, targets, main.Weights)
		if p.dx == nil && p.dw == nil {
			continue
		}
		h.rule.Backward(logits, sums, logits, targets, main, z)
		if p.dx != nil {
			kernel.Gemm(false, false, n, dim, classes, logits, classes, p.w, dim, p.dx[at*dim:], dim, false)
		}
		if p.dw != nil {
			kernel.Gemm(true, false, classes, dim, n, logits, classes, x, dim, p.dw, dim, at > 0)
		}
	}
	return nil
}

// scaleBy returns x times the number s.
func scaleBy[F kernel.Float](x, s *gorgonia.Node) (*gorgonia.Node, error) {
	return apply(&Op{
		name: "ScaleBy", out: []signature{like[F](x.Shape()...)}, inPlace: true,
		run: func(c *Call) error {
			y, x, s := output[F](c, 0), input[F](c, 0), input[F](c, 1)[0]
			if s == 1 {
				copyTo(y, x)
				return nil
			}
			kernel.Scale(y, x, s)
			return nil
		},
	}, x, s)
}
