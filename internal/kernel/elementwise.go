package kernel

// elements is how many elements of simple arithmetic are worth a second thread.
const elements = 1 << 14

// Add computes dst[i] = x[i] + y[i]. dst may be x or y.
func Add[F Float](dst, x, y []F) {
	if is32[F]() {
		l := newLoop(addLoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dst), asFloat32s(x), asFloat32s(y)
		l.parallel(len(dst), elements)
		return
	}
	Parallel(len(dst), elements, func(lo, hi int) { addPortable(dst[lo:hi], x[lo:hi], y[lo:hi]) })
}

func addLoop(l *loop32, lo, hi int) { addRow(l.out[0][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi]) }

// Sub computes dst[i] = x[i] - y[i]. dst may be x or y.
func Sub[F Float](dst, x, y []F) {
	if is32[F]() {
		l := newLoop(subLoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dst), asFloat32s(x), asFloat32s(y)
		l.parallel(len(dst), elements)
		return
	}
	Parallel(len(dst), elements, func(lo, hi int) { subPortable(dst[lo:hi], x[lo:hi], y[lo:hi]) })
}

func subLoop(l *loop32, lo, hi int) { subRow(l.out[0][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi]) }

// Mul computes dst[i] = x[i] · y[i]. dst may be x or y.
func Mul[F Float](dst, x, y []F) {
	if is32[F]() {
		l := newLoop(mulLoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dst), asFloat32s(x), asFloat32s(y)
		l.parallel(len(dst), elements)
		return
	}
	Parallel(len(dst), elements, func(lo, hi int) { mulPortable(dst[lo:hi], x[lo:hi], y[lo:hi]) })
}

func mulLoop(l *loop32, lo, hi int) { mulRow(l.out[0][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi]) }

// Scale computes dst[i] = alpha · x[i]. dst may be x.
func Scale[F Float](dst, x []F, alpha F) {
	if is32[F]() {
		l := newLoop(scaleLoop)
		l.out[0], l.in[0], l.factors[0] = asFloat32s(dst), asFloat32s(x), float32(alpha)
		l.parallel(len(dst), elements)
		return
	}
	Parallel(len(dst), elements, func(lo, hi int) { scalePortable(dst[lo:hi], x[lo:hi], alpha) })
}

func scaleLoop(l *loop32, lo, hi int) { scaleRow(l.out[0][lo:hi], l.in[0][lo:hi], l.factors[0]) }

// Axpy computes dst[i] += alpha · x[i].
func Axpy[F Float](dst []F, alpha F, x []F) {
	if is32[F]() {
		axpyRow(asFloat32s(dst), float32(alpha), asFloat32s(x))
		return
	}
	axpyPortable(dst, alpha, x)
}

// Dot returns the sum of x[i] · y[i], taken in interleaved parts.
func Dot[F Float](x, y []F) F {
	if is32[F]() {
		return F(dot32(asFloat32s(x), asFloat32s(y)))
	}
	return dotPortable(x, y)
}

// Sum returns the sum of x[i], taken in interleaved parts in float64.
func Sum[F Float](x []F) float64 {
	if is32[F]() {
		return sum32(asFloat32s(x))
	}
	return sumPortable(x)
}
