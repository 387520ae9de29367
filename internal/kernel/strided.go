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

// walk visits an array of the given shape along its last axis: it calls f with the offset, in each operand, of
// every run of n elements, which lie apart there by the last stride of the operand.
func walk(shape []int, strides [][]int, f func(at []int, n int)) {
	if slices.Contains(shape, 0) {
		return
	}
	at, index := make([]int, len(strides)), make([]int, len(shape))
	last := len(shape) - 1
	if last < 0 {
		f(at, 1)
		return
	}
	for {
		f(at, shape[last])
		axis := last - 1
		for ; axis >= 0; axis-- {
			index[axis]++
			for k, s := range strides {
				at[k] += s[axis]
			}
			if index[axis] < shape[axis] {
				break
			}
			for k, s := range strides {
				at[k] -= s[axis] * shape[axis]
			}
			index[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// collapse joins neighbouring axes that all operands step through as one, so that walk makes long runs.
func collapse(shape []int, strides [][]int) ([]int, [][]int) {
	var outShape []int
	out := make([][]int, len(strides))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		if shape[axis] == 1 {
			continue
		}
		joins := len(outShape) > 0
		for k, s := range strides {
			joins = joins && s[axis] == out[k][0]*outShape[0]
		}
		if joins {
			outShape[0] *= shape[axis]
			continue
		}
		outShape = slices.Insert(outShape, 0, shape[axis])
		for k, s := range strides {
			out[k] = slices.Insert(out[k], 0, s[axis])
		}
	}
	if len(outShape) == 0 {
		for k := range out {
			out[k] = []int{0}
		}
		return []int{1}, out
	}
	return outShape, out
}

// A Broadcast applies an operation to two arrays as NumPy broadcasts them. Make it once with NewBroadcast.
type Broadcast struct {
	shape   []int
	strides [][]int // of the result, x and y
}

// NewBroadcast readies a Broadcast of arrays of shapes x and y, which together make shape out.
func NewBroadcast(out, x, y []int) *Broadcast {
	b := new(Broadcast)
	b.shape, b.strides = collapse(out, [][]int{Strides(out, out), Strides(x, out), Strides(y, out)})
	return b
}

// same reports whether no operand repeats.
func (b *Broadcast) same() bool {
	return len(b.shape) == 1 && b.strides[1][0] == b.strides[0][0] && b.strides[2][0] == b.strides[0][0]
}

// BroadcastAdd computes dst = x + y.
func BroadcastAdd[F Float](b *Broadcast, dst, x, y []F) {
	if b.same() {
		Add(dst, x, y)
		return
	}
	broadcast(b, dst, x, y, func(x, y F) F { return x + y })
}

// BroadcastSub computes dst = x - y.
func BroadcastSub[F Float](b *Broadcast, dst, x, y []F) {
	if b.same() {
		Sub(dst, x, y)
		return
	}
	broadcast(b, dst, x, y, func(x, y F) F { return x - y })
}

// BroadcastMul computes dst = x · y.
func BroadcastMul[F Float](b *Broadcast, dst, x, y []F) {
	if b.same() {
		Mul(dst, x, y)
		return
	}
	broadcast(b, dst, x, y, func(x, y F) F { return x * y })
}

func broadcast[F Float](b *Broadcast, dst, x, y []F, op func(x, y F) F) {
	last := len(b.shape) - 1
	sd, sx, sy := b.strides[0][last], b.strides[1][last], b.strides[2][last]
	walk(b.shape, b.strides, func(at []int, n int) {
		d, i, j := at[0], at[1], at[2]
		for range n {
			dst[d] = op(x[i], y[j])
			d, i, j = d+sd, i+sx, j+sy
		}
	})
}

// SumTo sums x over the axes that broadcasting from the shape of dst to the shape of x repeats, times alpha.
func SumTo[F Float](dst, x []F, to, from []int, alpha F) {
	clear(dst)
	shape, strides := collapse(from, [][]int{Strides(from, from), Strides(to, from)})
	last := len(shape) - 1
	sx, sd := strides[0][last], strides[1][last]
	walk(shape, strides, func(at []int, n int) {
		i, d := at[0], at[1]
		if sd == 0 {
			dst[d] += alpha * F(Sum(x[i:][:n]))
			return
		}
		for range n {
			dst[d] += alpha * x[i]
			i, d = i+sx, d+sd
		}
	})
}

// BroadcastTo repeats x, times alpha, to fill dst.
func BroadcastTo[F Float](dst, x []F, to, from []int, alpha F) {
	shape, strides := collapse(to, [][]int{Strides(to, to), Strides(from, to)})
	last := len(shape) - 1
	sd, sx := strides[0][last], strides[1][last]
	walk(shape, strides, func(at []int, n int) {
		d, i := at[0], at[1]
		for range n {
			dst[d] = alpha * x[i]
			d, i = d+sd, i+sx
		}
	})
}

// Transpose copies x so that axis i of dst is axis axes[i] of x.
func Transpose[F Float](dst, x []F, shape, axes []int) {
	to, from := make([]int, len(axes)), make([]int, len(axes))
	strides := make([]int, len(axes))
	for i, step := len(shape)-1, 1; i >= 0; i-- {
		strides[i] = step
		step *= shape[i]
	}
	for i, axis := range axes {
		to[i], from[i] = shape[axis], strides[axis]
	}
	joined, s := collapse(to, [][]int{Strides(to, to), from})
	last := len(joined) - 1
	sd, sx := s[0][last], s[1][last]
	walk(joined, s, func(at []int, n int) {
		d, i := at[0], at[1]
		if sd == 1 && sx == 1 {
			copy(dst[d:][:n], x[i:])
			return
		}
		for range n {
			dst[d] = x[i]
			d, i = d+sd, i+sx
		}
	})
}
