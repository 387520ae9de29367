package kernel

import (
	"math"
	"slices"
	"testing"
)

// The faster functions are taken only where they keep all digits.
func TestLogarithmsNearZero(t *testing.T) {
	for _, x := range []float64{0, 1e-300, 1e-10, -1e-10, 1e-3, -1e-3, 0.4, -0.4, 0.5, -0.5, 0.6, -0.6, 3, -0.99, 300} {
		for name, v := range map[string][2]float64{"expm1": {expm1(x), math.Expm1(x)}, "log1p": {log1p(x), math.Log1p(x)}} {
			if got, want := v[0], v[1]; !(math.Abs(got-want) <= 1e-15*math.Abs(want)) {
				t.Errorf("%s(%v) = %v, want %v", name, x, got, want)
			}
		}
	}
}

// The exponential of float32 reaches the largest numbers and the smallest, and neither end too soon.
func TestExpAtItsEnds(t *testing.T) {
	largest := math.Nextafter32(88.722839, 0) // the last whose exponential is a float32
	for _, x := range []float32{largest, 88.5, 88.3, 87.9, -87, -88, -103, -103.9} {
		if got, want := float64(exp32(x)), math.Exp(float64(x)); !(math.Abs(got-want) <= 2e-7*want+0x1p-149) {
			t.Errorf("e**%v = %v, want %v", x, got, want)
		}
	}
	if got := exp32(math.Nextafter32(largest, 100)); !math.IsInf(float64(got), 1) {
		t.Errorf("just above the end of float32 the exponential is %v", got)
	}
	if got := exp32(math.Nextafter32(-103.972084, -200)); got != 0 {
		t.Errorf("just below the end of float32 the exponential is %v", got)
	}
}

func TestRowFactorsFrom(t *testing.T) {
	f := RowFactors[float64]{All: 3}
	if got := f.From(2); got.Of(0) != 3 {
		t.Errorf("a factor of all rows becomes %v", got.Of(0))
	}
	f = RowFactors[float64]{Rows: []float64{1, 2, 3}, Weights: []float64{5, 7, 11}}
	if got := f.From(2); got.Of(0) != 33 || len(got.Rows) != 1 || len(got.Weights) != 1 {
		t.Errorf("from row 2 the factors are %+v", got)
	}
	f.Rows = nil
	if got := f.From(1); got.Rows != nil || !slices.Equal(got.Weights, []float64{7, 11}) {
		t.Errorf("from row 1 the weights are %+v", got)
	}
}

// A ratio at its bound still counts; one beyond it has no slope.
func TestRatioAtItsBounds(t *testing.T) {
	for _, c := range []struct {
		p         Ratio
		advantage float64
		slope     float64
	}{
		{Ratio{}, 1, -1}, {Ratio{}, -1, 1}, {Ratio{High: -0.5}, 1, 0}, {Ratio{Low: -0.5}, -1, 0},
		{Ratio{High: -0.5}, -1, 1}, {Ratio{Low: -0.5}, 1, -1},
	} {
		if _, slope := c.p.Loss(0, 0, 0, c.advantage); slope != c.slope {
			t.Errorf("%+v: the slope for advantage %v at a ratio of 1 is %v, want %v", c.p, c.advantage, slope, c.slope)
		}
	}
}

// Rough sums are not taken of exponents too large or too small for them.
func TestRoughSumsRefuse(t *testing.T) {
	x := make([]float32, 2*RoughBlock)
	for i := range x {
		x[i] = -float32(i % 7)
	}
	for _, c := range []struct{ limit, scale float64 }{{0, 0x1p-50}, {0, 0x1p30}, {1e6, 1}, {-1e6, 1}, {0, math.NaN()}} {
		if RoughSums(make([]float64, 2), x, c.limit, c.scale) {
			t.Errorf("limit %v and scale %v are not refused", c.limit, c.scale)
		}
	}
}

// The gradients of cross-entropies are the slopes of the losses, whatever the options.
func TestSlopesOfCrossEntropies(t *testing.T) {
	x, q := []float64{0.3, -1.2, 2, 0.5}, []float64{0.1, 0.2, 0.3, 0.4}
	weights := []float64{1, 2, 0.5, 3}
	check := func(name string, loss func(x []float64) float64, gradient []float64) {
		t.Helper()
		const h = 1e-5
		for i := range x {
			up, down := slices.Clone(x), slices.Clone(x)
			up[i] += h
			down[i] -= h
			if want := (loss(up) - loss(down)) / (2 * h); math.Abs(gradient[i]-want) > 1e-8 {
				t.Errorf("%s: gradient %d is %v, want %v", name, i, gradient[i], want)
			}
		}
	}
	one := RowFactors[float64]{All: 1}
	for name, s := range map[string]SoftCrossEntropy[float64]{
		"soft": {}, "soft, weighted": {Weights: weights}, "soft, smoothed": {Smoothing: 0.1},
		"soft, z-loss": {ZLoss: 0.1}, "soft, capped": {SoftCap: 2},
	} {
		dx := make([]float64, len(x))
		s.Gradient(dx, x, q, 1)
		check(name, func(x []float64) float64 { return s.Loss(x, q) }, dx)
	}
	for name, c := range map[string]CrossEntropy[float64]{
		"hard": {}, "hard, weighted": {Weights: weights}, "hard, smoothed": {Smoothing: 0.1},
		"hard, smoothed and weighted": {Smoothing: 0.1, Weights: weights}, "hard, z-loss": {ZLoss: 0.1},
		"hard, capped": {SoftCap: 2}, "hard, focal": {Focal: 2},
	} {
		c.Classes = len(x)
		losses, sums, dx := make([]float64, 1), make([]float64, 2), make([]float64, len(x))
		loss := func(x []float64) float64 {
			c.Forward(losses, sums, x, []int{1}, nil)
			return losses[0]
		}
		loss(x)
		c.Backward(dx, slices.Clone(sums), x, []int{1}, one, one)
		check(name, loss, dx)
	}
	for name, b := range map[string]Binary[float64]{"binary": {}, "binary, focal": {Focal: 2}} {
		b.Yes, b.No = []float64{0.25}, 0.75
		dx, losses := make([]float64, len(x)), make([]float64, len(x))
		b.Gradients(dx, x, q, one)
		check(name, func(x []float64) (sum float64) {
			b.Losses(losses, x, q, nil)
			for _, l := range losses {
				sum += l
			}
			return sum
		}, dx)
	}
}

// A focal loss is the factor times the cost.
func TestFocalBinary(t *testing.T) {
	b := Binary[float64]{Yes: []float64{1}, No: 1, Focal: 2}
	losses := make([]float64, 2)
	b.Losses(losses, []float64{0, 0}, []float64{1, 0}, nil)
	if want := math.Ln2 / 4; math.Abs(losses[0]-want) > 1e-15 || math.Abs(losses[1]-want) > 1e-15 {
		t.Errorf("losses %v, want %v each", losses, want)
	}
	smooth := CrossEntropy[float64]{Classes: 2, Smoothing: 0.5}
	row, sums := make([]float64, 1), make([]float64, 2)
	smooth.Forward(row, sums, []float64{0, 1}, []int{0}, nil)
	lse := math.Log(1 + math.E)
	if want := 0.5*lse + 0.25*(lse+lse-1); math.Abs(row[0]-want) > 1e-15 {
		t.Errorf("the smoothed loss is %v, want %v", row[0], want)
	}
}
