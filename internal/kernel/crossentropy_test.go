package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Softmax, its logarithm and the cross-entropy stay finite and exact for logits of any size, and defined under masks. Of a
// row with nothing to choose from softmax is zeros.
func TestExtremeLogits(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
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
		{"apart", []float32{-3e38, 0, -inf}, []float32{0, 1, 0}, []float32{-3e38, 0, -inf}, 1, 0, []float32{0, 0, 0}},
		{"all masked", []float32{-inf, -inf}, []float32{0, 0}, []float32{-inf, -inf}, 0, nan, []float32{nan, nan}},
		{"infinite", []float32{0, inf}, []float32{nan, nan}, []float32{nan, nan}, 0, nan, []float32{nan, nan}},
		{"NaN", []float32{0, nan}, []float32{nan, nan}, []float32{nan, nan}, 0, nan, []float32{nan, nan}},
	} {
		onEachPath(t, func(t *testing.T) {
			n := len(tt.x)
			p, l, dx := make([]float32, n), make([]float32, n), make([]float32, n)
			losses, sums := make([]float32, 1), make([]float32, 2)
			Softmax(p, tt.x, n)
			LogSoftmax(l, tt.x, n)
			ce := CrossEntropy[float32]{Classes: n}
			ce.Forward(losses, sums, tt.x, []int{tt.target}, nil)
			one := RowFactors[float32]{All: 1}
			ce.Backward(dx, sums, tt.x, []int{tt.target}, one, one)
			for i := range tt.x {
				for _, c := range []struct {
					what      string
					got, want float32
				}{{"softmax", p[i], tt.p[i]}, {"log-softmax", l[i], tt.log[i]}, {"gradient", dx[i], tt.dx[i]}} {
					if !alike(c.got, c.want) {
						t.Errorf("%s: %s %d = %v, want %v", tt.name, c.what, i, c.got, c.want)
					}
				}
			}
			if !alike(losses[0], tt.loss) {
				t.Errorf("%s: loss %v, want %v", tt.name, losses[0], tt.loss)
			}
		})
	}
}

// alike reports whether got is want but for 1e-6 of it, or both are NaN.
func alike(got, want float32) bool {
	return got == want || got != got && want != want || math.Abs(float64(got-want)) <= 1e-6*math.Abs(float64(want))
}

// distance is a loss of rows x against rows y.
type distance struct {
	name  string
	probs bool // y holds probabilities, not logits
	rule  RowLoss[float32]
	exact RowLoss[float64]
}

func (d distance) forward(losses, x, y []float32, classes int) {
	RowLosses(d.rule, losses, x, y, nil, classes)
}

func (d distance) backward(dx, x, y []float32, classes int, g RowFactors[float32]) {
	RowGradients(d.rule, dx, x, y, classes, g)
}

func divergence(name string, m Measure, beta, temperature float64) distance {
	return distance{name, false, &Divergence[float32]{m, beta, temperature}, &Divergence[float64]{m, beta, temperature}}
}

var distances = []distance{
	{"SoftCrossEntropy", true, new(SoftCrossEntropy[float32]), new(SoftCrossEntropy[float64])},
	divergence("KLDivergence", ForwardKL, 0, 1),
	{"SoftCrossEntropy with all options", true,
		&SoftCrossEntropy[float32]{Smoothing: 0.1, ZLoss: 1e-3, SoftCap: 5}, &SoftCrossEntropy[float64]{Smoothing: 0.1, ZLoss: 1e-3, SoftCap: 5}},
	divergence("KLDivergence of temperature 2", ForwardKL, 0, 2),
	divergence("ReverseKL", ReverseKL, 0, 1),
	divergence("ReverseKL of temperature 2", ReverseKL, 0, 2),
	divergence("JensenShannon", JensenShannon, 0.5, 1),
	divergence("JensenShannon of temperature 2", JensenShannon, 0.1, 2),
}

// In float32 the losses between distributions are near those in float64, whatever the length of a row, and a gradient may
// lie over the logits.
func TestDistances(t *testing.T) {
	const rows = 3
	for _, d := range distances {
		onEachPath(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(4, 9))
			for _, n := range append(lengths(70), 1000, 50257) {
				x, y := make([]float32, rows*n), make([]float32, rows*n)
				for i := range x {
					x[i], y[i] = float32(rng.NormFloat64())*3, float32(rng.NormFloat64())*3
				}
				if d.probs {
					Softmax(y, y, n)
				}
				g := RowFactors[float32]{Rows: []float32{1, -0.5, 2}}
				g64 := RowFactors[float64]{Rows: floats[float64](g.Rows)}
				losses, want := make([]float32, rows), make([]float64, rows)
				dx, wantDx := slices.Clone(x), make([]float64, rows*n)
				d.forward(losses, x, y, n)
				RowLosses(d.exact, want, floats[float64](x), floats[float64](y), nil, n)
				d.backward(dx, dx, y, n, g)
				RowGradients(d.exact, wantDx, floats[float64](x), floats[float64](y), n, g64)
				for r, w := range want {
					if !(math.Abs(float64(losses[r])-w) <= 2e-6*max(1, w)) {
						t.Fatalf("%s of %d: loss %v, want %v", d.name, n, losses[r], w)
					}
				}
				for i, w := range wantDx {
					if !(math.Abs(float64(dx[i])-w) <= 2e-6) {
						t.Fatalf("%s of %d: gradient %d is %v, want %v", d.name, n, i, dx[i], w)
					}
				}
			}
		})
	}
}

func floats[T, F Float](x []F) []T {
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}

// Losses between distributions are exact for logits of any size and under masks. What has no distribution, a row of -Inf
// or one with +Inf or NaN, has no loss and no gradient.
func TestExtremeDistances(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	soft, kl, reverse, js := &distances[0], &distances[1], &distances[4], &distances[6]
	for _, tt := range []struct {
		name string
		of   *distance
		x, y []float32
		loss float32
		dx   []float32
	}{
		{"large", soft, []float32{1e4, -1e4, 0}, []float32{0.5, 0.5, 0}, 1e4, []float32{0.5, -0.5, 0}},
		{"masked without a target", soft, []float32{0, -inf}, []float32{1, 0}, 0, []float32{0, 0}},
		{"masked with a target", soft, []float32{0, -inf}, []float32{0.5, 0.5}, inf, []float32{0.5, -0.5}},
		{"all masked", soft, []float32{-inf, -inf}, []float32{0.5, 0.5}, nan, []float32{nan, nan}},
		{"infinite", soft, []float32{inf, 0}, []float32{0.5, 0.5}, nan, []float32{nan, nan}},
		{"NaN without a target", soft, []float32{0, nan}, []float32{1, 0}, nan, []float32{nan, nan}},
		{"large", kl, []float32{1e4, -1e4, 0}, []float32{0, 1e4, -1e4}, 2e4, []float32{1, -1, 0}},
		{"both masked", kl, []float32{0, -inf, 0}, []float32{1e4, -inf, 1e4}, 0, []float32{0, 0, 0}},
		{"teacher masked", kl, []float32{0, 0}, []float32{0, -inf}, math.Ln2, []float32{-0.5, 0.5}},
		{"student masked", kl, []float32{0, -inf}, []float32{0, 0}, inf, []float32{0.5, -0.5}},
		{"student all masked", kl, []float32{-inf, -inf}, []float32{0, 0}, nan, []float32{nan, nan}},
		{"teacher all masked", kl, []float32{0, 0}, []float32{-inf, -inf}, nan, []float32{nan, nan}},
		{"student infinite", kl, []float32{inf, 0}, []float32{0, 0}, nan, []float32{nan, nan}},
		{"teacher infinite", kl, []float32{0, 0}, []float32{inf, 0}, nan, []float32{nan, nan}},
		{"student NaN", kl, []float32{0, nan}, []float32{0, 0}, nan, []float32{nan, nan}},
		{"teacher NaN", kl, []float32{0, 0}, []float32{0, nan}, nan, []float32{nan, nan}},
		{"no targets", soft, []float32{0, 0}, []float32{0, 0}, 0, []float32{0, 0}},
		{"no targets of no softmax", soft, []float32{-inf, -inf}, []float32{0, 0}, nan, []float32{nan, nan}},
		{"large", reverse, []float32{1e4, -1e4, 0}, []float32{0, 1e4, -1e4}, 1e4, []float32{0, 0, 0}},
		{"both masked", reverse, []float32{0, -inf, 0}, []float32{1e4, -inf, 1e4}, 0, []float32{0, 0, 0}},
		{"student masked", reverse, []float32{0, -inf}, []float32{0, 0}, math.Ln2, []float32{0, 0}},
		{"student as good as masked", reverse, []float32{0, -1e4}, []float32{0, -inf}, 0, []float32{0, 0}},
		{"student all masked", reverse, []float32{-inf, -inf}, []float32{0, 0}, nan, []float32{nan, nan}},
		{"teacher NaN", reverse, []float32{0, 0}, []float32{0, nan}, nan, []float32{nan, nan}},
		{"large", js, []float32{1e4, -1e4, 0}, []float32{0, 1e4, -1e4}, math.Ln2, []float32{0, 0, 0}},
		{"both masked", js, []float32{0, -inf, 0}, []float32{1e4, -inf, 1e4}, 0, []float32{0, 0, 0}},
		{"teacher masked", js, []float32{0, 0}, []float32{0, -inf}, 0.2157616, []float32{-0.13732654, 0.13732654}},
		{"student masked", js, []float32{0, -inf}, []float32{0, 0}, 0.2157616, []float32{0, 0}},
		{"teacher all masked", js, []float32{0, 0}, []float32{-inf, -inf}, nan, []float32{nan, nan}},
		{"student infinite", js, []float32{inf, 0}, []float32{0, 0}, nan, []float32{nan, nan}},
	} {
		onEachPath(t, func(t *testing.T) {
			n := len(tt.x)
			losses, dx := make([]float32, 1), make([]float32, n)
			tt.of.forward(losses, tt.x, tt.y, n)
			tt.of.backward(dx, tt.x, tt.y, n, RowFactors[float32]{All: 1})
			got, want := append(losses, dx...), append([]float32{tt.loss}, tt.dx...)
			for i, w := range want {
				if !alike(got[i], w) {
					t.Errorf("%s, %s: loss and gradient %v, want %v", tt.of.name, tt.name, got, want)
					break
				}
			}
		})
	}
}
