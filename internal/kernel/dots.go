package kernel

// Dots computes y = x·wᵀ, or adds it to y if add is set, for x (m, k), w (n, k) and y (m, n), whose rows begin ldx, ldw
// and ldy apart.
//
// It is [Gemm] with the promise that Gemm does not give: every element of y is the product of a row of x and one of w,
// summed up in an order that depends on k alone. So a row of y has the same bits whatever other rows come with it, which is
// what a model needs to write the same text alone, in a batch, and however its prompt is cut into pieces. It is fast for few
// rows, as generating texts has them.
func Dots[F Float](m, n, k int, x []F, ldx int, w []F, ldw int, y []F, ldy int, add bool) {
	if m <= 0 || n <= 0 || k <= 0 {
		gemm(true, false, true, m, n, k, x, ldx, w, ldw, y, ldy, add) // as it treats sums of nothing
		return
	}
	inside(false, m, k, x, ldx)
	inside(false, n, k, w, ldw)
	inside(false, m, n, y, ldy)
	dots(m*n*k >= minParallelDots, m, n, k, x, ldx, w, ldw, y, ldy, add)
}

// minParallelDots is the number of multiplications from which Dots gains by a second thread.
const minParallelDots = 1 << 16

// dots is Dots for sizes of at least 1.
func dots[F Float](parallel bool, m, n, k int, x []F, ldx int, w []F, ldw int, y []F, ldy int, add bool) {
	if is32[F]() && sdots(parallel, m, n, k, asFloat32s(x), ldx, asFloat32s(w), ldw, asFloat32s(y), ldy, add) {
		return
	}
	if !parallel {
		dotsRange(0, n, m, k, x, ldx, w, ldw, y, ldy, add)
		return
	}
	Parallel(n, 64, func(lo, hi int) { dotsRange(lo, hi, m, k, x, ldx, w, ldw, y, ldy, add) })
}

// dotsRange computes columns [lo, hi) of Dots.
func dotsRange[F Float](lo, hi, m, k int, x []F, ldx int, w []F, ldw int, y []F, ldy int, add bool) {
	for i := range m {
		gemvRange(true, lo, hi, k, x[i*ldx:], 1, w, ldw, y[i*ldy:], 1, add)
	}
}
