package graph_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/gradcheck"
	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/loss"
)

// A gradientCase builds a node from parameters p0, p1, ... of the given shapes.
type gradientCase struct {
	name   string
	shapes [][]int
	build  func(g *graph.Graph, p []graph.Node) graph.Node
	packed []int // parameters whose memory lies together
	sums   bool  // products or norms add, which rounds otherwise than a sum after them
}

// unary makes cases of an operation on arrays of several shapes.
func unary(name string, f func(x graph.Node) graph.Node, shapes ...[]int) (cs []gradientCase) {
	if len(shapes) == 0 {
		shapes = [][]int{{1}, {7}, {2, 3}, {2, 3, 5}, {1, 70}}
	}
	for _, s := range shapes {
		cs = append(cs, gradientCase{name: name, shapes: [][]int{s}, build: func(_ *graph.Graph, p []graph.Node) graph.Node { return f(p[0]) }})
	}
	return cs
}

func binary(name string, f func(x, y graph.Node) graph.Node, shapes ...[2][]int) (cs []gradientCase) {
	for _, s := range shapes {
		cs = append(cs, gradientCase{name: name, shapes: [][]int{s[0], s[1]}, build: func(_ *graph.Graph, p []graph.Node) graph.Node { return f(p[0], p[1]) }})
	}
	return cs
}

var broadcasts = [][2][]int{
	{{3}, {3}}, {{2, 3}, {3}}, {{3}, {2, 3}}, {{2, 1, 4}, {3, 1}}, {{2, 3, 4}, {2, 1, 4}}, {{1}, {5}}, {{2, 3}, {2, 3}},
}

func gradientCases() (cs []gradientCase) {
	add := func(more ...gradientCase) { cs = append(cs, more...) }
	add(binary("Add", graph.Node.Add, broadcasts...)...)
	add(binary("Sub", graph.Node.Sub, broadcasts...)...)
	add(binary("Mul", graph.Node.Mul, broadcasts...)...)
	add(unary("Mul with itself", func(x graph.Node) graph.Node { return x.Mul(x) })...)
	add(unary("Scale", func(x graph.Node) graph.Node { return x.Scale(-1.5) })...)
	add(unary("SiLU", graph.Node.SiLU)...)
	add(unary("GELU", graph.Node.GELU)...)
	add(unary("GELUTanh", graph.Node.GELUTanh)...)
	// Away from 0, where ReLU has no derivative.
	add(unary("ReLU", func(x graph.Node) graph.Node { return x.Mul(x).Add(x.Mul(x).Mul(x).Mul(x)).ReLU() })...)
	add(unary("Softmax", graph.Node.Softmax, []int{2}, []int{3, 5}, []int{2, 2, 9}, []int{1, 70})...)
	add(unary("LogSoftmax", graph.Node.LogSoftmax, []int{2}, []int{3, 5}, []int{2, 2, 9}, []int{1, 70})...)
	for _, axes := range [][]int{nil, {0}, {1}, {2}, {0, 2}, {1, 2}, {0, 1, 2}} {
		add(unary(fmt.Sprint("Sum", axes), func(x graph.Node) graph.Node { return x.Sum(axes...) }, []int{2, 3, 4}, []int{1, 5, 1})...)
		add(unary(fmt.Sprint("Mean", axes), func(x graph.Node) graph.Node { return x.Mean(axes...) }, []int{2, 3, 4}, []int{1, 5, 1})...)
	}
	for _, axes := range [][]int{nil, {1, 0, 2}, {2, 0, 1}, {0, 2, 1}, {0, 1, 2}} {
		add(unary(fmt.Sprint("Transpose", axes), func(x graph.Node) graph.Node { return x.Transpose(axes...) }, []int{2, 3, 4}, []int{1, 3, 1})...)
	}
	add(unary("Reshape", func(x graph.Node) graph.Node { return x.Reshape(3, -1) }, []int{2, 3, 4}, []int{3}, []int{6})...)
	add(binary("Linear", func(x, w graph.Node) graph.Node { return x.Linear(w) },
		[2][]int{{1, 1}, {1, 1}}, [2][]int{{5}, {3, 5}}, [2][]int{{2, 3, 5}, {7, 5}}, [2][]int{{9, 17}, {13, 17}})...)
	for _, s := range [][]int{{2, 3}, {2, 2, 4}} {
		in := s[len(s)-1]
		add(gradientCase{name: "Linear with bias", shapes: [][]int{s, {5, in}, {5}}, build: func(_ *graph.Graph, p []graph.Node) graph.Node { return p[0].Linear(p[1], p[2]) }})
	}
	for _, bias := range []bool{false, true} {
		shapes := [][]int{{2, 3, 5}, {4, 5}, {1, 5}, {3, 5}}
		if bias {
			shapes = append(shapes, []int{4}, []int{1}, []int{3})
		}
		add(gradientCase{name: fmt.Sprint("Linears ", bias), shapes: shapes, build: func(_ *graph.Graph, p []graph.Node) graph.Node {
			return p[0].Linears(p[1:4], p[4:]...)
		}})
	}
	add(gradientCase{name: "Linear added to its operand", sums: true, shapes: [][]int{{2, 3, 4}, {4, 4}}, build: func(_ *graph.Graph, p []graph.Node) graph.Node {
		return p[0].Add(p[0].Linear(p[1])).Mul(p[0])
	}})
	add(binary("MatMul", graph.Node.MatMul,
		[2][]int{{2, 3}, {3, 4}}, [2][]int{{5, 2, 3}, {5, 3, 4}}, [2][]int{{5, 2, 3}, {3, 4}}, [2][]int{{2, 2, 1, 3}, {2, 2, 3, 2}}, [2][]int{{1, 1}, {1, 1}})...)
	add(binary("SwiGLU", graph.Node.SwiGLU, [2][]int{{1}, {1}}, [2][]int{{2, 3, 4}, {2, 3, 4}})...)
	add(unary("SwiGLUPacked", graph.Node.SwiGLUPacked, []int{2}, []int{2, 3, 8}, []int{1, 70})...)
	add(gradientCase{name: "products handing over rows", sums: true, shapes: [][]int{{2, 3, 4}, {6, 4}, {4, 3}, {4}}, build: func(_ *graph.Graph, p []graph.Node) graph.Node {
		return p[0].Add(p[0].Linear(p[1]).SwiGLUPacked().Linear(p[2])).RMSNorm(p[3], 0.1)
	}})
	for _, s := range [][]int{{1, 2}, {3, 8}, {2, 3, 5}, {1, 70}} {
		d := []int{s[len(s)-1]}
		add(gradientCase{name: "RMSNorm", shapes: [][]int{s, d}, build: func(_ *graph.Graph, p []graph.Node) graph.Node { return p[0].RMSNorm(p[1], 0.1) }})
		add(gradientCase{name: "LayerNorm", shapes: [][]int{s, d, d}, build: func(_ *graph.Graph, p []graph.Node) graph.Node { return p[0].LayerNorm(p[1], p[2], 0.1) }})
	}
	add(gradientCase{name: "RMSNorm added to its operand", sums: true, shapes: [][]int{{2, 3, 4}, {4}}, build: func(_ *graph.Graph, p []graph.Node) graph.Node {
		return p[0].Add(p[0].RMSNorm(p[1], 0.1))
	}})
	add(gradientCase{name: "LayerNorm added to its operand", sums: true, shapes: [][]int{{2, 3, 4}, {4}, {4}}, build: func(_ *graph.Graph, p []graph.Node) graph.Node {
		return p[0].Add(p[0].LayerNorm(p[1], p[2], 0.1))
	}})
	for _, split := range []bool{false, true} {
		add(unary(fmt.Sprint("RoPE ", split), func(x graph.Node) graph.Node {
			return x.RoPE(graph.RoPE{Heads: 2, Split: split})
		}, []int{2, 3, 8}, []int{1, 5, 4})...)
		add(unary(fmt.Sprint("RoPE of some heads ", split), func(x graph.Node) graph.Node {
			return x.RoPE(graph.RoPE{Heads: 1, HeadDim: 4, Split: split})
		}, []int{2, 3, 7})...)
	}
	for _, a := range []struct {
		name                   string
		batch, seq, keys, h, k int
		bidirectional          bool
	}{
		{"causal", 2, 3, 3, 2, 2, false}, {"grouped", 1, 4, 4, 4, 2, false}, {"shared", 1, 3, 3, 3, 1, false},
		{"fewer queries", 1, 2, 5, 2, 1, false}, {"bidirectional", 2, 3, 4, 2, 2, true}, {"several blocks", 1, 67, 67, 1, 1, false},
	} {
		add(gradientCase{name: "Attention " + a.name, shapes: [][]int{{a.batch, a.seq, a.h * 2}, {a.batch, a.keys, a.k * 2}, {a.batch, a.keys, a.k * 2}},
			build: func(_ *graph.Graph, p []graph.Node) graph.Node {
				return graph.Attention(p[0], p[1], p[2], graph.Attend{Heads: a.h, KVHeads: a.k, Bidirectional: a.bidirectional})
			}})
	}
	for _, a := range []struct {
		name          string
		seq, h, k     int
		bidirectional bool
	}{
		{"causal", 3, 2, 2, false}, {"grouped", 4, 4, 2, false}, {"bidirectional", 3, 2, 1, true}, {"several blocks", 67, 1, 1, false},
	} {
		add(unary("SelfAttention "+a.name, func(x graph.Node) graph.Node {
			return graph.SelfAttention(x, graph.Attend{Heads: a.h, KVHeads: a.k, Bidirectional: a.bidirectional})
		}, []int{2, a.seq, 2 * (a.h + 2*a.k)})...)
	}
	add(gradientCase{name: "SelfAttention mask", shapes: [][]int{{2, 3, 12}}, build: func(g *graph.Graph, p []graph.Node) graph.Node {
		return graph.SelfAttention(p[0], graph.Attend{Heads: 2, Mask: g.Input("mask", tensor.Bool, 2, 3, 3)})
	}})
	for _, s := range [][]int{{3, 4}, {2, 3, 4}, {2, 2, 3, 4}} {
		add(gradientCase{name: fmt.Sprint("Attention mask", s), shapes: [][]int{{2, 3, 4}, {2, 4, 4}, {2, 4, 4}}, build: func(g *graph.Graph, p []graph.Node) graph.Node {
			return graph.Attention(p[0], p[1], p[2], graph.Attend{Heads: 2, Mask: g.Input("mask", tensor.Bool, s...)})
		}})
	}
	add(gradientCase{name: "Embedding", shapes: [][]int{{5, 3}}, build: func(g *graph.Graph, p []graph.Node) graph.Node {
		return graph.Embedding(p[0], g.Tokens("ids", 2, 4))
	}})
	add(binary("Positions", graph.Node.Positions, [2][]int{{2, 3, 4}, {3, 4}}, [2][]int{{1, 2, 4}, {5, 4}})...)
	add(unary("Dropout", func(x graph.Node) graph.Node { return x.SiLU().Dropout(0.4) })...)
	add(unary("residual", func(x graph.Node) graph.Node { return x.Add(x.SiLU().Add(x.GELU())).Mul(x) })...)
	for _, r := range []loss.Reduction{loss.Mean, loss.Sum, loss.None} {
		for name, o := range map[string]loss.Options{
			"plain": {}, "smoothing": {LabelSmoothing: 0.2}, "z": {ZLoss: 0.3}, "ignore": {Ignore: []int{2}},
			"weights": {Weights: []float64{1, 0.5, 2, 0}},
			"all":     {Weights: []float64{1, 0.5, 2, 0}, LabelSmoothing: 0.1, ZLoss: 0.2, Ignore: []int{1}},
		} {
			o.Reduction = r
			add(gradientCase{name: fmt.Sprint("CrossEntropy ", name, r), shapes: [][]int{{2, 4, 4}}, build: func(g *graph.Graph, p []graph.Node) graph.Node {
				return graph.Apply2(o.CrossEntropy, p[0], g.Tokens("ids", 2, 4))
			}})
			add(gradientCase{name: fmt.Sprint("LinearCrossEntropy ", name, r), shapes: [][]int{{2, 4, 3}, {4, 3}}, build: func(g *graph.Graph, p []graph.Node) graph.Node {
				return graph.Apply3(o.LinearCrossEntropy, p[0], p[1], g.Tokens("ids", 2, 4)).Scale(1.5)
			}})
		}
		for name, f := range map[string]func(x, y *gorgonia.Node, r loss.Reduction) (*gorgonia.Node, error){
			"SoftCrossEntropy": loss.SoftCrossEntropy, "KLDivergence": loss.KLDivergence,
		} {
			add(gradientCase{name: fmt.Sprint(name, r), shapes: [][]int{{2, 3, 5}}, build: func(g *graph.Graph, p []graph.Node) graph.Node {
				return graph.Apply2(func(x, y *gorgonia.Node) (*gorgonia.Node, error) { return f(x, y, r) },
					p[0], g.Input("targets", g.DType(), 2, 3, 5))
			}})
		}
	}
	add(fusedGradientCases()...)
	add(lossGradientCases()...)
	return cs
}

// program makes the program of a case: Σ y · r for fixed r, so that every element of y counts differently.
func (c gradientCase) program(t *testing.T, dt tensor.Dtype) (prog *graph.Program, cost graph.Node, feed graph.Feed, ps *graph.Params) {
	t.Helper()
	g := graph.New(graph.DType(dt))
	ps = graph.NewParams(11, graph.DType(dt))
	var list, together []*graph.Param
	for i, s := range c.shapes {
		list = append(list, ps.Root().Param(fmt.Sprint("p", i), graph.Normal(0.7), s...))
	}
	for _, i := range c.packed {
		together = append(together, list[i])
	}
	graph.Pack(together...)
	var in []graph.Node
	for _, p := range list {
		in = append(in, g.Param(p))
	}
	y := c.build(g, in)
	feed = graph.Feed{}
	if y.Shape().Dims() > 0 {
		w := g.Input("r", dt, y.Shape()...)
		feed[w] = dense(dt, oracle.Tensor{Shape: y.Shape(), Floats: sines(y.Shape().TotalSize())})
		y = y.Mul(w).Sum()
	}
	prog, err := graph.CompileTrain(y)
	if err != nil {
		t.Fatal(err)
	}
	// What a case asks for beside its parameters, by name.
	for _, n := range g.Gorgonia().Inputs() {
		switch s := n.Shape(); n.Name() {
		case "ids":
			ids := make([]int, s.TotalSize())
			for i := range ids {
				ids[i] = (i*i + i/2) % 4 // all of them
			}
			feed[g.Wrap(n, nil)] = graph.Ints(ids, s...)
		case "mask":
			mask := make([]bool, s.TotalSize())
			for i := range mask {
				mask[i] = i%3 != 0 && i >= 4 // the first query sees nothing
			}
			feed[g.Wrap(n, nil)] = tensor.New(tensor.WithShape(s...), tensor.WithBacking(mask))
		case "targets":
			probs := make([]float64, s.TotalSize())
			for i := range probs {
				probs[i] = float64(i%5) / 10
			}
			feed[g.Wrap(n, nil)] = dense(dt, oracle.Tensor{Shape: s, Floats: probs})
		case "weights":
			weights := make([]float64, s.TotalSize())
			for i := range weights {
				weights[i] = float64((i+1)%4) / 2 // some are 0
			}
			feed[g.Wrap(n, nil)] = dense(dt, oracle.Tensor{Shape: s, Floats: weights})
		case "numbers", "others", "more":
			numbers := sines(s.TotalSize() + 9)[len(n.Name()):][:s.TotalSize()]
			feed[g.Wrap(n, nil)] = dense(dt, oracle.Tensor{Shape: s, Floats: numbers})
		}
	}
	return prog, y, feed, ps
}

// Every gradient agrees with finite differences in float64, and would not if one of its elements were off by a millionth.
func TestGradients(t *testing.T) {
	worst, count := 0.0, 0
	for _, c := range gradientCases() {
		t.Run(fmt.Sprint(c.name, c.shapes), func(t *testing.T) {
			grads := c.gradients(t)
			for name, numeric := range c.differences(t) {
				e := gradcheck.Off(grads[name], numeric)
				if !(e <= 1e-9) {
					t.Errorf("gradient of %s is off by %g", name, e)
				}
				worst, count = max(worst, e), count+1
				wrong := slices.Clone(grads[name])
				at := 0
				for i, d := range wrong {
					if math.Abs(d) > math.Abs(wrong[at]) {
						at = i
					}
				}
				wrong[at] += 1e-6 * max(math.Abs(wrong[at]), 1e-2)
				if e := gradcheck.Off(wrong, numeric); !(e > 1e-9) {
					t.Errorf("gradient of %s with element %d wrong is off by %g", name, at, e)
				}
			}
		})
	}
	t.Logf("%d gradients, the worst off by %.2g", count, worst)
}

// gradients returns the gradients of a case by the names of its parameters.
func (c gradientCase) gradients(t *testing.T) map[string][]float64 {
	t.Helper()
	prog, _, feed, ps := c.program(t, tensor.Float64)
	run(t, prog, feed)
	grads := make(map[string][]float64)
	for name, p := range ps.All() {
		grads[name] = grad(t, p)
	}
	return grads
}

// differences returns what the gradients of a case must be.
func (c gradientCase) differences(t *testing.T) map[string][]float64 {
	t.Helper()
	prog, cost, feed, ps := c.program(t, tensor.Float64)
	at := func() float64 {
		prog.SetRuns(0) // Dropout drops the same elements
		run(t, prog, feed)
		return prog.Scalar(cost)
	}
	grads := make(map[string][]float64)
	for name, p := range ps.All() {
		grads[name] = gradcheck.Differences(at, p.Value().Data().([]float64), 1e-2)
	}
	return grads
}
