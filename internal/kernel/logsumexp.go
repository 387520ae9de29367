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
	m = Max(x)
	if math.IsInf(float64(m), -1) {
		return m, 0
	}
	if is32[F]() {
		return m, math.Log(expSum32(asFloat32s(x), float32(m)))
	}
	return m, math.Log(expSumPortable(x, m))
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
