package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rowKernels are the loops of a row that have assembly. Each computes out from in, and a number.
var rowKernels = []struct {
	name string
	f    func(out, in [3][]float32) float64
	tol  float64 // how far, in parts of the largest result, assembly may be from Go
}{
	{"exp", func(out, in [3][]float32) float64 { expRow(out[0], in[0], 0.5, 1.5); return 0 }, 3e-7},
	{"max", func(out, in [3][]float32) float64 { return float64(max32(in[0])) }, 0},
	{"exp sum", func(out, in [3][]float32) float64 { return expSum32(in[0], 0.5) }, 1e-6},
	{"softmax", func(out, in [3][]float32) float64 { return softmaxRow32(out[0], in[0], 0.3) }, 1e-6},
	{"attention gradient", func(out, in [3][]float32) float64 {
		copy(out[0], in[0])
		copy(out[1], in[1])
		attentionGradRow32(out[0], out[1], 0.3, 1.2, 0.1)
		return 0
	}, 1e-6},
	{"swiglu", func(out, in [3][]float32) float64 { swigluRow(out[0], in[0], in[1]); return 0 }, 1e-6},
	{"swiglu gradient", func(out, in [3][]float32) float64 {
		swigluGradRow(out[0], out[1], in[0], in[1], in[2])
		return 0
	}, 1e-6},
	{"add", func(out, in [3][]float32) float64 { addRow(out[0], in[0], in[1]); return 0 }, 0},
	{"mul", func(out, in [3][]float32) float64 { mulRow(out[0], in[0], in[1]); return 0 }, 0},
	{"scale", func(out, in [3][]float32) float64 { scaleRow(out[0], in[0], 1.7); return 0 }, 0},
	{"axpy", func(out, in [3][]float32) float64 { copy(out[0], in[0]); axpyRow(out[0], 1.7, in[1]); return 0 }, 1e-6},
	{"dot", func(out, in [3][]float32) float64 { return float64(dot32(in[0], in[1])) }, 1e-5},
	{"squares", func(out, in [3][]float32) float64 { return squares32(in[0]) }, 1e-12},
	{"rmsnorm", func(out, in [3][]float32) float64 { rmsNormRow(out[0], in[0], in[1], 0.7); return 0 }, 1e-6},
	{"rmsnorm gradient", func(out, in [3][]float32) float64 {
		clear(out[1])
		rmsNormGradRow(out[0], out[1], in[0], in[1], in[2], nil, 0.7)
		return 0
	}, 1e-5},
	{"rmsnorm gradient added", func(out, in [3][]float32) float64 {
		clear(out[1])
		copy(out[0], in[0])
		rmsNormGradRow(out[0], out[1], in[0], in[1], in[2], out[0], 0.7)
		return 0
	}, 1e-5},
	{"adam", func(out, in [3][]float32) float64 {
		copy(out[0], in[0])
		copy(out[1], in[1])
		mulRow(out[2], in[2], in[2])
		var factors [10]float32
		adamFactors(Adam{Rate: 0.01, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Shrink: 0.99, Penalty: 0.1, Correct1: 0.5, Correct2: 0.4, Factor: 0.3}, &factors)
		adamRow(out[0], in[1], out[1], out[2], &factors)
		return 0
	}, 1e-6},
	{"gelu", func(out, in [3][]float32) float64 { geluRow(out[0], in[0]); return 0 }, 1e-6},
	{"gelu gradient", func(out, in [3][]float32) float64 { geluGradRow(out[0], in[1], in[0]); return 0 }, 1e-6},
	{"layernorm", func(out, in [3][]float32) float64 {
		mean, inv := layerNormRow(out[0], in[0], in[1], in[2], 0.1)
		return float64(mean + inv)
	}, 1e-5},
	{"layernorm gradient", func(out, in [3][]float32) float64 {
		clear(out[1])
		clear(out[2])
		layerNormGradRow(out[0], out[1], out[2], in[0], in[1], in[2], nil, 0.2, 0.7)
		return 0
	}, 1e-5},
	{"pairs", func(out, in [3][]float32) float64 {
		n := len(in[0]) / 4 * 2 // two heads of even width
		ropePairsRow(out[0], in[0], in[1][:n], in[2][:n], 2, false)
		ropePairsRow(out[1], in[0], in[1][:n], in[2][:n], 2, true)
		return 0
	}, 1e-6},
}

// guard is what must still stand beside results.
const guard = -77

// runRow calls a row kernel on numbers that begin off vectors, and returns its results.
func runRow(t *testing.T, f func(out, in [3][]float32) float64, n int) []float32 {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(n), 3))
	var in, out, room [3][]float32
	for k := range in {
		x := make([]float32, n+k+1)
		for i := range x {
			x[i] = float32(rng.NormFloat64()) * 3
		}
		in[k] = x[k+1:]
		room[k] = slices.Repeat([]float32{guard}, n+40)
		out[k] = room[k][17-k:][:n]
	}
	if n > 1 { // the pairs of one angle share its sine
		for i := 0; i+1 < n; i += 2 {
			in[2][i] = -in[2][i+1]
			in[1][i] = in[1][i+1]
		}
	}
	result := []float32{float32(f(out, in))}
	for k := range out {
		for i, v := range room[k] {
			if inside := i >= 17-k && i < 17-k+n; !inside && v != guard {
				t.Fatalf("n = %d: result %d is written at %d", n, k, i-17+k)
			}
		}
		result = append(result, out[k]...)
	}
	return result
}

// AVX2 and AVX-512 agree to the bit, and with Go to rounding, for all lengths of a row and its tail.
func TestRows(t *testing.T) {
	paths := supportedPaths()
	for _, k := range rowKernels {
		t.Run(k.name, func(t *testing.T) {
			for _, n := range append(lengths(100), 255, 1000, 2049, rowPart+33) {
				var want, first []float32
				for i, path := range paths {
					var got []float32
					onPath(path, func() { got = runRow(t, k.f, n) })
					switch i {
					case 0:
						want = got
						continue
					case 1:
						first = got
					default:
						if !slices.Equal(got, first) {
							t.Fatalf("n = %d: %s differs from %s", n, path, paths[1])
						}
					}
					var largest float64
					for _, v := range want {
						largest = max(largest, math.Abs(float64(v)))
					}
					for j, v := range got {
						if d := math.Abs(float64(v) - float64(want[j])); !(d <= k.tol*largest) && !math.IsInf(float64(want[j]), 0) {
							t.Fatalf("n = %d: %s: number %d is %v, want %v", n, path, j, v, want[j])
						}
					}
				}
			}
		})
	}
}

func lengths(to int) (ns []int) {
	for n := 1; n <= to; n++ {
		ns = append(ns, n)
	}
	return ns
}

// exp is right to 2 units in the last place over all float32, and at their edges.
func TestExpAccuracy(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		const step = 99991
		var x []float32
		for bits := uint64(0); bits < 1<<32; bits += step {
			x = append(x, math.Float32frombits(uint32(bits)))
		}
		x = append(x, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 88.72, 88.73, -87.3, -103.9, -104.1, 0)
		y := make([]float32, len(x))
		expRow(y, x, 0, 1)
		for i, v := range x {
			want := math.Exp(float64(v))
			if v != v {
				if y[i] == y[i] {
					t.Fatalf("exp(NaN) = %v", y[i])
				}
				continue
			}
			if want > math.MaxFloat32 {
				if !math.IsInf(float64(y[i]), 1) {
					t.Fatalf("exp(%v) = %v", v, y[i])
				}
				continue
			}
			ulp := math.Max(math.Abs(want)*(1.0/(1<<23)), math.SmallestNonzeroFloat32)
			if d := math.Abs(float64(y[i]) - want); !(d <= 2*ulp) {
				t.Fatalf("exp(%v) = %v, want %v", v, y[i], want)
			}
		}
	})
}

// A row of -Inf has no distribution; one with a NaN has none either, and says so.
func TestSoftmaxRowEdges(t *testing.T) {
	inf := float32(math.Inf(1))
	onEachPath(t, func(t *testing.T) {
		x := []float32{-inf, -inf, -inf}
		if lse := softmaxRow32(x, x, 1); !math.IsInf(lse, -1) || x[0] != 0 || x[2] != 0 {
			t.Errorf("a row of -Inf becomes %v, %v", x, lse)
		}
		x = []float32{1e4, -inf, 1e4}
		if lse := softmaxRow32(x, x, 1); math.Abs(lse-1e4-math.Ln2) > 1e-3 || x[0] != 0.5 || x[1] != 0 {
			t.Errorf("large scores become %v, %v", x, lse)
		}
		x = slices.Repeat([]float32{-inf}, 40)
		x[0] = float32(math.NaN())
		if m, z := LogSumExp(x); !math.IsNaN(float64(m) + z) {
			t.Errorf("NaN among -Inf has logarithm %v + %v", m, z)
		}
		if lse := softmaxRow32(x, x, 1); lse == lse {
			t.Errorf("NaN among -Inf becomes %v, %v", x, lse)
		}
		x = []float32{1, float32(math.NaN()), 2}
		if lse := softmaxRow32(x, x, 1); lse == lse {
			t.Errorf("a row with NaN becomes %v, %v", x, lse)
		}
	})
}

// A product hands over each row once it is there, and no row twice.
func TestGemmThen(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for _, s := range [][3]int{{1, 5, 7}, {9, 3, 4}, {130, 100, 70}, {301, 1100, 600}} {
			m, n, k := s[0], s[1], s[2]
			p := newGemmCase[float32](rand.New(rand.NewPCG(8, 1)), false, true, m, n, k, false, 0)
			want := make([]float32, m*n)
			Gemm(false, true, m, n, k, p.a, p.lda, p.b, p.ldb, want, n, false)
			got, seen := make([]float32, m*n), make([]int32, m)
			GemmThen(false, true, m, n, k, p.a, p.lda, p.b, p.ldb, got, n, false, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					seen[i]++
					if !slices.Equal(got[i*n:][:n], want[i*n:][:n]) {
						t.Errorf("%v: row %d is handed over before it is there", s, i)
					}
				}
			})
			for i, times := range seen {
				if times != 1 {
					t.Fatalf("%v: row %d is handed over %d times", s, i, times)
				}
			}
		}
	})
}

// Each loop on four thousand numbers, which stay in a cache, in assembly and in Go.
func BenchmarkRows(b *testing.B) {
	const n = 4096
	var in, out [3][]float32
	for k := range in {
		in[k], out[k] = make([]float32, n), make([]float32, n)
		for i := range in[k] {
			in[k][i] = float32(i%13) - 6
		}
	}
	for _, k := range rowKernels {
		b.Run(k.name, func(b *testing.B) {
			onEachPath(b, func(b *testing.B) {
				for b.Loop() {
					k.f(out, in)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/number")
			})
		})
	}
}
