package graph_test

import (
	"slices"
	"testing"

	"github.com/logits-go/logits/graph"
)

// One graph has the gradients of any number of costs, each right whichever was made before.
func TestTwoCosts(t *testing.T) {
	g, ps := graph.New(), graph.NewParams(1)
	p := ps.Root().Param("w", graph.Normal(1), 3)
	numbers := p.Value().Data().([]float32)
	copy(numbers, []float32{1, 2, 3})
	w := g.Param(p)
	square := w.Mul(w)
	for _, c := range []struct {
		cost graph.Node
		want []float32
	}{{square.Sum(), []float32{2, 4, 6}}, {square.Mul(w).Sum(), []float32{3, 12, 27}}, {square.Sum(), []float32{2, 4, 6}}} {
		prog, err := graph.CompileTrain(c.cost)
		if err != nil {
			t.Fatal(err)
		}
		if err := prog.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		grad, err := p.Grad()
		if err != nil || !slices.Equal(grad.Data().([]float32), c.want) {
			t.Errorf("gradient %v, want %v, %v", grad, c.want, err)
		}
	}
}
