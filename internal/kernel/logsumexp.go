package kernel

import "math"

// Max returns the largest element of x, NaN or any element if there is a NaN, and -Inf for an empty x.
func Max[F Float](x []F) F {
	if is32[F]() {
		return F(max32(asFloat32s(x)))
	}
	return maxPortable(x)
}

// LogSumExp returns m, the largest of x, and z = log Σ e**(x[i]-m). Their sum is the logarithm of Σ e**x[i];
// apart they keep small differences between large numbers.
func LogSumExp[F Float](x []F) (m F, z float64) {
	m, sum := peakSum(x)
	return m, math.Log(sum)
}

// peakSum returns m, the largest of x, and Σ e**(x[i]-m), which is 1 if all x are -Inf.
func peakSum[F Float](x []F) (m F, sum float64) {
	m = Max(x)
	if math.IsInf(float64(m), -1) {
		return m, 1
	}
	if is32[F]() {
		return m, expSum32(asFloat32s(x), float32(m))
	}
	return m, expSumPortable(x, m)
}

// expScaled computes dst[i] = alpha · e**(x[i]-shift). dst may be x.
func expScaled[F Float](dst, x []F, shift, alpha F) {
	if is32[F]() {
		expRow(asFloat32s(dst), asFloat32s(x), 1, float32(shift), float32(alpha))
		return
	}
	expRowPortable(dst, x, 1, shift, alpha)
}

// subtractExp computes dst[i] -= alpha · e**(x[i]-shift).
func subtractExp[F Float](dst, x []F, shift, alpha F) {
	if is32[F]() {
		subtractExpRow(asFloat32s(dst), asFloat32s(dst), asFloat32s(x), float32(shift), float32(alpha))
		return
	}
	subtractExpPortable(dst, dst, x, shift, alpha)
}

// softCap computes dst[i] = limit·tanh(x[i]/limit), but infinities stay: what is masked remains so. dst may be x.
func softCap[F Float](dst, x []F, limit F) {
	if is32[F]() {
		softCapRow(asFloat32s(dst), asFloat32s(x), float32(limit))
		return
	}
	softCapPortable(dst, x, limit)
}

// softCapGrad multiplies dx by the slope of softCap, whose result is y. It is 0 where that is infinite.
func softCapGrad[F Float](dx, y []F, limit F) {
	if is32[F]() {
		softCapGradRow(asFloat32s(dx), asFloat32s(y), float32(limit))
		return
	}
	softCapGradPortable(dx, y, limit)
}

// subtract computes dst[i] -= c.
func subtract[F Float](dst []F, c F) {
	if is32[F]() {
		logSoftmaxRow(asFloat32s(dst), asFloat32s(dst), float32(c), 0)
		return
	}
	logSoftmaxPortable(dst, dst, c, 0)
}
