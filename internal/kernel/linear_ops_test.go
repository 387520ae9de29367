package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// random returns n numbers of the normal distribution.
func random[F Float](r *rand.Rand, n int) []F {
	x := make([]F, n)
	for i := range x {
		x[i] = F(r.NormFloat64())
	}
	return x
}

// linearOp is an operation on rows of dim elements. It returns what it computes from operands it makes with r.
type linearOp struct {
	name string
	run  func(r *rand.Rand, rows, dim int) [][]float32
}

var linearOps = []linearOp{
	{"RMSNorm", func(r *rand.Rand, rows, dim int) [][]float32 {
		y, inv := make([]float32, rows*dim), make([]float32, rows)
		RMSNorm(y, inv, random[float32](r, rows*dim), random[float32](r, dim), 1e-5)
		return [][]float32{y, inv}
	}},
	{"RMSNormBackward", func(r *rand.Rand, rows, dim int) [][]float32 {
		dx, dw := random[float32](r, rows*dim), make([]float32, dim)
		RMSNormBackward(dx, dw, random[float32](r, rows*dim), random[float32](r, rows*dim), random[float32](r, dim), random[float32](r, rows), dx)
		return [][]float32{dx, dw}
	}},
	{"LayerNorm", func(r *rand.Rand, rows, dim int) [][]float32 {
		y, mean, inv := make([]float32, rows*dim), make([]float32, rows), make([]float32, rows)
		LayerNorm(y, mean, inv, random[float32](r, rows*dim), random[float32](r, dim), random[float32](r, dim), 0.1)
		return [][]float32{y, mean, inv}
	}},
	{"LayerNormBackward", func(r *rand.Rand, rows, dim int) [][]float32 {
		dx, dw, db := random[float32](r, rows*dim), make([]float32, dim), make([]float32, dim)
		LayerNormBackward(dx, dw, db, random[float32](r, rows*dim), random[float32](r, rows*dim), random[float32](r, dim),
			random[float32](r, rows), random[float32](r, rows), dx)
		return [][]float32{dx, dw, db}
	}},
	{"ColumnSums", func(r *rand.Rand, rows, dim int) [][]float32 {
		dst := random[float32](r, dim)
		ColumnSums(dst, random[float32](r, rows*dim))
		return [][]float32{dst}
	}},
	{"SumSquares", func(r *rand.Rand, rows, dim int) [][]float32 {
		return [][]float32{{float32(SumSquares(random[float32](r, rows*dim)))}}
	}},
	{"AdamStep", func(r *rand.Rand, rows, dim int) [][]float32 {
		w, m, v := random[float32](r, rows*dim), random[float32](r, rows*dim), make([]float32, rows*dim)
		AdamStep(Adam{Rate: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-3, Shrink: 0.9, Penalty: 0.1, Correct1: 0.5, Correct2: 0.3, Factor: 0.7},
			w, random[float32](r, rows*dim), m, v)
		return [][]float32{w, m, v}
	}},
	{"SGDStep", func(r *rand.Rand, rows, dim int) [][]float32 {
		w, v := random[float32](r, rows*dim), random[float32](r, rows*dim)
		SGDStep(SGD{Rate: 0.1, Penalty: 0.1, Momentum: 0.9, Dampening: 0.2, Factor: 0.7}, w, random[float32](r, rows*dim), v)
		return [][]float32{w, v}
	}},
	{"EmbeddingBackward", func(r *rand.Rand, rows, dim int) [][]float32 {
		ids := make([]int, rows)
		for i := range ids {
			ids[i] = r.IntN(5)
		}
		dtable := random[float32](r, 5*dim)
		EmbeddingBackward(dtable, random[float32](r, rows*dim), ids, dim)
		return [][]float32{dtable}
	}},
	{"RoPE", func(r *rand.Rand, rows, dim int) [][]float32 { return rope(r, rows, dim, false) }},
	{"RoPE of halves", func(r *rand.Rand, rows, dim int) [][]float32 { return rope(r, rows, dim, true) }},
	{"BroadcastAdd", func(r *rand.Rand, rows, dim int) [][]float32 {
		dst := make([]float32, rows*dim)
		BroadcastAdd(NewBroadcast([]int{rows, dim}, []int{rows, dim}, []int{dim}), dst, random[float32](r, rows*dim), random[float32](r, dim))
		return [][]float32{dst}
	}},
}

// rope turns two heads in rows that go on behind them.
func rope(r *rand.Rand, rows, dim int, split bool) [][]float32 {
	t := NewRotation[float32](dim/4*2, 100, split)
	t.Grow(rows+3, 0)
	dst := make([]float32, rows*dim)
	t.RoPE(dst, random[float32](r, rows*dim), 2, dim, false, Places{Seq: rows, Offsets: []int{3}})
	return [][]float32{dst}
}

// Operations have the same bits at any number of threads and on both sets of instructions, and nearly those of Go.
func TestLinearOpsSameBits(t *testing.T) {
	for _, op := range linearOps {
		for _, size := range [][2]int{{1, 4}, {3, 7}, {15, 36}, {600, 100}} {
			run := func(path string, threads int) (all [][]float32) {
				withThreads(t, threads, func() {
					onPath(path, func() { all = op.run(rand.New(rand.NewPCG(3, 4)), size[0], size[1]) })
				})
				return all
			}
			portable := run(pathPortable, 1)
			for _, path := range supportedPaths() {
				want := run(supportedPaths()[min(1, len(supportedPaths())-1)], 1)
				if path == pathPortable {
					want = portable
				}
				for _, threads := range []int{1, 2, 3} {
					for i, got := range run(path, threads) {
						what := fmt.Sprintf("%s of %v on %s with %d threads: result %d", op.name, size, path, threads, i)
						if !slices.Equal(got, want[i]) {
							t.Errorf("%s has other bits", what)
						}
						if err := agree(got, portable[i], 2e-4); err != nil {
							t.Errorf("%s: %v", what, err)
						}
					}
				}
			}
		}
	}
}

// Norms and their gradients are their formulas, r is added to the gradient of x, and rows may be longer than a call of
// assembly takes.
func TestNormGradients(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for _, size := range [][2]int{{1, 1}, {2, 3}, {40, 33}, {2, rowPart + 5}} {
			testNormGradients[float32](t, size[0], size[1], 2e-3)
			testNormGradients[float64](t, size[0], size[1], 1e-10)
		}
	})
}

func testNormGradients[F Float](t *testing.T, rows, dim int, tol float64) {
	t.Helper()
	const eps = 0.1
	r := rand.New(rand.NewPCG(5, 6))
	x, w, b, dy, before := random[F](r, rows*dim), random[F](r, dim), random[F](r, dim), random[F](r, rows*dim), random[F](r, rows*dim)
	y, mean, inv := make([]F, rows*dim), make([]F, rows), make([]F, rows)
	for _, centred := range []bool{false, true} {
		name := "RMSNorm"
		dx, dw, db := slices.Clone(before), make([]F, dim), make([]F, dim)
		if centred {
			name = "LayerNorm"
			LayerNorm(y, mean, inv, x, w, b, eps)
			LayerNormBackward(dx, dw, db, dy, x, w, mean, inv, dx)
		} else {
			RMSNorm(y, inv, x, w, eps)
			RMSNormBackward(dx, dw, dy, x, w, inv, dx)
		}
		wantDW, wantDB := make([]float64, dim), make([]float64, dim)
		for i := range rows {
			var mu, variance, a, c float64
			at := func(v []F, j int) float64 { return float64(v[i*dim+j]) }
			if centred {
				for j := range dim {
					mu += at(x, j) / float64(dim)
				}
			}
			for j := range dim {
				variance += (at(x, j) - mu) * (at(x, j) - mu) / float64(dim)
			}
			s := 1 / math.Sqrt(variance+eps)
			for j := range dim {
				n, g := (at(x, j)-mu)*s, at(dy, j)*float64(w[j])
				a, c = a+g/float64(dim), c+g*n/float64(dim)
				wantDW[j] += at(dy, j) * n
				wantDB[j] += at(dy, j)
				want := n * float64(w[j])
				if centred {
					want += float64(b[j])
				}
				near(t, name, at(y, j), want, tol)
			}
			if !centred {
				a = 0
			}
			for j := range dim {
				want := at(before, j) + s*(at(dy, j)*float64(w[j])-a-(at(x, j)-mu)*s*c)
				near(t, name+" dx", at(dx, j), want, tol)
			}
		}
		for j := range dim {
			near(t, name+" dw", float64(dw[j]), wantDW[j], tol)
			if centred {
				near(t, name+" db", float64(db[j]), wantDB[j], tol)
			}
		}
	}
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*(1+math.Abs(want))) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// Operations in float32 allocate nothing once there is memory for them.
func TestLinearOpsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	const rows, dim = 64, 600
	r := rand.New(rand.NewPCG(7, 8))
	x, y, z, v := random[float32](r, rows*dim), random[float32](r, rows*dim), random[float32](r, rows*dim), make([]float32, rows*dim)
	w, b, dw, db, inv, mean := x[:dim], y[:dim], make([]float32, dim), make([]float32, dim), make([]float32, rows), make([]float32, rows)
	ids := make([]int, rows)
	pairs, halves := NewRotation[float32](dim/4, 100, false), NewRotation[float32](dim/4, 100, true)
	pairs.Grow(rows, 0)
	halves.Grow(rows, 2*rows)
	bias := NewBroadcast([]int{rows, dim}, []int{rows, dim}, []int{dim})
	column := NewBroadcast([]int{rows, dim}, []int{rows, dim}, []int{rows, 1})
	sum, all := NewSumTo([]int{dim}, []int{rows, dim}), NewSumTo(nil, []int{rows, dim})
	repeat, transpose := NewBroadcastTo([]int{rows, dim}, []int{dim}), NewTranspose([]int{rows, dim}, []int{1, 0})
	for name, f := range map[string]func(){
		"Add":               func() { Add(z, x, y) },
		"Sub":               func() { Sub(z, x, y) },
		"Mul":               func() { Mul(z, x, y) },
		"Scale":             func() { Scale(z, x, 2) },
		"Axpy":              func() { Axpy(z, 2, x) },
		"Dot":               func() { Dot(x, y) },
		"Sum":               func() { Sum(x) },
		"SumSquares":        func() { SumSquares(x) },
		"ColumnSums":        func() { ColumnSums(dw, x) },
		"AddToRows":         func() { AddToRows(z, dim, rows, b) },
		"Copy":              func() { Copy(z, x) },
		"RMSNorm":           func() { RMSNorm(z, inv, x, w, 1e-5) },
		"RMSNormBackward":   func() { RMSNormBackward(z, dw, y, x, w, inv, z) },
		"LayerNorm":         func() { LayerNorm(z, mean, inv, x, w, b, 1e-5) },
		"LayerNormBackward": func() { LayerNormBackward(z, dw, db, y, x, w, mean, inv, nil) },
		"AdamStep":          func() { AdamStep(Adam{Correct1: 1, Correct2: 1}, z, x, y, v) },
		"SGDStep":           func() { SGDStep(SGD{Momentum: 0.5, Nesterov: true}, z, x, v) },
		"Embedding":         func() { Embedding(z, x, ids, dim) },
		"EmbeddingBackward": func() { EmbeddingBackward(z, x, ids, dim) },
		"RoPE":              func() { pairs.RoPE(z, x, 2, dim, false, Places{Seq: rows}) },
		"RoPE of halves":    func() { halves.RoPE(z, x, 2, dim, true, Places{Seq: rows}) },
		"BroadcastAdd":      func() { BroadcastAdd(bias, z, x, b) },
		"BroadcastSub":      func() { BroadcastSub(column, z, x, inv) },
		"BroadcastMul":      func() { BroadcastMul(column, z, x, inv) },
		"SumTo":             func() { SumTo(sum, dw, x, 1); SumTo(all, dw[:1], x, 1) },
		"BroadcastTo":       func() { BroadcastTo(repeat, z, w, 1) },
		"Transpose":         func() { Transpose(transpose, z, x) },
	} {
		t.Run(name, func(t *testing.T) {
			onEachPath(t, func(t *testing.T) {
				if n := testing.AllocsPerRun(20, f); n != 0 {
					t.Errorf("%v allocations a call", n)
				}
			})
		})
	}
}
