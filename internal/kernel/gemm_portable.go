//go:build !amd64 || purego

package kernel

// sgemm and sdots report that there is no assembly for products of float32.
func sgemm(parallel, ta, tb bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool, after func(lo, hi int)) bool {
	return false
}

func sdots(parallel bool, m, n, k int, x []float32, ldx int, w []float32, ldw int, y []float32, ldy int, add bool) bool {
	return false
}
