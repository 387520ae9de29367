package graph_test

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
)

// FuzzBuild builds a graph as bytes say, each an operation on what was built before. Nothing may panic; what compiles has
// the shape it says, and the same bits in a second run.
//
// Threads make coverage vary from run to run, over which the fuzzer broods unless it is called with -fuzzminimizetime 1x.
func FuzzBuild(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Add([]byte{16, 0, 0, 12, 1, 0, 5, 4, 3})
	f.Add([]byte("Linear, Softmax and the rest of them"))
	f.Fuzz(func(t *testing.T, program []byte) {
		g, ps := graph.New(graph.Seed(1)), graph.NewParams(1)
		s := ps.Root().At("layers", 0)
		x, ids := g.Input("x", tensor.Float32, 2, 3, 4), g.Tokens("ids", 2, 3)
		built := []graph.Node{
			x, ids, g.Param(s.Param("w", graph.Normal(1), 6, 4)), g.Param(s.Param("v", graph.Normal(1), 4)),
			g.Param(s.Param("qkv", graph.Normal(1), 12, 4)),
		}
		if len(program) > 60 {
			return
		}
		for len(program) >= 3 {
			op, a, b := program[0], built[int(program[1])%len(built)], built[int(program[2])%len(built)]
			n := int(int8(program[2]))
			program = program[3:]
			y := operations[int(op)%len(operations)](a, b, n)
			if g.Err() != nil {
				return // it sticks
			}
			built = append(built, y)
		}
		out := built[len(built)-1]
		var prog *graph.Program
		var err error
		if out.Shape().Dims() == 0 {
			if prog, err = graph.CompileTrain(out); err != nil {
				prog, err = graph.Compile(out)
			}
		} else {
			prog, err = graph.Compile(out)
		}
		if err != nil {
			t.Fatalf("what was built without error does not compile: %v", err)
		}
		// A feed holds the inputs that the program needs and no others.
		both := graph.Feed{x: graph.Floats(floats(24, 0.5), 2, 3, 4), ids: graph.Ints([]int{0, 1, 2, 3, 4, 5}, 2, 3)}
		feeds := []graph.Feed{both, {x: both[x]}, {ids: both[ids]}, nil}
		i := slices.IndexFunc(feeds, func(f graph.Feed) bool { return prog.Run(t.Context(), f) == nil })
		if i < 0 {
			return // a token, a target or a logit is wrong
		}
		var runs [2][]float64
		for k := range runs {
			prog.SetRuns(0)
			if err := prog.Run(t.Context(), feeds[i]); err != nil {
				t.Fatal(err)
			}
			v, err := prog.Value(out)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(v.Shape(), out.Shape()) {
				t.Fatalf("the value is %v, the node %v", v.Shape(), out.Shape())
			}
			runs[k] = bitsOf(v)
		}
		if !slices.Equal(runs[0], runs[1]) {
			t.Fatal("two runs differ")
		}
	})
}

// bitsOf returns the numbers of a value, and -1 for NaN so that they compare.
func bitsOf(v gorgonia.Value) []float64 {
	list := wide(v.Data())
	for i, x := range list {
		if x != x {
			list[i] = -1
		}
	}
	return list
}

// operations are what FuzzBuild builds from nodes a and b and a number n.
var operations = []func(a, b graph.Node, n int) graph.Node{
	func(a, b graph.Node, n int) graph.Node { return a.Add(b) },
	func(a, b graph.Node, n int) graph.Node { return a.Sub(b) },
	func(a, b graph.Node, n int) graph.Node { return a.Mul(b) },
	func(a, b graph.Node, n int) graph.Node { return a.Scale(float64(n)) },
	func(a, b graph.Node, n int) graph.Node { return a.Linear(b) },
	func(a, b graph.Node, n int) graph.Node { return a.Linears([]graph.Node{b, b}) },
	func(a, b graph.Node, n int) graph.Node { return a.MatMul(b) },
	func(a, b graph.Node, n int) graph.Node { return a.Reshape(n, -1) },
	func(a, b graph.Node, n int) graph.Node { return a.Reshape(b.Shape()...) },
	func(a, b graph.Node, n int) graph.Node { return a.Transpose() },
	func(a, b graph.Node, n int) graph.Node { return a.Transpose(0, 2, 1) },
	func(a, b graph.Node, n int) graph.Node { return a.Sum() },
	func(a, b graph.Node, n int) graph.Node { return a.Sum(n) },
	func(a, b graph.Node, n int) graph.Node { return a.Mean(n) },
	func(a, b graph.Node, n int) graph.Node { return a.Softmax() },
	func(a, b graph.Node, n int) graph.Node { return a.LogSoftmax() },
	func(a, b graph.Node, n int) graph.Node { return a.ReLU() },
	func(a, b graph.Node, n int) graph.Node { return a.SiLU() },
	func(a, b graph.Node, n int) graph.Node { return a.GELU() },
	func(a, b graph.Node, n int) graph.Node { return a.GELUTanh() },
	func(a, b graph.Node, n int) graph.Node { return a.SwiGLU(b) },
	func(a, b graph.Node, n int) graph.Node { return a.SwiGLUPacked() },
	func(a, b graph.Node, n int) graph.Node { return a.RMSNorm(b, 1e-5) },
	func(a, b graph.Node, n int) graph.Node { return a.LayerNorm(b, b, 1e-5) },
	func(a, b graph.Node, n int) graph.Node { return a.Dropout(float64(n) / 100) },
	func(a, b graph.Node, n int) graph.Node { return graph.Embedding(a, b) },
	func(a, b graph.Node, n int) graph.Node { return a.Positions(b) },
	func(a, b graph.Node, n int) graph.Node { return a.RoPE(graph.RoPE{Heads: n}) },
	func(a, b graph.Node, n int) graph.Node { return graph.Attention(a, b, b, graph.Attend{Heads: n}) },
	func(a, b graph.Node, n int) graph.Node {
		return graph.Attention(a, a, b, graph.Attend{Heads: n, Bidirectional: true})
	},
	func(a, b graph.Node, n int) graph.Node {
		return graph.SelfAttention(a, graph.Attend{Heads: n, KVHeads: 1})
	},
	func(a, b graph.Node, n int) graph.Node { return graph.Apply2(loss.CrossEntropy, a, b) },
	func(a, b graph.Node, n int) graph.Node {
		return graph.Checkpoint(func(x graph.Node) graph.Node { return x.SiLU().Mul(b) }, a)
	},
	func(a, b graph.Node, n int) graph.Node { return graph.Apply(gorgonia.Tanh, a) },
}
