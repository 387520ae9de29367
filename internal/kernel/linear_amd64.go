//go:build !purego

package kernel

import "math"

// linearKernels are the assembly without exponentials for one instruction set. Like microkernels they are called through
// this table alone. AVX2 and AVX-512 give the same bits.
type linearKernels struct {
	add, mul    func(n int, x, z, y *float32)
	scale       func(n int, x, y *float32, alpha float32)
	axpy        func(n int, alpha float32, x, y *float32)
	sum         func(n int, x *float32) float32
	sumSquares  func(n int, x *float32) float64
	scaleMul    func(n int, x, w, y *float32, alpha float32)
	dot         func(n int, x, y *float32) float32
	tripleDot   func(n int, x, y, z *float32) float32
	rmsNormGrad func(n int, dx, dw, dy, x, w, r *float32, inv, c float32)
	adam        func(n int, w, dw, m, v, a *float32)
	ropePairs   func(n, heads int, x, y, cos, sin *float32, back int)

	centeredSquares func(n int, x *float32, mean float32) float32
	layerNorm       func(n int, x, w, b, y *float32, mean, inv float32)
	layerNormSums   func(n int, dy, w, x *float32, mean float32) (sum, product float32)
	layerNormGrad   func(n int, dx, dw, db, dy, x, w *float32, mean, inv, a, c float32)
}

// linears are those in use, or nil for portable ones.
var linears = linearKernelsOf(activePath)

func linearKernelsOf(path string) *linearKernels {
	switch path {
	case pathAVX2:
		return &linearKernels{addRowAVX2, mulRowAVX2, scaleRowAVX2, axpyRowAVX2, sumRowAVX2, sumSquaresRowAVX2, scaleMulRowAVX2,
			dotRowAVX2, tripleDotRowAVX2, rmsNormGradRowAVX2, adamRowAVX2, ropePairsAVX2,
			centeredSquaresRowAVX2, layerNormRowAVX2, layerNormSumsAVX2, layerNormGradRowAVX2}
	case pathAVX512:
		return &linearKernels{addRowAVX512, mulRowAVX512, scaleRowAVX512, axpyRowAVX512, sumRowAVX512, sumSquaresRowAVX512,
			scaleMulRowAVX512, dotRowAVX512, tripleDotRowAVX512, rmsNormGradRowAVX512, adamRowAVX512, ropePairsAVX512,
			centeredSquaresRowAVX512, layerNormRowAVX512, layerNormSumsAVX512, layerNormGradRowAVX512}
	}
	return nil
}

// addRow computes dst[i] = x[i] + y[i], and mulRow dst[i] = x[i] · y[i].
func addRow(dst, x, y []float32) {
	if linears == nil {
		addPortable(dst, x, y)
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		linears.add(min(rowPart, len(dst)-i), &x[i], &y[i], &dst[i])
	}
}

func mulRow(dst, x, y []float32) {
	if linears == nil {
		mulPortable(dst, x, y)
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		linears.mul(min(rowPart, len(dst)-i), &x[i], &y[i], &dst[i])
	}
}

// scaleRow computes dst[i] = alpha · x[i], and axpyRow dst[i] += alpha · x[i].
func scaleRow(dst, x []float32, alpha float32) {
	if linears == nil {
		scalePortable(dst, x, alpha)
		return
	}
	x = x[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		linears.scale(min(rowPart, len(dst)-i), &x[i], &dst[i], alpha)
	}
}

func axpyRow(dst []float32, alpha float32, x []float32) {
	if linears == nil {
		axpyPortable(dst, alpha, x)
		return
	}
	x = x[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		linears.axpy(min(rowPart, len(dst)-i), alpha, &x[i], &dst[i])
	}
}

// dot32 returns Σ x[i]·y[i].
func dot32(x, y []float32) (s float32) {
	if linears == nil {
		return dotPortable(x, y)
	}
	y = y[:len(x)]
	for i := 0; i < len(x); i += rowPart {
		s += linears.dot(min(rowPart, len(x)-i), &x[i], &y[i])
	}
	return s
}

// squares32 returns Σ x[i]² in float64.
func squares32(x []float32) (s float64) {
	if linears == nil {
		return squaresPortable(x)
	}
	for i := 0; i < len(x); i += rowPart {
		s += linears.sumSquares(min(rowPart, len(x)-i), &x[i])
	}
	return s
}

// rmsNormRow computes y[i] = x[i]·inv·w[i].
func rmsNormRow(y, x, w []float32, inv float32) {
	if linears == nil || len(w) == 0 || len(w) > rowPart {
		rmsNormPortable(y, x, w, inv)
		return
	}
	_, _ = x[len(w)-1], y[len(w)-1]
	linears.scaleMul(len(w), &x[0], &w[0], &y[0], inv)
}

// rmsNormGradRow computes dx and adds to dw, as RMSNormBackward says. r may be nil.
func rmsNormGradRow(dx, dw, dy, x, w, r []float32, inv float32) {
	n := len(w)
	if linears == nil || n == 0 || n > rowPart {
		rmsNormGradPortable(dx, dw, dy, x, w, r, inv)
		return
	}
	_, _, _, _ = dx[n-1], dw[n-1], dy[n-1], x[n-1]
	c := linears.tripleDot(n, &dy[0], &w[0], &x[0]) * inv * inv / float32(n)
	var before *float32
	if r != nil {
		before = &r[:n][0]
	}
	linears.rmsNormGrad(n, &dx[0], &dw[0], &dy[0], &x[0], &w[0], before, inv, c)
}

// adamRow computes AdamStep with the given factors.
func adamRow(w, dw, m, v []float32, factors *[10]float32) {
	if linears == nil {
		adamPortable(w, dw, m, v, factors)
		return
	}
	n := len(w)
	dw, m, v = dw[:n], m[:n], v[:n]
	for i := 0; i < n; i += rowPart {
		linears.adam(min(rowPart, n-i), &w[i], &dw[i], &m[i], &v[i], &factors[0])
	}
}

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

// layerNormRow computes a row of LayerNorm and returns its mean and 1/√(variance + eps).
func layerNormRow(y, x, w, b []float32, eps float64) (mean, inv float32) {
	n := len(w)
	if linears == nil || n == 0 || n > rowPart {
		return layerNormPortable(y, x, w, b, eps)
	}
	_, _, _ = x[n-1], y[n-1], b[n-1]
	mean = linears.sum(n, &x[0]) / float32(n)
	inv = float32(1 / math.Sqrt(float64(linears.centeredSquares(n, &x[0], mean))/float64(n)+eps))
	linears.layerNorm(n, &x[0], &w[0], &b[0], &y[0], mean, inv)
	return mean, inv
}

// layerNormGradRow computes dx and adds to dw and db, as LayerNormBackward says.
func layerNormGradRow(dx, dw, db, dy, x, w []float32, mean, inv float32) {
	n := len(w)
	if linears == nil || n == 0 || n > rowPart {
		layerNormGradPortable(dx, dw, db, dy, x, w, mean, inv)
		return
	}
	_, _, _, _, _ = dx[n-1], dw[n-1], db[n-1], dy[n-1], x[n-1]
	a, c := linears.layerNormSums(n, &dy[0], &w[0], &x[0], mean)
	linears.layerNormGrad(n, &dx[0], &dw[0], &db[0], &dy[0], &x[0], &w[0], mean, inv, a/float32(n), c*inv/float32(n))
}
