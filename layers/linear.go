package layers

import (
	"math"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// A Layer maps one node to another.
type Layer interface {
	Forward(x graph.Node) graph.Node
}

// missing makes it an error that a layer, or a part of one, is not there.
func missing(x graph.Node, layer string) graph.Node {
	return x.Graph().Wrap(nil, errors.Errorf("layers: %s: the layer or a part of it is missing, for x %v", layer, x.Shape()))
}

// Linear is y = x·Wᵀ, plus a bias if there is one.
type Linear struct {
	Weight *graph.Param // (out, in)
	Bias   *graph.Param // (out), or nil
}

var _ Layer = (*Linear)(nil)

// NewLinear makes a Linear without bias. The weight is drawn as in CS336: normal with variance 2/(in+out), cut at
// three standard deviations.
func NewLinear(s graph.Scope, in, out int) *Linear {
	return &Linear{Weight: s.Param("weight", graph.TruncNormal(math.Sqrt(2/float64(in+out))), out, in)}
}

// NewBiasedLinear makes a Linear with a bias of zeros.
func NewBiasedLinear(s graph.Scope, in, out int) *Linear {
	l := NewLinear(s, in, out)
	l.Bias = s.Param("bias", graph.Zeros, out)
	return l
}

// Forward maps (..., in) to (..., out).
func (l *Linear) Forward(x graph.Node) graph.Node {
	if l == nil {
		return missing(x, "Linear")
	}
	if l.Bias == nil {
		return x.Linear(x.Param(l.Weight))
	}
	return x.Linear(x.Param(l.Weight), x.Param(l.Bias))
}

// newLinear makes a Linear with or without a bias.
func newLinear(s graph.Scope, in, out int, bias bool) *Linear {
	if bias {
		return NewBiasedLinear(s, in, out)
	}
	return NewLinear(s, in, out)
}

// pack puts the storage of layers together, so that project multiplies by all of them at once.
func pack(ls ...*Linear) {
	var weights []*graph.Param
	for _, l := range ls {
		weights = append(weights, l.Weight)
	}
	graph.Pack(weights...)
}

// project maps (..., in) to what the layers make of it, side by side in the last axis.
func project(x graph.Node, ls ...*Linear) graph.Node {
	var weights, biases []graph.Node
	for _, l := range ls {
		if l == nil {
			return missing(x, "Linear")
		}
		weights = append(weights, x.Param(l.Weight))
		if l.Bias != nil {
			biases = append(biases, x.Param(l.Bias))
		}
	}
	return x.Linears(weights, biases...)
}
