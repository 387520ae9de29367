package graph_test

import (
	"context"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/loss"
)

// heads is the number of heads in the oracle's attention cases.
const heads = 4

// layerCases build what the cases of the oracle compute, from its inputs by name.
var layerCases = map[string]func(in map[string]graph.Node) graph.Node{
	"linear":      func(in map[string]graph.Node) graph.Node { return in["x"].Linear(in["w"]) },
	"linear_bias": func(in map[string]graph.Node) graph.Node { return in["x"].Linear(in["w"], in["b"]) },
	"embedding":   func(in map[string]graph.Node) graph.Node { return graph.Embedding(in["w"], in["ids"]) },
	"rmsnorm":     func(in map[string]graph.Node) graph.Node { return in["x"].RMSNorm(in["w"], 1e-5) },
	"layernorm":   func(in map[string]graph.Node) graph.Node { return in["x"].LayerNorm(in["w"], in["b"], 1e-5) },
	"silu":        func(in map[string]graph.Node) graph.Node { return in["input"].SiLU() },
	"gelu":        func(in map[string]graph.Node) graph.Node { return in["input"].GELU() },
	"gelu_tanh":   func(in map[string]graph.Node) graph.Node { return in["x"].GELUTanh() },
	"softmax":     func(in map[string]graph.Node) graph.Node { return in["x"].Softmax() },
	"softmax_plus_1000": func(in map[string]graph.Node) graph.Node {
		return in["x"].Softmax()
	},
	"log_softmax": func(in map[string]graph.Node) graph.Node { return in["x"].LogSoftmax() },
	"swiglu": func(in map[string]graph.Node) graph.Node {
		return in["x"].Linear(in["w1"]).SwiGLU(in["x"].Linear(in["w3"])).Linear(in["w2"])
	},
	"rope_interleaved": func(in map[string]graph.Node) graph.Node { return rope(in, false) },
	"rope_half":        func(in map[string]graph.Node) graph.Node { return rope(in, true) },
	"sdpa_causal":      func(in map[string]graph.Node) graph.Node { return sdpa(in, graph.Attend{}) },
	"sdpa_mask":        func(in map[string]graph.Node) graph.Node { return sdpa(in, graph.Attend{Mask: in["mask"]}) },
	"mha":              func(in map[string]graph.Node) graph.Node { return mha(in, 0, false) },
	"mha_rope":         func(in map[string]graph.Node) graph.Node { return mha(in, 0, true) },
	"mha_rope_gqa":     func(in map[string]graph.Node) graph.Node { return mha(in, 2, true) },
}

// lossCases are the same for losses, which speak Gorgonia's nodes.
var lossCases = map[string]func(in map[string]graph.Node) graph.Node{
	"ce_mean":             ce(loss.Options{}),
	"ce_x1000":            ce(loss.Options{}),
	"ce_masked_inf":       ce(loss.Options{}),
	"ce_ignore_index":     ce(loss.Options{}),
	"ce_sum":              ce(loss.Options{Reduction: loss.Sum}),
	"ce_none":             ce(loss.Options{Reduction: loss.None}),
	"ce_label_smoothing":  ce(loss.Options{LabelSmoothing: 0.1}),
	"ce_smoothing_ignore": ce(loss.Options{LabelSmoothing: 0.1}),
	"ce_z_loss":           ce(loss.Options{ZLoss: 1e-4}),
	"ce_soft_targets": func(in map[string]graph.Node) graph.Node {
		return graph.Apply2(func(x, y *gorgonia.Node) (*gorgonia.Node, error) {
			return loss.SoftCrossEntropy(x, y, loss.Mean)
		}, in["logits"], in["probs"])
	},
	"kl_div": func(in map[string]graph.Node) graph.Node {
		return graph.Apply2(func(x, y *gorgonia.Node) (*gorgonia.Node, error) {
			return loss.KLDivergence(x, y, loss.Mean)
		}, in["student"], in["teacher"])
	},
}

func ce(o loss.Options) func(in map[string]graph.Node) graph.Node {
	return func(in map[string]graph.Node) graph.Node {
		return graph.Apply2(o.CrossEntropy, in["logits"], in["targets"])
	}
}

// flat brings (batch, heads, seq, dim) to the layout of this package, and split back.
func flat(x graph.Node) graph.Node {
	s := x.Shape()
	return x.Transpose(0, 2, 1, 3).Reshape(s[0], s[2], s[1]*s[3])
}

func split(x graph.Node, heads int) graph.Node {
	s := x.Shape()
	return x.Reshape(s[0], s[1], heads, s[2]/heads).Transpose(0, 2, 1, 3)
}

func rope(in map[string]graph.Node, half bool) graph.Node {
	return split(flat(in["x"]).RoPE(graph.RoPE{Heads: heads, Split: half, Positions: in["positions"]}), heads)
}

func sdpa(in map[string]graph.Node, a graph.Attend) graph.Node {
	a.Heads = heads
	return split(graph.Attention(flat(in["q"]), flat(in["k"]), flat(in["v"]), a), heads)
}

func mha(in map[string]graph.Node, kvHeads int, rotate bool) graph.Node {
	x := in["x"]
	q, k, v := x.Linear(in["wq"]), x.Linear(in["wk"]), x.Linear(in["wv"])
	if rotate {
		kv := kvHeads
		if kv == 0 {
			kv = heads
		}
		q, k = q.RoPE(graph.RoPE{Heads: heads}), k.RoPE(graph.RoPE{Heads: kv})
	}
	return graph.Attention(q, k, v, graph.Attend{Heads: heads, KVHeads: kvHeads}).Linear(in["wo"])
}

// precisions are the types graphs run in and how closely they must agree with PyTorch in float64.
var precisions = []struct {
	name  string
	dtype tensor.Dtype
	tol   float64
}{{"float32", tensor.Float32, 1e-5}, {"float64", tensor.Float64, 1e-9}}

// Every layer and loss agrees with PyTorch, as do its gradients.
func TestOracle(t *testing.T) {
	for _, cases := range []map[string]func(map[string]graph.Node) graph.Node{layerCases, lossCases} {
		for name, build := range cases {
			for _, p := range precisions {
				t.Run(name+"/"+p.name, func(t *testing.T) { checkCase(t, name, build, p.dtype, p.tol) })
			}
		}
	}
	t.Run("ce_class_weights", func(t *testing.T) {
		weights := oracle.Load(t, "ce_class_weights").Get(t, "in.weight").Floats
		for _, p := range precisions {
			checkCase(t, "ce_class_weights", ce(loss.Options{Weights: weights}), p.dtype, p.tol)
		}
	})
}

// checkCase compares a case with what build makes of its inputs. Those that packed names share memory.
func checkCase(t *testing.T, name string, build func(map[string]graph.Node) graph.Node, dt tensor.Dtype, tol float64, packed ...string) {
	t.Helper()
	c := oracle.Load(t, name)
	g := graph.New(graph.DType(dt))
	params := graph.NewParams(1, graph.DType(dt))
	in, feed := make(map[string]graph.Node), graph.Feed{}
	trained := make(map[string]*graph.Param)
	for k, v := range c.With("in.") {
		if c.Tensors["grad."+k].Shape != nil {
			trained[k] = newParam(params, k, v)
		}
	}
	var together []*graph.Param
	for _, k := range packed {
		together = append(together, trained[k])
	}
	graph.Pack(together...)
	for k, v := range c.With("in.") {
		switch {
		case k == "weight" || k == "pos": // weights of classes, which are options
		case trained[k] != nil:
			in[k] = g.Param(trained[k])
		case v.Ints != nil:
			in[k] = g.Input(k, tensor.Int, v.Shape...)
			feed[in[k]] = graph.Ints(v.Ints, v.Shape...)
		case v.Bools != nil:
			in[k] = g.Input(k, tensor.Bool, v.Shape...)
			feed[in[k]] = tensor.New(tensor.WithShape(v.Shape...), tensor.WithBacking(v.Bools))
		default:
			in[k] = g.Input(k, dt, v.Shape...)
			feed[in[k]] = dense(dt, v)
		}
	}
	y := build(in)
	cost := y
	if gy, ok := c.Tensors["gy"]; ok {
		dy := g.Input("gy", dt, gy.Shape...)
		feed[dy] = dense(dt, gy)
		cost = y.Mul(dy).Sum()
	}
	prog, err := graph.CompileTrain(cost, y)
	if err != nil {
		t.Fatal(err)
	}
	// The second run finds memory as the first left it.
	for range 2 {
		if err := prog.Run(context.Background(), feed); err != nil {
			t.Fatal(err)
		}
	}
	v, err := prog.Value(y)
	if err != nil {
		t.Fatal(err)
	}
	check(t, name, v, c.Get(t, "out.y").Floats, tol)
	for k, p := range trained {
		grad, err := p.Grad()
		if err != nil {
			t.Fatal(err)
		}
		check(t, name+" grad."+k, grad, c.Get(t, "grad."+k).Floats, tol)
	}
}

// newParam makes a parameter with the given value.
func newParam(ps *graph.Params, name string, v oracle.Tensor) *graph.Param {
	p := ps.Root().Param(strings.TrimPrefix(name, "."), graph.Zeros, v.Shape...)
	switch data := p.Value().Data().(type) {
	case []float32:
		copy(data, v.Float32s())
	case []float64:
		copy(data, v.Floats)
	}
	return p
}

func dense(dt tensor.Dtype, v oracle.Tensor) tensor.Tensor {
	if dt == tensor.Float64 {
		return tensor.New(tensor.WithShape(v.Shape...), tensor.WithBacking(v.Floats))
	}
	return tensor.New(tensor.WithShape(v.Shape...), tensor.WithBacking(v.Float32s()))
}

func check(t *testing.T, what string, v gorgonia.Value, want []float64, tol float64) {
	t.Helper()
	oracle.CheckData(t, what, v.Data(), want, tol)
}
