package graph_test

import (
	"context"
	"math"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
)

// linearOf builds a LinearCrossEntropy with options, in which nothing else is wrong.
func linearOf(o loss.Options) func(g *graph.Graph, x, ids, w graph.Node) graph.Node {
	return func(g *graph.Graph, x, ids, w graph.Node) graph.Node {
		return graph.Apply3(o.LinearCrossEntropy, w, w, g.Input("seven", tensor.Int, 7))
	}
}

// Operations that do several things in one say what is wrong with which operand, as others do.
func TestMisuseOfFusedOps(t *testing.T) {
	inf := math.Inf(1)
	type node = graph.Node
	refused(t, []misuse{
		{"Linears", built(func(g *graph.Graph, x, ids, w node) node {
			return w.Linears([]node{w, g.Input("v", tensor.Float32, 2, 4)})
		}), []string{"layers.0: Linear", "x (7, 5)", "w (2, 4) v"}},
		{"Linears rank", built(func(g *graph.Graph, x, ids, w node) node { return w.Linears([]node{w, x}) }), []string{"Linear", "w (2, 3, 4) x has 3 axes, want 2"}},
		{"Linears of a scalar", built(func(g *graph.Graph, x, ids, w node) node { return x.Sum().Linears([]node{w}) }), []string{"Linear", "x ()", "w (7, 5)"}},
		{"Linears of nothing", built(func(g *graph.Graph, x, ids, w node) node { return x.Linears(nil) }), []string{"Linear", "no weights", "x (2, 3, 4)"}},
		{"Linears biases", built(func(g *graph.Graph, x, ids, w node) node { return w.Linears([]node{w, w}, w.Sum(1)) }), []string{"Linear", "1 biases for 2 weights", "x (7, 5)"}},
		{"Linears bias", built(func(g *graph.Graph, x, ids, w node) node { return w.Linears([]node{w, w}, w.Sum(1), w.Sum(0)) }), []string{"Linear", "b (5)", "w (7, 5)"}},
		{"Linears of ids", built(func(g *graph.Graph, x, ids, w node) node { return ids.Linears([]node{w}) }), []string{"Linear", "x (2, 3) ids holds int"}},
		{"packed of two widths", func() error {
			ps := graph.NewParams(1)
			a, b := ps.Root().Param("a", graph.Ones, 2, 4), ps.Root().Param("b", graph.Ones, 2, 3)
			graph.Pack(a, b)
			g := graph.New()
			_, err := graph.Compile(g.Input("x", tensor.Float32, 5, 4).Linears([]node{g.Param(a), g.Param(b)}))
			return err
		}, []string{"Linear", "x (5, 4)", "w (2, 3) b"}},
		{"packed missing", func() error {
			ps := graph.NewParams(1)
			a, b := ps.Root().Param("a", graph.Ones, 2, 4), ps.Root().Param("b", graph.Ones, 2, 0)
			graph.Pack(a, b, nil)
			g := graph.New()
			_, err := graph.Compile(g.Input("x", tensor.Float32, 5, 4).Linears([]node{g.Param(a), g.Param(b)}))
			return err
		}, []string{"Param", "missing"}},
		{"sum with a product", built(func(g *graph.Graph, x, ids, w node) node { return w.Linear(w).Add(w) }), []string{"Add", "x (7, 7)", "y (7, 5) layers.0.weight"}},
		{"SwiGLUPacked", built(func(g *graph.Graph, x, ids, w node) node { return w.SwiGLUPacked() }), []string{"layers.0: SwiGLU", "the last axis of x (7, 5)", "no halves"}},
		{"SwiGLUPacked of a scalar", built(func(g *graph.Graph, x, ids, w node) node { return x.Sum().SwiGLUPacked() }), []string{"SwiGLU", "x ()"}},
		{"SelfAttention", built(func(g *graph.Graph, x, ids, w node) node { return graph.SelfAttention(x, graph.Attend{Heads: 7}) }), []string{"Attention", "21 heads", "qkv (2, 3, 4)"}},
		{"SelfAttention rank", built(func(g *graph.Graph, x, ids, w node) node { return graph.SelfAttention(w, graph.Attend{Heads: 1}) }), []string{"layers.0: Attention", "qkv (7, 5)", "2 axes, want 3"}},
		{"SelfAttention groups", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.SelfAttention(x, graph.Attend{Heads: 3, KVHeads: 2})
		}), []string{"Attention", "3 heads", "2 heads"}},
		{"SelfAttention no heads", built(func(g *graph.Graph, x, ids, w node) node { return graph.SelfAttention(x, graph.Attend{}) }), []string{"Attention", "0 heads"}},
		{"SelfAttention scale", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.SelfAttention(x, graph.Attend{Heads: 2, KVHeads: 1, Scale: inf})
		}), []string{"Attention", "scale is +Inf"}},
		{"SelfAttention mask", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.SelfAttention(x, graph.Attend{Heads: 2, KVHeads: 1, Mask: g.Input("m", tensor.Bool, 3, 2)})
		}), []string{"Attention", "mask (3, 2)", "qkv (2, 3, 4)"}},
		{"SelfAttention mask of floats", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.SelfAttention(x, graph.Attend{Heads: 2, KVHeads: 1, Mask: w})
		}), []string{"Attention", "mask (7, 5)", "bool"}},
		{"SelfAttention mask in a generating graph", func() error {
			g := graph.New(graph.Decode(4))
			x := g.Input("x", tensor.Float32, 1, 2, 3)
			_, err := graph.Compile(graph.SelfAttention(x, graph.Attend{Heads: 1, Mask: g.Input("m", tensor.Bool, 2, 2)}))
			return err
		}, []string{"Attention", "takes no mask"}},
		{"SelfAttention ahead in a generating graph", func() error {
			_, err := graph.Compile(graph.SelfAttention(graph.New(graph.Decode(4)).Input("x", tensor.Float32, 1, 2, 3), graph.Attend{Heads: 1, Bidirectional: true}))
			return err
		}, []string{"Attention", "look ahead"}},
		{"SelfAttention too long for a generating graph", func() error {
			_, err := graph.Compile(graph.SelfAttention(graph.New(graph.Decode(4)).Input("x", tensor.Float32, 1, 5, 3), graph.Attend{Heads: 1}))
			return err
		}, []string{"Attention", "qkv (1, 5, 3)", "4 tokens"}},
		{"LinearCrossEntropy", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply3(loss.LinearCrossEntropy, x, w, ids)
		}), []string{"LinearCrossEntropy", "x (2, 3, 4)", "does not fit", "w (7, 5)"}},
		{"LinearCrossEntropy rank", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply3(loss.LinearCrossEntropy, x, x, ids)
		}), []string{"LinearCrossEntropy", "w (2, 3, 4)", "3 axes, want 2"}},
		{"LinearCrossEntropy of a vector", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply3(loss.LinearCrossEntropy, w.Sum(0), w, ids)
		}), []string{"LinearCrossEntropy", "x (5)", "w (7, 5)"}},
		{"LinearCrossEntropy targets", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply3(loss.LinearCrossEntropy, w, w, ids)
		}), []string{"LinearCrossEntropy", "x (7, 5)", "targets (2, 3) ids"}},
		{"LinearCrossEntropy targets of another rank", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply3(loss.LinearCrossEntropy, w, w, g.Tokens("t", 7, 1))
		}), []string{"LinearCrossEntropy", "x (7, 5)", "targets (7, 1) t"}},
		{"LinearCrossEntropy targets of floats", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply3(loss.LinearCrossEntropy, w, w, w.Sum(1))
		}), []string{"LinearCrossEntropy", "targets (7)", "float32, want int"}},
		{"LinearCrossEntropy weights", built(linearOf(loss.Options{Weights: []float64{1}})), []string{"LinearCrossEntropy", "1 class weights", "w (7, 5)"}},
		{"LinearCrossEntropy negative weight", built(linearOf(loss.Options{Weights: []float64{1, 1, -2, 1, 1, 1, 1}})), []string{"LinearCrossEntropy", "weight 2 is -2"}},
		{"LinearCrossEntropy smoothing", built(linearOf(loss.Options{LabelSmoothing: -0.1})), []string{"LinearCrossEntropy", "smoothing is -0.1"}},
		{"LinearCrossEntropy z-loss", built(linearOf(loss.Options{ZLoss: inf})), []string{"LinearCrossEntropy", "z-loss is +Inf"}},
		{"LinearCrossEntropy reduction", built(linearOf(loss.Options{Reduction: -1})), []string{"LinearCrossEntropy", "unknown reduction -1"}},
		{"LinearCrossEntropy of nothing", func() error { _, err := loss.LinearCrossEntropy(nil, nil, nil); return err }, []string{"loss", "x is missing"}},
		{"LinearCrossEntropy target", func() error {
			g := graph.New()
			x, w, t := g.Input("x", tensor.Float32, 2, 3, 1), g.Input("w", tensor.Float32, 4, 1), g.Tokens("t", 2, 3)
			prog, err := graph.Compile(graph.Apply3(loss.LinearCrossEntropy, x, w, t))
			if err != nil {
				return errors.WithMessage(err, "not expected here")
			}
			return prog.Run(context.Background(), graph.Feed{x: graph.Floats(floats(6, 1), 2, 3, 1), w: graph.Floats(floats(4, 1), 4, 1), t: graph.Ints([]int{0, 1, 2, 3, 4, 0}, 2, 3)})
		}, []string{"LinearCrossEntropy", "target 4 at [1 1] is none of 4 classes"}},
		{"Checkpoint of nothing", built(func(g *graph.Graph, x, ids, w node) node { return graph.Checkpoint(nil, x) }), []string{"Checkpoint", "nil"}},
		{"Checkpoint of the zero node", func() error {
			_, err := graph.Compile(graph.Checkpoint(func(x node) node { return x.SiLU() }, node{}))
			return err
		}, []string{"output 0"}},
		{"inside a Checkpoint", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Checkpoint(func(x node) node { return x.SiLU().Linear(w) }, x)
		}), []string{"layers.0: Linear", "x (2, 3, 4)", "w (7, 5)"}},
		{"zero node of a Checkpoint", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Checkpoint(func(x node) node { return node{} }, x).Add(x)
		}), []string{"operand 0 is no node"}},
	})
}
