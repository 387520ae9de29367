package kernel

// AddToRows adds b to n rows of x, which begin ldx apart: x[i*ldx+j] += b[j].
func AddToRows[F Float](x []F, ldx, n int, b []F) {
	if is32[F]() {
		l := newLoop(addToRowsLoop)
		l.out[0], l.in[0], l.dim = asFloat32s(x), asFloat32s(b), ldx
		l.parallel(n, max(1, elements/max(1, len(b))))
		return
	}
	for i := range n {
		row := x[i*ldx:][:len(b)]
		addPortable(row, row, b)
	}
}

func addToRowsLoop(l *loop32, lo, hi int) {
	x, b := l.out[0], l.in[0]
	for i := lo; i < hi; i++ {
		row := x[i*l.dim:][:len(b)]
		addRow(row, row, b)
	}
}

// Copy copies src to dst, which is as long.
func Copy[F Float](dst, src []F) {
	if is32[F]() {
		l := newLoop(copyLoop)
		l.out[0], l.in[0] = asFloat32s(dst), asFloat32s(src)
		l.parallel(len(dst), elements)
		return
	}
	copy(dst, src)
}

func copyLoop(l *loop32, lo, hi int) { copy(l.out[0][lo:hi], l.in[0][lo:hi]) }
