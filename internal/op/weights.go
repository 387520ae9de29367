package op

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// rowWeights checks the weights of rows of the given shape, which may be nil, and returns them as numbers of type F: of
// bools, true is 1 and false 0.
func rowWeights[F kernel.Float](o *operands, weights *gorgonia.Node, rows tensor.Shape) *gorgonia.Node {
	if o.err != nil || weights == nil {
		return weights
	}
	s := o.shape("weights", weights, []tensor.Dtype{dtypeOf[F](), tensor.Bool}, nil)
	if o.err == nil && !slices.Equal(s, rows) {
		o.fail("%s do not fit rows %v", show("weights", weights), rows)
	}
	if o.err != nil || weights.Dtype() != tensor.Bool {
		return weights
	}
	n, err := apply(&Op{
		name: "MaskWeights", out: []signature{like[F](rows...)},
		run: func(c *Call) error {
			for i, kept := range bools(c.In[0]) {
				output[F](c, 0)[i] = 0
				if kept {
					output[F](c, 0)[i] = 1
				}
			}
			return nil
		},
	}, weights)
	o.err = err
	return n
}

// bools returns the bools of v, of which there may be one.
func bools(v gorgonia.Value) []bool {
	switch v := v.(type) {
	case *tensor.Dense:
		return v.Bools()
	case *gorgonia.B:
		return []bool{bool(*v)}
	}
	return nil
}

// checkWeights returns an error unless weights are finite and not negative.
func checkWeights[F kernel.Float](name string, weights []F, rows tensor.Shape) error {
	for i, w := range weights {
		if !(w >= 0) || w-w != 0 {
			return errors.Errorf("%s: the weight at %v is %v, want a finite number of at least 0", name, index(i, rows), w)
		}
	}
	return nil
}

// totalWeight returns the sum of weights, or n if there are none.
func totalWeight[F kernel.Float](weights []F, n int) float64 {
	if weights == nil {
		return float64(n)
	}
	return kernel.Sum(weights)
}

// given returns the nodes that are not nil.
func given(in ...*gorgonia.Node) (ns gorgonia.Nodes) {
	for _, n := range in {
		if n != nil {
			ns = append(ns, n)
		}
	}
	return ns
}

// optional returns an operand that may be missing, as nil.
func optional[F kernel.Float](c *Call, i int) []F {
	if i >= len(c.In) {
		return nil
	}
	return input[F](c, i)
}

// first returns n bools, the first k of which are true.
func first(n, k int) []bool {
	b := make([]bool, n)
	for i := range k {
		b[i] = true
	}
	return b
}

// gradients returns the gradients of n operands, of which only the first have any.
func gradients(n int, ds ...*gorgonia.Node) gorgonia.Nodes {
	return append(ds, make(gorgonia.Nodes, n-len(ds))...)
}
