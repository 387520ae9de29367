package layers

import "github.com/logits-go/logits/graph"

// Block is a pre-norm Transformer block, https://arxiv.org/abs/2002.04745.
type Block struct {
	Norm1   Layer
	Attn    *Attention
	Norm2   Layer
	FFN     Layer
	Dropout float64
}

var _ Layer = (*Block)(nil)

// NewBlock makes a Block of the model that c describes, which must be complete, as [Config.WithDefaults] returns it.
func NewBlock(s graph.Scope, c Config) *Block {
	b := &Block{
		Norm1:   newNorm(s.At("ln1"), c),
		Attn:    newAttention(s.At("attn"), c.DModel, c.NumHeads, c.NumKVHeads, c.Bias),
		Norm2:   newNorm(s.At("ln2"), c),
		Dropout: c.Dropout,
	}
	b.Attn.Theta, b.Attn.SplitRoPE = c.RoPETheta, c.SplitRoPE
	if c.Activation == GatedSiLU {
		b.FFN = newSwiGLU(s.At("ffn"), c.DModel, c.DFF, c.Bias)
	} else {
		b.FFN = newFFN(s.At("ffn"), c.DModel, c.DFF, c.Activation, c.Bias)
	}
	return b
}

// Forward maps (batch, seq, dim) to the same shape.
func (b *Block) Forward(x graph.Node) graph.Node {
	if b == nil || b.Norm1 == nil || b.Norm2 == nil || b.FFN == nil {
		return missing(x, "Block")
	}
	x = x.Add(b.Attn.Forward(b.Norm1.Forward(x)).Dropout(b.Dropout))
	x = x.Add(b.FFN.Forward(b.Norm2.Forward(x)).Dropout(b.Dropout))
	return x
}

func newNorm(s graph.Scope, c Config) Layer {
	if c.Norm == NormLayer {
		return NewLayerNorm(s, c.DModel, c.NormEps)
	}
	return NewRMSNorm(s, c.DModel, c.NormEps)
}
