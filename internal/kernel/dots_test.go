package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Each row of a product is what it is alone, on both instruction sets alike, and near the sum in float64.
func TestDots(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 0))
	for _, m := range []int{1, 2, 3, 4, 5, 9, 33} {
		for _, n := range []int{1, 2, 3, 4, 7, 8, 9, 16, 35} {
			for _, k := range []int{1, 7, 8, 15, 16, 17, 24, 31, 33, 64, 172, dotsTestTerms} {
				if k == dotsTestTerms && (m > 2 || n > 3) {
					continue
				}
				for _, add := range []bool{false, true} {
					testDots(t, rng, m, n, k, add)
				}
			}
		}
	}
}

// dotsTestTerms are more than one call sums up.
const dotsTestTerms = 1<<16 + 5

func testDots(t *testing.T, rng *rand.Rand, m, n, k int, add bool) {
	t.Helper()
	ldx, ldw, ldy := k+3, k+1, n+2
	x, w, y := normal(rng, m*ldx), normal(rng, n*ldw), normal(rng, m*ldy)
	var first []float32
	for _, path := range supportedPaths() {
		onPath(path, func() {
			got := slices.Clone(y)
			Dots(m, n, k, x, ldx, w, ldw, got, ldy, add)
			for i := range m {
				for j := range ldy {
					want, size := float64(y[i*ldy+j]), 0.0
					if j < n {
						if !add {
							want = 0
						}
						for p := range k {
							term := float64(x[i*ldx+p]) * float64(w[j*ldw+p])
							want, size = want+term, size+math.Abs(term)
						}
					}
					if math.Abs(float64(got[i*ldy+j])-want) > 1e-6*(size+math.Abs(want)) {
						t.Fatalf("(%d, %d, %d) add %v: element %d %d is %v, want %v", m, n, k, add, i, j, got[i*ldy+j], want)
					}
				}
				alone := slices.Clone(y[i*ldy:][:n])
				Dots(1, n, k, x[i*ldx:], ldx, w, ldw, alone, ldy, add)
				if !slices.Equal(alone, got[i*ldy:][:n]) {
					t.Fatalf("(%d, %d, %d) add %v: row %d differs from itself alone", m, n, k, add, i)
				}
			}
			if path != pathPortable {
				if first == nil {
					first = got
				} else if !slices.Equal(first, got) {
					t.Fatalf("(%d, %d, %d) add %v: instruction sets differ", m, n, k, add)
				}
			}
		})
	}
}

func normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// BenchmarkDots measures products with the weights of a linear layer when few tokens are there, beside Gemm.
func BenchmarkDots(b *testing.B) {
	for _, layer := range [][2]int{{64, 172}, {128, 344}, {512, 1344}, {512, 10000}} {
		for _, m := range []int{1, 4, 16, 32} {
			k, n := layer[0], layer[1]
			x, w, y := normal(rand.New(rand.NewPCG(1, 1)), m*k), Make[float32](n*k), make([]float32, m*n)
			for name, f := range map[string]func(){
				"dots": func() { Dots(m, n, k, x, k, w, k, y, n, false) },
				"gemm": func() { Gemm(false, true, m, n, k, x, k, w, k, y, n, false) },
			} {
				b.Run(fmt.Sprintf("%dx%dx%d/%s", m, n, k, name), func(b *testing.B) {
					for b.Loop() {
						f()
					}
					seconds := b.Elapsed().Seconds() / float64(b.N)
					b.ReportMetric(2*float64(m*n*k)/seconds/1e9, "GFLOP/s")
					b.ReportMetric(4*float64(n*k)/seconds/1e9, "GB/s")
				})
			}
		}
	}
}
