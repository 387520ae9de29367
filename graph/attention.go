package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// Embedding returns the row of table (vocab, dim) of every token: (batch, seq, dim) for tokens (batch, seq). A token
// outside the table is an error of the run.
func Embedding(table, tokens Node) Node { return apply2("Embedding", op.Embedding, table, tokens) }

// Positions adds row p of table (positions, dim) to the token at position p of x (batch, seq, dim): learned absolute
// positions, as in GPT-2. In a generating graph positions count on from run to run.
func (x Node) Positions(table Node) Node { return apply2("Positions", op.Positions, x, table) }

// RoPE says how [Node.RoPE] turns pairs.
type RoPE struct {
	Heads   int     // heads side by side in the last axis
	HeadDim int     // their width; 0 means that they fill the axis, otherwise what follows them stays as it is
	Theta   float64 // base of the frequencies; 0 means 10000
	// Split pairs element i of a head with i + headDim/2, as Hugging Face's Llama does, instead of 2i with 2i + 1.
	Split bool
	// Positions, if it is not the zero Node, holds the positions (seq) or (batch, seq) of the tokens, an input of
	// tensor.Int. Otherwise they are 0, 1, 2, ..., and count on from run to run in a generating graph.
	Positions Node
}

// RoPE turns the pairs of elements of every head of x (batch, seq, heads·headDim) by angles in proportion to their
// position, https://arxiv.org/abs/2104.09864.
func (x Node) RoPE(r RoPE) Node {
	in := []Node{x}
	if r.Positions != (Node{}) {
		in = append(in, r.Positions)
	}
	if r.Theta == 0 {
		r.Theta = 10000
	}
	return do("RoPE", func() (*gorgonia.Node, error) {
		return op.RoPE{Heads: r.Heads, HeadDim: r.HeadDim, Theta: r.Theta, Split: r.Split}.Apply(x.n, r.Positions.n)
	}, in...)
}

// Attend says how [Attention] attends.
type Attend struct {
	Heads   int     // heads of the queries
	KVHeads int     // heads of keys and values, which divide Heads; 0 means Heads
	Scale   float64 // of the scores; 0 means 1/√headDim
	// Bidirectional lets a query see the keys behind it too. Without it attention is causal.
	Bidirectional bool
	// Mask, if it is not the zero Node, is an input of tensor.Bool (seq, keys), (batch, seq, keys) or
	// (batch, heads, seq, keys), true where a query may look. Nothing else limits what a query sees then. One that may
	// see nothing yields zeros.
	Mask Node
}

// Attention is scaled dot-product attention, https://arxiv.org/abs/1706.03762: q is (batch, seq, heads·headDim), k and
// v are (batch, keys, kvHeads·headDim), and the result has the shape of q. In a generating graph keys and values of
// earlier runs are seen too.
func Attention(q, k, v Node, how Attend) Node {
	in := []Node{q, k, v}
	if how.Mask != (Node{}) {
		in = append(in, how.Mask)
	}
	a := op.Attention{Heads: how.Heads, KVHeads: how.KVHeads, Scale: how.Scale, Bidirectional: how.Bidirectional}
	return do("Attention", func() (*gorgonia.Node, error) {
		if max := q.g.maxSeq; max > 0 {
			if how.Mask != (Node{}) {
				return nil, errors.New("Attention: a generating graph takes no mask")
			}
			return a.Cached(q.n, k.n, v.n, max)
		}
		return a.Apply(q.n, k.n, v.n, how.Mask.n)
	}, in...)
}

// SelfAttention is [Attention] for queries, keys and values side by side in qkv (batch, seq, (heads + 2·kvHeads)·headDim),
// as [Node.Linears] makes them. The result is (batch, seq, heads·headDim).
func SelfAttention(qkv Node, how Attend) Node {
	in := []Node{qkv}
	if how.Mask != (Node{}) {
		in = append(in, how.Mask)
	}
	a := op.Attention{Heads: how.Heads, KVHeads: how.KVHeads, Scale: how.Scale, Bidirectional: how.Bidirectional}
	return do("Attention", func() (*gorgonia.Node, error) {
		if max := qkv.g.maxSeq; max > 0 {
			if how.Mask != (Node{}) {
				return nil, errors.New("Attention: a generating graph takes no mask")
			}
			return a.CachedPacked(qkv.n, max)
		}
		return a.ApplyPacked(qkv.n, how.Mask.n)
	}, in...)
}
