package graph_test

import (
	"fmt"
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

// Nor does it for any operation, in either type, whatever part of the graph is inside.
func TestCheckpointChangesNoBit(t *testing.T) {
	for _, c := range gradientCases() {
		// With a step before the Checkpoint, whose result is kept, and one after it.
		outside := func(inside func(f func(graph.Node) graph.Node, x graph.Node) graph.Node) gradientCase {
			whole := c
			whole.build = func(g *graph.Graph, p []graph.Node) graph.Node {
				return inside(func(x graph.Node) graph.Node {
					return c.build(g, append([]graph.Node{x}, p[1:]...))
				}, p[0].SiLU()).Scale(1.5)
			}
			return whole
		}
		plain := outside(func(f func(graph.Node) graph.Node, x graph.Node) graph.Node { return f(x) })
		again := outside(func(f func(graph.Node) graph.Node, x graph.Node) graph.Node { return graph.Checkpoint(f, x) })
		for _, p := range precisions {
			t.Run(fmt.Sprint(c.name, c.shapes, "/", p.name), func(t *testing.T) {
				prog, cost, feed, ps := plain.program(t, p.dtype)
				prog2, cost2, feed2, ps2 := again.program(t, p.dtype)
				for range 2 { // Dropout drops other elements in the second run
					run(t, prog, feed)
					run(t, prog2, feed2)
					alike(t, "cost", []float64{prog2.Scalar(cost2)}, []float64{prog.Scalar(cost)}, 0)
					for name, param := range ps.All() {
						alike(t, "gradient of "+name, grad(t, ps2.Get(name)), grad(t, param), 0)
					}
				}
			})
		}
	}
}
