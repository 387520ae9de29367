package kernel

import "math"

// A Rotation holds the cosines and sines by which RoPE turns the pairs of a head, https://arxiv.org/abs/2104.09864.
// Pair i of position p turns by p · theta**(-2i/headDim).
type Rotation[F Float] struct {
	half     int // pairs in a head
	theta    float64
	cos, sin []F // (positions, half)
}

// NewRotation returns the rotation of heads of headDim elements, which must be even.
func NewRotation[F Float](headDim int, theta float64) *Rotation[F] {
	return &Rotation[F]{half: headDim / 2, theta: theta}
}

// Grow makes room for positions 0 to n-1.
func (t *Rotation[F]) Grow(n int) {
	if t.half == 0 {
		return
	}
	for p := len(t.cos) / t.half; p < n; p++ {
		for i := range t.half {
			sin, cos := math.Sincos(float64(p) * math.Pow(t.theta, -float64(2*i)/float64(2*t.half)))
			t.cos, t.sin = append(t.cos, F(cos)), append(t.sin, F(sin))
		}
	}
}

// RoPE turns x, whose rows hold heads side by side. Row r stands at position pos(r), below what Grow made room
// for. Pairs are neighbours (0, 1), (2, 3), ... or, if split is set, (0, half), (1, half+1), ... as in checkpoints of
// Hugging Face. sign is 1, or -1 to turn back, which is the gradient. dst may be x.
func (t *Rotation[F]) RoPE(dst, x []F, heads, width int, split bool, sign F, pos func(row int) int) {
	half := t.half
	turned := heads * 2 * half
	if width == 0 {
		return
	}
	Parallel(len(x)/width, max(1, elements/width), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			at := pos(r) * half
			cos, sin := t.cos[at:][:half], t.sin[at:][:half]
			copy(dst[r*width+turned:][:width-turned], x[r*width+turned:])
			for h := 0; h < turned; h += 2 * half {
				x, y := x[r*width+h:][:2*half], dst[r*width+h:][:2*half]
				if split {
					for i, c := range cos {
						s := sign * sin[i]
						a, b := x[i], x[half+i]
						y[i], y[half+i] = a*c-b*s, a*s+b*c
					}
					continue
				}
				for i, c := range cos {
					s := sign * sin[i]
					a, b := x[2*i], x[2*i+1]
					y[2*i], y[2*i+1] = a*c-b*s, a*s+b*c
				}
			}
		}
	})
}
