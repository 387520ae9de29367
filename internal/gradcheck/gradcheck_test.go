package gradcheck

import (
	"math"
	"testing"
)

// A right gradient passes at 1e-9; one that is wrong in a single element, or by a small factor, does not.
func TestError(t *testing.T) {
	x := []float64{0.3, -1.2, 2.5}
	f := func() float64 { return math.Sin(x[0]) + math.Exp(x[1])*x[2] }
	right := []float64{math.Cos(x[0]), math.Exp(x[1]) * x[2], math.Exp(x[1])}
	if e := Error(f, x, right, 1e-2); e > 1e-9 {
		t.Errorf("Error of a right gradient = %g", e)
	}
	for i := range right {
		wrong := append([]float64(nil), right...)
		wrong[i] *= 1 + 1e-6
		if e := Error(f, x, wrong, 1e-2); e < 1e-8 {
			t.Errorf("Error with element %d off by 1e-6 = %g", i, e)
		}
	}
}
