package layers_test

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/gradcheck"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
)

// The gradient of every parameter of every kind of model agrees with finite differences in float64.
func TestModelGradients(t *testing.T) {
	worst, count := 0.0, 0
	for _, tt := range []struct {
		name   string
		config layers.Config
	}{
		{"llama", layers.Config{}},
		{"grouped", layers.Config{NumKVHeads: 1, SplitRoPE: true, TieEmbeddings: true}},
		{"gpt2", layers.Config{Norm: layers.NormLayer, Position: layers.Learned, Activation: layers.GELUTanh, Bias: true, TieEmbeddings: true}},
		{"gelu", layers.Config{Position: layers.Unordered, Activation: layers.GELU, Bias: true}},
		{"silu with dropout", layers.Config{Activation: layers.SiLU, Dropout: 0.2}},
		{"biased swiglu", layers.Config{Bias: true, Norm: layers.NormLayer}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.config
			c.VocabSize, c.ContextLength, c.DModel, c.NumLayers, c.NumHeads, c.DFF, c.NormEps = 5, 4, 4, 2, 2, 6, 0.1
			ps := graph.NewParams(3, graph.DType(tensor.Float64))
			m, err := layers.NewTransformerLM(ps.Root(), c)
			if err != nil {
				t.Fatal(err)
			}
			// Weights of one size, whatever they begin with: the norms bend too much around small ones.
			i := 0
			for _, p := range ps.All() {
				for k, data := 0, p.Value().Data().([]float64); k < len(data); k++ {
					i++
					data[k] = 0.8 * math.Sin(float64(7*i*i+i))
					if p.Shape().Dims() == 1 {
						data[k] += 1
					}
				}
			}
			g := graph.New(graph.DType(tensor.Float64))
			x, y := g.Tokens("x", 2, 3), g.Tokens("y", 2, 3)
			cost := graph.Apply2(loss.CrossEntropy, m.Forward(x), y)
			prog, err := graph.CompileTrain(cost)
			if err != nil {
				t.Fatal(err)
			}
			feed := graph.Feed{x: graph.Ints([]int{0, 1, 2, 3, 1, 1}, 2, 3), y: graph.Ints([]int{1, 2, 3, 4, 0, 2}, 2, 3)}
			at := func() float64 {
				prog.SetRuns(0) // Dropout drops the same elements
				if err := prog.Run(t.Context(), feed); err != nil {
					t.Fatal(err)
				}
				return prog.Scalar(cost)
			}
			at()
			grads := make(map[string][]float64)
			for name, p := range ps.All() {
				v, err := p.Grad()
				if err != nil {
					t.Fatal(err)
				}
				grads[name] = append([]float64(nil), v.Data().([]float64)...)
			}
			for name, p := range ps.All() {
				e := gradcheck.Error(at, p.Value().Data().([]float64), grads[name], 1e-3)
				if !(e <= 1e-9) {
					t.Errorf("gradient of %s is off by %g", name, e)
				}
				worst, count = max(worst, e), count+1
			}
		})
	}
	t.Logf("%d gradients, the worst off by %.2g", count, worst)
}
