package op

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// ApplyLinear scores the logits x·wᵀ, for x (..., dim) and w (classes, dim), against targets (...), as Apply does. It
// goes through the rows in chunks, so only the logits of a chunk exist at a time. Unless the losses of rows are asked
// for, the gradients of x and w are found in the same pass.
func (e CrossEntropy) ApplyLinear(x, w, targets *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return linearCrossEntropy[float64](e, x, w, targets)
	}
	return linearCrossEntropy[float32](e, x, w, targets)
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

func linearCrossEntropy[F kernel.Float](e CrossEntropy, x, w, targets *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "LinearCrossEntropy"}
	xs, ws, ts := floatShape[F](&o, "x", x), floatShape[F](&o, "w", w, 2), o.ids("targets", targets)
	switch {
	case o.err != nil:
	case len(xs) < 2 || xs[len(xs)-1] != ws[1]:
		o.fail("%s does not fit %s", show("x", x), show("w", w))
	case !slices.Equal(xs[:len(xs)-1], ts): // Eq takes (2) and (2, 1) for the same
		o.fail("%s does not fit %s", show("x", x), show("targets", targets))
	}
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
	if h.reduction == ReduceNone {
		return h.rowwise(x, w, targets, room)
	}
	// The results: the loss, those of rows, log Σ e**logit, the gradients if somebody reads them, logits of a chunk.
	return apply(&Op{
		name: "LinearCrossEntropy",
		out:  []signature{like[F](), like[F](ts...), like[F](ts...), like[F](xs...), like[F](ws...), room},
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
			losses, lse, targets := output[F](c, 1), output[F](c, 2), ints(c.In[2])
			rows, weight := 1.0, 1.0
			if h.reduction == ReduceMean {
				rows, weight = h.kept(targets)
			}
			err := h.run(output[F](c, 3), output[F](c, 4), losses, lse, output[F](c, 5), input[F](c, 0), input[F](c, 1), targets,
				rowGradient(h.reduction, h.one, weight), rowGradient(h.reduction, h.one, rows))
			if err != nil {
				return err
			}
			return h.reduce(c, losses, lse, targets)
		},
		wrt: []bool{true, true, false},
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
			return gorgonia.Nodes{dx, dw, nil}, err
		},
	}, x, w, targets)
}

// rowwise keeps the loss of every row. Each has a gradient of its own then, which is known only in the backward pass;
// that computes the logits again.
func (h *head[F]) rowwise(x, w, targets *gorgonia.Node, room signature) (*gorgonia.Node, error) {
	xs, ws := x.Shape(), w.Shape()
	return apply(&Op{
		name: "LinearCrossEntropy", out: []signature{like[F](h.rows...), like[F](h.rows...), room},
		run: func(c *Call) error {
			losses, targets := output[F](c, 0), ints(c.In[2])
			if err := h.run(nil, nil, losses, output[F](c, 1), output[F](c, 2), input[F](c, 0), input[F](c, 1), targets, kernel.RowFactors[F]{}, kernel.RowFactors[F]{}); err != nil {
				return err
			}
			return h.reduce(c, losses, output[F](c, 1), targets)
		},
		wrt: []bool{true, true, false},
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: "LinearCrossEntropyBackward",
				out:  []signature{like[F](xs...), like[F](ws...), like[F](h.rows...), like[F](h.rows...), room},
				run: func(c *Call) error {
					g := rowGradient(ReduceNone, input[F](c, 0), 1)
					return h.run(output[F](c, 0), output[F](c, 1), output[F](c, 2), output[F](c, 3), output[F](c, 4),
						input[F](c, 1), input[F](c, 2), ints(c.In[3]), g, g)
				},
			}, append(gorgonia.Nodes{dy}, in...)...)
			if err != nil {
				return nil, err
			}
			ds, err := parts(dx, 2)
			return append(ds, nil), err
		},
	}, x, w, targets)
}

// run computes losses and log Σ e**logit of all rows and, where dx and dw are not nil, the gradients of x and w, a row
// of the logits' gradient being scaled by main, and its part of the z-loss by z.
func (h *head[F]) run(dx, dw, losses, lse, room, x, w []F, targets []int, main, z kernel.RowFactors[F]) error {
	if err := h.check(targets); err != nil {
		return err
	}
	classes, dim := h.rule.Classes, h.dim
	for at := 0; at < h.n; at += h.chunk {
		n := min(h.chunk, h.n-at)
		x, logits, targets := x[at*dim:][:n*dim], room[:n*classes], targets[at:][:n]
		kernel.Gemm(false, true, n, classes, dim, x, dim, w, dim, logits, classes, false)
		h.rule.Forward(losses[at:][:n], lse[at:][:n], logits, targets)
		if dx == nil && dw == nil {
			continue
		}
		h.rule.Backward(logits, lse[at:][:n], logits, targets, main.From(at), z.From(at))
		if dx != nil {
			kernel.Gemm(false, false, n, dim, classes, logits, classes, w, dim, dx[at*dim:], dim, false)
		}
		if dw != nil {
			kernel.Gemm(true, false, classes, dim, n, logits, classes, x, dim, dw, dim, at > 0)
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
