package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkGemm measures the products of a training step of three models, in float32: for each linear layer the
// output x·wᵀ, the gradient with respect to x and the gradient with respect to w.
func BenchmarkGemm(b *testing.B) {
	for _, model := range []struct {
		name   string
		tokens int
		layers [][2]int // inputs, outputs
	}{
		{"tiny", 2048, [][2]int{{128, 128}, {128, 344}, {344, 128}, {128, 512}}},
		{"small", 4096, [][2]int{{256, 256}, {256, 688}, {688, 256}, {256, 500}}},
		{"stories", 2048, [][2]int{{512, 512}, {512, 1344}, {1344, 512}, {512, 10000}}},
	} {
		b.Run(model.name, func(b *testing.B) {
			for _, layer := range model.layers {
				in, out, tokens := layer[0], layer[1], model.tokens
				benchmarkGemm(b, "y", false, true, tokens, out, in)
				benchmarkGemm(b, "dx", false, false, tokens, in, out)
				benchmarkGemm(b, "dw", true, false, out, in, tokens)
			}
		})
	}
}

// BenchmarkGemmSmall measures the products inside attention and around it.
func BenchmarkGemmSmall(b *testing.B) {
	for _, n := range []int{16, 32, 64, 128, 256} {
		benchmarkGemm(b, "nn", false, false, n, n, n)
		benchmarkGemm(b, "nt", false, true, n, n, n)
		benchmarkGemm(b, "tn", true, false, n, n, n)
	}
	for _, time := range []int{128, 256} {
		benchmarkGemm(b, "scores", false, true, time, time, 32)
		benchmarkGemm(b, "values", false, false, time, 32, time)
		benchmarkGemm(b, "dvalues", true, false, time, 32, time)
	}
}

// BenchmarkGemmDecode measures products with the weights of a linear layer when few tokens are there.
func BenchmarkGemmDecode(b *testing.B) {
	for _, layer := range [][2]int{{128, 344}, {512, 1344}, {512, 10000}} {
		for _, tokens := range []int{1, 2, 4, 8} {
			benchmarkGemm(b, "y", false, true, tokens, layer[1], layer[0])
		}
		benchmarkGemm(b, "dx", false, false, 1, layer[0], layer[1])
	}
}

func benchmarkGemm(b *testing.B, name string, ta, tb bool, m, n, k int) {
	b.Run(fmt.Sprintf("%s-%dx%dx%d", name, m, n, k), func(b *testing.B) {
		p := newGemmCase[float32](rand.New(rand.NewPCG(5, 0)), ta, tb, m, n, k, false, 0)
		onEachPath(b, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Gemm(ta, tb, m, n, k, p.a, p.lda, p.b, p.ldb, p.c, p.ldc, false)
			}
			b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	})
}
