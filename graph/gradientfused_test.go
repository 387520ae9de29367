package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/gradcheck"
	"github.com/logits-go/logits/loss"
)

// fusedGradientCases are those in which several operations become one.
func fusedGradientCases() (cs []gradientCase) {
	type node = graph.Node
	add := func(name string, shapes [][]int, packed []int, build func(g *graph.Graph, p []node) node) {
		cs = append(cs, gradientCase{name: name, shapes: shapes, build: build, packed: packed})
	}
	sum := func(name string, shapes [][]int, packed []int, build func(g *graph.Graph, p []node) node) {
		cs = append(cs, gradientCase{name: name, shapes: shapes, build: build, packed: packed, sums: true})
	}
	weights, biases := [][]int{{2, 3, 5}, {4, 5}, {1, 5}, {3, 5}}, [][]int{{4}, {1}, {3}}
	biased := slices.Concat(weights, biases)
	add("Linears packed", weights, []int{1, 2, 3}, func(_ *graph.Graph, p []node) node { return p[0].Linears(p[1:4]) })
	add("Linears packed with biases", biased, []int{1, 2, 3, 4, 5, 6}, func(_ *graph.Graph, p []node) node { return p[0].Linears(p[1:4], p[4:7]...) })
	add("Linears of one weight twice", weights, []int{1, 2}, func(_ *graph.Graph, p []node) node { return p[0].Linears([]node{p[1], p[2], p[1], p[3]}) })
	add("Linears packed in another order", weights, []int{3, 1, 2}, func(_ *graph.Graph, p []node) node { return p[0].Linears(p[1:4]) })

	// Sums that products make: forward, and backward where a value has several readers.
	sum("Linears added", append(slices.Clone(weights), []int{2, 3, 8}), []int{1, 2, 3}, func(_ *graph.Graph, p []node) node {
		return p[4].SiLU().Add(p[0].Linears(p[1:4]))
	})
	sum("Linears with biases added", append(slices.Clone(biased), []int{2, 3, 8}), nil, func(_ *graph.Graph, p []node) node {
		return p[0].Linears(p[1:4], p[4:7]...).Add(p[7].SiLU())
	})
	for _, packed := range [][]int{nil, {1, 2, 3}} {
		sum("two Linears of one operand", weights, packed, func(_ *graph.Graph, p []node) node {
			x := p[0].SiLU()
			return x.Linears(p[1:4]).Mul(x.Linears([]node{p[3], p[2], p[1]}))
		})
	}
	for _, rows := range []int{1, 6} {
		sum("sum of products", [][]int{{rows, 5}, {3, 5}, {3, 5}, {3}}, nil, func(_ *graph.Graph, p []node) node {
			x := p[0].SiLU()
			return x.Linear(p[1], p[3]).Add(x.Linear(p[2])).Mul(x.Linear(p[2], p[3]))
		})
	}
	sum("product added to itself", [][]int{{2, 5}, {3, 5}}, nil, func(_ *graph.Graph, p []node) node {
		y := p[0].Linear(p[1])
		return y.Add(y)
	})
	sum("longer product added", [][]int{{3, 1}, {2, 1}, {300}, {2}, {3, 2}}, nil, func(_ *graph.Graph, p []node) node {
		x, w := p[0].Add(p[2]).SiLU(), p[1].Add(p[2]).SiLU()
		return p[4].SiLU().Add(x.Linear(w.Scale(0.05), p[3]))
	})

	add("SelfAttention scale", [][]int{{2, 3, 12}}, nil, func(_ *graph.Graph, p []node) node {
		return graph.SelfAttention(p[0], graph.Attend{Heads: 2, Scale: -0.3})
	})
	add("SelfAttention mask of heads", [][]int{{2, 3, 16}}, nil, func(g *graph.Graph, p []node) node {
		return graph.SelfAttention(p[0], graph.Attend{Heads: 4, KVHeads: 2, Mask: g.Input("mask", tensor.Bool, 2, 4, 3, 3)})
	})
	for _, r := range []loss.Reduction{loss.Mean, loss.Sum, loss.None} {
		add(fmt.Sprint("LinearCrossEntropy of tied weights ", r), [][]int{{5, 3}}, nil, func(g *graph.Graph, p []node) node {
			ids := g.Tokens("ids", 2, 4)
			return graph.Apply3(loss.Options{Reduction: r}.LinearCrossEntropy, graph.Embedding(p[0], ids).SiLU(), p[0], ids)
		})
	}

	again := func(name string, shapes [][]int, packed []int, build func(g *graph.Graph, p []node) node) {
		sum("Checkpoint of "+name, shapes, packed, func(g *graph.Graph, p []node) node {
			return graph.Checkpoint(func(x node) node { return build(g, append([]node{x}, p[1:]...)) }, p[0].SiLU()).Mul(p[0].Sum())
		})
	}
	again("an attention", [][]int{{2, 3, 4}, {4, 4}, {2, 4}, {2, 4}, {4, 4}}, []int{1, 2, 3}, func(_ *graph.Graph, p []node) node {
		return p[0].Add(graph.SelfAttention(p[0].Linears(p[1:4]), graph.Attend{Heads: 2, KVHeads: 1}).Linear(p[4]))
	})
	again("a feed-forward", [][]int{{2, 3, 4}, {6, 4}, {6, 4}, {4, 6}, {4}}, []int{1, 2}, func(_ *graph.Graph, p []node) node {
		return p[0].Linears(p[1:3]).SwiGLUPacked().Linear(p[3], p[4]).Add(p[0])
	})
	again("LinearCrossEntropy", [][]int{{2, 4, 3}, {4, 3}}, nil, func(g *graph.Graph, p []node) node {
		return graph.Apply3(loss.Options{LabelSmoothing: 0.1}.LinearCrossEntropy, p[0], p[1], g.Tokens("ids", 2, 4))
	})
	return cs
}

// A gradient of something else that looks much like it is far off, for every operation that does several things in one.
func TestWrongGradientsFail(t *testing.T) {
	type node = graph.Node
	three := [][]int{{2, 3, 4}, {4, 4}, {4, 4}}
	lossShapes := [][]int{{2, 4, 3}, {4, 3}}
	linear := func(o loss.Options) func(g *graph.Graph, p []node) node {
		return func(g *graph.Graph, p []node) node {
			return graph.Apply3(o.LinearCrossEntropy, p[0], p[1], g.Tokens("ids", 2, 4))
		}
	}
	inCheckpoint := func(f func(x node) node) func(g *graph.Graph, p []node) node {
		return func(_ *graph.Graph, p []node) node { return graph.Checkpoint(f, p[0].SiLU()) }
	}
	for _, tt := range []struct {
		name         string
		shapes       [][]int
		right, wrong func(g *graph.Graph, p []node) node
	}{
		{"Linears, in another order", three,
			func(_ *graph.Graph, p []node) node { return p[0].Linears([]node{p[1], p[2]}) },
			func(_ *graph.Graph, p []node) node { return p[0].Linears([]node{p[2], p[1]}) }},
		{"SwiGLUPacked, not gated", [][]int{{2, 3, 4}},
			func(_ *graph.Graph, p []node) node { return p[0].SwiGLUPacked() },
			func(_ *graph.Graph, p []node) node { return p[0].SiLU().SwiGLUPacked() }},
		{"SelfAttention, ahead", [][]int{{2, 3, 12}},
			func(_ *graph.Graph, p []node) node { return graph.SelfAttention(p[0], graph.Attend{Heads: 2}) },
			func(_ *graph.Graph, p []node) node {
				return graph.SelfAttention(p[0], graph.Attend{Heads: 2, Bidirectional: true})
			}},
		{"SelfAttention, of another scale", [][]int{{2, 3, 12}},
			func(_ *graph.Graph, p []node) node { return graph.SelfAttention(p[0], graph.Attend{Heads: 2}) },
			func(_ *graph.Graph, p []node) node {
				return graph.SelfAttention(p[0], graph.Attend{Heads: 2, Scale: 0.7})
			}},
		{"sum made by a product, without the summand", three,
			func(_ *graph.Graph, p []node) node { x := p[0].Linear(p[1]); return x.Linear(p[2]).Add(x) },
			func(_ *graph.Graph, p []node) node { return p[0].Linear(p[1]).Linear(p[2]).Add(p[0].Scale(0)) }},
		{"Checkpoint, of another function", three[:1],
			inCheckpoint(func(x node) node { return x.SiLU().GELU() }),
			inCheckpoint(func(x node) node { return x.SiLU().SiLU() })},
		{"LinearCrossEntropy, without smoothing", lossShapes, linear(loss.Options{LabelSmoothing: 0.01}), linear(loss.Options{})},
		{"LinearCrossEntropy, without z-loss", lossShapes, linear(loss.Options{ZLoss: 0.01}), linear(loss.Options{})},
		{"LinearCrossEntropy, without weights", lossShapes, linear(loss.Options{Weights: []float64{1, 1.01, 1, 1}}), linear(loss.Options{})},
		{"LinearCrossEntropy, of all rows", lossShapes, linear(loss.Options{Ignore: []int{1}}), linear(loss.Options{})},
		{"LinearCrossEntropy, summed", lossShapes, linear(loss.Options{}), linear(loss.Options{Reduction: loss.Sum})},
		{"LinearCrossEntropy, by row", lossShapes, linear(loss.Options{Reduction: loss.None}), linear(loss.Options{Reduction: loss.Sum})},
	} {
		t.Run(tt.name, func(t *testing.T) { otherGradientFails(t, tt.name, tt.shapes, tt.right, tt.wrong) })
	}
}

// otherGradientFails checks that the gradients of right are right, and those of wrong are not.
func otherGradientFails(t *testing.T, name string, shapes [][]int, right, wrong func(g *graph.Graph, p []graph.Node) graph.Node) {
	t.Helper()
	good, bad := gradientCase{name: name, shapes: shapes, build: right}, gradientCase{name: name, shapes: shapes, build: wrong}
	numeric, some := good.differences(t), 0.0
	for name, d := range good.gradients(t) {
		if e := gradcheck.Off(d, numeric[name]); !(e <= 1e-9) {
			t.Errorf("the gradient of %s is off by %g", name, e)
		}
	}
	for name, d := range bad.gradients(t) {
		some = max(some, gradcheck.Off(d, numeric[name]))
	}
	if !(some > 1e-4) {
		t.Errorf("the wrong gradients of %v are off by %g at most", slices.Collect(maps.Keys(numeric)), some)
	}
}
