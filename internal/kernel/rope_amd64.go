//go:build !purego

package kernel

// ropePairsRow turns heads of neighbouring pairs, whose cosines and sines are there twice, the first sine negative.
func ropePairsRow(dst, x, cos, sin []float32, heads int, back bool) {
	n := len(cos)
	if linears == nil || n == 0 || heads == 0 {
		ropePairsPortable(dst, x, cos, sin, heads, back)
		return
	}
	_, _, _ = dst[heads*n-1], x[heads*n-1], sin[n-1]
	direction := 0
	if back {
		direction = 1
	}
	linears.ropePairs(n, heads, &x[0], &dst[0], &cos[0], &sin[0], direction)
}

// ropeHalvesRow turns heads of pairs that are half a head apart, with the same cosines and sines.
func ropeHalvesRow(dst, x, cos, sin []float32, heads int, back bool) {
	n := len(cos)
	if linears == nil || n == 0 || heads == 0 {
		ropeHalvesPortable(dst, x, cos, sin, heads, back)
		return
	}
	_, _, _ = dst[heads*n-1], x[heads*n-1], sin[n-1]
	direction := 0
	if back {
		direction = 1
	}
	linears.ropeHalves(n/2, heads, &x[0], &dst[0], &cos[0], &sin[0], direction)
}
