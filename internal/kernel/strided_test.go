package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What is broadcast, summed back or transposed is what indices say, whatever axes repeat and however many there are.
func TestStrided(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		testStrided[float32](t)
		testStrided[float64](t)
	})
}

func testStrided[F Float](t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 300 {
		// Some axes of each operand repeat; operands may have fewer axes than the result.
		out := make([]int, 1+r.IntN(maxAxes+2))
		xs, ys := make([]int, len(out)), make([]int, len(out))
		for i := range out {
			out[i] = 1 + r.IntN(3)
			if r.IntN(4) == 0 && i >= len(out)-2 {
				out[i] = 20 + r.IntN(20)
			}
			xs[i], ys[i] = out[i], out[i]
			switch r.IntN(4) {
			case 0:
				xs[i] = 1
			case 1:
				ys[i] = 1
			}
		}
		ys = ys[r.IntN(len(ys)):]
		for i := range len(out) - len(ys) {
			out[i] = xs[i]
		}
		x, y, dst := random[F](r, volume(xs)), random[F](r, volume(ys)), make([]F, volume(out))
		what := fmt.Sprintf("%T %v and %v", x, xs, ys)
		offset := func(flat int, strides []int) (at int) {
			for axis := len(out) - 1; axis >= 0; axis-- {
				at += flat % out[axis] * strides[axis]
				flat /= out[axis]
			}
			return at
		}
		sx, sy := Strides(xs, out), Strides(ys, out)

		plan := NewBroadcast(out, xs, ys)
		for _, op := range []struct {
			f    func(s *Strided, dst, x, y []F)
			want func(x, y F) F
		}{
			{BroadcastAdd[F], func(x, y F) F { return x + y }},
			{BroadcastSub[F], func(x, y F) F { return x - y }},
			{BroadcastMul[F], func(x, y F) F { return x * y }},
		} {
			op.f(plan, dst, x, y)
			for i, got := range dst {
				if want := op.want(x[offset(i, sx)], y[offset(i, sy)]); got != want {
					t.Fatalf("%s: element %d is %v, want %v", what, i, got, want)
				}
			}
		}

		BroadcastTo(NewBroadcastTo(out, ys), dst, y, 3)
		sums := make([]float64, len(y))
		for i, got := range dst {
			if want := 3 * y[offset(i, sy)]; got != want {
				t.Fatalf("%s: repeated element %d is %v, want %v", what, i, got, want)
			}
			sums[offset(i, sy)] += 2 * float64(got)
		}
		back := random[F](r, len(y))
		SumTo(NewSumTo(ys, out), back, dst, 2)
		for i, want := range sums {
			near(t, what+" summed", float64(back[i]), want, 1e-4)
		}

		axes := r.Perm(len(out))
		to := make([]int, len(out))
		for i, axis := range axes {
			to[i] = out[axis]
		}
		turned := make([]F, len(dst))
		Transpose(NewTranspose(out, axes), turned, dst)
		whole := Strides(out, out)
		for i, got := range turned {
			at, flat := 0, i
			for axis := len(to) - 1; axis >= 0; axis-- {
				at += flat % to[axis] * whole[axes[axis]]
				flat /= to[axis]
			}
			if got != dst[at] {
				t.Fatalf("%s: element %d with axes %v is %v, want %v", what, i, axes, got, dst[at])
			}
		}
	}
}

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
