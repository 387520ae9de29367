package graph

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// BLAS lets Gorgonia's own operations multiply float32 matrices with the kernels of this module:
//
//	gorgonia.Use(graph.BLAS{})
//
// It is gonum's implementation except for Sgemm, and for Sgemm too where gonum would panic. Sums are rounded otherwise than
// gonum's, and 0 in one matrix does not hide NaN and Inf in the other, as it may there.
type BLAS struct{ gonum.Implementation }

var _ gorgonia.BLAS = BLAS{}

// Sgemm computes c = alpha·op(a)·op(b) + beta·c, where op transposes if its flag says so.
func (b BLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, bm []float32, ldb int, beta float32, c []float32, ldc int) {
	ta, tb := tA != blas.NoTrans, tB != blas.NoTrans
	if alpha == 0 || !fitsBLAS(tA, ta, m, k, a, lda) || !fitsBLAS(tB, tb, k, n, bm, ldb) || !fitsBLAS(blas.NoTrans, false, m, n, c, ldc) {
		b.Implementation.Sgemm(tA, tB, m, n, k, alpha, a, lda, bm, ldb, beta, c, ldc)
		return
	}
	if alpha == 1 && (beta == 0 || beta == 1) {
		kernel.Gemm(ta, tb, m, n, k, a, lda, bm, ldb, c, ldc, beta == 1)
		return
	}
	product := kernel.Make[float32](m * n)
	kernel.Gemm(ta, tb, m, n, k, a, lda, bm, ldb, product, n, false)
	for i := range m {
		row := c[i*ldc:][:n]
		for j, p := range product[i*n:][:n] {
			if beta == 0 { // c may hold anything, NaN too
				row[j] = alpha * p
			} else {
				row[j] = alpha*p + beta*row[j]
			}
		}
	}
}

// fitsBLAS reports whether x holds a matrix that op makes (rows, cols), which must not be empty.
func fitsBLAS(t blas.Transpose, trans bool, rows, cols int, x []float32, ld int) bool {
	if t != blas.NoTrans && t != blas.Trans && t != blas.ConjTrans {
		return false
	}
	if trans {
		rows, cols = cols, rows
	}
	return rows > 0 && cols > 0 && ld >= cols && len(x) >= (rows-1)*ld+cols
}
