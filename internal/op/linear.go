package op

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Linear returns x·wᵀ + b for x (..., in), w (out, in) and b (out), which may be nil.
func Linear(x, w, b *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return linear[float64](x, w, b)
	}
	return linear[float32](x, w, b)
}

func linear[F kernel.Float](x, w, b *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "Linear"}
	xs, ws := floatShape[F](&o, "x", x), floatShape[F](&o, "w", w, 2)
	if o.err == nil && (len(xs) == 0 || xs[len(xs)-1] != ws[1]) {
		o.fail("%s does not fit %s", show("x", x), show("w", w))
	}
	nodes := gorgonia.Nodes{x, w}
	if b != nil {
		if bs := floatShape[F](&o, "b", b, 1); o.err == nil && bs[0] != ws[0] {
			o.fail("%s does not fit %s", show("b", b), show("w", w))
		}
		nodes = append(nodes, b)
	}
	if o.err != nil {
		return nil, o.err
	}
	in, out := ws[1], ws[0]
	rows := xs.TotalSize() / in
	ys := append(slices.Clone(xs[:len(xs)-1]), out)
	var bias *kernel.Broadcast
	if b != nil {
		bias = kernel.NewBroadcast(ys, ys, tensor.Shape{out})
	}
	return apply(&Op{
		name: "Linear", out: []signature{like[F](ys...)},
		run: func(c *Call) error {
			y := output[F](c, 0)
			kernel.Gemm(false, true, rows, out, in, input[F](c, 0), in, input[F](c, 1), in, y, out, false)
			if bias != nil {
				kernel.BroadcastAdd(bias, y, y, input[F](c, 2))
			}
			return nil
		},
		wrt: always(len(nodes)),
		grad: func(n gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: "LinearDX", out: []signature{like[F](xs...)},
				run: func(c *Call) error {
					kernel.Gemm(false, false, rows, in, out, input[F](c, 0), out, input[F](c, 1), in, output[F](c, 0), in, false)
					return nil
				},
			}, dy, n[1])
			if err != nil {
				return nil, err
			}
			dw, err := apply(&Op{
				name: "LinearDW", out: []signature{like[F](ws...)},
				run: func(c *Call) error {
					kernel.Gemm(true, false, out, in, rows, input[F](c, 0), out, input[F](c, 1), in, output[F](c, 0), in, false)
					return nil
				},
			}, dy, n[0])
			if err != nil || len(n) == 2 {
				return gorgonia.Nodes{dx, dw}, err
			}
			db, err := apply(&Op{
				name: "LinearDB", out: []signature{like[F](out)},
				run: func(c *Call) error {
					kernel.ColumnSums(output[F](c, 0), input[F](c, 0))
					return nil
				},
			}, dy)
			return gorgonia.Nodes{dx, dw, db}, err
		},
	}, nodes...)
}

// MatMul returns the matrix products a·b of a (..., m, k) and b (..., k, n), whose leading axes are the same; b may
// also be a single matrix.
func MatMul(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(a) {
		return matmul[float64](a, b, false, false)
	}
	return matmul[float32](a, b, false, false)
}

// matmul is MatMul of the matrices, each transposed first if its flag is set.
func matmul[F kernel.Float](a, b *gorgonia.Node, ta, tb bool) (*gorgonia.Node, error) {
	o := operands{op: "MatMul"}
	as, bs := floatShape[F](&o, "a", a), floatShape[F](&o, "b", b)
	if o.err != nil {
		return nil, o.err
	}
	if len(as) < 2 || len(bs) < 2 {
		o.fail("%s and %s must be matrices or batches of them", show("a", a), show("b", b))
		return nil, o.err
	}
	m, k := matrix(as, ta)
	k2, n := matrix(bs, tb)
	single := len(bs) == 2 && len(as) > 2
	if k != k2 || !single && !slices.Equal(as[:len(as)-2], bs[:len(bs)-2]) {
		o.fail("%s does not fit %s", show("a", a), show("b", b))
		return nil, o.err
	}
	ys := append(slices.Clone(as[:len(as)-2]), m, n)
	count, lda, ldb := as.TotalSize()/(m*k), as[len(as)-1], bs[len(bs)-1]
	stepB := k * n
	if single {
		stepB = 0
	}
	y := &Op{
		name: "MatMul", out: []signature{like[F](ys...)},
		run: func(c *Call) error {
			a, b, y := input[F](c, 0), input[F](c, 1), output[F](c, 0)
			if count == 1 {
				kernel.Gemm(ta, tb, m, n, k, a, lda, b, ldb, y, n, false)
				return nil
			}
			kernel.Parallel(count, 1, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					kernel.GemmSerial(ta, tb, m, n, k, a[i*m*k:], lda, b[i*stepB:], ldb, y[i*m*n:], n, false)
				}
			})
			return nil
		},
	}
	if ta || tb { // a gradient, which has none itself
		return apply(y, a, b)
	}
	y.wrt = always(2)
	y.grad = func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
		da, err := matmul[F](dy, in[1], false, true)
		if err != nil {
			return nil, err
		}
		if !single {
			db, err := matmul[F](in[0], dy, true, false)
			return gorgonia.Nodes{da, db}, err
		}
		flatA, err := reshape[F](in[0], []int{count * m, k})
		if err != nil {
			return nil, err
		}
		flatY, err := reshape[F](dy, []int{count * m, n})
		if err != nil {
			return nil, err
		}
		db, err := matmul[F](flatA, flatY, true, false)
		return gorgonia.Nodes{da, db}, err
	}
	return apply(y, a, b)
}

// matrix returns the rows and columns of the last two axes of s, transposed if t is set.
func matrix(s tensor.Shape, t bool) (rows, cols int) {
	rows, cols = s[len(s)-2], s[len(s)-1]
	if t {
		rows, cols = cols, rows
	}
	return rows, cols
}
