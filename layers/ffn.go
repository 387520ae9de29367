package layers

import "github.com/logits-go/logits/graph"

// SwiGLU is the gated feed-forward network W2(silu(W1 x) · W3 x), https://arxiv.org/abs/2002.05202.
type SwiGLU struct {
	W1, W2, W3 *Linear
}

var _ Layer = (*SwiGLU)(nil)

// NewSwiGLU makes a SwiGLU without biases.
func NewSwiGLU(s graph.Scope, dim, hidden int) *SwiGLU { return newSwiGLU(s, dim, hidden, false) }

func newSwiGLU(s graph.Scope, dim, hidden int, bias bool) *SwiGLU {
	f := &SwiGLU{
		W1: newLinear(s.At("w1"), dim, hidden, bias),
		W2: newLinear(s.At("w2"), hidden, dim, bias),
		W3: newLinear(s.At("w3"), dim, hidden, bias),
	}
	pack(f.W1, f.W3)
	return f
}

// Forward maps (batch, seq, dim) to the same shape.
func (f *SwiGLU) Forward(x graph.Node) graph.Node {
	return f.W2.Forward(project(x, f.W1, f.W3).SwiGLUPacked())
}

// FFN is the feed-forward network W2(activation(W1 x)) of the first Transformers.
type FFN struct {
	W1, W2     *Linear
	Activation Activation
}

var _ Layer = (*FFN)(nil)

// NewFFN makes an FFN without biases.
func NewFFN(s graph.Scope, dim, hidden int, a Activation) *FFN {
	return newFFN(s, dim, hidden, a, false)
}

func newFFN(s graph.Scope, dim, hidden int, a Activation, bias bool) *FFN {
	return &FFN{
		W1:         newLinear(s.At("w1"), dim, hidden, bias),
		W2:         newLinear(s.At("w2"), hidden, dim, bias),
		Activation: a,
	}
}

// Forward maps (batch, seq, dim) to the same shape.
func (f *FFN) Forward(x graph.Node) graph.Node {
	return f.W2.Forward(f.Activation.apply(f.W1.Forward(x)))
}
