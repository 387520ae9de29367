package graph_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
)

// A misuse is a mistake, and what its error must say.
type misuse struct {
	name string
	do   func() error
	want []string
}

// refused checks that mistakes are errors.
func refused(t *testing.T, mistakes []misuse) {
	for _, tt := range mistakes {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do()
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q, want %q in it", err, part)
				}
			}
		})
	}
}

// built returns the error of building what f builds from x (2, 3, 4), ids (2, 3) and a matrix w (7, 5).
func built(f func(g *graph.Graph, x, ids, w graph.Node) graph.Node) func() error {
	return func() error {
		ps := graph.NewParams(1)
		g := graph.New()
		x, ids := g.Input("x", tensor.Float32, 2, 3, 4), g.Tokens("ids", 2, 3)
		w := g.Param(ps.Root().At("layers", 0).Param("weight", graph.Ones, 7, 5))
		_, err := graph.Compile(f(g, x, ids, w))
		return err
	}
}

// ran returns the error of running a small graph, with tokens (1, 2) of a vocabulary of 5 in it, on a feed.
func ran(feed func(x, ids graph.Node) graph.Feed) func() error {
	return func() error {
		g := graph.New()
		x, ids := g.Input("x", tensor.Float32, 1, 2, 4), g.Tokens("ids", 1, 2)
		table := g.Param(graph.NewParams(1).Root().At("emb").Param("weight", graph.Ones, 5, 4))
		logits := x.Add(graph.Embedding(table, ids))
		prog, err := graph.Compile(graph.Apply2(loss.CrossEntropy, logits, g.Tokens("targets", 1, 2)))
		if err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		f := feed(x, ids)
		if _, ok := f[graph.Node{}]; !ok && f != nil {
			f[g.Wrap(g.Gorgonia().ByName("targets")[0], nil)] = graph.Ints([]int{0, 3}, 1, 2)
		}
		return prog.Run(context.Background(), f)
	}
}

func floats(n int, v float32) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// Every mistake is an error that says what is wrong, where and with what shapes. None panics.
func TestMisuse(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	good := graph.Ints([]int{1, 2}, 1, 2)
	zeros := graph.Floats(floats(8, 0), 1, 2, 4)
	type node = graph.Node
	refused(t, []misuse{
		// shapes
		{"Add", built(func(g *graph.Graph, x, ids, w node) node { return x.Add(w) }), []string{"layers.0: Add", "(2, 3, 4)", "(7, 5) layers.0.weight"}},
		{"Sub", built(func(g *graph.Graph, x, ids, w node) node { return w.Sub(x) }), []string{"Sub", "(2, 3, 4)", "(7, 5)"}},
		{"Mul", built(func(g *graph.Graph, x, ids, w node) node { return x.Mul(w) }), []string{"Mul", "(2, 3, 4)", "(7, 5)"}},
		{"Linear", built(func(g *graph.Graph, x, ids, w node) node { return x.Linear(w) }), []string{"layers.0: Linear", "x (2, 3, 4)", "w (7, 5)"}},
		{"Linear rank", built(func(g *graph.Graph, x, ids, w node) node { return w.Linear(x) }), []string{"Linear", "(2, 3, 4)", "3 axes, want 2"}},
		{"Linear bias", built(func(g *graph.Graph, x, ids, w node) node { return w.Linear(w, w) }), []string{"Linear", "b (7, 5)"}},
		{"Linear biases", built(func(g *graph.Graph, x, ids, w node) node { return w.Linear(w, w, w) }), []string{"2 biases"}},
		{"MatMul", built(func(g *graph.Graph, x, ids, w node) node { return x.MatMul(w) }), []string{"MatMul", "(2, 3, 4)", "(7, 5)"}},
		{"MatMul batch", built(func(g *graph.Graph, x, ids, w node) node { return w.MatMul(x) }), []string{"MatMul", "(7, 5)"}},
		{"MatMul vector", built(func(g *graph.Graph, x, ids, w node) node { return x.Sum().MatMul(w) }), []string{"MatMul", "matrices"}},
		{"Reshape", built(func(g *graph.Graph, x, ids, w node) node { return x.Reshape(5, 5) }), []string{"Reshape", "(2, 3, 4)", "[5 5]"}},
		{"Reshape zero", built(func(g *graph.Graph, x, ids, w node) node { return x.Reshape(0, -1) }), []string{"Reshape"}},
		{"Reshape twice open", built(func(g *graph.Graph, x, ids, w node) node { return x.Reshape(-1, -1) }), []string{"Reshape"}},
		{"Reshape overflow", built(func(g *graph.Graph, x, ids, w node) node { return x.Reshape(1<<62, 4, -1) }), []string{"Reshape"}},
		{"Transpose", built(func(g *graph.Graph, x, ids, w node) node { return x.Transpose(0, 0, 1) }), []string{"Transpose", "[0 0 1]", "(2, 3, 4)"}},
		{"Transpose short", built(func(g *graph.Graph, x, ids, w node) node { return x.Transpose(1, 0) }), []string{"Transpose"}},
		{"Sum axis", built(func(g *graph.Graph, x, ids, w node) node { return x.Sum(-1) }), []string{"Sum", "[-1]", "(2, 3, 4)"}},
		{"Mean axes", built(func(g *graph.Graph, x, ids, w node) node { return x.Mean(1, 1) }), []string{"Mean", "[1 1]"}},
		{"Softmax scalar", built(func(g *graph.Graph, x, ids, w node) node { return x.Sum().Softmax() }), []string{"Softmax", "scalar"}},
		{"SwiGLU", built(func(g *graph.Graph, x, ids, w node) node { return x.SwiGLU(w) }), []string{"SwiGLU", "(2, 3, 4)", "(7, 5)"}},
		{"RMSNorm", built(func(g *graph.Graph, x, ids, w node) node { return x.RMSNorm(w, 1e-5) }), []string{"RMSNorm", "(7, 5)", "2 axes, want 1"}},
		{"LayerNorm", built(func(g *graph.Graph, x, ids, w node) node { return x.LayerNorm(w, w, 1e-5) }), []string{"LayerNorm", "(7, 5)"}},
		{"Attention", built(func(g *graph.Graph, x, ids, w node) node { return graph.Attention(x, w, x, graph.Attend{Heads: 2}) }), []string{"Attention", "k (7, 5)", "3"}},
		{"Attention values", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Attention(x, x, g.Input("v", tensor.Float32, 2, 5, 4), graph.Attend{Heads: 2})
		}), []string{"Attention", "(2, 5, 4)"}},
		{"Embedding table", built(func(g *graph.Graph, x, ids, w node) node { return graph.Embedding(x, ids) }), []string{"Embedding", "table (2, 3, 4)"}},
		{"Positions", built(func(g *graph.Graph, x, ids, w node) node { return x.Positions(w) }), []string{"Positions", "(7, 5)"}},
		{"CrossEntropy", built(func(g *graph.Graph, x, ids, w node) node { return graph.Apply2(loss.CrossEntropy, w, ids) }), []string{"CrossEntropy", "(7, 5)", "(2, 3)"}},
		// types
		{"Add ids", built(func(g *graph.Graph, x, ids, w node) node { return x.Add(ids) }), []string{"Add", "y (2, 3)", "int", "float32"}},
		{"SiLU of ids", built(func(g *graph.Graph, x, ids, w node) node { return ids.SiLU() }), []string{"SiLU", "int"}},
		{"Embedding floats", built(func(g *graph.Graph, x, ids, w node) node { return graph.Embedding(w, x) }), []string{"Embedding", "float32, want int"}},
		{"targets floats", built(func(g *graph.Graph, x, ids, w node) node { return graph.Apply2(loss.CrossEntropy, x, w) }), []string{"CrossEntropy", "float32, want int"}},
		{"mask floats", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Attention(x, x, x, graph.Attend{Heads: 2, Mask: w})
		}), []string{"Attention", "mask", "bool"}},
		{"float64 input", built(func(g *graph.Graph, x, ids, w node) node { return g.Input("z", tensor.Float64, 2) }), []string{"Input z", "float64", "float32"}},
		{"string input", built(func(g *graph.Graph, x, ids, w node) node { return g.Input("z", tensor.String, 2) }), []string{"Input z", "string"}},
		{"float64 parameter", built(func(g *graph.Graph, x, ids, w node) node {
			return g.Param(graph.NewParams(1, graph.DType(tensor.Float64)).Root().Param("d", graph.Ones, 2))
		}), []string{"d holds float64", "float32"}},
		// nodes
		{"zero node", built(func(g *graph.Graph, x, ids, w node) node { return x.Add(node{}) }), []string{"operand 1 is no node"}},
		{"of zero node", built(func(g *graph.Graph, x, ids, w node) node { return node{}.Add(x) }), []string{"operand 0 is no node"}},
		{"two graphs", built(func(g *graph.Graph, x, ids, w node) node {
			return x.Add(graph.New().Input("y", tensor.Float32, 4))
		}), []string{"operand 1 belongs to another graph"}},
		{"Wrap of another graph", built(func(g *graph.Graph, x, ids, w node) node {
			return g.Wrap(graph.New().Input("y", tensor.Float32, 4).Gorgonia(), nil)
		}), []string{"Wrap", "another graph"}},
		{"Wrap nil", built(func(g *graph.Graph, x, ids, w node) node { return g.Wrap(nil, nil) }), []string{"Wrap", "no node"}},
		{"Wrap error", built(func(g *graph.Graph, x, ids, w node) node { return g.Wrap(nil, errors.New("mine")) }), []string{"Wrap", "mine"}},
		{"panic in Apply", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply(func(*gorgonia.Node) (*gorgonia.Node, error) { panic("boom") }, x)
		}), []string{"Apply", "boom"}},
		{"nil function", built(func(g *graph.Graph, x, ids, w node) node { return graph.Apply(nil, x) }), []string{"Apply"}},
		{"nil parameter", built(func(g *graph.Graph, x, ids, w node) node { return x.Linear(x.Param(nil)) }), []string{"Param", "missing"}},
		{"first error stays", built(func(g *graph.Graph, x, ids, w node) node { return x.Add(w).SiLU().MatMul(x) }), []string{"Add"}},
		{"nil logits", func() error { _, err := loss.CrossEntropy(nil, nil); return err }, []string{"loss", "logits is missing"}},
		// names
		{"same name", built(func(g *graph.Graph, x, ids, w node) node { return g.Input("x", tensor.Float32, 9) }), []string{"Input x", "taken"}},
		{"name of a parameter", built(func(g *graph.Graph, x, ids, w node) node { return g.Tokens("layers.0.weight", 1, 1) }), []string{"taken"}},
		{"no name", built(func(g *graph.Graph, x, ids, w node) node { return g.Tokens("", 1, 1) }), []string{"needs a name"}},
		{"negative shape", built(func(g *graph.Graph, x, ids, w node) node { return g.Tokens("t", -1, 4) }), []string{"Input t", "shape (-1, 4)"}},
		{"empty shape", built(func(g *graph.Graph, x, ids, w node) node { return g.Tokens("t", 3, 0) }), []string{"shape (3, 0)"}},
		{"huge shape", built(func(g *graph.Graph, x, ids, w node) node { return g.Tokens("t", 1<<40, 1<<40) }), []string{"shape"}},
		// settings
		{"Scale NaN", built(func(g *graph.Graph, x, ids, w node) node { return x.Scale(nan) }), []string{"Scale", "NaN"}},
		{"eps", built(func(g *graph.Graph, x, ids, w node) node { return w.RMSNorm(w.Sum(0), -1) }), []string{"RMSNorm", "eps is -1"}},
		{"eps NaN", built(func(g *graph.Graph, x, ids, w node) node { return w.RMSNorm(w.Sum(0), nan) }), []string{"eps is NaN"}},
		{"RoPE heads", built(func(g *graph.Graph, x, ids, w node) node { return x.RoPE(graph.RoPE{Heads: 4}) }), []string{"RoPE", "4 heads", "(2, 3, 4)"}},
		{"RoPE no heads", built(func(g *graph.Graph, x, ids, w node) node { return x.RoPE(graph.RoPE{}) }), []string{"RoPE", "0 heads"}},
		{"RoPE theta", built(func(g *graph.Graph, x, ids, w node) node { return x.RoPE(graph.RoPE{Heads: 2, Theta: inf}) }), []string{"theta is +Inf"}},
		{"RoPE positions", built(func(g *graph.Graph, x, ids, w node) node {
			return x.RoPE(graph.RoPE{Heads: 2, Positions: g.Input("p", tensor.Int, 5)})
		}), []string{"positions (5)", "(2, 3, 4)"}},
		{"Attention heads", built(func(g *graph.Graph, x, ids, w node) node { return graph.Attention(x, x, x, graph.Attend{}) }), []string{"Attention", "0 heads"}},
		{"Attention uneven", built(func(g *graph.Graph, x, ids, w node) node { return graph.Attention(x, x, x, graph.Attend{Heads: 3}) }), []string{"3 heads do not divide"}},
		{"Attention groups", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Attention(x, x, x, graph.Attend{Heads: 2, KVHeads: 3})
		}), []string{"2 heads", "3 heads"}},
		{"Attention scale", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Attention(x, x, x, graph.Attend{Heads: 2, Scale: nan})
		}), []string{"scale is NaN"}},
		{"Attention mask", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Attention(x, x, x, graph.Attend{Heads: 2, Mask: g.Input("m", tensor.Bool, 3, 2)})
		}), []string{"mask (3, 2)"}},
		{"Dropout", built(func(g *graph.Graph, x, ids, w node) node { return x.Dropout(1) }), []string{"Dropout", "p is 1"}},
		{"Dropout NaN", built(func(g *graph.Graph, x, ids, w node) node { return x.Dropout(nan) }), []string{"p is NaN"}},
		{"smoothing", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply2(loss.Options{LabelSmoothing: 1.5}.CrossEntropy, x, ids)
		}), []string{"smoothing is 1.5"}},
		{"weights", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply2(loss.Options{Weights: []float64{1}}.CrossEntropy, x, ids)
		}), []string{"1 class weights", "(2, 3, 4)"}},
		{"negative weight", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply2(loss.Options{Weights: []float64{1, -1, 1, 1}}.CrossEntropy, x, ids)
		}), []string{"weight 1 is -1"}},
		{"z-loss", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply2(loss.Options{ZLoss: nan}.CrossEntropy, x, ids)
		}), []string{"z-loss is NaN"}},
		{"reduction", built(func(g *graph.Graph, x, ids, w node) node {
			return graph.Apply2(loss.Options{Reduction: 9}.CrossEntropy, x, ids)
		}), []string{"unknown reduction 9"}},
		{"dtype", func() error { return graph.New(graph.DType(tensor.Int)).Err() }, []string{"int"}},
		{"nil option", func() error { return graph.New(nil).Err() }, []string{"nil option"}},
		{"Decode", func() error { return graph.New(graph.Decode(0)).Err() }, []string{"0 tokens"}},
		{"option of a graph", func() error { return graph.New(graph.Blank()).Err() }, []string{"Blank"}},
		{"option of parameters", func() error { return graph.NewParams(1, graph.Decode(3)).Err() }, []string{"Decode"}},
		// parameters
		{"two of a name", func() error {
			ps := graph.NewParams(1)
			ps.Root().Param("a", graph.Ones, 1)
			ps.Root().Param("a", graph.Ones, 1)
			return ps.Err()
		}, []string{"two parameters are named a"}},
		{"parameter shape", func() error { ps := graph.NewParams(1); ps.Root().Param("a", graph.Ones, 2, 0); return ps.Err() }, []string{"parameter a", "(2, 0)"}},
		{"scalar parameter", func() error { ps := graph.NewParams(1); ps.Root().Param("a", graph.Ones); return ps.Err() }, []string{"scalar"}},
		{"nil init", func() error { ps := graph.NewParams(1); ps.Root().Param("a", nil, 1); return ps.Err() }, []string{"no initial value"}},
		{"zero scope", func() error {
			g := graph.New()
			_, err := graph.Compile(g.Param(graph.Scope{}.Param("a", graph.Ones, 1)))
			return err
		}, []string{"missing"}},
		{"gradient too early", func() error {
			_, err := graph.NewParams(1).Root().Param("a", graph.Ones, 1).Grad()
			return err
		}, []string{"a has no gradient"}},
		// compiling
		{"nothing", func() error { _, err := graph.Compile(); return err }, []string{"no outputs"}},
		{"zero output", func() error { _, err := graph.Compile(graph.Node{}); return err }, []string{"output 0"}},
		{"outputs of two graphs", func() error {
			_, err := graph.Compile(graph.New().Tokens("a", 1, 1), graph.New().Tokens("a", 1, 1))
			return err
		}, []string{"output 1 belongs to another graph"}},
		{"zero cost", func() error { _, err := graph.CompileTrain(graph.Node{}); return err }, []string{"cost"}},
		{"cost not scalar", func() error {
			g := graph.New()
			_, err := graph.CompileTrain(g.Param(graph.NewParams(1).Root().Param("a", graph.Ones, 2)))
			return err
		}, []string{"cost is float32 (2)"}},
		{"cost of nothing", func() error {
			g := graph.New()
			_, err := graph.CompileTrain(g.Input("x", tensor.Float32, 2).Sum())
			return err
		}, []string{"depends on no parameter"}},
		// running
		{"token too large", ran(func(x, ids node) graph.Feed { return graph.Feed{x: zeros, ids: graph.Ints([]int{1, 5}, 1, 2)} }), []string{"emb", "Embedding", "token 5 at [0 1]", "(5, 4) emb.weight"}},
		{"token negative", ran(func(x, ids node) graph.Feed { return graph.Feed{x: zeros, ids: graph.Ints([]int{-1, 0}, 1, 2)} }), []string{"token -1 at [0 0]"}},
		{"NaN", ran(func(x, ids node) graph.Feed {
			return graph.Feed{x: graph.Floats(floats(8, float32(nan)), 1, 2, 4), ids: good}
		}), []string{"CrossEntropy", "[0 0]", "NaN"}},
		{"+Inf", ran(func(x, ids node) graph.Feed {
			return graph.Feed{x: graph.Floats(floats(8, float32(inf)), 1, 2, 4), ids: good}
		}), []string{"+Inf"}},
		{"all -Inf", ran(func(x, ids node) graph.Feed {
			return graph.Feed{x: graph.Floats(floats(8, float32(-inf)), 1, 2, 4), ids: good}
		}), []string{"-Inf"}},
		{"missing", ran(func(x, ids node) graph.Feed { return graph.Feed{x: zeros} }), []string{"input ids (1, 2) has no value"}},
		{"no feed", ran(func(x, ids node) graph.Feed { return nil }), []string{"has no value"}},
		{"nil value", ran(func(x, ids node) graph.Feed { return graph.Feed{x: nil, ids: good} }), []string{"input x"}},
		{"wrong shape", ran(func(x, ids node) graph.Feed { return graph.Feed{x: zeros, ids: graph.Ints([]int{1, 2}, 2, 1)} }), []string{"input ids", "(2, 1)", "(1, 2)"}},
		{"wrong type", ran(func(x, ids node) graph.Feed {
			return graph.Feed{x: graph.Floats(make([]float64, 8), 1, 2, 4), ids: good}
		}), []string{"input x", "float64"}},
		{"ids that do not fit", ran(func(x, ids node) graph.Feed { return graph.Feed{x: zeros, ids: graph.Ints([]int{1, 2, 3}, 1, 2)} }), []string{"input ids", "no value"}},
		{"view", ran(func(x, ids node) graph.Feed {
			d := tensor.New(tensor.WithShape(4, 2, 1), tensor.WithBacking(floats(8, 0)))
			if err := d.T(2, 1, 0); err != nil {
				panic(err)
			}
			return graph.Feed{x: d, ids: good}
		}), []string{"input x", "view"}},
		{"another graph's node", ran(func(x, ids node) graph.Feed {
			return graph.Feed{x: zeros, ids: good, graph.New().Tokens("other", 1, 1): good}
		}), []string{"another graph"}},
		{"zero node fed", ran(func(x, ids node) graph.Feed { return graph.Feed{node{}: good} }), []string{"another graph"}},
		{"not an input", ran(func(x, ids node) graph.Feed {
			return graph.Feed{x: zeros, ids: good, x.Graph().Tokens("spare", 1, 2): good}
		}), []string{"spare", "no input"}},
		// decoding
		{"decoder of nothing", func() error { _, err := graph.NewDecoder(nil, 4); return err }, []string{"no model"}},
		{"decoder without room", func() error {
			_, err := graph.NewDecoder(func(x graph.Node) graph.Node { return x }, 0)
			return err
		}, []string{"0 tokens"}},
		{"decoder of tokens", func() error {
			_, err := graph.NewDecoder(func(x graph.Node) graph.Node { return x }, 4)
			return err
		}, []string{"(1, 1)", "vocab"}},
		{"too long", decoded(1, 2, 3, 4, 5, 6, 7, 8, 9), []string{"9 tokens after 0 exceed a sequence of 8"}},
		{"no tokens", decoded(), []string{"no tokens"}},
		{"unknown token", decoded(99), []string{"token 99"}},
		// models
		{"no vocabulary", model(layers.Config{}), []string{"VocabSize is 0"}},
		{"huge", model(layers.Config{VocabSize: 1 << 40}), []string{"VocabSize"}},
		{"heads", model(layers.Config{VocabSize: 5, ContextLength: 8, DModel: 10, NumLayers: 1, NumHeads: 3}), []string{"3 heads", "DModel 10"}},
		{"odd heads", model(layers.Config{VocabSize: 5, ContextLength: 8, DModel: 3, NumLayers: 1, NumHeads: 1}), []string{"even"}},
		{"groups", model(layers.Config{VocabSize: 5, ContextLength: 8, DModel: 8, NumLayers: 1, NumHeads: 2, NumKVHeads: 3}), []string{"3 heads of keys"}},
		{"activation", model(layers.Config{VocabSize: 5, ContextLength: 8, DModel: 8, NumLayers: 1, NumHeads: 2, Activation: 77}), []string{"activation 77"}},
		{"dropout", model(layers.Config{VocabSize: 5, ContextLength: 8, DModel: 8, NumLayers: 1, NumHeads: 2, Dropout: 1}), []string{"Dropout is 1"}},
		{"theta without RoPE", model(layers.Config{VocabSize: 5, ContextLength: 8, DModel: 8, NumLayers: 1, NumHeads: 2, Position: layers.Learned, RoPETheta: 5}), []string{"RoPE", "learned"}},
		{"context", func() error {
			m, err := layers.NewTransformerLM(graph.NewParams(1).Root(), small)
			if err != nil {
				return nil
			}
			_, err = graph.Compile(m.Forward(graph.New().Tokens("t", 1, 9)))
			return err
		}, []string{"9 tokens exceed a context of 8"}},
		{"layer", func() error {
			lin := layers.NewLinear(graph.NewParams(1).Root().At("layers", 3, "ffn", "w1"), 5, 7)
			_, err := graph.Compile(lin.Forward(graph.New().Input("x", tensor.Float32, 2, 4)))
			return err
		}, []string{"layers.3.ffn.w1: Linear: x (2, 4) does not fit w (7, 5)"}},
	})
}

var small = layers.Config{VocabSize: 5, ContextLength: 8, DModel: 8, NumLayers: 1, NumHeads: 2}

func model(c layers.Config) func() error {
	return func() error {
		_, err := layers.NewTransformerLM(graph.NewParams(1).Root(), c)
		return err
	}
}

// decoded returns the error of giving tokens to a decoder, which must not have taken any.
func decoded(tokens ...int) func() error {
	return func() error {
		m, err := layers.NewTransformerLM(graph.NewParams(1).Root(), small)
		if err != nil {
			return err
		}
		d, err := graph.NewDecoder(m.Forward, 8)
		if err != nil {
			return err
		}
		if _, err = d.Next(context.Background(), tokens...); d.Len() != 0 {
			return errors.Errorf("the decoder took %d tokens", d.Len())
		}
		return err
	}
}
