package kernel

import (
	"math"
	"testing"
)

// exp32 is within two units in the last place over its range, and right at the ends.
func TestExp32(t *testing.T) {
	worst := 0.0
	for x := float32(-103); x < 88.7; x += 1.0 / 1024 / 3 {
		want := math.Exp(float64(x))
		ulp := float64(math.Nextafter32(float32(want), math.MaxFloat32) - float32(want))
		worst = max(worst, math.Abs(float64(exp32(x))-want)/ulp)
	}
	if worst > 2 {
		t.Errorf("off by %.2f units in the last place", worst)
	}
	inf := float32(math.Inf(1))
	for _, tt := range []struct{ x, want float32 }{{0, 1}, {inf, inf}, {-inf, 0}, {89, inf}, {-104, 0}, {math.MaxFloat32, inf}} {
		if got := exp32(tt.x); got != tt.want {
			t.Errorf("exp32(%v) = %v, want %v", tt.x, got, tt.want)
		}
	}
	if got := exp32(float32(math.NaN())); got == got {
		t.Errorf("exp32(NaN) = %v", got)
	}
}

// Softmax, its logarithm and the cross-entropy stay finite and exact for logits of any size, and defined under masks.
func TestExtremeLogits(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, tt := range []struct {
		name      string
		x, p, log []float32
		target    int
		loss      float32
		dx        []float32
	}{
		{"large", []float32{1e4, -1e4, 0}, []float32{1, 0, 0}, []float32{0, -2e4, -1e4}, 1, 2e4, []float32{1, -1, 0}},
		{"equal", []float32{-1e4, -1e4}, []float32{0.5, 0.5}, []float32{-math.Ln2, -math.Ln2}, 0, math.Ln2, []float32{-0.5, 0.5}},
		{"masked", []float32{0, -inf, 0}, []float32{0.5, 0, 0.5}, []float32{-math.Ln2, -inf, -math.Ln2}, 1, inf, []float32{0.5, -1, 0.5}},
		{"other row first", []float32{-3e38, 0, -inf}, []float32{0, 1, 0}, []float32{-3e38, 0, -inf}, 1, 0, []float32{0, 0, 0}},
	} {
		n := len(tt.x)
		p, l, dx := make([]float32, n), make([]float32, n), make([]float32, n)
		losses, lse := make([]float32, 1), make([]float32, 1)
		Softmax(p, tt.x, n)
		LogSoftmax(l, tt.x, n)
		ce := CrossEntropy[float32]{Classes: n}
		ce.Forward(losses, lse, tt.x, []int{tt.target})
		one := RowFactors[float32]{All: 1}
		ce.Backward(dx, lse, tt.x, []int{tt.target}, one, one)
		for i := range tt.x {
			for _, c := range []struct {
				what      string
				got, want float32
			}{{"softmax", p[i], tt.p[i]}, {"log-softmax", l[i], tt.log[i]}, {"gradient", dx[i], tt.dx[i]}} {
				if c.got != c.want && !(math.Abs(float64(c.got-c.want)) <= 1e-6*math.Abs(float64(c.want))) {
					t.Errorf("%s: %s %d = %v, want %v", tt.name, c.what, i, c.got, c.want)
				}
			}
		}
		if losses[0] != tt.loss && !(math.Abs(float64(losses[0]-tt.loss)) < 1e-6) {
			t.Errorf("%s: loss %v, want %v", tt.name, losses[0], tt.loss)
		}
	}
	// A row with nothing to choose from is zeros, not NaN.
	x := []float32{-inf, -inf}
	Softmax(x, x, 2)
	if x[0] != 0 || x[1] != 0 {
		t.Errorf("softmax of nothing = %v", x)
	}
}
