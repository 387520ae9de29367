package kernel

// transcendental is how many elements with an exponential are worth a second thread.
const transcendental = 1 << 11

// ReLU computes dst[i] = max(x[i], 0).
func ReLU[F Float](dst, x []F) {
	if is32[F]() {
		l := newLoop(reluLoop)
		l.out[0], l.in[0] = asFloat32s(dst), asFloat32s(x)
		l.parallel(len(dst), elements)
		return
	}
	Parallel(len(dst), elements, func(lo, hi int) { reluPortable(dst[lo:hi], x[lo:hi]) })
}

func reluLoop(l *loop32, lo, hi int) { reluPortable(l.out[0][lo:hi], l.in[0][lo:hi]) }

// ReLUBackward computes dx[i] = dy[i] where x[i] > 0, and 0 elsewhere.
func ReLUBackward[F Float](dx, dy, x []F) {
	if is32[F]() {
		l := newLoop(reluBackwardLoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dx), asFloat32s(dy), asFloat32s(x)
		l.parallel(len(dx), elements)
		return
	}
	Parallel(len(dx), elements, func(lo, hi int) { reluGradPortable(dx[lo:hi], dy[lo:hi], x[lo:hi]) })
}

func reluBackwardLoop(l *loop32, lo, hi int) {
	reluGradPortable(l.out[0][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi])
}

// SiLU computes dst[i] = x[i] · sigmoid(x[i]).
func SiLU[F Float](dst, x []F) {
	if is32[F]() {
		l := newLoop(siluLoop)
		l.out[0], l.in[0] = asFloat32s(dst), asFloat32s(x)
		l.parallel(len(dst), transcendental)
		return
	}
	Parallel(len(dst), transcendental, func(lo, hi int) { siluPortable(dst[lo:hi], x[lo:hi]) })
}

func siluLoop(l *loop32, lo, hi int) { siluRow(l.out[0][lo:hi], l.in[0][lo:hi]) }

// SiLUBackward computes dx[i] = dy[i] · s · (1 + x[i]·(1-s)) with s = sigmoid(x[i]).
func SiLUBackward[F Float](dx, dy, x []F) {
	if is32[F]() {
		l := newLoop(siluBackwardLoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dx), asFloat32s(dy), asFloat32s(x)
		l.parallel(len(dx), transcendental)
		return
	}
	Parallel(len(dx), transcendental, func(lo, hi int) { siluGradPortable(dx[lo:hi], dy[lo:hi], x[lo:hi]) })
}

func siluBackwardLoop(l *loop32, lo, hi int) {
	siluGradRow(l.out[0][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi])
}

// SwiGLU computes dst[i] = gate[i] · sigmoid(gate[i]) · up[i].
func SwiGLU[F Float](dst, gate, up []F) {
	if is32[F]() {
		l := newLoop(swiGLULoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dst), asFloat32s(gate), asFloat32s(up)
		l.parallel(len(dst), transcendental)
		return
	}
	Parallel(len(dst), transcendental, func(lo, hi int) { swigluPortable(dst[lo:hi], gate[lo:hi], up[lo:hi]) })
}

func swiGLULoop(l *loop32, lo, hi int) { swigluRow(l.out[0][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi]) }

// SwiGLUBackward computes the gradients of SwiGLU for both operands.
func SwiGLUBackward[F Float](dgate, dup, dy, gate, up []F) {
	if is32[F]() {
		l := newLoop(swiGLUBackwardLoop)
		l.out[0], l.out[1] = asFloat32s(dgate), asFloat32s(dup)
		l.in[0], l.in[1], l.in[2] = asFloat32s(dy), asFloat32s(gate), asFloat32s(up)
		l.parallel(len(dy), transcendental)
		return
	}
	Parallel(len(dy), transcendental, func(lo, hi int) {
		swigluGradPortable(dgate[lo:hi], dup[lo:hi], dy[lo:hi], gate[lo:hi], up[lo:hi])
	})
}

func swiGLUBackwardLoop(l *loop32, lo, hi int) {
	swigluGradRow(l.out[0][lo:hi], l.out[1][lo:hi], l.in[0][lo:hi], l.in[1][lo:hi], l.in[2][lo:hi])
}

// SwiGLUPacked is SwiGLU for rows of x that hold hidden elements of gate and then as many of up.
func SwiGLUPacked[F Float](dst, x []F, hidden int) {
	n := len(dst) / max(1, hidden)
	if is32[F]() {
		l := newLoop(swiGLUPackedLoop)
		l.out[0], l.in[0], l.dim = asFloat32s(dst), asFloat32s(x), hidden
		l.parallel(n, rows(hidden))
		return
	}
	Parallel(n, rows(hidden), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x := x[2*r*hidden:]
			swigluPortable(dst[r*hidden:][:hidden], x, x[hidden:])
		}
	})
}

func swiGLUPackedLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		x := l.in[0][2*r*l.dim:]
		swigluRow(l.out[0][r*l.dim:][:l.dim], x, x[l.dim:])
	}
}

// SwiGLUPackedBackward computes the gradient of SwiGLUPacked.
func SwiGLUPackedBackward[F Float](dx, dy, x []F, hidden int) {
	n := len(dy) / max(1, hidden)
	if is32[F]() {
		l := newLoop(swiGLUPackedBackwardLoop)
		l.out[0], l.in[0], l.in[1], l.dim = asFloat32s(dx), asFloat32s(dy), asFloat32s(x), hidden
		l.parallel(n, rows(hidden))
		return
	}
	Parallel(n, rows(hidden), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x, dx := x[2*r*hidden:], dx[2*r*hidden:]
			swigluGradPortable(dx, dx[hidden:], dy[r*hidden:][:hidden], x, x[hidden:])
		}
	})
}

func swiGLUPackedBackwardLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		x, dx := l.in[1][2*r*l.dim:], l.out[0][2*r*l.dim:]
		swigluGradRow(dx, dx[l.dim:], l.in[0][r*l.dim:][:l.dim], x, x[l.dim:])
	}
}
