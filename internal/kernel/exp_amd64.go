//go:build !purego

package kernel

import "math"

// expKernels are the assembly with exponentials for one instruction set. Like microkernels they are called through this
// table alone. AVX2 and AVX-512 give the same bits.
type expKernels struct {
	exp         func(n int, x, y *float32, shift, alpha float32)
	max         func(n int, x *float32) float32
	expSum      func(n int, x *float32, shift float32) float32
	softmax     func(n int, x, y *float32, scale float32) (largest, sum float32)
	attention   func(n int, p, dp *float32, scale, lse, delta float32)
	swiglu      func(n int, gate, up, y *float32)
	swigluGrads func(n int, gate, up, dy, dgate, dup *float32)
	gelu        func(n int, x, y *float32)
	geluGrad    func(n int, x, dy, dx *float32)
}

// exps are those in use, or nil for portable ones.
var exps = expKernelsOf(activePath)

func expKernelsOf(path string) *expKernels {
	switch path {
	case pathAVX2:
		return &expKernels{expRowAVX2, maxRowAVX2, expSumAVX2, softmaxRowAVX2, attentionGradRowAVX2, swigluAVX2, swigluBackwardAVX2,
			geluRowAVX2, geluGradRowAVX2}
	case pathAVX512:
		return &expKernels{expRowAVX512, maxRowAVX512, expSumAVX512, softmaxRowAVX512, attentionGradRowAVX512, swigluAVX512, swigluBackwardAVX512,
			geluRowAVX512, geluGradRowAVX512}
	}
	return nil
}

// expRow computes dst[i] = alpha · e**(x[i]-shift), max32 the largest of x, and expSum32 Σ e**(x[i]-shift).
func expRow(dst, x []float32, shift, alpha float32) {
	if exps == nil || len(x) == 0 {
		expRowPortable(dst, x, shift, alpha)
		return
	}
	_ = dst[len(x)-1]
	for i := 0; i < len(x); i += rowPart {
		exps.exp(min(rowPart, len(x)-i), &x[i], &dst[i], shift, alpha)
	}
}

func max32(x []float32) float32 {
	if exps == nil || len(x) == 0 {
		return maxPortable(x)
	}
	m := exps.max(min(rowPart, len(x)), &x[0])
	for i := rowPart; i < len(x); i += rowPart {
		m = max(m, exps.max(min(rowPart, len(x)-i), &x[i]))
	}
	if math.IsInf(float64(m), -1) { // which a NaN among -Inf may pass for
		return maxPortable(x)
	}
	return m
}

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
	if exps == nil || len(x) == 0 || len(x) > rowPart {
		return softmaxRowPortable(dst, x, scale)
	}
	_ = dst[len(x)-1]
	largest, sum := exps.softmax(len(x), &x[0], &dst[0], scale)
	if sum == 0 { // all are -Inf, or NaN among them
		return softmaxRowPortable(dst, x, scale)
	}
	return float64(largest) + math.Log(float64(sum))
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

// swigluRow computes one row of SwiGLU, and swigluGradRow one of its gradients.
func swigluRow(dst, gate, up []float32) {
	if exps == nil {
		swigluPortable(dst, gate, up)
		return
	}
	gate, up = gate[:len(dst)], up[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		exps.swiglu(min(rowPart, len(dst)-i), &gate[i], &up[i], &dst[i])
	}
}

func swigluGradRow(dgate, dup, dy, gate, up []float32) {
	if exps == nil {
		swigluGradPortable(dgate, dup, dy, gate, up)
		return
	}
	n := len(dy)
	dgate, dup, gate, up = dgate[:n], dup[:n], gate[:n], up[:n]
	for i := 0; i < n; i += rowPart {
		exps.swigluGrads(min(rowPart, n-i), &gate[i], &up[i], &dy[i], &dgate[i], &dup[i])
	}
}

// geluRow computes dst[i] = x[i]·Φ(x[i]), and geluGradRow the gradient dx of that.
func geluRow(dst, x []float32) {
	if exps == nil {
		geluPortable(dst, x)
		return
	}
	x = x[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		exps.gelu(min(rowPart, len(dst)-i), &x[i], &dst[i])
	}
}

func geluGradRow(dx, dy, x []float32) {
	if exps == nil {
		geluGradPortable(dx, dy, x)
		return
	}
	dy, x = dy[:len(dx)], x[:len(dx)]
	for i := 0; i < len(dx); i += rowPart {
		exps.geluGrad(min(rowPart, len(dx)-i), &x[i], &dy[i], &dx[i])
	}
}
