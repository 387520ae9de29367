package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
)

// countingBLAS counts products.
type countingBLAS struct {
	graph.BLAS
	products *int
}

func (b countingBLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, x []float32, lda int, y []float32, ldb int, beta float32, c []float32, ldc int) {
	*b.products++
	b.BLAS.Sgemm(tA, tB, m, n, k, alpha, x, lda, y, ldb, beta, c, ldc)
}

// using runs f while Gorgonia uses another BLAS.
func using(b gorgonia.BLAS, f func()) {
	defer gorgonia.Use(gorgonia.WhichBLAS())
	gorgonia.Use(b)
	f()
}

// Forward and backward passes of Gorgonia's own products, in its own machine, agree with those on gonum.
func TestBLASInTapeMachine(t *testing.T) {
	for _, s := range []struct{ m, k, n int }{{1, 1, 1}, {3, 5, 2}, {37, 29, 41}, {70, 60, 130}} {
		// cost = mean((tanh(x·w)·v)²), and a batch of products beside it.
		pass := func() (numbers []float64) {
			g := gorgonia.NewGraph()
			matrix := func(name string, shape ...int) *gorgonia.Node {
				v := random(rand.New(rand.NewPCG(9, uint64(len(name)))), shape...)
				return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithName(name), gorgonia.WithShape(shape...),
					gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v.Float32s()))))
			}
			x, w, v := matrix("x", s.m, s.k), matrix("ww", s.k, s.n), matrix("vvv", s.n, s.k)
			a, b := matrix("aaaa", 3, s.m, s.k), matrix("bbbbb", 3, s.k, s.n)
			h := gorgonia.Must(gorgonia.Tanh(gorgonia.Must(gorgonia.Mul(x, w))))
			y := gorgonia.Must(gorgonia.Mul(h, v))
			batch := gorgonia.Must(gorgonia.BatchedMatMul(a, b))
			cost := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(y)))), gorgonia.Must(gorgonia.Mean(gorgonia.Must(gorgonia.Square(batch))))))
			c, grads := runTape(t, g, cost, gorgonia.Nodes{x, w, v, a, b})
			numbers = wide(c)
			for _, d := range grads {
				numbers = append(numbers, wide(d)...)
			}
			return numbers
		}
		want := pass()
		var got []float64
		products := 0
		using(countingBLAS{products: &products}, func() { got = pass() })
		alike(t, fmt.Sprint("cost and gradients for ", s), got, want, 1e-5)
		// Two runs of two products and a batch of three, with twice as many for the gradients.
		if want := 2 * 3 * (2 + 3); products < want {
			t.Errorf("%v: %d products, want at least %d", s, products, want)
		}
	}
}

// They agree with PyTorch too.
func TestBLASOracle(t *testing.T) {
	c := oracle.Load(t, "linear")
	using(graph.BLAS{}, func() {
		g := gorgonia.NewGraph()
		// rows flattens the leading axes.
		rows := func(name string) *gorgonia.Node {
			v := c.Get(t, name)
			cols := v.Shape[len(v.Shape)-1]
			shape := []int{len(v.Floats) / cols, cols}
			return gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithName(name), gorgonia.WithShape(shape...),
				gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v.Float32s()))))
		}
		x, w, gy := rows("in.x"), rows("in.w"), rows("gy")
		y := gorgonia.Must(gorgonia.Mul(x, gorgonia.Must(gorgonia.Transpose(w, 1, 0))))
		cost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(y, gy))))
		var result gorgonia.Value
		gorgonia.Read(y, &result)
		_, grads := runTape(t, g, cost, gorgonia.Nodes{x, w})
		oracle.CheckData(t, "y", result.Data(), c.Get(t, "out.y").Floats, 1e-5)
		oracle.CheckData(t, "grad.x", grads[0], c.Get(t, "grad.x").Floats, 1e-5)
		oracle.CheckData(t, "grad.w", grads[1], c.Get(t, "grad.w").Floats, 1e-5)
	})
}

// Large numbers overflow where gonum's do, and infinities and NaN come out wherever they go in, behind zeros too.
func TestBLASOnExtremes(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, tt := range []struct {
		name  string
		x, y  float32 // in place of one number each; the others are 1
		alpha float32
		want  float32 // where the two meet; other terms of the sum are 1
	}{
		{"large", 1e4, -1e4, 1, -1e8 + 8},
		{"overflow", 1e20, 1e20, 1, inf},
		{"overflow downwards", 1e20, -1e20, 1, -inf},
		{"underflow", 1e-30, 1e-30, 1, 8},
		{"Inf", inf, 2, 1, inf},
		{"-Inf", 3, -inf, 1, -inf},
		{"NaN", nan, 2, 1, nan},
		{"zero times Inf", 0, inf, 1, nan},
		{"NaN times zero", nan, 0, 1, nan},
		{"scaled overflow", 1e20, 1e20, 0.5, inf},
		{"scaled", 1e4, 1e4, 0.5, 5e7 + 4},
	} {
		const m, n, k = 7, 5, 9
		for _, ta := range []blas.Transpose{blas.NoTrans, blas.Trans} {
			for _, tb := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				a, b, c := floats(m*k, 1), floats(k*n, 1), floats(m*n, nan)
				// Row 2 of op(a) meets column 3 of op(b) at term 4.
				lda, ldb := k, n
				if ta == blas.NoTrans {
					a[2*k+4] = tt.x
				} else {
					lda, a[4*m+2] = m, tt.x
				}
				if tb == blas.NoTrans {
					b[4*n+3] = tt.y
				} else {
					ldb, b[3*k+4] = k, tt.y
				}
				graph.BLAS{}.Sgemm(ta, tb, m, n, k, tt.alpha, a, lda, b, ldb, 0, c, n)
				what := fmt.Sprintf("%s, %c %c", tt.name, ta, tb)
				alike(t, what, wide(c[2*n+3:][:1]), []float64{float64(tt.want)}, 1e-6)
				for i, v := range c {
					if i/n != 2 && i%n != 3 && v != 9*tt.alpha {
						t.Errorf("%s: element %d, which neither reaches, is %v", what, i, v)
					}
				}
			}
		}
	}
}
