package layers

import "github.com/logits-go/logits/graph"

// RMSNorm is root mean square normalization, https://arxiv.org/abs/1910.07467.
type RMSNorm struct {
	Weight *graph.Param // (dim)
	Eps    float64
}

var _ Layer = (*RMSNorm)(nil)

// NewRMSNorm makes an RMSNorm with unit gain.
func NewRMSNorm(s graph.Scope, dim int, eps float64) *RMSNorm {
	return &RMSNorm{Weight: s.Param("weight", graph.Ones, dim), Eps: eps}
}

// Forward maps (..., dim) to the same shape.
func (n *RMSNorm) Forward(x graph.Node) graph.Node { return x.RMSNorm(x.Param(n.Weight), n.Eps) }

// LayerNorm is layer normalization, https://arxiv.org/abs/1607.06450.
type LayerNorm struct {
	Weight *graph.Param // (dim)
	Bias   *graph.Param // (dim)
	Eps    float64
}

var _ Layer = (*LayerNorm)(nil)

// NewLayerNorm makes a LayerNorm with unit gain and no shift.
func NewLayerNorm(s graph.Scope, dim int, eps float64) *LayerNorm {
	return &LayerNorm{Weight: s.Param("weight", graph.Ones, dim), Bias: s.Param("bias", graph.Zeros, dim), Eps: eps}
}

// Forward maps (..., dim) to the same shape.
func (n *LayerNorm) Forward(x graph.Node) graph.Node {
	return x.LayerNorm(x.Param(n.Weight), x.Param(n.Bias), n.Eps)
}
