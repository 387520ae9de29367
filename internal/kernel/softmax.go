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
	m := Max(x)
	if math.IsInf(float64(m), -1) {
		clear(dst)
		return math.Inf(-1)
	}
	for i, v := range x {
		dst[i] = exp(v - m)
	}
	sum := Sum(dst)
	inv := F(1 / sum)
	for i := range dst {
		dst[i] *= inv
	}
	return float64(m) + math.Log(sum)
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

// Max returns the largest element of x, NaN if there is one, and -Inf for an empty x.
func Max[F Float](x []F) F {
	m := F(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

// LogSumExp returns m, the largest of x, and z = log Σ e**(x[i]-m). Their sum is the logarithm of Σ e**x[i];
// apart they keep small differences between large numbers.
func LogSumExp[F Float](x []F) (m F, z float64) {
	m = Max(x)
	if math.IsInf(float64(m), -1) {
		return m, 0
	}
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(exp(x[i] - m))
		b += float64(exp(x[i+1] - m))
		c += float64(exp(x[i+2] - m))
		d += float64(exp(x[i+3] - m))
	}
	for ; i < len(x); i++ {
		a += float64(exp(x[i] - m))
	}
	return m, math.Log((a + b) + (c + d))
}
