package layers

import "github.com/logits-go/logits/graph"

// Embedding maps tokens to vectors.
type Embedding struct {
	Weight *graph.Param // (vocab, dim)
}

var _ Layer = (*Embedding)(nil)

// NewEmbedding makes an Embedding whose vectors are normal with standard deviation 1, cut at 3, as in CS336.
func NewEmbedding(s graph.Scope, vocab, dim int) *Embedding {
	return &Embedding{Weight: s.Param("weight", graph.TruncNormal(1), vocab, dim)}
}

// Forward maps tokens (batch, seq) to (batch, seq, dim).
func (e *Embedding) Forward(tokens graph.Node) graph.Node {
	if e == nil {
		return missing(tokens, "Embedding")
	}
	return graph.Embedding(tokens.Param(e.Weight), tokens)
}

// Logits scores every token against x (batch, seq, dim): an output layer that shares its weight with the input,
// https://arxiv.org/abs/1608.05859. The result is (batch, seq, vocab).
func (e *Embedding) Logits(x graph.Node) graph.Node { return x.Linear(x.Param(e.Weight)) }

// Positions adds a learned vector to each position, as in GPT-2.
type Positions struct {
	Weight *graph.Param // (context, dim)
}

var _ Layer = (*Positions)(nil)

// NewPositions makes Positions for sequences of up to context tokens, normal with standard deviation 0.02.
func NewPositions(s graph.Scope, context, dim int) *Positions {
	return &Positions{Weight: s.Param("weight", graph.TruncNormal(0.02), context, dim)}
}

// Forward maps (batch, seq, dim) to the same shape.
func (p *Positions) Forward(x graph.Node) graph.Node { return x.Positions(x.Param(p.Weight)) }
