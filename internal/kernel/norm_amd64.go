//go:build !purego

package kernel

import "math"

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

// layerNormRow computes y[i] = (x[i] - mean)·inv·w[i] + b[i] and returns mean and inv, as LayerNorm says.
func layerNormRow(y, x, w, b []float32, eps float64) (mean, inv float32) {
	n := len(w)
	if linears == nil || n == 0 || n > rowPart {
		return layerNormPortable(y, x, w, b, eps)
	}
	_, _, _ = y[n-1], x[n-1], b[n-1]
	mean = float32(linears.sum(n, &x[0]) / float64(n))
	inv = float32(1 / math.Sqrt(float64(linears.deviation(n, &x[0], mean))/float64(n)+eps))
	linears.layerNorm(n, &x[0], &w[0], &b[0], &y[0], mean, inv)
	return mean, inv
}

// layerNormGradRow computes dx and adds to dw and db, as LayerNormBackward says. r may be nil.
func layerNormGradRow(dx, dw, db, dy, x, w, r []float32, mean, inv float32) {
	n := len(w)
	if linears == nil || n == 0 || n > rowPart {
		layerNormGradPortable(dx, dw, db, dy, x, w, r, mean, inv)
		return
	}
	_, _, _, _, _ = dx[n-1], dw[n-1], db[n-1], dy[n-1], x[n-1]
	a, c := linears.layerNormDots(n, &dy[0], &x[0], &w[0], mean)
	var before *float32
	if r != nil {
		before = &r[:n][0]
	}
	linears.layerNormGrad(n, &dx[0], &dw[0], &db[0], &dy[0], &x[0], &w[0], before, mean, inv, a/float32(n), c*inv/float32(n))
}
