package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Capped logits, and their slopes, are within a few units in the last place on every path, whatever the length of a row;
// with assembly they have the same bits. Infinities and NaN stay what they are.
func TestSoftCap(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 11))
	for _, limit := range []float32{1, 30, 50} {
		for _, n := range append(lengths(70), 5000) {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(rng.NormFloat64() * math.Pow(10, float64(rng.IntN(7)-3)))
			}
			var first []float32
			for _, path := range supportedPaths() {
				onPath(path, func() {
					y := slices.Clone(x)
					softCap(y, y, limit)
					dx := slices.Repeat([]float32{2}, n)
					softCapGrad(dx, y, limit)
					for i, v := range x {
						want := float64(limit) * math.Tanh(float64(v)/float64(limit))
						if !(math.Abs(float64(y[i])-want) <= 4e-7*math.Abs(want)) {
							t.Fatalf("%s: cap %v of %v is %v, want %v", path, limit, v, y[i], want)
						}
						s := want / float64(limit)
						if !(math.Abs(float64(dx[i])-2*(1-s*s)) <= 2e-6) {
							t.Fatalf("%s: the slope of cap %v at %v is %v, want %v", path, limit, v, dx[i]/2, 1-s*s)
						}
					}
					switch {
					case path == pathPortable:
					case first == nil:
						first = slices.Concat(y, dx)
					case !slices.Equal(first, slices.Concat(y, dx)):
						t.Fatalf("%s: other bits than on the path before", path)
					}
				})
			}
		}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	onEachPath(t, func(t *testing.T) {
		x, dx := []float32{inf, -inf, nan, 3e38, -3e38, 0, 1e-30}, slices.Repeat([]float32{1}, 7)
		softCap(x, x, 30)
		softCapGrad(dx, x, 30)
		if x[0] != inf || x[1] != -inf || x[2] == x[2] || x[3] != 30 || x[4] != -30 || x[5] != 0 || !alike(x[6], 1e-30) {
			t.Errorf("edges become %v", x)
		}
		if dx[0] != 0 || dx[1] != 0 || dx[2] == dx[2] || dx[3] != 0 || dx[4] != 0 || dx[5] != 1 || dx[6] != 1 {
			t.Errorf("the slopes at edges are %v", dx)
		}
	})
}
