package graph_test

import (
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/loss"
)

// fusedCases build what cases of the oracle compute with operations that do several things in one.
var fusedCases = []struct {
	name   string
	oracle string
	packed []string // parameters whose memory is put together first
	tol    float64  // in float32; 0 means that of precisions
	build  func(in map[string]graph.Node) graph.Node
}{
	{"Linears of one", "linear", nil, 0, func(in map[string]graph.Node) graph.Node {
		return in["x"].Linears([]graph.Node{in["w"]})
	}},
	{"Linears of one, bias", "linear_bias", nil, 0, func(in map[string]graph.Node) graph.Node {
		return in["x"].Linears([]graph.Node{in["w"]}, in["b"])
	}},
	{"Linears", "linears", nil, 0, linears},
	{"Linears packed", "linears", []string{"w0", "w1", "w2", "b0", "b1", "b2"}, 0, linears},
	{"SwiGLUPacked", "swiglu_packed", nil, 0, func(in map[string]graph.Node) graph.Node { return in["x"].SwiGLUPacked() }},
	{"SwiGLUPacked large", "swiglu_packed_large", nil, 0, func(in map[string]graph.Node) graph.Node { return in["x"].SwiGLUPacked() }},
	{"SwiGLUPacked of Linears", "swiglu", nil, 0, feedForward},
	{"SwiGLUPacked of Linears packed", "swiglu", []string{"w1", "w3"}, 0, feedForward},
	{"SelfAttention", "self_attention", nil, 0, func(in map[string]graph.Node) graph.Node {
		return graph.SelfAttention(in["qkv"], graph.Attend{Heads: 2, KVHeads: 1})
	}},
	{"SelfAttention mask", "self_attention_mask", nil, 0, func(in map[string]graph.Node) graph.Node {
		return graph.SelfAttention(in["qkv"], graph.Attend{Heads: 4, KVHeads: 2, Mask: in["mask"]})
	}},
	// The backward pass starts from the logarithms of the sums of exponentials, which in float32 lie 1e-3 apart here.
	{"SelfAttention large", "self_attention_large", nil, 1e-3, func(in map[string]graph.Node) graph.Node {
		return graph.SelfAttention(in["qkv"], graph.Attend{Heads: 2})
	}},
	{"SelfAttention of Linears", "mha", nil, 0, func(in map[string]graph.Node) graph.Node { return packedMHA(in, heads, false) }},
	{"SelfAttention of Linears packed", "mha", []string{"wq", "wk", "wv"}, 0, func(in map[string]graph.Node) graph.Node { return packedMHA(in, heads, false) }},
	{"SelfAttention of RoPE", "mha_rope", []string{"wq", "wk", "wv"}, 0, func(in map[string]graph.Node) graph.Node { return packedMHA(in, heads, true) }},
	{"SelfAttention of RoPE, grouped", "mha_rope_gqa", []string{"wq", "wk", "wv"}, 0, func(in map[string]graph.Node) graph.Node { return packedMHA(in, 2, true) }},
	{"sums made by products", "residual", nil, 0, residual},
	{"Checkpoint of SelfAttention", "mha_rope_gqa", []string{"wq", "wk", "wv"}, 0, func(in map[string]graph.Node) graph.Node {
		return checkpoint(in, func(in map[string]graph.Node) graph.Node { return packedMHA(in, 2, true) })
	}},
	{"Checkpoint of SwiGLUPacked", "swiglu", []string{"w1", "w3"}, 0, func(in map[string]graph.Node) graph.Node { return checkpoint(in, feedForward) }},
	{"Checkpoint of sums made by products", "residual", nil, 0, func(in map[string]graph.Node) graph.Node { return checkpoint(in, residual) }},
}

func linears(in map[string]graph.Node) graph.Node {
	return in["x"].Linears([]graph.Node{in["w0"], in["w1"], in["w2"]}, in["b0"], in["b1"], in["b2"])
}

func feedForward(in map[string]graph.Node) graph.Node {
	return in["x"].Linears([]graph.Node{in["w1"], in["w3"]}).SwiGLUPacked().Linear(in["w2"])
}

func packedMHA(in map[string]graph.Node, kvHeads int, rotate bool) graph.Node {
	qkv := in["x"].Linears([]graph.Node{in["wq"], in["wk"], in["wv"]})
	if rotate {
		qkv = qkv.RoPE(graph.RoPE{Heads: heads + kvHeads, HeadDim: qkv.Dim(-1) / (heads + 2*kvHeads)})
	}
	return graph.SelfAttention(qkv, graph.Attend{Heads: heads, KVHeads: kvHeads}).Linear(in["wo"])
}

func residual(in map[string]graph.Node) graph.Node {
	h := in["x"].Linear(in["a"])
	h = h.Add(h.Linear(in["b"], in["bias"]))
	return in["x"].Linear(in["c"]).Add(h.SiLU().Linear(in["a"]).Add(h))
}

// checkpoint computes what build makes of in again in the backward pass.
func checkpoint(in map[string]graph.Node, build func(in map[string]graph.Node) graph.Node) graph.Node {
	return graph.Checkpoint(func(x graph.Node) graph.Node {
		inside := map[string]graph.Node{}
		for name, n := range in {
			inside[name] = n
		}
		inside["x"] = x
		return build(inside)
	}, in["x"])
}

// Operations that do several things in one agree with PyTorch, as do their gradients.
func TestFusedOracle(t *testing.T) {
	for _, c := range fusedCases {
		for _, p := range precisions {
			t.Run(c.name+"/"+p.name, func(t *testing.T) {
				tol := p.tol
				if p.dtype == tensor.Float32 && c.tol != 0 {
					tol = c.tol
				}
				checkCase(t, c.oracle, c.build, p.dtype, tol, c.packed...)
			})
		}
	}
}

// The loss of an output layer agrees with PyTorch for every combination of options, on logits of 10,000 too; and so does
// the loss of its logits.
func TestLinearCrossEntropyOracle(t *testing.T) {
	for _, name := range []string{"linear_ce", "linear_ce_large"} {
		c := oracle.Load(t, name)
		combinations := 0
		for key := range c.With("out.") {
			combinations++
			o := linearOptions(t, c, key)
			for _, p := range precisions {
				for _, fused := range []bool{true, false} {
					r := linearLoss{options: o, x: c.Get(t, "in.x"), w: c.Get(t, "in.w"), targets: c.Get(t, "in.targets").Ints, gy: c.Get(t, "gy").Floats}
					y, dx, dw, err := r.run(t, p.dtype, fused)
					if err != nil {
						t.Fatal(err)
					}
					what := name + " " + key + " " + p.name
					oracle.Check(t, what, y, c.Get(t, "out."+key).Floats, p.tol)
					oracle.Check(t, what+" grad.x", dx, c.Get(t, "grad."+key+".x").Floats, p.tol)
					oracle.Check(t, what+" grad.w", dw, c.Get(t, "grad."+key+".w").Floats, p.tol)
				}
			}
		}
		if combinations != 48 {
			t.Errorf("%s has %d combinations of options, want 48", name, combinations)
		}
	}
}

// linearOptions returns the options that a key such as "mean weights z" names.
func linearOptions(t *testing.T, c *oracle.Case, key string) (o loss.Options) {
	t.Helper()
	words := strings.Fields(key)
	reductions := map[string]loss.Reduction{"mean": loss.Mean, "sum": loss.Sum, "none": loss.None}
	r, ok := reductions[words[0]]
	if !ok {
		t.Fatalf("unknown reduction in %q", key)
	}
	o.Reduction = r
	for _, word := range words[1:] {
		switch word {
		case "weights":
			o.Weights = c.Get(t, "in.weight").Floats
		case "smoothing":
			o.LabelSmoothing = 0.1
		case "ignore":
			o.Ignore = []int{2}
		case "z":
			o.ZLoss = 0.02
		default:
			t.Fatalf("unknown option in %q", key)
		}
	}
	return o
}
