//go:build !purego

package kernel

import "math"

// expKernels are the assembly with exponentials for one instruction set. Like microkernels they are called through this
// table alone. AVX2 and AVX-512 give the same bits.
type expKernels struct {
	exp         func(n int, x, y *float32, scale, shift, alpha float32)
	max         func(n int, x *float32) float32
	expSum      func(n int, x *float32, shift float32) float32
	softmax     func(n int, x, y *float32, scale float32) (largest, sum float32)
	attention   func(n int, p, dp *float32, scale, lse, delta float32)
	softmaxGrad func(n int, y, dy, dx *float32, s float32)
	logSoftmax  func(n int, x, y *float32, largest, logSum float32)
	subtractExp func(n int, x, d, y *float32, shift, alpha float32)
	softCap     func(n int, x, y *float32, limit, inverse float32)
	softCapGrad func(n int, y, dx *float32, inverse float32)

	silu, gelu, geluTanh             func(n int, x, y *float32)
	siluGrad, geluGrad, geluTanhGrad func(n int, x, dy, dx *float32)
	swiglu                           func(n int, gate, up, y *float32)
	swigluGrads                      func(n int, gate, up, dy, dgate, dup *float32)
}

// exps are those in use, or nil for portable ones.
var exps = expKernelsOf(activePath)

func expKernelsOf(path string) *expKernels {
	switch path {
	case pathAVX2:
		return &expKernels{
			exp: expRowAVX2, max: maxRowAVX2, expSum: expSumAVX2,
			softmax: softmaxRowAVX2, attention: attentionGradRowAVX2, softmaxGrad: softmaxGradRowAVX2,
			logSoftmax: logSoftmaxRowAVX2, subtractExp: subtractExpRowAVX2, softCap: softCapRowAVX2, softCapGrad: softCapGradRowAVX2,
			silu: siluRowAVX2, gelu: geluRowAVX2, geluTanh: geluTanhRowAVX2,
			siluGrad: siluGradRowAVX2, geluGrad: geluGradRowAVX2, geluTanhGrad: geluTanhGradRowAVX2,
			swiglu: swigluAVX2, swigluGrads: swigluBackwardAVX2,
		}
	case pathAVX512:
		return &expKernels{
			exp: expRowAVX512, max: maxRowAVX512, expSum: expSumAVX512,
			softmax: softmaxRowAVX512, attention: attentionGradRowAVX512, softmaxGrad: softmaxGradRowAVX512,
			logSoftmax: logSoftmaxRowAVX512, subtractExp: subtractExpRowAVX512, softCap: softCapRowAVX512, softCapGrad: softCapGradRowAVX512,
			silu: siluRowAVX512, gelu: geluRowAVX512, geluTanh: geluTanhRowAVX512,
			siluGrad: siluGradRowAVX512, geluGrad: geluGradRowAVX512, geluTanhGrad: geluTanhGradRowAVX512,
			swiglu: swigluAVX512, swigluGrads: swigluBackwardAVX512,
		}
	}
	return nil
}

// expRow computes dst[i] = alpha · e**(scale·x[i]-shift). dst may be x.
func expRow(dst, x []float32, scale, shift, alpha float32) {
	if exps == nil {
		expRowPortable(dst, x, scale, shift, alpha)
		return
	}
	dst = dst[:len(x)]
	for i := 0; i < len(x); i += rowPart {
		exps.exp(min(rowPart, len(x)-i), &x[i], &dst[i], scale, shift, alpha)
	}
}

// max32 returns the largest of x, and -Inf for an empty x. If there is a NaN it may be passed over, but not for -Inf.
func max32(x []float32) float32 {
	if exps == nil {
		return maxPortable(x)
	}
	m := float32(math.Inf(-1))
	for i := 0; i < len(x); i += rowPart {
		m = max(m, exps.max(min(rowPart, len(x)-i), &x[i]))
	}
	if math.IsInf(float64(m), -1) { // which a NaN among -Inf may pass for
		return maxPortable(x)
	}
	return m
}

// expSum32 returns Σ e**(x[i]-shift).
func expSum32(x []float32, shift float32) (sum float64) {
	if exps == nil {
		return expSumPortable(x, shift)
	}
	for i := 0; i < len(x); i += sumPart {
		sum += float64(exps.expSum(min(sumPart, len(x)-i), &x[i], shift))
	}
	return sum
}

// softmaxRow32 computes dst = softmax(scale·x) for scale > 0 and returns the logarithm of Σ e**(scale·x[i]). If all x are
// -Inf it is -Inf, and dst zeros. dst may be x.
func softmaxRow32(dst, x []float32, scale float32) float64 {
	if exps == nil || len(x) == 0 {
		return softmaxRowPortable(dst, x, scale)
	}
	dst = dst[:len(x)]
	if len(x) > sumPart {
		return softmaxLongRow(dst, x, scale)
	}
	largest, sum := exps.softmax(len(x), &x[0], &dst[0], scale)
	if sum == 0 { // all are -Inf, or NaN among them
		return softmaxRowPortable(dst, x, scale)
	}
	return float64(largest) + math.Log(float64(sum))
}

// softmaxLongRow is softmaxRow32 for a row whose exponentials are too many to add up in float32.
func softmaxLongRow(dst, x []float32, scale float32) float64 {
	m := scale * max32(x)
	if math.IsInf(float64(m), -1) {
		clear(dst)
		return math.Inf(-1)
	}
	var sum float64
	for i := 0; i < len(x); i += sumPart { // what is added up is still in the cache
		end := min(i+sumPart, len(x))
		expRow(dst[i:end], x[i:end], scale, m, 1)
		sum += sum32(dst[i:end])
	}
	scaleRow(dst, dst, float32(1/sum))
	return float64(m) + math.Log(sum)
}

// attentionGradRow32 computes p[i] = e**(scale·p[i]-lse) and dp[i] = p[i]·(dp[i]-delta)·scale.
func attentionGradRow32(p, dp []float32, scale, lse, delta float32) {
	if exps == nil {
		attentionGradRowPortable(p, dp, scale, lse, delta)
		return
	}
	dp = dp[:len(p)]
	for i := 0; i < len(p); i += rowPart {
		exps.attention(min(rowPart, len(p)-i), &p[i], &dp[i], scale, lse, delta)
	}
}

// softmaxGradRow computes dx[i] = y[i]·(dy[i] - s). dx may be y or dy.
func softmaxGradRow(dx, dy, y []float32, s float32) {
	if exps == nil {
		softmaxGradPortable(dx, dy, y, s)
		return
	}
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i := 0; i < len(dx); i += rowPart {
		exps.softmaxGrad(min(rowPart, len(dx)-i), &y[i], &dy[i], &dx[i], s)
	}
}

// logSoftmaxRow computes dst[i] = x[i] - largest - logSum. dst may be x.
func logSoftmaxRow(dst, x []float32, largest, logSum float32) {
	if exps == nil {
		logSoftmaxPortable(dst, x, largest, logSum)
		return
	}
	x = x[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		exps.logSoftmax(min(rowPart, len(dst)-i), &x[i], &dst[i], largest, logSum)
	}
}

// subtractExpRow computes dst[i] = d[i] - alpha·e**(x[i]-shift). dst may be d or x.
func subtractExpRow(dst, d, x []float32, shift, alpha float32) {
	if exps == nil {
		subtractExpPortable(dst, d, x, shift, alpha)
		return
	}
	d, x = d[:len(dst)], x[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		exps.subtractExp(min(rowPart, len(dst)-i), &x[i], &d[i], &dst[i], shift, alpha)
	}
}

// softCapRow computes dst[i] = limit·tanh(x[i]/limit), but infinities stay. dst may be x.
func softCapRow(dst, x []float32, limit float32) {
	inverse := 1 / limit
	if exps == nil || math.IsInf(float64(inverse), 1) {
		softCapPortable(dst, x, limit)
		return
	}
	dst = dst[:len(x)]
	for i := 0; i < len(x); i += rowPart {
		exps.softCap(min(rowPart, len(x)-i), &x[i], &dst[i], limit, inverse)
	}
}

// softCapGradRow multiplies dx by the slope of softCapRow, whose result is y.
func softCapGradRow(dx, y []float32, limit float32) {
	inverse := 1 / limit
	if exps == nil || math.IsInf(float64(inverse), 1) {
		softCapGradPortable(dx, y, limit)
		return
	}
	y = y[:len(dx)]
	for i := 0; i < len(dx); i += rowPart {
		exps.softCapGrad(min(rowPart, len(dx)-i), &y[i], &dx[i], inverse)
	}
}
