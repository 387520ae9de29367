package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/internal/op"
)

// A Node is a tensor that exists once its graph runs. The zero Node belongs to no graph; operations refuse it.
type Node struct {
	g *Graph
	n *gorgonia.Node
}

// Graph returns the graph x belongs to, or nil.
func (x Node) Graph() *Graph { return x.g }

// Gorgonia returns x for use with Gorgonia itself, or nil if x could not be built.
func (x Node) Gorgonia() *gorgonia.Node { return x.n }

// name returns what x is called in errors.
func (x Node) name() string {
	if x.n == nil {
		return "that could not be built"
	}
	return x.n.Name()
}

// Shape returns the shape of x, or nil if x could not be built.
func (x Node) Shape() tensor.Shape {
	if x.n == nil {
		return nil
	}
	return x.n.Shape()
}

// Dim returns the length of an axis of x, counted from the last if it is negative, or 0 if there is no such axis.
func (x Node) Dim(axis int) int {
	s := x.Shape()
	if axis < 0 {
		axis += len(s)
	}
	if axis < 0 || axis >= len(s) {
		return 0
	}
	return s[axis]
}

// Param returns p as a node of the graph of x.
func (x Node) Param(p *Param) Node { return x.g.Param(p) }

// Add returns x + y. Shapes broadcast as in NumPy: axes are matched from the last, and one of length 1 repeats.
func (x Node) Add(y Node) Node { return apply2("Add", op.Add, x, y) }

// Sub returns x - y, broadcast as in Add.
func (x Node) Sub(y Node) Node { return apply2("Sub", op.Sub, x, y) }

// Mul returns the elementwise product of x and y, broadcast as in Add.
func (x Node) Mul(y Node) Node { return apply2("Mul", op.Mul, x, y) }

// Scale returns alpha · x.
func (x Node) Scale(alpha float64) Node {
	return apply("Scale", func(x *gorgonia.Node) (*gorgonia.Node, error) { return op.Scale(x, alpha) }, x)
}

// Linear returns x·wᵀ, plus the bias if there is one, for x (..., in), w (out, in) and bias (out).
func (x Node) Linear(w Node, bias ...Node) Node {
	return do("Linear", func() (*gorgonia.Node, error) {
		if len(bias) > 1 {
			return nil, errors.Errorf("Linear: %d biases", len(bias))
		}
		return x.g.linears(x.n, gorgonia.Nodes{w.n}, nodes(bias))
	}, append([]Node{x, w}, bias...)...)
}

// Linears returns x·wᵀ for several weights (out, in) side by side in the last axis, as Linear would for one weight that
// holds the rows of all. Biases, if there are any, are as many. Weights that [Pack] has put together are multiplied as
// one.
func (x Node) Linears(weights []Node, biases ...Node) Node {
	return do("Linears", func() (*gorgonia.Node, error) {
		return x.g.linears(x.n, nodes(weights), nodes(biases))
	}, slices.Concat([]Node{x}, weights, biases)...)
}

func nodes(list []Node) gorgonia.Nodes {
	var ns gorgonia.Nodes
	for _, x := range list {
		ns = append(ns, x.n)
	}
	return ns
}

// MatMul returns the matrix products x·y of x (..., m, k) and y (..., k, n), whose leading axes are the same, or of x
// with a single matrix y.
func (x Node) MatMul(y Node) Node { return apply2("MatMul", op.MatMul, x, y) }

// Reshape returns x, in row-major order, under another shape. One axis may be -1: what is left.
func (x Node) Reshape(shape ...int) Node {
	return apply("Reshape", func(x *gorgonia.Node) (*gorgonia.Node, error) { return op.Reshape(x, shape...) }, x)
}

// Transpose returns x with its axes reordered: axis i of the result is axis axes[i] of x. Without axes it reverses them.
func (x Node) Transpose(axes ...int) Node {
	return apply("Transpose", func(x *gorgonia.Node) (*gorgonia.Node, error) { return op.Transpose(x, axes...) }, x)
}

// Sum returns the sum of x over axes, which disappear; without axes it is the sum of everything, a scalar.
func (x Node) Sum(axes ...int) Node {
	return apply("Sum", func(x *gorgonia.Node) (*gorgonia.Node, error) { return op.Sum(x, axes...) }, x)
}

// Mean returns the mean of x over axes, which disappear; without axes it is the mean of everything, a scalar.
func (x Node) Mean(axes ...int) Node {
	return apply("Mean", func(x *gorgonia.Node) (*gorgonia.Node, error) { return op.Mean(x, axes...) }, x)
}

// Softmax returns e**x / Σ e**x over the last axis. The largest element of each row is subtracted first, so no finite
// logit overflows. A row of -Inf alone becomes zeros.
func (x Node) Softmax() Node { return apply("Softmax", op.Softmax, x) }

// LogSoftmax returns x - log Σ e**x over the last axis, as stably as Softmax.
func (x Node) LogSoftmax() Node { return apply("LogSoftmax", op.LogSoftmax, x) }

// ReLU returns max(x, 0).
func (x Node) ReLU() Node { return apply("ReLU", op.ReLU, x) }

// SiLU returns x · sigmoid(x), https://arxiv.org/abs/1702.03118.
func (x Node) SiLU() Node { return apply("SiLU", op.SiLU, x) }

// GELU returns x · Φ(x), Φ being the normal distribution function, https://arxiv.org/abs/1606.08415.
func (x Node) GELU() Node { return apply("GELU", op.GELU, x) }

// GELUTanh returns the approximation of GELU by tanh that GPT-2 uses.
func (x Node) GELUTanh() Node { return apply("GELUTanh", op.GELUTanh, x) }

// SwiGLU returns silu(x) · up, https://arxiv.org/abs/2002.05202.
func (x Node) SwiGLU(up Node) Node { return apply2("SwiGLU", op.SwiGLU, x, up) }

// SwiGLUPacked returns silu(gate) · up for x (..., 2·hidden) whose last axis holds gate and then up.
func (x Node) SwiGLUPacked() Node { return apply("SwiGLUPacked", op.SwiGLUPacked, x) }

// RMSNorm returns x / √(mean(x²) + eps) · w over the last axis of x (..., dim) for w (dim),
// https://arxiv.org/abs/1910.07467.
func (x Node) RMSNorm(w Node, eps float64) Node {
	return apply2("RMSNorm", func(x, w *gorgonia.Node) (*gorgonia.Node, error) { return op.RMSNorm(x, w, eps) }, x, w)
}

// LayerNorm returns (x - mean(x)) / √(variance(x) + eps) · w + b over the last axis of x (..., dim) for w and b (dim),
// https://arxiv.org/abs/1607.06450.
func (x Node) LayerNorm(w, b Node, eps float64) Node {
	return do("LayerNorm", func() (*gorgonia.Node, error) { return op.LayerNorm(x.n, w.n, b.n, eps) }, x, w, b)
}

// Dropout sets a share p of the elements of x to zero and divides the others by 1-p, in programs that train; in others
// it is x, https://jmlr.org/papers/v15/srivastava14a.html. Which elements fall depends on the [Seed] of the graph, the
// place of the Dropout in it and the number of the run, and on nothing else.
func (x Node) Dropout(p float64) Node {
	return apply("Dropout", func(n *gorgonia.Node) (*gorgonia.Node, error) {
		x.g.drops++
		return op.Dropout(n, p, kernel.Key(x.g.seed, x.g.drops))
	}, x)
}

// Apply applies a function written for Gorgonia, such as gorgonia.Tanh, to x.
func Apply(f func(x *gorgonia.Node) (*gorgonia.Node, error), x Node) Node {
	return theirs("Apply", f == nil, func() (*gorgonia.Node, error) { return f(x.n) }, x)
}

// Apply2 applies a function of two nodes written for Gorgonia, such as loss.CrossEntropy.
func Apply2(f func(x, y *gorgonia.Node) (*gorgonia.Node, error), x, y Node) Node {
	return theirs("Apply2", f == nil, func() (*gorgonia.Node, error) { return f(x.n, y.n) }, x, y)
}

// Apply3 applies a function of three nodes written for Gorgonia, such as loss.LinearCrossEntropy.
func Apply3(f func(x, y, z *gorgonia.Node) (*gorgonia.Node, error), x, y, z Node) Node {
	return theirs("Apply3", f == nil, func() (*gorgonia.Node, error) { return f(x.n, y.n, z.n) }, x, y, z)
}

// theirs is do for functions that others wrote, whose errors need not say what they are about.
func theirs(name string, none bool, build func() (*gorgonia.Node, error), in ...Node) Node {
	shapes := make([]string, len(in))
	for i, x := range in {
		shapes[i] = fmt.Sprint(x.Shape())
	}
	about := fmt.Sprintf("%s to %s", name, strings.Join(shapes, ", "))
	return do(about, func() (*gorgonia.Node, error) {
		if none {
			return nil, errors.Errorf("%s: the function is nil", about)
		}
		n, err := build()
		return n, errors.WithMessage(err, about)
	}, in...)
}

// apply and apply2 are for the ops of this module, whose errors begin with their names.
func apply(name string, f func(x *gorgonia.Node) (*gorgonia.Node, error), x Node) Node {
	return do(name, func() (*gorgonia.Node, error) { return f(x.n) }, x)
}

func apply2(name string, f func(x, y *gorgonia.Node) (*gorgonia.Node, error), x, y Node) Node {
	return do(name, func() (*gorgonia.Node, error) { return f(x.n, y.n) }, x, y)
}
