package graph_test

import (
	"testing"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
)

// BenchmarkLinearCrossEntropy measures the loss of an output layer and both gradients for 2048 tokens, a width of 256 and
// a vocabulary of 32,000, with logits that never exist in full and with all of them, and the memory that the program
// holds.
func BenchmarkLinearCrossEntropy(b *testing.B) {
	const rows, dim, vocab = 2048, 256, 32000
	ids := make([]int, rows)
	for i := range ids {
		ids[i] = i * 7919 % vocab
	}
	for _, bench := range []struct {
		name string
		cost func(x, w, targets graph.Node) graph.Node
	}{
		{"linear", func(x, w, targets graph.Node) graph.Node {
			return graph.Apply3(loss.LinearCrossEntropy, x, w, targets)
		}},
		{"full", func(x, w, targets graph.Node) graph.Node {
			return graph.Apply2(loss.CrossEntropy, x.Linear(w), targets)
		}},
		{"linear-capped", func(x, w, targets graph.Node) graph.Node {
			return graph.Apply3(loss.Options{SoftCap: 30}.LinearCrossEntropy, x, w, targets)
		}},
		{"full-capped", func(x, w, targets graph.Node) graph.Node {
			return graph.Apply2(loss.Options{SoftCap: 30}.CrossEntropy, x.Linear(w), targets)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			g, ps := graph.New(), graph.NewParams(1)
			x := g.Param(ps.Root().Param("x", graph.Normal(1), 1, rows, dim))
			w := g.Param(ps.Root().Param("w", graph.Normal(0.1), vocab, dim))
			targets := g.Tokens("targets", 1, rows)
			prog, err := graph.CompileTrain(bench.cost(x, w, targets))
			if err != nil {
				b.Fatal(err)
			}
			feed := graph.Feed{targets: graph.Ints(ids, 1, rows)}
			b.ReportAllocs()
			for b.Loop() {
				if err := prog.Run(b.Context(), feed); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms/step")
			b.ReportMetric(float64(prog.Memory())/(1<<20), "MiB")
		})
	}
}
