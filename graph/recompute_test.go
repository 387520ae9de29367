package graph_test

import (
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
)

// A Checkpoint changes no bit of the gradients where a product has a reader beside its sum that the backward pass does
// not compute again: the product then adds in neither pass.
func TestCheckpointOfSums(t *testing.T) {
	const rows, dim = 130, 90
	block := func(w, b graph.Node) func(graph.Node) graph.Node {
		return func(x graph.Node) graph.Node {
			p := x.Linear(w, b)
			return x.Add(p).SiLU().Add(p.Scale(2))
		}
	}
	run := func(checkpoint bool) (numbers []float32) {
		ps := graph.NewParams(2)
		g := graph.New()
		x := g.Input("x", tensor.Float32, rows, dim)
		f := block(g.Param(ps.Root().Param("w", graph.Normal(0.3), dim, dim)), g.Param(ps.Root().Param("b", graph.Normal(0.3), dim)))
		var y graph.Node
		if checkpoint {
			y = graph.Checkpoint(f, x)
		} else {
			y = f(x)
		}
		prog, err := graph.CompileTrain(y.Mul(y).Mean())
		if err != nil {
			t.Fatal(err)
		}
		if err := prog.Run(t.Context(), graph.Feed{x: graph.Floats(wave(rows*dim, 1), rows, dim)}); err != nil {
			t.Fatal(err)
		}
		for _, p := range ps.All() {
			d, err := p.Grad()
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, d.Data().([]float32)...)
		}
		return numbers
	}
	if want, got := run(false), run(true); !slices.Equal(got, want) {
		t.Error("gradients differ")
	}
}
