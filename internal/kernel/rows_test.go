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
	{"exp", func(out, in [3][]float32) float64 { expRow(out[0], in[0], 0.8, 0.5, 1.5); return 0 }, 1e-6},
	{"max", func(out, in [3][]float32) float64 { return float64(max32(in[0])) }, 0},
	{"exp sum", func(out, in [3][]float32) float64 { return expSum32(in[0], 0.5) }, 1e-6},
	{"softmax", func(out, in [3][]float32) float64 { return softmaxRow32(out[0], in[0], 0.3) }, 1e-6},
	{"attention gradient", func(out, in [3][]float32) float64 {
		copy(out[0], in[0])
		copy(out[1], in[1])
		attentionGradRow32(out[0], out[1], 0.3, 1.2, 0.1)
		return 0
	}, 1e-6},
	{"softmax gradient", func(out, in [3][]float32) float64 {
		softmaxGradRow(out[0], in[0], in[1], 0.3)
		return 0
	}, 0},
	{"log-softmax", func(out, in [3][]float32) float64 {
		logSoftmaxRow(out[0], in[0], 0.3, 0.7)
		return 0
	}, 0},
	{"exp subtracted", func(out, in [3][]float32) float64 {
		subtractExpRow(out[0], in[0], in[1], 0.3, 0.7)
		return 0
	}, 1e-6},
	{"silu", func(out, in [3][]float32) float64 { siluRow(out[0], in[0]); return 0 }, 1e-6},
	{"silu gradient", func(out, in [3][]float32) float64 { siluGradRow(out[0], in[1], in[0]); return 0 }, 1e-6},
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
	{"sum", func(out, in [3][]float32) float64 { return sum32(in[0]) }, 1e-5},
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
	{"gelu by tanh", func(out, in [3][]float32) float64 { geluTanhRow(out[0], in[0]); return 0 }, 1e-6},
	{"gelu by tanh gradient", func(out, in [3][]float32) float64 { geluTanhGradRow(out[0], in[1], in[0]); return 0 }, 1e-6},
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
	return runRowOf(t, f, n, func() float32 { return float32(rng.NormFloat64()) * 3 })
}

// runRowOf is runRow on the numbers that next returns.
func runRowOf(t *testing.T, f func(out, in [3][]float32) float64, n int, next func() float32) []float32 {
	t.Helper()
	var in, out, room [3][]float32
	for k := range in {
		x := make([]float32, n+k+1)
		for i := range x {
			x[i] = next()
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
			for _, path := range paths { // of nothing
				onPath(path, func() { runRow(t, k.f, 0) })
			}
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
						if !slices.EqualFunc(got, first, sameBits) {
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

// AVX2 and AVX-512 agree as well on numbers that are infinite, huge, denormal or none.
func TestRowsOfExtremes(t *testing.T) {
	paths := supportedPaths()
	if len(paths) < 3 {
		t.Skip("there are no two paths with assembly")
	}
	inf := float32(math.Inf(1))
	finite := []float32{0, float32(math.Copysign(0, -1)), 1e-40, -1e-40, 1, -1, 88.5, -103.5, 1e4, -1e4, 1e30, math.MaxFloat32, -math.MaxFloat32}
	for _, numbers := range [][]float32{finite, append(finite, -inf), append(finite, inf, -inf, float32(math.NaN()))} {
		for _, k := range rowKernels {
			for n := range 70 {
				var results [2][]float32
				for i, path := range paths[1:] {
					rng := rand.New(rand.NewPCG(uint64(n), 5))
					next := func() float32 { return numbers[rng.IntN(len(numbers))] }
					onPath(path, func() { results[i] = runRowOf(t, k.f, n, next) })
				}
				if !slices.EqualFunc(results[0], results[1], sameBits) {
					t.Fatalf("%s, n = %d: %s yields %v, %s %v", k.name, n, paths[1], results[0], paths[2], results[1])
				}
			}
		}
	}
}

// Rows with exponentials may lie over what they are made of.
func TestRowsInPlace(t *testing.T) {
	for _, k := range []struct {
		name string
		f    func(dst, x, y []float32)
	}{
		{"exp", func(dst, x, _ []float32) { expRow(dst, x, 0.8, 0.5, 1.5) }},
		{"softmax", func(dst, x, _ []float32) { softmaxRow32(dst, x, 0.3) }},
		{"softmax gradient", func(dst, x, y []float32) { softmaxGradRow(dst, x, y, 0.3) }},
		{"log-softmax", func(dst, x, _ []float32) { logSoftmaxRow(dst, x, 0.3, 0.7) }},
		{"exp subtracted", func(dst, x, y []float32) { subtractExpRow(dst, x, y, 0.3, 0.7) }},
		{"silu", func(dst, x, _ []float32) { siluRow(dst, x) }},
		{"silu gradient", siluGradRow},
		{"swiglu", swigluRow},
		{"gelu", func(dst, x, _ []float32) { geluRow(dst, x) }},
		{"gelu gradient", geluGradRow},
		{"gelu by tanh", func(dst, x, _ []float32) { geluTanhRow(dst, x) }},
		{"gelu by tanh gradient", geluTanhGradRow},
	} {
		onEachPath(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(6, 7))
			for _, n := range []int{1, 7, 16, 77, sumPart + 33} {
				x, y, want := make([]float32, n), make([]float32, n), make([]float32, n)
				for i := range x {
					x[i], y[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
				}
				k.f(want, x, y)
				over := slices.Clone(x)
				if k.f(over, over, y); !slices.Equal(over, want) {
					t.Errorf("%s, n = %d: another result over the first operand", k.name, n)
				}
				over = slices.Clone(y)
				if k.f(over, x, over); !slices.Equal(over, want) {
					t.Errorf("%s, n = %d: another result over the second operand", k.name, n)
				}
			}
		})
	}
}

// sameBits reports whether x and y are the same to the bit, or both NaN.
func sameBits(x, y float32) bool {
	return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
}

func lengths(to int) (ns []int) {
	for n := 1; n <= to; n++ {
		ns = append(ns, n)
	}
	return ns
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
