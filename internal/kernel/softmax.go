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
	if is32[F]() {
		l := newLoop(softmaxLoop)
		l.out[0], l.in[0], l.dim = asFloat32s(dst), asFloat32s(x), cols
		l.parallel(len(x)/cols, rows(cols))
		return
	}
	Parallel(len(x)/cols, rows(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			softmaxRow(dst[r*cols:][:cols], x[r*cols:][:cols])
		}
	})
}

func softmaxLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		softmaxRow(l.out[0][r*l.dim:][:l.dim], l.in[0][r*l.dim:][:l.dim])
	}
}

// softmaxRow is one row of Softmax. It returns the logarithm of Σ e**x[j].
func softmaxRow[F Float](dst, x []F) float64 {
	if is32[F]() {
		return softmaxRow32(asFloat32s(dst), asFloat32s(x), 1)
	}
	return softmaxRowPortable(dst, x, 1)
}

// SoftmaxBackward computes dx[i] = y[i] · (dy[i] - Σ y[j]·dy[j]) for every row of cols elements. dx may be y or dy.
func SoftmaxBackward[F Float](dx, dy, y []F, cols int) {
	if cols == 0 {
		return
	}
	if is32[F]() {
		l := newLoop(softmaxBackwardLoop)
		l.out[0], l.in[0], l.in[1], l.dim = asFloat32s(dx), asFloat32s(dy), asFloat32s(y), cols
		l.parallel(len(y)/cols, rows(cols))
		return
	}
	Parallel(len(y)/cols, rows(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			dy, y := dy[r*cols:][:cols], y[r*cols:][:cols]
			softmaxGradPortable(dx[r*cols:][:cols], dy, y, dotPortable(y, dy))
		}
	})
}

func softmaxBackwardLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		dy, y := l.in[0][r*l.dim:][:l.dim], l.in[1][r*l.dim:][:l.dim]
		softmaxGradRow(l.out[0][r*l.dim:][:l.dim], dy, y, dot32(y, dy))
	}
}

// LogSoftmax computes dst[i] = x[i] - log Σ e**x[j] for every row of cols elements. A row of -Inf alone stays so.
func LogSoftmax[F Float](dst, x []F, cols int) {
	if cols == 0 {
		return
	}
	if is32[F]() {
		l := newLoop(logSoftmaxLoop)
		l.out[0], l.in[0], l.dim = asFloat32s(dst), asFloat32s(x), cols
		l.parallel(len(x)/cols, rows(cols))
		return
	}
	Parallel(len(x)/cols, rows(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			dst, x := dst[r*cols:][:cols], x[r*cols:][:cols]
			m, z := finiteLogSumExp(x)
			logSoftmaxPortable(dst, x, m, F(z))
		}
	})
}

func logSoftmaxLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		x := l.in[0][r*l.dim:][:l.dim]
		m, z := finiteLogSumExp(x)
		logSoftmaxRow(l.out[0][r*l.dim:][:l.dim], x, m, float32(z))
	}
}

// finiteLogSumExp is LogSumExp, but zeros for a row of -Inf alone: what can be subtracted from it.
func finiteLogSumExp[F Float](x []F) (m F, z float64) {
	m, z = LogSumExp(x)
	if math.IsInf(float64(m), -1) {
		return 0, 0
	}
	return m, z
}

// LogSoftmaxBackward computes dx[i] = dy[i] - e**y[i] · Σ dy[j] for every row of cols elements. dx may be dy or y.
func LogSoftmaxBackward[F Float](dx, dy, y []F, cols int) {
	if cols == 0 {
		return
	}
	if is32[F]() {
		l := newLoop(logSoftmaxBackwardLoop)
		l.out[0], l.in[0], l.in[1], l.dim = asFloat32s(dx), asFloat32s(dy), asFloat32s(y), cols
		l.parallel(len(y)/cols, rows(cols))
		return
	}
	Parallel(len(y)/cols, rows(cols), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			dy := dy[r*cols:][:cols]
			subtractExpPortable(dx[r*cols:][:cols], dy, y[r*cols:][:cols], 0, F(Sum(dy)))
		}
	})
}

func logSoftmaxBackwardLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		dy := l.in[0][r*l.dim:][:l.dim]
		subtractExpRow(l.out[0][r*l.dim:][:l.dim], dy, l.in[1][r*l.dim:][:l.dim], 0, float32(sum32(dy)))
	}
}
