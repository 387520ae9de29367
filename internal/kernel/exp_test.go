package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// exp is right to 2 units in the last place over all float32, and at their edges. Where the result is denormal, so is
// the unit.
func TestExpAccuracy(t *testing.T) {
	x := []float32{0, 1, 88.72283, 88.72284, 89, -87.33654, -87.33655, -103.97207, -103.97209, -104.5, -105,
		math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1))}
	for bits := uint64(0); bits < 1<<32; bits += 997 {
		x = append(x, math.Float32frombits(uint32(bits)))
	}
	var first []uint32 // what the first path with assembly yields
	for _, path := range supportedPaths() {
		y := make([]float32, len(x))
		onPath(path, func() { expRow(y, x, 1, 0, 1) })
		var worst float64
		for i, v := range x {
			want := math.Exp(float64(v))
			switch {
			case v != v:
				if y[i] == y[i] {
					t.Fatalf("%s: exp(NaN) = %v", path, y[i])
				}
				continue
			case float32(want) == y[i]:
				continue
			}
			unit := max(math.Ldexp(1, math.Ilogb(want)-23), math.SmallestNonzeroFloat32)
			off := math.Abs(float64(y[i])-want) / unit
			if worst = max(worst, off); !(off <= 2) {
				t.Fatalf("%s: exp(%v) = %v, want %v", path, v, y[i], want)
			}
		}
		t.Logf("%s: off by at most %.3f units in the last place", path, worst)
		if path == pathPortable {
			continue
		}
		bits := make([]uint32, len(y))
		for i, v := range y {
			bits[i] = math.Float32bits(v)
		}
		if first == nil {
			first = bits
		}
		for i, b := range bits {
			if b != first[i] {
				t.Fatalf("%s: exp(%v) has bits %08x, %08x on another path", path, x[i], b, first[i])
			}
		}
	}
}

// A row of -Inf has no distribution; one with a NaN has none either and says so, wherever it stands.
func TestSoftmaxRowEdges(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	onEachPath(t, func(t *testing.T) {
		for _, n := range []int{1, 3, 32, 70, sumPart + 5} {
			hidden := slices.Repeat([]float32{-inf}, n)
			y := slices.Clone(hidden)
			if lse := softmaxRow32(y, y, 0.5); !math.IsInf(lse, -1) || !slices.Equal(y, make([]float32, n)) {
				t.Errorf("%d times -Inf becomes %v, %v", n, y, lse)
			}
			if m, z := LogSumExp(hidden); m != -inf || z != 0 {
				t.Errorf("%d times -Inf: LogSumExp is %v, %v", n, m, z)
			}
			for _, others := range []float32{-inf, 0, inf} {
				for _, at := range []int{0, n / 2, n - 1} {
					x := slices.Repeat([]float32{others}, n)
					x[at] = nan
					if _, z := LogSumExp(x); z == z {
						t.Errorf("LogSumExp of %d times %v with a NaN at %d is %v", n, others, at, z)
					}
					if lse := softmaxRow32(x, x, 0.5); lse == lse || x[0] == x[0] || x[n-1] == x[n-1] {
						t.Errorf("%d times %v with a NaN at %d become %v, %v", n, others, at, x, lse)
					}
				}
			}
		}
		x := []float32{1e4, -inf, 1e4}
		if lse := softmaxRow32(x, x, 1); math.Abs(lse-1e4-math.Ln2) > 1e-3 || x[0] != 0.5 || x[1] != 0 {
			t.Errorf("large scores become %v, %v", x, lse)
		}
		p, dp := []float32{-inf, 2}, []float32{5, 7}
		if attentionGradRow32(p, dp, 0.5, 1, 3); p[0] != 0 || dp[0] != 0 || p[1] != 1 || dp[1] != 2 {
			t.Errorf("scores -Inf and 1 have probabilities %v and gradients %v", p, dp)
		}
	})
}

// Rows as long as large vocabularies are as precise as short ones.
func TestSoftmaxLongRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{sumPart, sumPart + 1, 50257, 150001} {
		x, want := make([]float32, n), make([]float64, n)
		var sum float64
		for i := range x {
			x[i] = float32(rng.NormFloat64())
			want[i] = math.Exp(0.5 * float64(x[i]))
			sum += want[i]
		}
		onEachPath(t, func(t *testing.T) {
			y := make([]float32, n)
			if lse := softmaxRow32(y, x, 0.5); math.Abs(lse-math.Log(sum)) > 1e-6 {
				t.Errorf("%d numbers: log of the sum is %v, want %v", n, lse, math.Log(sum))
			}
			for i, v := range y {
				if p := want[i] / sum; math.Abs(float64(v)-p) > 1e-6*p {
					t.Fatalf("%d numbers: probability %d is %v, want %v", n, i, v, p)
				}
			}
		})
	}
}

// A call in float32 allocates nothing once it has found its memory.
func TestExponentialsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	const cols, n = 300, 20 * 300
	x, y, z := make([]float32, 2*n), make([]float32, 2*n), make([]float32, 2*n)
	dx, dy := make([]float32, 2*n), make([]float32, 2*n)
	losses, lse, targets := make([]float32, n/cols), make([]float32, 2*n/cols), make([]int, n/cols)
	ce := CrossEntropy[float32]{Classes: cols, ZLoss: 0.1}
	capped := CrossEntropy[float32]{Classes: cols, SoftCap: 30, Focal: 2}
	binary := Binary[float32]{Yes: []float64{2}, No: 1, Focal: 2}
	all, each := RowFactors[float32]{All: 1}, RowFactors[float32]{Rows: losses}
	onEachPath(t, func(t *testing.T) {
		for name, f := range map[string]func(){
			"Softmax":                  func() { Softmax(y, x, cols) },
			"SoftmaxBackward":          func() { SoftmaxBackward(dx, dy, y, cols) },
			"LogSoftmax":               func() { LogSoftmax(y, x, cols) },
			"LogSoftmaxBackward":       func() { LogSoftmaxBackward(dx, dy, y, cols) },
			"CrossEntropy":             func() { ce.Forward(losses, lse, x[:n], targets, nil) },
			"CrossEntropy backward":    func() { ce.Backward(dx[:n], lse, x[:n], targets, all, each) },
			"SoftCrossEntropy":         func() { distances[2].forward(losses, x[:n], y[:n], cols) },
			"SoftCrossEntropyBackward": func() { distances[2].backward(dx, x, y, cols, all) },
			"KLDivergence":             func() { distances[3].forward(losses, x[:n], y[:n], cols) },
			"KLDivergenceBackward":     func() { distances[3].backward(dx[:n], x[:n], y[:n], cols, each) },
			"ReverseKL backward":       func() { distances[4].backward(dx[:n], x[:n], y[:n], cols, each) },
			"Binary":                   func() { binary.Losses(losses, x[:n/cols], y[:n/cols], nil) },
			"Binary backward":          func() { binary.Gradients(dx[:n], x[:n], y[:n], all) },
			"capped CrossEntropy":      func() { capped.Forward(losses, lse, x[:n], targets, nil) },
			"ReLU":                     func() { ReLU(y, x) },
			"ReLUBackward":             func() { ReLUBackward(dx, dy, x) },
			"SiLU":                     func() { SiLU(y, x) },
			"SiLUBackward":             func() { SiLUBackward(dx, dy, x) },
			"SwiGLU":                   func() { SwiGLU(z, x, y) },
			"SwiGLUBackward":           func() { SwiGLUBackward(dx, z, dy, x, y) },
			"SwiGLUPacked":             func() { SwiGLUPacked(y[:n], x, cols) },
			"SwiGLUPackedBackward":     func() { SwiGLUPackedBackward(dx, dy[:n], x, cols) },
			"GELU":                     func() { GELU(y, x) },
			"GELUBackward":             func() { GELUBackward(dx, dy, x) },
			"GELUTanh":                 func() { GELUTanh(y, x) },
			"GELUTanhBackward":         func() { GELUTanhBackward(dx, dy, x) },
		} {
			if got := testing.AllocsPerRun(20, f); got != 0 {
				t.Errorf("%s makes %v allocations", name, got)
			}
		}
	})
}
