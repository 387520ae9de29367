package layers

import (
	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// Attention is causal self-attention with several heads, https://arxiv.org/abs/1706.03762. It turns queries and keys by
// their position, https://arxiv.org/abs/2104.09864, unless Theta is 0. Fewer heads of keys and values than of queries
// are shared, https://arxiv.org/abs/2305.13245.
type Attention struct {
	Q, K, V, Out *Linear
	Heads        int
	KVHeads      int
	Theta        float64 // base of the frequencies of RoPE; 0 means no RoPE
	SplitRoPE    bool    // pair elements half a head apart, as Hugging Face's Llama does
}

var _ Layer = (*Attention)(nil)

// NewAttention makes an Attention without biases, with RoPE of base 10000. kvHeads divides heads, which divides dim.
func NewAttention(s graph.Scope, dim, heads, kvHeads int) *Attention {
	return newAttention(s, dim, heads, kvHeads, false)
}

func newAttention(s graph.Scope, dim, heads, kvHeads int, bias bool) *Attention {
	kv := 0 // refused by Linear where heads make no sense
	if heads > 0 {
		kv = dim / heads * kvHeads
	}
	a := &Attention{
		Q:       newLinear(s.At("q_proj"), dim, dim, bias),
		K:       newLinear(s.At("k_proj"), dim, kv, bias),
		V:       newLinear(s.At("v_proj"), dim, kv, bias),
		Out:     newLinear(s.At("output_proj"), dim, dim, bias),
		Heads:   heads,
		KVHeads: kvHeads,
		Theta:   10000,
	}
	pack(a.Q, a.K, a.V)
	return a
}

// Forward maps (batch, seq, dim) to the same shape.
func (a *Attention) Forward(x graph.Node) graph.Node {
	if a == nil || a.Q == nil || a.K == nil || a.V == nil {
		return missing(x, "Attention")
	}
	if a.Heads <= 0 || a.KVHeads <= 0 || a.Heads%a.KVHeads != 0 || x.Dim(-1)%a.Heads != 0 {
		return x.Graph().Wrap(nil, errors.Errorf("layers: Attention: %d heads, and %d of keys and values, do not divide x %v",
			a.Heads, a.KVHeads, x.Shape()))
	}
	qkv := project(x, a.Q, a.K, a.V) // (batch, seq, (heads + 2·kvHeads)·headDim)
	if a.Theta != 0 {
		qkv = qkv.RoPE(graph.RoPE{Heads: a.Heads + a.KVHeads, HeadDim: qkv.Dim(-1) / max(1, a.Heads+2*a.KVHeads), Theta: a.Theta, Split: a.SplitRoPE})
	}
	return a.Out.Forward(graph.SelfAttention(qkv, graph.Attend{Heads: a.Heads, KVHeads: a.KVHeads}))
}
