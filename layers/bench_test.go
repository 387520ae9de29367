package layers_test

import (
	"testing"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
)

// sizes are the models that the benchmarks train: a whole step of forward pass, backward pass, clipping and AdamW.
var sizes = []struct {
	name       string
	batch, seq int
	config     layers.Config
}{
	{"tiny", 16, 128, layers.Config{VocabSize: 512, DModel: 128, NumLayers: 4, NumHeads: 4, DFF: 344}},
	{"small", 32, 128, layers.Config{VocabSize: 500, DModel: 256, NumLayers: 4, NumHeads: 8, DFF: 688}},
	{"ts", 8, 256, layers.Config{VocabSize: 10000, DModel: 512, NumLayers: 4, NumHeads: 16, DFF: 1344}},
}

func BenchmarkTrain(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			s.config.ContextLength = s.seq
			ps := graph.NewParams(1)
			m, err := layers.NewTransformerLM(ps.Root(), s.config)
			if err != nil {
				b.Fatal(err)
			}
			g := graph.New()
			tokens, targets := g.Tokens("tokens", s.batch, s.seq), g.Tokens("targets", s.batch, s.seq)
			x := m.Hidden(tokens)
			cost := graph.Apply3(loss.LinearCrossEntropy, x, x.Param(m.Head()), targets)
			prog, err := graph.CompileTrain(cost)
			if err != nil {
				b.Fatal(err)
			}
			ids := make([]int, s.batch*s.seq)
			for i := range ids {
				ids[i] = i * 7919 % s.config.VocabSize
			}
			feed := graph.Feed{tokens: graph.Ints(ids, s.batch, s.seq), targets: graph.Ints(ids, s.batch, s.seq)}
			weights := ps.ValueGrads()
			opt := &optim.AdamW{WeightDecay: 0.1, MaxNorm: 1}
			b.ReportAllocs()
			for b.Loop() {
				if err := prog.Run(b.Context(), feed); err != nil {
					b.Fatal(err)
				}
				if err := opt.Step(weights); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(s.batch*s.seq)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(float64(prog.Memory())/1e6, "MB")
		})
	}
}
