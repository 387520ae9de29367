package op

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

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
		name: "MatMul", out: []signature{like[F](ys...)}, flops: product(float64(count), m, n, k),
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
