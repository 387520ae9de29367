//go:build !purego

package kernel

// linearKernels are the assembly without exponentials for one instruction set. Like microkernels they are called through
// this table alone. AVX2 and AVX-512 give the same bits.
type linearKernels struct {
	add, sub, mul   func(n int, x, z, y *float32)
	scale           func(n int, x, y *float32, alpha float32)
	axpy            func(n int, alpha float32, x, y *float32)
	sum, sumSquares func(n int, x *float32) float64
	scaleMul        func(n int, x, w, y *float32, alpha float32)
	dot             func(n int, x, y *float32) float32
	tripleDot       func(n int, x, y, z *float32) float32
	rmsNormGrad     func(n int, dx, dw, dy, x, w, r *float32, inv, c float32)
	deviation       func(n int, x *float32, mean float32) float32
	layerNorm       func(n int, x, w, b, y *float32, mean, inv float32)
	layerNormDots   func(n int, dy, x, w *float32, mean float32) (a, c float32)
	layerNormGrad   func(n int, dx, dw, db, dy, x, w, r *float32, mean, inv, a, c float32)
	adam            func(n int, w, dw, m, v, a *float32)
	sgd             func(n int, w, dw, v, a *float32, kind int)
	ropePairs       func(n, heads int, x, y, cos, sin *float32, back int)
	ropeHalves      func(half, heads int, x, y, cos, sin *float32, back int)
}

// linears are those in use, or nil for portable ones.
var linears = linearKernelsOf(activePath)

func linearKernelsOf(path string) *linearKernels {
	switch path {
	case pathAVX2:
		return &linearKernels{
			add: addRowAVX2, sub: subRowAVX2, mul: mulRowAVX2, scale: scaleRowAVX2, axpy: axpyRowAVX2,
			sum: sumRowAVX2, sumSquares: sumSquaresRowAVX2, scaleMul: scaleMulRowAVX2, dot: dotRowAVX2,
			tripleDot: tripleDotRowAVX2, rmsNormGrad: rmsNormGradRowAVX2, deviation: deviationRowAVX2,
			layerNorm: layerNormRowAVX2, layerNormDots: layerNormDotsAVX2, layerNormGrad: layerNormGradRowAVX2,
			adam: adamRowAVX2, sgd: sgdRowAVX2, ropePairs: ropePairsAVX2, ropeHalves: ropeHalvesAVX2,
		}
	case pathAVX512:
		return &linearKernels{
			add: addRowAVX512, sub: subRowAVX512, mul: mulRowAVX512, scale: scaleRowAVX512, axpy: axpyRowAVX512,
			sum: sumRowAVX512, sumSquares: sumSquaresRowAVX512, scaleMul: scaleMulRowAVX512, dot: dotRowAVX512,
			tripleDot: tripleDotRowAVX512, rmsNormGrad: rmsNormGradRowAVX512, deviation: deviationRowAVX512,
			layerNorm: layerNormRowAVX512, layerNormDots: layerNormDotsAVX512, layerNormGrad: layerNormGradRowAVX512,
			adam: adamRowAVX512, sgd: sgdRowAVX512, ropePairs: ropePairsAVX512, ropeHalves: ropeHalvesAVX512,
		}
	}
	return nil
}

// addRow computes dst[i] = x[i] + y[i], subRow dst[i] = x[i] - y[i], and mulRow dst[i] = x[i] · y[i].
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

func subRow(dst, x, y []float32) {
	if linears == nil {
		subPortable(dst, x, y)
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		linears.sub(min(rowPart, len(dst)-i), &x[i], &y[i], &dst[i])
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

// sum32 returns Σ x[i] in float64.
func sum32(x []float32) (s float64) {
	if linears == nil {
		return sumPortable(x)
	}
	for i := 0; i < len(x); i += rowPart {
		s += linears.sum(min(rowPart, len(x)-i), &x[i])
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
