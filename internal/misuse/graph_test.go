package misuse

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
)

type node = graph.Node

var nan, inf = math.NaN(), math.Inf(1)

// The operands that a mistake is made with: x (2, 3, 4), a matrix w (7, 5), a vector v (4), ids (2, 3) and truths (3, 3).
type operands struct {
	g                    *graph.Graph
	x, w, v, ids, truths node
}

// built returns the error of compiling what f builds.
func built(f func(o operands) node) func() error { return builtIn(f) }

func builtIn(f func(o operands) node, opts ...graph.Option) func() error {
	return func() error {
		g := graph.New(opts...)
		at := graph.NewParams(1, graph.DType(g.DType())).Root().At("layers", 2)
		_, err := graph.Compile(f(operands{
			g: g, x: g.Input("x", g.DType(), 2, 3, 4), ids: g.Tokens("ids", 2, 3), truths: g.Input("truths", tensor.Bool, 3, 3),
			w: g.Param(at.Param("weight", graph.Ones, 7, 5)), v: g.Param(at.Param("gain", graph.Ones, 4)),
		}))
		return err
	}
}

func building(*testing.T) []mistake {
	attend := func(how graph.Attend) func() error {
		return built(func(o operands) node { return graph.Attention(o.x, o.x, o.x, how) })
	}
	rope := func(r graph.RoPE) func() error { return built(func(o operands) node { return o.x.RoPE(r) }) }
	gorgonian := func(f func(*gorgonia.Node) (*gorgonia.Node, error)) func() error {
		return built(func(o operands) node { return graph.Apply(f, o.x) })
	}
	list := []mistake{
		// shapes
		{"Add of lengths that do not broadcast", built(func(o operands) node { return o.x.Add(o.w.Sum(1)) }), []string{"Add", "(2, 3, 4)", "(7)"}},
		{"Sub of batches that differ", built(func(o operands) node { return o.x.Sub(o.g.Input("y", tensor.Float32, 3, 3, 4)) }), []string{"Sub: x (2, 3, 4)", "y (3, 3, 4)"}},
		{"Mul of a transposed one", built(func(o operands) node { return o.w.Mul(o.w.Transpose()) }), []string{"Mul", "(7, 5)", "(5, 7)"}},
		{"MatMul of inner lengths", built(func(o operands) node { return o.w.MatMul(o.w) }), []string{"MatMul", "(7, 5)"}},
		{"MatMul of batches that differ", built(func(o operands) node { return o.x.MatMul(o.g.Input("y", tensor.Float32, 3, 4, 2)) }), []string{"MatMul", "(2, 3, 4)", "(3, 4, 2)"}},
		{"MatMul of ranks that differ", built(func(o operands) node { return o.x.MatMul(o.g.Input("y", tensor.Float32, 1, 2, 4, 2)) }), []string{"MatMul", "(2, 3, 4)", "(1, 2, 4, 2)"}},
		{"MatMul of a vector", built(func(o operands) node { return o.v.MatMul(o.w) }), []string{"MatMul", "(4)"}},
		{"Linear of a vector for a weight", built(func(o operands) node { return o.x.Linear(o.v) }), []string{"Linear", "w (4)"}},
		{"Linear of a scalar", built(func(o operands) node { return o.x.Sum().Linear(o.w) }), []string{"Linear", "x ()"}},
		{"Linear with a bias too long", built(func(o operands) node { return o.w.Linear(o.w, o.v) }), []string{"Linear", "b (4)"}},
		{"RMSNorm gain", built(func(o operands) node { return o.w.RMSNorm(o.v, 1e-5) }), []string{"RMSNorm", "(7, 5)", "(4)"}},
		{"RMSNorm of a scalar", built(func(o operands) node { return o.x.Sum().RMSNorm(o.v, 1e-5) }), []string{"RMSNorm", "()"}},
		{"LayerNorm gain", built(func(o operands) node { return o.w.LayerNorm(o.v, o.v, 1e-5) }), []string{"LayerNorm", "(7, 5)", "(4)"}},
		{"LayerNorm shift", built(func(o operands) node { return o.x.LayerNorm(o.v, o.w.Sum(1), 1e-5) }), []string{"LayerNorm", "(2, 3, 4)", "(7)"}},
		{"LogSoftmax of a scalar", built(func(o operands) node { return o.x.Mean().LogSoftmax() }), []string{"LogSoftmax", "scalar"}},
		{"SwiGLU of another length", built(func(o operands) node { return o.x.SwiGLU(o.g.Input("up", tensor.Float32, 2, 3, 5)) }), []string{"SwiGLU", "(2, 3, 4)", "(2, 3, 5)"}},
		{"SwiGLUPacked of an odd length", built(func(o operands) node { return o.w.SwiGLUPacked() }), []string{"SwiGLU", "(7, 5)"}},
		{"Embedding in a vector", built(func(o operands) node { return graph.Embedding(o.v, o.ids) }), []string{"Embedding", "table (4)"}},
		{"Positions too few", built(func(o operands) node { return o.x.Positions(o.g.Input("p", tensor.Float32, 2, 4)) }), []string{"Positions", "(2, 4)", "(2, 3, 4)"}},
		{"Positions of another width", built(func(o operands) node { return o.x.Positions(o.g.Input("p", tensor.Float32, 9, 5)) }), []string{"Positions", "(9, 5)", "(2, 3, 4)"}},
		{"Positions of a matrix", built(func(o operands) node { return o.w.Positions(o.w) }), []string{"Positions", "(7, 5)"}},
		{"Sum over an axis too far", built(func(o operands) node { return o.x.Sum(3) }), []string{"Sum", "[3]", "(2, 3, 4)"}},
		{"Sum over an axis twice", built(func(o operands) node { return o.x.Sum(0, 0) }), []string{"Sum", "[0 0]", "(2, 3, 4)"}},
		{"Mean over a negative axis", built(func(o operands) node { return o.x.Mean(-4) }), []string{"Mean", "[-4]", "(2, 3, 4)"}},
		{"Sum of a scalar over an axis", built(func(o operands) node { return o.x.Sum().Sum(0) }), []string{"Sum", "[0]"}},
		{"Transpose of an axis too far", built(func(o operands) node { return o.x.Transpose(0, 1, 3) }), []string{"Transpose", "[0 1 3]", "(2, 3, 4)"}},
		{"Transpose of a negative axis", built(func(o operands) node { return o.x.Transpose(0, 1, -1) }), []string{"Transpose", "[0 1 -1]", "(2, 3, 4)"}},
		{"Transpose of too many axes", built(func(o operands) node { return o.w.Transpose(0, 1, 2) }), []string{"Transpose", "[0 1 2]", "(7, 5)"}},
		{"Reshape to a negative length", built(func(o operands) node { return o.x.Reshape(-2, -12) }), []string{"Reshape", "(2, 3, 4)", "[-2 -12]"}},
		{"Reshape that leaves a rest", built(func(o operands) node { return o.x.Reshape(5, -1) }), []string{"Reshape", "(2, 3, 4)", "[5 -1]"}},
		{"Reshape to a scalar", built(func(o operands) node { return o.x.Reshape() }), []string{"Reshape", "(2, 3, 4)"}},
		// attention
		{"Attention of matrices", built(func(o operands) node { return graph.Attention(o.w, o.w, o.w, graph.Attend{Heads: 1}) }), []string{"Attention", "(7, 5)"}},
		{"Attention of batches that differ", built(func(o operands) node {
			k := o.g.Input("k", tensor.Float32, 3, 3, 4)
			return graph.Attention(o.x, k, k, graph.Attend{Heads: 2})
		}), []string{"Attention", "(2, 3, 4)", "(3, 3, 4)"}},
		{"Attention of widths that differ", built(func(o operands) node {
			k := o.g.Input("k", tensor.Float32, 2, 3, 6)
			return graph.Attention(o.x, k, k, graph.Attend{Heads: 2})
		}), []string{"Attention", "(2, 3, 6)"}},
		{"Attention of ids", built(func(o operands) node { return graph.Attention(o.ids, o.x, o.x, graph.Attend{Heads: 2}) }), []string{"Attention", "(2, 3) ids"}},
		{"Attention of negative heads", attend(graph.Attend{Heads: -2}), []string{"Attention", "-2 heads"}},
		{"Attention of negative groups", attend(graph.Attend{Heads: 2, KVHeads: -1}), []string{"Attention", "-1 heads"}},
		{"Attention scale", attend(graph.Attend{Heads: 2, Scale: inf}), []string{"Attention", "scale is +Inf"}},
		{"Attention mask of another graph", attend(graph.Attend{Heads: 2, Mask: graph.New().Input("m", tensor.Bool, 3, 3)}), []string{"Attention", "another graph"}},
		{"Attention mask of ids", built(func(o operands) node { return graph.Attention(o.x, o.x, o.x, graph.Attend{Heads: 2, Mask: o.ids}) }), []string{"Attention", "mask (2, 3) ids", "bool"}},
		{"Attention mask of a batch too many", built(func(o operands) node {
			return graph.Attention(o.x, o.x, o.x, graph.Attend{Heads: 2, Mask: o.g.Input("m", tensor.Bool, 5, 3, 3)})
		}), []string{"Attention", "mask (5, 3, 3)"}},
		{"Attention mask of heads too many", built(func(o operands) node {
			return graph.Attention(o.x, o.x, o.x, graph.Attend{Heads: 2, Mask: o.g.Input("m", tensor.Bool, 2, 3, 3, 3)})
		}), []string{"Attention", "mask (2, 3, 3, 3)"}},
		{"Attention without keys", built(func(o operands) node { return graph.Attention(o.x, node{}, o.x, graph.Attend{Heads: 2}) }), []string{"Attention", "operand 1 is no node"}},
		// positions
		{"RoPE of negative heads", rope(graph.RoPE{Heads: -1}), []string{"RoPE", "-1 heads"}},
		{"RoPE of odd heads", built(func(o operands) node { return o.g.Input("y", tensor.Float32, 2, 3, 6).RoPE(graph.RoPE{Heads: 2}) }), []string{"RoPE", "(2, 3, 6)"}},
		{"RoPE of heads too wide", rope(graph.RoPE{Heads: 2, HeadDim: 4}), []string{"RoPE", "(2, 3, 4)"}},
		{"RoPE of a negative width", rope(graph.RoPE{Heads: 2, HeadDim: -2}), []string{"RoPE", "-2"}},
		{"RoPE of an odd width", rope(graph.RoPE{Heads: 1, HeadDim: 3}), []string{"RoPE", "3"}},
		{"RoPE theta negative", rope(graph.RoPE{Heads: 2, Theta: -1}), []string{"RoPE", "theta is -1"}},
		{"RoPE theta NaN", rope(graph.RoPE{Heads: 2, Theta: nan}), []string{"RoPE", "theta is NaN"}},
		{"RoPE of a matrix", built(func(o operands) node { return o.w.RoPE(graph.RoPE{Heads: 1}) }), []string{"RoPE", "(7, 5)"}},
		{"RoPE of ids", built(func(o operands) node { return o.ids.Reshape(2, 3, 1).RoPE(graph.RoPE{Heads: 1}) }), []string{"int"}},
		{"RoPE positions of numbers", built(func(o operands) node { return o.x.RoPE(graph.RoPE{Heads: 2, Positions: o.v}) }), []string{"RoPE", "positions (4)"}},
		{"RoPE positions of another graph", built(func(o operands) node {
			return o.x.RoPE(graph.RoPE{Heads: 2, Positions: graph.New().Tokens("p", 2, 3)})
		}), []string{"RoPE", "another graph"}},
		// types
		{"ReLU of ids", built(func(o operands) node { return o.ids.ReLU() }), []string{"ReLU", "(2, 3) ids", "int"}},
		{"GELU of ids", built(func(o operands) node { return o.ids.GELU() }), []string{"GELU", "(2, 3) ids", "int"}},
		{"GELUTanh of truths", built(func(o operands) node { return o.truths.GELUTanh() }), []string{"GELU", "(3, 3) truths", "bool"}},
		{"Softmax of ids", built(func(o operands) node { return o.ids.Softmax() }), []string{"Softmax", "(2, 3) ids", "int"}},
		{"LogSoftmax of truths", built(func(o operands) node { return o.truths.LogSoftmax() }), []string{"LogSoftmax", "(3, 3) truths", "bool"}},
		{"Scale of ids", built(func(o operands) node { return o.ids.Scale(2) }), []string{"Scale", "(2, 3) ids", "int"}},
		{"Dropout of ids", built(func(o operands) node { return o.ids.Dropout(0.5) }), []string{"Dropout", "(2, 3) ids", "int"}},
		{"Sum of ids", built(func(o operands) node { return o.ids.Sum() }), []string{"Sum", "(2, 3) ids", "int"}},
		{"Mean of truths", built(func(o operands) node { return o.truths.Mean() }), []string{"Mean", "(3, 3) truths", "bool"}},
		{"MatMul of ids", built(func(o operands) node { return o.ids.MatMul(o.w) }), []string{"MatMul", "ids", "int"}},
		{"Add of ids to themselves", built(func(o operands) node { return o.ids.Add(o.ids) }), []string{"Add", "(2, 3) ids", "int"}},
		{"SwiGLU of ids", built(func(o operands) node { return o.ids.SwiGLU(o.ids) }), []string{"SwiGLU", "(2, 3) ids", "int"}},
		{"RMSNorm of ids", built(func(o operands) node { return o.ids.RMSNorm(o.v, 1e-5) }), []string{"RMSNorm", "(2, 3) ids", "int"}},
		{"LayerNorm with a gain of truths", built(func(o operands) node { return o.x.LayerNorm(o.truths, o.v, 1e-5) }), []string{"LayerNorm", "(3, 3) truths"}},
		{"Embedding of truths", built(func(o operands) node { return graph.Embedding(o.w, o.truths) }), []string{"Embedding", "(3, 3) truths", "bool"}},
		{"Embedding in ids", built(func(o operands) node { return graph.Embedding(o.ids, o.ids) }), []string{"Embedding", "ids", "int"}},
		{"float32 in a graph of float64", builtIn(func(o operands) node { return o.x.Add(o.g.Input("y", tensor.Float32, 4)) }, graph.DType(tensor.Float64)), []string{"Input y", "float32", "float64"}},
		// settings
		{"Scale by infinity", built(func(o operands) node { return o.x.Scale(inf) }), []string{"Scale", "+Inf"}},
		{"RMSNorm eps infinite", built(func(o operands) node { return o.x.RMSNorm(o.v, inf) }), []string{"RMSNorm", "eps is +Inf"}},
		{"LayerNorm eps negative", built(func(o operands) node { return o.x.LayerNorm(o.v, o.v, -1e-5) }), []string{"LayerNorm", "eps is -1e-05"}},
		{"LayerNorm eps NaN", built(func(o operands) node { return o.x.LayerNorm(o.v, o.v, nan) }), []string{"LayerNorm", "eps is NaN"}},
		{"Dropout negative", built(func(o operands) node { return o.x.Dropout(-0.1) }), []string{"Dropout", "p is -0.1"}},
		{"Dropout of all", built(func(o operands) node { return o.x.Dropout(1.5) }), []string{"Dropout", "p is 1.5"}},
		// nodes
		{"Sum of no node", built(func(o operands) node { return node{}.Sum() }), []string{"no"}},
		{"Sub from another graph", built(func(o operands) node { return o.x.Sub(graph.New().Input("y", tensor.Float32, 4)) }), []string{"Sub", "operand 1 belongs to another graph"}},
		{"Linears with a zero weight", built(func(o operands) node { return o.w.Linears([]node{o.w, {}}) }), []string{"Linear", "operand 2 is no node"}},
		{"Linear with the bias of another graph", built(func(o operands) node { return o.w.Linear(o.w, graph.New().Input("b", tensor.Float32, 7)) }), []string{"Linear", "operand 2 belongs to another graph"}},
		{"Apply3 of no nodes", built(func(o operands) node {
			return graph.Apply3(func(x, y, z *gorgonia.Node) (*gorgonia.Node, error) { return x, nil }, o.x, node{}, node{})
		}), []string{"Apply3", "operand 1 is no node"}},
		{"Apply2 without a function", built(func(o operands) node { return graph.Apply2(nil, o.x, o.x) }), []string{"Apply2"}},
		{"Apply3 without a function", built(func(o operands) node { return graph.Apply3(nil, o.x, o.x, o.x) }), []string{"Apply3"}},
		{"Apply that returns nothing", gorgonian(func(*gorgonia.Node) (*gorgonia.Node, error) { return nil, nil }), []string{"Apply", "no node"}},
		{"Apply that returns another graph's", gorgonian(func(*gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.NewScalar(gorgonia.NewGraph(), gorgonia.Float32), nil
		}), []string{"Apply", "another graph"}},
		{"Apply that fails", gorgonian(func(*gorgonia.Node) (*gorgonia.Node, error) { return nil, errors.New("no tanh today") }), []string{"Apply", "(2, 3, 4)", "no tanh today"}},
		{"Apply that writes to nil", gorgonian(func(*gorgonia.Node) (*gorgonia.Node, error) { var m map[int]int; m[0] = 1; return nil, nil }), []string{"Apply", "nil map"}},
		{"Gorgonia's Slice beyond the end", gorgonian(func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Slice(x, gorgonia.S(7)) }), []string{"Apply", "(2, 3, 4)"}},
		{"Gorgonia's Sum over an axis too far", gorgonian(func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Sum(x, 9) }), []string{"Apply", "(2, 3, 4)"}},
		{"Gorgonia's Reshape", gorgonian(func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Reshape(x, tensor.Shape{5, 5}) }), []string{"Apply", "(2, 3, 4)"}},
		{"Gorgonia's Mul of nothing", gorgonian(func(x *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.Mul(x, nil) }), []string{"Apply", "(2, 3, 4)"}},
		{"Gorgonia's Concat of ranks that differ", gorgonian(func(x *gorgonia.Node) (*gorgonia.Node, error) {
			return gorgonia.Concat(0, x, gorgonia.NewVector(x.Graph(), gorgonia.Float32, gorgonia.WithShape(3), gorgonia.WithName("c")))
		}), []string{"Apply", "(2, 3, 4)"}},
		{"Checkpoint that panics", built(func(o operands) node { return graph.Checkpoint(func(node) node { panic("boom") }, o.x) }), []string{"Checkpoint", "boom"}},
		{"Checkpoint of another graph's", built(func(o operands) node {
			return graph.Checkpoint(func(node) node { return graph.New().Tokens("t", 1, 1) }, o.x).Add(o.x)
		}), []string{"another graph"}},
		// inputs
		{"Input of complex numbers", built(func(o operands) node { return o.g.Input("z", tensor.Complex64, 2) }), []string{"Input z", "complex64"}},
		{"Input of int32", built(func(o operands) node { return o.g.Input("z", tensor.Int32, 2) }), []string{"Input z", "int32"}},
		{"Input of no type", built(func(o operands) node { return o.g.Input("z", tensor.Dtype{}, 2) }), []string{"Input z"}},
		{"Input of a negative length", built(func(o operands) node { return o.g.Input("z", tensor.Float32, 2, -3) }), []string{"Input z", "(2, -3)"}},
		{"Input whose size overflows", built(func(o operands) node { return o.g.Input("z", tensor.Float32, math.MaxInt, 2) }), []string{"Input z"}},
		{"Tokens of no length", built(func(o operands) node { return o.g.Tokens("z", 1, 0) }), []string{"Input z", "(1, 0)"}},
		{"Tokens named as a parameter", built(func(o operands) node { return o.g.Tokens("layers.2.gain", 1, 1) }), []string{"Input layers.2.gain", "taken"}},
		{"Param named as an input", built(func(o operands) node { return o.g.Param(graph.NewParams(1).Root().Param("x", graph.Ones, 4)) }), []string{"x", "taken"}},
		{"two parameters of one name", built(func(o operands) node {
			return o.g.Param(graph.NewParams(1).Root().Param("layers.2.gain", graph.Ones, 4))
		}), []string{"layers.2.gain", "taken"}},
		{"Param of nil", built(func(o operands) node { return o.g.Param(nil) }), []string{"Param", "missing"}},
		// options
		{"Decode of a negative length", func() error { return graph.New(graph.Decode(-1)).Err() }, []string{"-1 tokens"}},
		{"DType of truths", func() error { return graph.New(graph.DType(tensor.Bool)).Err() }, []string{"bool"}},
		{"Int8 in a graph that does not generate", func() error { return graph.New(graph.Int8()).Err() }, []string{"Int8", "generat"}},
		{"Int8 in float64", func() error { return graph.New(graph.Int8(), graph.Decode(4), graph.DType(tensor.Float64)).Err() }, []string{"Int8", "float64"}},
		{"Seed of parameters", func() error { return graph.NewParams(1, graph.Seed(3)).Err() }, []string{"Seed"}},
		{"Int8 of parameters", func() error { return graph.NewParams(1, graph.Int8()).Err() }, []string{"Int8"}},
		{"the zero Graph", func() error {
			var g graph.Graph
			_, err := graph.Compile(g.Tokens("t", 1, 1))
			return err
		}, []string{"graph"}},
	}
	return list
}

func parameters(*testing.T) []mistake {
	made := func(f func(s graph.Scope)) func() error {
		return func() error {
			ps := graph.NewParams(1)
			f(ps.Root().At("layers", 0))
			return ps.Err()
		}
	}
	return []mistake{
		{"no name", made(func(s graph.Scope) { s.Param("", graph.Ones, 2) }), []string{"layers.0"}},
		{"no name at the root", func() error { ps := graph.NewParams(1); ps.Root().Param("", graph.Ones, 2); return ps.Err() }, []string{"parameter", "name"}},
		{"negative length", made(func(s graph.Scope) { s.Param("w", graph.Ones, 2, -2) }), []string{"layers.0.w", "(2, -2)"}},
		{"size overflows", made(func(s graph.Scope) { s.Param("w", graph.Ones, 1<<40, 1<<40) }), []string{"layers.0.w"}},
		{"too large to exist", made(func(s graph.Scope) { s.Param("w", graph.Ones, 1<<30, 1<<30) }), []string{"layers.0.w"}},
		{"Init that panics", made(func(s graph.Scope) { s.Param("w", func(*rand.Rand) float64 { panic("boom") }, 2) }), []string{"layers.0.w", "boom"}},
		{"Init of NaN", made(func(s graph.Scope) { s.Param("w", func(*rand.Rand) float64 { return nan }, 2) }), []string{"layers.0.w", "NaN"}},
		{"Normal of NaN", made(func(s graph.Scope) { s.Param("w", graph.Normal(nan), 2) }), []string{"layers.0.w", "NaN"}},
		{"Uniform of infinity", made(func(s graph.Scope) { s.Param("w", graph.Uniform(inf), 2) }), []string{"layers.0.w"}},
		{"first mistake stays", made(func(s graph.Scope) { s.Param("w", nil, 2); s.Param("v", graph.Ones, 2) }), []string{"layers.0.w", "no initial value"}},
		{"zero Scope", func() error { return graph.Scope{}.Err() }, []string{"no parameters"}},
		{"gradient without a run", func() error {
			g, ps := graph.New(), graph.NewParams(1)
			p := ps.Root().Param("w", graph.Ones, 2)
			if _, err := graph.CompileTrain(g.Param(p).Sum()); err != nil {
				return nil
			}
			_, err := p.Grad()
			return err
		}, []string{"w has no gradient"}},
		{"gradient of a parameter that the cost does not see", func() error {
			g, ps := graph.New(), graph.NewParams(1)
			p, q := ps.Root().Param("w", graph.Ones, 2), ps.Root().Param("unused", graph.Ones, 2)
			prog, err := graph.CompileTrain(g.Param(p).Sum())
			if err != nil || prog.Run(context.Background(), nil) != nil {
				return nil
			}
			_, err = q.Grad()
			return err
		}, []string{"unused has no gradient"}},
		{"dtype of integers", func() error { return graph.NewParams(1, graph.DType(tensor.Int)).Err() }, []string{"int"}},
		{"nil option", func() error { return graph.NewParams(1, nil).Err() }, []string{"nil option"}},
		{"Decode of parameters", func() error { return graph.NewParams(1, graph.Decode(8)).Err() }, []string{"Decode"}},
	}
}

func compiling(*testing.T) []mistake {
	weight := func(g *graph.Graph) node {
		return g.Param(graph.NewParams(1, graph.DType(g.DType())).Root().At("head").Param("weight", graph.Ones, 3, 4))
	}
	return []mistake{
		{"an error of building", func() error {
			g := graph.New()
			_, err := graph.Compile(g.Tokens("t", 1, 2), g.Tokens("t", 1, 2))
			return err
		}, []string{"Input t", "taken"}},
		{"an error elsewhere in the graph", func() error {
			g := graph.New()
			x := g.Input("x", tensor.Float32, 2)
			x.Add(g.Input("y", tensor.Float32, 3))
			_, err := graph.Compile(x.SiLU())
			return err
		}, []string{"Add: x (2)", "y (3)"}},
		{"second output of no graph", func() error { _, err := graph.Compile(graph.New().Tokens("a", 1, 1), node{}); return err }, []string{"output 1"}},
		{"output of an Apply that failed", func() error {
			_, err := graph.Compile(graph.Apply(func(*gorgonia.Node) (*gorgonia.Node, error) { return nil, errors.New("mine") }, graph.New().Input("x", tensor.Float32, 2)))
			return err
		}, []string{"Apply", "mine"}},
		{"cost of ids", func() error { _, err := graph.CompileTrain(graph.New().Tokens("a", 1, 1)); return err }, []string{"cost is int (1, 1)"}},
		{"cost of a matrix", func() error { _, err := graph.CompileTrain(weight(graph.New())); return err }, []string{"cost is float32 (3, 4)"}},
		{"cost without parameters", func() error {
			_, err := graph.CompileTrain(graph.New().Input("x", tensor.Float32, 5).Sum())
			return err
		}, []string{"depends on no parameter"}},
		{"cost in a graph that generates", func() error {
			_, err := graph.CompileTrain(weight(graph.New(graph.Decode(4))).Sum())
			return err
		}, []string{"generat"}},
		{"cost in a graph of eight bits", func() error {
			g := graph.New(graph.Decode(4), graph.Int8())
			_, err := graph.CompileTrain(g.Input("x", tensor.Float32, 1, 1, 4).Linear(weight(g)).Sum())
			return err
		}, []string{"train"}},
		{"output of another graph beside a cost", func() error {
			_, err := graph.CompileTrain(weight(graph.New()).Sum(), graph.New().Tokens("a", 1, 1))
			return err
		}, []string{"another graph"}},
		{"output without a node beside a cost", func() error { _, err := graph.CompileTrain(weight(graph.New()).Sum(), node{}); return err }, []string{"output"}},
		{"a cost with no gradient", func() error {
			g := graph.New()
			_, err := graph.CompileTrain(graph.Apply(gorgonia.Floor, weight(g)).Sum())
			return err
		}, []string{"Compile", "the cost depends on no parameter"}},
		{"a cost with no gradient in Gorgonia", func() error {
			g := graph.New()
			_, err := graph.CompileTrain(graph.Apply(gorgonia.Ceil, weight(g)).Sum())
			return err
		}, []string{"Compile", "the cost depends on no parameter"}},
		{"packing what a graph has", func() error {
			g, s := graph.New(), graph.NewParams(1).Root()
			a, b := s.Param("a", graph.Ones, 2, 4), s.Param("b", graph.Ones, 3, 4)
			x := g.Input("x", tensor.Float32, 5, 4)
			out := x.Linears([]node{g.Param(a), g.Param(b)}, g.Input("c", tensor.Float32, 2))
			graph.Pack(a, b)
			_, err := graph.Compile(out)
			return err
		}, []string{"Linear", "1 biases for 2 weights"}},
	}
}
