package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
)

// matrix returns a random matrix of rows by cols, stored with ld numbers to a row.
func matrix(rng *rand.Rand, rows, cols, ld int) []float32 {
	x := make([]float32, (rows-1)*ld+cols)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// Sgemm agrees with gonum for all transposes, factors and strides.
func TestBLASAgreesWithGonum(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		m, n, k := 1+rng.IntN(40), 1+rng.IntN(40), 1+rng.IntN(40)
		flags := []blas.Transpose{blas.NoTrans, blas.Trans}
		ta, tb := flags[rng.IntN(2)], flags[rng.IntN(2)]
		ar, ac, br, bc := m, k, k, n
		if ta == blas.Trans {
			ar, ac = k, m
		}
		if tb == blas.Trans {
			br, bc = n, k
		}
		lda, ldb, ldc := ac+rng.IntN(3), bc+rng.IntN(3), n+rng.IntN(3)
		a, b, got := matrix(rng, ar, ac, lda), matrix(rng, br, bc, ldb), matrix(rng, m, n, ldc)
		want := append([]float32(nil), got...)
		alpha := []float32{0, 1, -0.5}[rng.IntN(3)]
		beta := []float32{0, 1, 2}[rng.IntN(3)]
		if beta == 0 {
			got[0] = float32(math.NaN()) // is not read
		}
		graph.BLAS{}.Sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, got, ldc)
		gonum.Implementation{}.Sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, want, ldc)
		for i := range got {
			if d := math.Abs(float64(got[i] - want[i])); !(d < 1e-4) {
				t.Fatalf("%d x %d x %d, alpha %v, beta %v: number %d is %v, want %v", m, n, k, alpha, beta, i, got[i], want[i])
			}
		}
	}
}

// What gonum refuses is refused.
func TestBLASRefuses(t *testing.T) {
	for _, f := range []func(){
		func() {
			graph.BLAS{}.Sgemm(blas.NoTrans, blas.NoTrans, 2, 2, 2, 1, make([]float32, 3), 2, make([]float32, 4), 2, 0, make([]float32, 4), 2)
		},
		func() {
			graph.BLAS{}.Sgemm('x', blas.NoTrans, 1, 1, 1, 1, make([]float32, 1), 1, make([]float32, 1), 1, 0, make([]float32, 1), 1)
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a matrix that is too short, or an unknown transpose, is accepted")
				}
			}()
			f()
		}()
	}
}

// Gorgonia's own products go through it, forward and backward.
func Example_blas() {
	gorgonia.Use(graph.BLAS{})
	defer gorgonia.Use(gonum.Implementation{})
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(2, 2), gorgonia.WithName("x"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float32{1, 2, 3, 4}))))
	y := gorgonia.Must(gorgonia.Mul(x, x))
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(y.Value().Data())
	// Output: [7 10 15 22]
}

func BenchmarkBLAS(b *testing.B) {
	const n = 512
	rng := rand.New(rand.NewPCG(1, 2))
	x, y, z := matrix(rng, n, n, n), matrix(rng, n, n, n), make([]float32, n*n)
	for name, impl := range map[string]gorgonia.BLAS{"logits": graph.BLAS{}, "gonum": gonum.Implementation{}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				impl.Sgemm(blas.NoTrans, blas.Trans, n, n, n, 1, x, n, y, n, 0, z, n)
			}
			b.ReportMetric(2*n*n*n*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
