package kernel

import "math"

// rows returns how many rows of cols elements with an exponential are worth a second thread.
func rows(cols int) int { return max(1, transcendental/max(1, cols)) }

// Softmax computes, for every row of cols elements, dst[i] = e**(x[i]-m) / Σ e**(x[j]-m) with m the largest of
// the row. A row of -Inf alone has no distribution and becomes zeros. dst may be x.
func Softmax[F Float](dst, x []F, cols int) {
	if cols == 0 {
		return
	}
	Parallel(len(x)/cols, rows(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			softmaxRow(dst[r*cols:][:cols], x[r*cols:][:cols])
		}
	})
}

// softmaxRow is one row of Softmax. It returns the logarithm of Σ e**x[j].
func softmaxRow[F Float](dst, x []F) float64 {
	if is32[F]() {
		return softmaxRow32(asFloat32s(dst), asFloat32s(x), 1)
	}
	return softmaxRowPortable(dst, x, 1)
}

// SoftmaxBackward computes dx[i] = y[i] · (dy[i] - Σ y[j]·dy[j]) for every row of cols elements.
func SoftmaxBackward[F Float](dx, dy, y []F, cols int) {
	if cols == 0 {
		return
	}
	Parallel(len(y)/cols, rows(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			dx, dy, y := dx[r*cols:][:cols], dy[r*cols:][:cols], y[r*cols:][:cols]
			s := Dot(y, dy)
			for i := range dx {
				dx[i] = y[i] * (dy[i] - s)
			}
		}
	})
}

// LogSoftmax computes dst[i] = x[i] - log Σ e**x[j] for every row of cols elements. A row of -Inf alone stays so.
func LogSoftmax[F Float](dst, x []F, cols int) {
	if cols == 0 {
		return
	}
	Parallel(len(x)/cols, rows(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			dst, x := dst[r*cols:][:cols], x[r*cols:][:cols]
			m, z := LogSumExp(x)
			if math.IsInf(float64(m), -1) {
				copy(dst, x)
				continue
			}
			for i, v := range x {
				dst[i] = v - m - F(z)
			}
		}
	})
}

// LogSoftmaxBackward computes dx[i] = dy[i] - e**y[i] · Σ dy[j] for every row of cols elements.
func LogSoftmaxBackward[F Float](dx, dy, y []F, cols int) {
	if cols == 0 {
		return
	}
	Parallel(len(y)/cols, rows(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			dx, dy, y := dx[r*cols:][:cols], dy[r*cols:][:cols], y[r*cols:][:cols]
			s := F(Sum(dy))
			for i := range dx {
				dx[i] = dy[i] - exp(y[i])*s
			}
		}
	})
}

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
		expRow(asFloat32s(dst), asFloat32s(x), float32(shift), float32(alpha))
		return
	}
	expRowPortable(dst, x, shift, alpha)
}
