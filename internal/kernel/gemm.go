package kernel

// Gemm computes c = op(a)·op(b), or adds it to c if add is set, where op transposes if ta or tb says so.
// op(a) is (m, k), op(b) is (k, n) and c is (m, n); lda, ldb and ldc are the lengths of their stored rows.
// It splits the rows of c over threads.
func Gemm[F Float](ta, tb bool, m, n, k int, a []F, lda int, b []F, ldb int, c []F, ldc int, add bool) {
	Parallel(m, 8, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := range n {
				var s F
				for p := range k {
					x, y := i*lda+p, p*ldb+j
					if ta {
						x = p*lda + i
					}
					if tb {
						y = j*ldb + p
					}
					s += a[x] * b[y]
				}
				if add {
					s += c[i*ldc+j]
				}
				c[i*ldc+j] = s
			}
		}
	})
}

// GemmSerial is Gemm on the calling thread alone.
func GemmSerial[F Float](ta, tb bool, m, n, k int, a []F, lda int, b []F, ldb int, c []F, ldc int, add bool) {
	for i := range m {
		for j := range n {
			var s F
			for p := range k {
				x, y := i*lda+p, p*ldb+j
				if ta {
					x = p*lda + i
				}
				if tb {
					y = j*ldb + p
				}
				s += a[x] * b[y]
			}
			if add {
				s += c[i*ldc+j]
			}
			c[i*ldc+j] = s
		}
	}
}
