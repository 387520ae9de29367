package kernel

// GELU computes dst[i] = x[i] · Φ(x[i]), Φ being the normal distribution function.
func GELU[F Float](dst, x []F) {
	if is32[F]() {
		l := newLoop(geluLoop)
		l.out[0], l.in[0] = asFloat32s(dst), asFloat32s(x)
		l.parallel(len(dst), transcendental)
		return
	}
	Parallel(len(dst), transcendental, func(lo, hi int) { geluPortable(dst[lo:hi], x[lo:hi]) })
}

func geluLoop(l *loop32, lo, hi int) { geluRow(l.out[0][lo:hi], l.in[0][lo:hi]) }

// GELUBackward computes dx[i] = dy[i] · (Φ(x[i]) + x[i]·φ(x[i])).
func GELUBackward[F Float](dx, dy, x []F) {
	if is32[F]() {
		l := newLoop(geluBackwardLoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dx), asFloat32s(dy), asFloat32s(x)
		l.parallel(len(dx), transcendental)
		return
	}
	Parallel(len(dx), transcendental, func(lo, hi int) { geluGradPortable(dx[lo:hi], dy[lo:hi], x[lo:hi]) })
}

func geluBackwardLoop(l *loop32, lo, hi int) {
	geluGradRow(l.out[0][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi])
}

// GELUTanh computes dst[i] = x/2 · (1 + tanh(√(2/π)·(x + 0.044715 x³))) with x = x[i].
func GELUTanh[F Float](dst, x []F) {
	if is32[F]() {
		l := newLoop(geluTanhLoop)
		l.out[0], l.in[0] = asFloat32s(dst), asFloat32s(x)
		l.parallel(len(dst), transcendental)
		return
	}
	Parallel(len(dst), transcendental, func(lo, hi int) { geluTanhPortable(dst[lo:hi], x[lo:hi]) })
}

func geluTanhLoop(l *loop32, lo, hi int) { geluTanhRow(l.out[0][lo:hi], l.in[0][lo:hi]) }

// GELUTanhBackward computes the gradient of GELUTanh.
func GELUTanhBackward[F Float](dx, dy, x []F) {
	if is32[F]() {
		l := newLoop(geluTanhBackwardLoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dx), asFloat32s(dy), asFloat32s(x)
		l.parallel(len(dx), transcendental)
		return
	}
	Parallel(len(dx), transcendental, func(lo, hi int) { geluTanhGradPortable(dx[lo:hi], dy[lo:hi], x[lo:hi]) })
}

func geluTanhBackwardLoop(l *loop32, lo, hi int) {
	geluTanhGradRow(l.out[0][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi])
}
