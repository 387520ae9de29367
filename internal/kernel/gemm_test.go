package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// gemmCase is the arguments of one call and a place for its result. Slack in every row and around c holds guards.
type gemmCase[F Float] struct {
	ta, tb        bool
	m, n, k       int
	add           bool
	a, b, c       []F // c begins after the gemmGuard
	lda, ldb, ldc int
	guarded       []F
}

const gemmGuard = 40

func newGemmCase[F Float](r *rand.Rand, ta, tb bool, m, n, k int, add bool, slack int) *gemmCase[F] {
	p := &gemmCase[F]{ta: ta, tb: tb, m: m, n: n, k: k, add: add}
	p.a, p.lda = newGemmMatrix[F](r, ta, m, k, slack)
	p.b, p.ldb = newGemmMatrix[F](r, tb, k, n, slack)
	p.ldc = n + slack
	p.guarded = make([]F, m*p.ldc+2*gemmGuard)
	for i := range p.guarded {
		p.guarded[i] = F(r.NormFloat64())
	}
	p.c = p.guarded[gemmGuard : gemmGuard+max(0, (m-1)*p.ldc+n)]
	return p
}

// newGemmMatrix returns op⁻¹ of an (m, n) matrix with slack in each row, without the slack of the last.
func newGemmMatrix[F Float](r *rand.Rand, trans bool, m, n, slack int) (x []F, ld int) {
	if trans {
		m, n = n, m
	}
	ld = n + slack
	x = make([]F, max(0, (m-1)*ld+n))
	for i := range x {
		x[i] = F(r.NormFloat64())
	}
	return x, ld
}

func (p *gemmCase[F]) String() string {
	return fmt.Sprintf("Gemm[%T](%t, %t, %d, %d, %d, lda %d, ldb %d, ldc %d, add %t)",
		F(0), p.ta, p.tb, p.m, p.n, p.k, p.lda, p.ldb, p.ldc, p.add)
}

// run calls f on a copy of c and returns the copy with its guards.
func (p *gemmCase[F]) run(f func(ta, tb bool, m, n, k int, a []F, lda int, b []F, ldb int, c []F, ldc int, add bool)) []F {
	c := slices.Clone(p.guarded)
	f(p.ta, p.tb, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, c[gemmGuard:gemmGuard+len(p.c)], p.ldc, p.add)
	return c
}

// want returns what run should, with each sum in one chain, and the sums of the terms' magnitudes.
func (p *gemmCase[F]) want() (c []F, size []float64) {
	c = slices.Clone(p.guarded)
	size = make([]float64, len(c))
	for i := range p.m {
		for j := range p.n {
			at := gemmGuard + i*p.ldc + j
			var s F
			for q := range p.k {
				x, y := i*p.lda+q, q*p.ldb+j
				if p.ta {
					x = q*p.lda + i
				}
				if p.tb {
					y = j*p.ldb + q
				}
				s += p.a[x] * p.b[y]
				size[at] += math.Abs(float64(p.a[x] * p.b[y]))
			}
			if p.add {
				size[at] += math.Abs(float64(c[at]))
				s += c[at]
			}
			c[at] = s
		}
	}
	return c, size
}

// check fails the test unless got, from run, is the product to within tol of its terms' magnitude.
func (p *gemmCase[F]) check(t *testing.T, how string, got []F, tol float64) {
	t.Helper()
	want, size := p.want()
	for i := range got {
		x, y := float64(got[i]), float64(want[i])
		switch {
		case x == y, math.IsNaN(x) && math.IsNaN(y):
			continue
		case math.Abs(x-y) <= tol*size[i] && !math.IsInf(size[i], 0):
			continue
		}
		at := i - gemmGuard
		t.Fatalf("%s: %v: c[%d][%d] = %v, want %v", how, p, at/max(p.ldc, 1), at%max(p.ldc, 1), got[i], want[i])
	}
}

// gemmSizes are those around every tile's edges; together with the others drawn at random they meet all remainders.
var gemmSizes = []int{0, 1, 2, 3, 4, 5, 7, 8, 13, 14, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 70}

// gemmCases calls f on a sample of products with sizes up to 70, all transposes and leading dimensions.
func gemmCases[F Float](seed uint64, count int, f func(p *gemmCase[F])) {
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range count {
		size := func() int {
			if r.IntN(3) == 0 {
				return r.IntN(71)
			}
			return gemmSizes[r.IntN(len(gemmSizes))]
		}
		f(newGemmCase[F](r, i&1 != 0, i&2 != 0, size(), size(), size(), i&4 != 0, []int{0, 1, 19}[i/8%3]))
	}
}

func TestGemm(t *testing.T) {
	testGemm[float64](t, 1e-13)
	onEachPath(t, func(t *testing.T) { testGemm[float32](t, 1e-5) })
}

func testGemm[F Float](t *testing.T, tol float64) {
	gemmCases(1, 800, func(p *gemmCase[F]) {
		a, b := slices.Clone(p.a), slices.Clone(p.b)
		p.check(t, "Gemm", p.run(Gemm[F]), tol)
		if !slices.Equal(a, p.a) || !slices.Equal(b, p.b) {
			t.Fatalf("%v: changes its operands", p)
		}
		if got, want := p.run(GemmSerial[F]), p.run(Gemm[F]); !slices.Equal(got, want) {
			t.Fatalf("%v: GemmSerial differs from Gemm", p)
		}
	})
}

// gemmLargeSizes need several blocks in some direction, or are vectors.
var gemmLargeSizes = [][3]int{
	{3, 1100, 400}, {130, 517, 20}, {700, 30, 33}, {30, 33, 800},
	{1, 600, 1100}, {600, 1, 1100}, {1, 1200, 130}, {1200, 1, 130}, {1, 3, gemmLongSum}, {3, 1, gemmLongSum}, {5, 300, 500},
}

// gemmLongSum is a number of terms so large that the product of two vectors is computed in parts.
const gemmLongSum = 1<<16 + 7

func TestGemmLarge(t *testing.T) {
	testGemmLarge[float64](t, 1e-13)
	onEachPath(t, func(t *testing.T) { testGemmLarge[float32](t, 1e-5) })
}

func testGemmLarge[F Float](t *testing.T, tol float64) {
	r := rand.New(rand.NewPCG(2, 0))
	for i, size := range gemmLargeSizes {
		for transposes := range 4 {
			p := newGemmCase[F](r, transposes&1 != 0, transposes&2 != 0, size[0], size[1], size[2], i%2 == 1, i)
			p.check(t, "Gemm", p.run(Gemm[F]), tol)
		}
	}
}

// Leading dimensions that are large powers of two make all rows compete for the same cache lines.
func TestGemmPowerOfTwo(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 0))
		for transposes := range 4 {
			ta, tb := transposes&1 != 0, transposes&2 != 0
			p := newGemmCase[float32](r, ta, tb, 31, 70, 35, ta, 0)
			p.lda, p.ldb, p.ldc = 1024, 1024, 1024
			p.a, p.b, p.guarded = make([]float32, 71*1024), make([]float32, 71*1024), make([]float32, 31*1024+2*gemmGuard)
			for _, x := range [][]float32{p.a, p.b, p.guarded} {
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
			}
			p.c = p.guarded[gemmGuard : gemmGuard+30*1024+70]
			p.check(t, "Gemm", p.run(Gemm[float32]), 1e-5)
		}
	})
}

func TestGemmSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 0))
	sizes := append([][3]int{{129, 130, 131}, {15, 700, 300}, {700, 3, 515}, {61, 62, 1030}, {710, 64, 40}}, gemmLargeSizes...)
	for i, size := range sizes {
		for transposes := range 4 {
			p := newGemmCase[float32](r, transposes&1 != 0, transposes&2 != 0, size[0], size[1], size[2], i%2 == 0, i)
			results := map[string][]float32{}
			for _, path := range supportedPaths() {
				onPath(path, func() {
					want := p.run(GemmSerial[float32])
					results[path] = want
					for threads := 1; threads <= 4; threads++ {
						withThreads(t, threads, func() {
							if got := p.run(Gemm[float32]); !slices.Equal(got, want) {
								t.Fatalf("%s: %v differs between 1 and %d threads", path, p, threads)
							}
						})
					}
				})
			}
			if x, y := results[pathAVX2], results[pathAVX512]; x != nil && y != nil && !slices.Equal(x, y) {
				t.Fatalf("%v differs between AVX2 and AVX-512", p)
			}
		}
	}
}

func TestGemmSmallSameBits(t *testing.T) {
	if !slices.Contains(supportedPaths(), pathAVX512) {
		t.Skip("no AVX-512")
	}
	gemmCases(7, 1000, func(p *gemmCase[float32]) {
		var x, y []float32
		onPath(pathAVX2, func() { x = p.run(Gemm[float32]) })
		onPath(pathAVX512, func() { y = p.run(Gemm[float32]) })
		if !slices.Equal(x, y) {
			t.Fatalf("%v differs between AVX2 and AVX-512", p)
		}
	})
}

// A zero does not hide what it is multiplied with.
func TestGemmKeepsNaNAndInf(t *testing.T) {
	onEachPath(t, testGemmKeepsNaNAndInf)
}

func testGemmKeepsNaNAndInf(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	gemmCases(4, 400, func(p *gemmCase[float32]) {
		if p.m*p.n*p.k == 0 {
			return
		}
		for i := range p.a {
			if i%3 == 0 {
				p.a[i] = 0
			}
		}
		p.a[len(p.a)*2/3] = inf
		p.b[len(p.b)/2] = nan
		p.b[len(p.b)/3] = -inf
		p.check(t, "Gemm", p.run(Gemm[float32]), 1e-5)
	})
}

func TestGemmOutOfRangePanics(t *testing.T) {
	const n = 20
	full := make([]float32, n*n)
	for name, short := range map[string][3]int{"a": {1, 0, 0}, "b": {0, 1, 0}, "c": {0, 0, 1}} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("Gemm of %d×%d matrices, %s one element short: no panic", n, n, name)
				}
			}()
			x := func(i int) []float32 { return full[: n*n-short[i] : n*n-short[i]] }
			Gemm(false, false, n, n, n, x(0), n, x(1), n, x(2), n, false)
		})
	}
}

func ExampleGemm() {
	a := []float64{1, 2, 3, 4, 5, 6} // (2, 3)
	b := []float64{1, 0, 1, 2, 2, 0} // (2, 3): its transpose is (3, 2)
	c := make([]float64, 4)
	Gemm(false, true, 2, 2, 3, a, 3, b, 3, c, 2, false)
	fmt.Println(c)
	// Output: [4 6 10 18]
}
