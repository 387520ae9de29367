package op

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// operands checks the inputs of an op and keeps the first error.
type operands struct {
	op    string
	graph *gorgonia.ExprGraph // of the operands seen so far
	err   error
}

func (o *operands) fail(format string, args ...any) {
	if o.err == nil {
		o.err = errors.Errorf(o.op+": "+format, args...)
	}
}

// floatShape returns the shape of n, which must hold F and have one of the ranks; no ranks mean any.
func floatShape[F kernel.Float](o *operands, what string, n *gorgonia.Node, ranks ...int) tensor.Shape {
	return o.shape(what, n, []tensor.Dtype{dtypeOf[F]()}, ranks)
}

// ids returns the shape of n, which must hold integers and have one of the ranks.
func (o *operands) ids(what string, n *gorgonia.Node, ranks ...int) tensor.Shape {
	return o.shape(what, n, []tensor.Dtype{tensor.Int, tensor.Int32, tensor.Int64}, ranks)
}

func (o *operands) shape(what string, n *gorgonia.Node, dtypes []tensor.Dtype, ranks []int) tensor.Shape {
	if o.err != nil {
		return nil
	}
	if n == nil {
		o.fail("%s is missing", what)
		return nil
	}
	if n.Graph() == nil {
		o.fail("%s belongs to no graph", what)
		return nil
	}
	if o.graph != nil && o.graph != n.Graph() {
		o.fail("%s belongs to another graph", show(what, n))
		return nil
	}
	o.graph = n.Graph()
	s := n.Shape()
	if !slices.Contains(dtypes, n.Dtype()) {
		o.fail("%s holds %v, want %v", show(what, n), n.Dtype(), dtypes[0])
		return nil
	}
	if len(ranks) > 0 && !slices.Contains(ranks, s.Dims()) {
		o.fail("%s has %d axes, want %s", show(what, n), s.Dims(), list(ranks))
		return nil
	}
	return s
}

// show describes an operand: "x (2, 3, 4)", and its name if it is an input or a parameter.
func show(what string, n *gorgonia.Node) string {
	if n.Op() == nil && n.Name() != "" && n.Name() != what {
		return fmt.Sprintf("%s %v %s", what, n.Shape(), n.Name())
	}
	return fmt.Sprintf("%s %v", what, n.Shape())
}

func list(ranks []int) string {
	s := fmt.Sprint(ranks[0])
	for _, r := range ranks[1:] {
		s += fmt.Sprint(" or ", r)
	}
	return s
}

// like returns a signature of type F.
func like[F kernel.Float](shape ...int) signature {
	return signature{dtypeOf[F](), tensor.Shape(slices.Clone(shape))}
}
