package kernel

import "slices"

// Strides returns the strides of a row-major array, as seen through broadcasting to the rank of as: axes that are
// missing in front or have length 1 get stride 0.
func Strides(shape, as []int) []int {
	strides := make([]int, len(as))
	step, skip := 1, len(as)-len(shape)
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 {
			strides[skip+i] = step
		}
		step *= shape[i]
	}
	return strides
}

// Strided is how operands are walked through together: an array of a shape, and for each operand how far its elements lie
// apart along every axis, which is 0 where it repeats. Neighbouring axes that all operands step through as one are one.
type Strided struct {
	shape   []int
	strides [][]int // of each operand
}

// newStrided joins the axes of operands that share a shape.
func newStrided(shape []int, strides ...[]int) *Strided {
	s := &Strided{strides: make([][]int, len(strides))}
	for axis := len(shape) - 1; axis >= 0; axis-- {
		if shape[axis] == 1 {
			continue
		}
		joins := len(s.shape) > 0
		for k, t := range strides {
			joins = joins && t[axis] == s.strides[k][0]*s.shape[0]
		}
		if joins {
			s.shape[0] *= shape[axis]
			continue
		}
		s.shape = slices.Insert(s.shape, 0, shape[axis])
		for k, t := range strides {
			s.strides[k] = slices.Insert(s.strides[k], 0, t[axis])
		}
	}
	if len(s.shape) == 0 {
		s.shape = []int{1}
		for k := range s.strides {
			s.strides[k] = []int{0}
		}
	}
	return s
}

// last returns how far the elements of operand k lie apart along the last axis.
func (s *Strided) last(k int) int { return s.strides[k][len(s.shape)-1] }

// maxOperands and maxAxes are what a walk has room for without allocating.
const (
	maxOperands = 3
	maxAxes     = 8
)

// A walk visits an array along its last axis, in runs of n elements.
type walk struct {
	*Strided
	at    [maxOperands]int // offset of the run in each operand
	n     int
	index []int
	begun bool
}

// walk begins before the first run. The index of a run is kept in room if it fits.
func (s *Strided) walk(room *[maxAxes]int) walk {
	w := walk{Strided: s, n: s.shape[len(s.shape)-1]}
	if len(s.shape) > maxAxes {
		w.index = make([]int, len(s.shape))
	} else {
		w.index = room[:len(s.shape)]
	}
	return w
}

// next goes on to the next run and reports whether there is one.
func (w *walk) next() bool {
	if !w.begun {
		w.begun = true
		return !slices.Contains(w.shape, 0)
	}
	for axis := len(w.shape) - 2; axis >= 0; axis-- {
		w.index[axis]++
		for k, s := range w.strides {
			w.at[k] += s[axis]
		}
		if w.index[axis] < w.shape[axis] {
			return true
		}
		for k, s := range w.strides {
			w.at[k] -= s[axis] * w.shape[axis]
		}
		w.index[axis] = 0
	}
	return false
}

// NewSumTo readies SumTo from a shape to one that broadcasts to it, and NewBroadcastTo the way back.
func NewSumTo(to, from []int) *Strided {
	return newStrided(from, Strides(from, from), Strides(to, from))
}

func NewBroadcastTo(to, from []int) *Strided {
	return newStrided(to, Strides(to, to), Strides(from, to))
}

// SumTo sums x over the axes that broadcasting from the shape of dst to the shape of x repeats, times alpha.
func SumTo[F Float](s *Strided, dst, x []F, alpha F) {
	sx, sd := s.last(0), s.last(1)
	if len(s.shape) == 2 && sx == 1 && sd == 1 && s.strides[1][0] == 0 {
		ColumnSums(dst, x)
		if alpha != 1 {
			Scale(dst, dst, alpha)
		}
		return
	}
	clear(dst)
	var room [maxAxes]int
	for w := s.walk(&room); w.next(); {
		i, d := w.at[0], w.at[1]
		switch {
		case sd == 0:
			dst[d] += alpha * F(Sum(x[i:][:w.n])) // x is whole, so its last stride is 1
		case sd == 1 && sx == 1:
			Axpy(dst[d:][:w.n], alpha, x[i:])
		default:
			for range w.n {
				dst[d] += alpha * x[i]
				i, d = i+sx, d+sd
			}
		}
	}
}

// BroadcastTo repeats x, times alpha, to fill dst.
func BroadcastTo[F Float](s *Strided, dst, x []F, alpha F) {
	sd, sx := s.last(0), s.last(1)
	var room [maxAxes]int
	for w := s.walk(&room); w.next(); {
		d, i := w.at[0], w.at[1]
		for range w.n {
			dst[d] = alpha * x[i]
			d, i = d+sd, i+sx
		}
	}
}

// NewTranspose readies Transpose of an array of the given shape, axis i of the result being axis axes[i] of it.
func NewTranspose(shape, axes []int) *Strided {
	to, from, strides := make([]int, len(axes)), make([]int, len(axes)), make([]int, len(axes))
	for i, step := len(shape)-1, 1; i >= 0; i-- {
		strides[i] = step
		step *= shape[i]
	}
	for i, axis := range axes {
		to[i], from[i] = shape[axis], strides[axis]
	}
	return newStrided(to, Strides(to, to), from)
}

// Transpose copies x with its axes in another order.
func Transpose[F Float](s *Strided, dst, x []F) {
	sd, sx := s.last(0), s.last(1)
	var room [maxAxes]int
	for w := s.walk(&room); w.next(); {
		d, i := w.at[0], w.at[1]
		if sd == 1 && sx == 1 {
			copy(dst[d:][:w.n], x[i:])
			continue
		}
		for range w.n {
			dst[d] = x[i]
			d, i = d+sd, i+sx
		}
	}
}
