package kernel

// operation is what a broadcast does with two numbers.
type operation int

const (
	plus operation = iota
	minus
	times
)

// NewBroadcast readies the operations on arrays of shapes x and y, which together make shape out as NumPy broadcasts
// them.
func NewBroadcast(out, x, y []int) *Strided {
	return newStrided(out, Strides(out, out), Strides(x, out), Strides(y, out))
}

// BroadcastAdd computes dst = x + y. dst may be an operand of its shape.
func BroadcastAdd[F Float](s *Strided, dst, x, y []F) { broadcast(s, plus, dst, x, y) }

// BroadcastSub computes dst = x - y. dst may be an operand of its shape.
func BroadcastSub[F Float](s *Strided, dst, x, y []F) { broadcast(s, minus, dst, x, y) }

// BroadcastMul computes dst = x · y. dst may be an operand of its shape.
func BroadcastMul[F Float](s *Strided, dst, x, y []F) { broadcast(s, times, dst, x, y) }

func broadcast[F Float](s *Strided, op operation, dst, x, y []F) {
	switch {
	case s.same():
		switch op {
		case plus:
			Add(dst, x, y)
		case minus:
			Sub(dst, x, y)
		case times:
			Mul(dst, x, y)
		}
	case is32[F]() && s.byRows():
		l := newLoop(broadcastLoop)
		l.out[0], l.in[0], l.in[1] = asFloat32s(dst), asFloat32s(x), asFloat32s(y)
		l.dim, l.op = s.shape[1], op
		l.parallel(s.shape[0], max(1, elements/max(1, l.dim)))
	default:
		broadcastRuns(s, op, dst, x, y)
	}
}

// same reports whether no operand repeats.
func (s *Strided) same() bool {
	return len(s.shape) == 1 && s.last(1) == s.last(0) && s.last(2) == s.last(0)
}

// byRows reports whether y is a row that is used again for every row of the result and of x, as biases are.
func (s *Strided) byRows() bool {
	return len(s.shape) == 2 && s.last(1) == 1 && s.last(2) == 1 && s.strides[1][0] == s.shape[1] && s.strides[2][0] == 0
}

func broadcastLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		rowOf(l.op, l.out[0][r*l.dim:][:l.dim], l.in[0][r*l.dim:], l.in[1])
	}
}

// rowOf computes dst[i] = x[i] op y[i].
func rowOf(op operation, dst, x, y []float32) {
	switch op {
	case plus:
		addRow(dst, x, y)
	case minus:
		subRow(dst, x, y)
	case times:
		mulRow(dst, x, y)
	}
}

// broadcastRuns walks along the last axis, whatever repeats.
func broadcastRuns[F Float](s *Strided, op operation, dst, x, y []F) {
	sd, sx, sy := s.last(0), s.last(1), s.last(2)
	var room [maxAxes]int
	for w := s.walk(&room); w.next(); {
		d, i, j := w.at[0], w.at[1], w.at[2]
		if is32[F]() && sd == 1 && sx == 1 && sy == 1 {
			rowOf(op, asFloat32s(dst[d:][:w.n]), asFloat32s(x[i:]), asFloat32s(y[j:]))
			continue
		}
		for range w.n {
			switch op {
			case plus:
				dst[d] = x[i] + y[j]
			case minus:
				dst[d] = x[i] - y[j]
			case times:
				dst[d] = x[i] * y[j]
			}
			d, i, j = d+sd, i+sx, j+sy
		}
	}
}
