package kernel

import "unsafe"

// Gemm computes c = op(a)·op(b), or adds it to c if add is set, where op transposes if ta or tb says so.
//
//	c[i*ldc+j] (+)= sum over p of op(a)[i][p] * op(b)[p][j]
//
// op(a) is (m, k), op(b) is (k, n) and c is (m, n); lda, ldb and ldc are the lengths of their stored rows, which may
// be longer than what is used of them. c overlaps neither a nor b.
//
// The work is split over rows and columns of c, never over the terms of a sum: the result has the same bits at any
// number of threads. It may differ in the last bits between shapes: row i of a product is not promised to equal the
// product of row i alone, so a caller who splits a product himself must not let the number of threads choose where.
func Gemm[F Float](ta, tb bool, m, n, k int, a []F, lda int, b []F, ldb int, c []F, ldc int, add bool) {
	gemm(true, ta, tb, m, n, k, a, lda, b, ldb, c, ldc, add)
}

// GemmThen is [Gemm] that calls after for rows [lo, hi) of c once they are there, on several threads, until all rows have
// been. What comes next for a row finds it in a cache. after may be nil.
func GemmThen[F Float](ta, tb bool, m, n, k int, a []F, lda int, b []F, ldb int, c []F, ldc int, add bool, after func(lo, hi int)) {
	if after != nil && m > 0 && n > 0 && k > 0 && is32[F]() {
		inside(ta, m, k, a, lda)
		inside(tb, k, n, b, ldb)
		inside(false, m, n, c, ldc)
		if sgemm(m*n*k >= minParallel, ta, tb, m, n, k, asFloat32s(a), lda, asFloat32s(b), ldb, asFloat32s(c), ldc, add, after) {
			return
		}
	}
	gemm(true, ta, tb, m, n, k, a, lda, b, ldb, c, ldc, add)
	if after != nil {
		after(0, m)
	}
}

// GemmSerial is [Gemm] on the calling thread alone, for use inside a range of [Parallel]. The bits are those of Gemm.
func GemmSerial[F Float](ta, tb bool, m, n, k int, a []F, lda int, b []F, ldb int, c []F, ldc int, add bool) {
	gemm(false, ta, tb, m, n, k, a, lda, b, ldb, c, ldc, add)
}

// minParallel is the number of multiplications from which a product gains by a second thread.
const minParallel = 1 << 17

func gemm[F Float](parallel, ta, tb bool, m, n, k int, a []F, lda int, b []F, ldb int, c []F, ldc int, add bool) {
	if m <= 0 || n <= 0 {
		return
	}
	if k <= 0 {
		if !add {
			for i := range m {
				clear(c[i*ldc : i*ldc+n])
			}
		}
		return
	}
	inside(ta, m, k, a, lda)
	inside(tb, k, n, b, ldb)
	inside(false, m, n, c, ldc)
	parallel = parallel && m*n*k >= minParallel
	if is32[F]() && sgemm(parallel, ta, tb, m, n, k, asFloat32s(a), lda, asFloat32s(b), ldb, asFloat32s(c), ldc, add, nil) {
		return
	}
	switch {
	case m == 1 || tb && m < tileRows:
		row, inc := lda, 1
		if ta {
			row, inc = 1, lda
		}
		for i := range m {
			gemv(parallel, tb, n, k, a[i*row:], inc, b, ldb, c[i*ldc:], 1, add)
		}
	case n == 1:
		inc := ldb
		if tb {
			inc = 1
		}
		gemv(parallel, !ta, m, k, b, inc, a, lda, c, ldc, add)
	default:
		gemmBlocked(parallel, ta, tb, m, n, k, a, lda, b, ldb, c, ldc, add)
	}
}

// inside fails as an index out of range does when x does not hold a matrix that op makes (m, n).
func inside[F Float](trans bool, m, n int, x []F, ld int) {
	if trans {
		m, n = n, m
	}
	_ = x[(m-1)*ld : (m-1)*ld+n]
}

// is32 reports whether F has four bytes: whether it is float32.
func is32[F Float]() bool { return unsafe.Sizeof(F(0)) == 4 }

// asFloat32s returns x, whose elements have four bytes, as what it is.
func asFloat32s[F Float](x []F) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// asFloat64s returns x, whose elements have eight bytes, as what it is.
func asFloat64s[F Float](x []F) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}
