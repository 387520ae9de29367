package graph_test

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
)

// A trial trains what a function makes of parameters, once.
type trial struct {
	dtype  tensor.Dtype
	values map[string]oracle.Tensor // of the parameters
	packed []string                 // parameters whose memory lies together
	dy     []float64                // the gradient of the result if that is no scalar; nil means sines
}

// outcome is the result of a trial, and the gradients by the names of the parameters.
type outcome struct {
	y     []float64
	grads map[string][]float64
	err   error // of the run
}

// A builder makes the result from the parameters, and feeds what other inputs it needs.
type builder func(g *graph.Graph, in map[string]graph.Node, feed graph.Feed) graph.Node

func (tr trial) run(t *testing.T, build builder) (out outcome) {
	t.Helper()
	g, ps, feed := graph.New(graph.DType(tr.dtype)), graph.NewParams(1, graph.DType(tr.dtype)), graph.Feed{}
	for name, v := range tr.values {
		newParam(ps, name, v)
	}
	var together []*graph.Param
	for _, name := range tr.packed {
		together = append(together, ps.Get(name))
	}
	graph.Pack(together...)
	in := make(map[string]graph.Node)
	for name := range tr.values {
		in[name] = g.Param(ps.Get(name))
	}
	y := build(g, in, feed)
	cost := y
	if y.Shape().Dims() > 0 {
		r := g.Input("r", tr.dtype, y.Shape()...)
		if tr.dy == nil {
			tr.dy = sines(y.Shape().TotalSize())
		}
		feed[r] = dense(tr.dtype, oracle.Tensor{Shape: y.Shape(), Floats: tr.dy})
		cost = y.Mul(r).Sum()
	}
	prog, err := graph.CompileTrain(cost, y)
	if err != nil {
		t.Fatal(err)
	}
	if out.err = prog.Run(t.Context(), feed); out.err != nil {
		return out
	}
	v, err := prog.Value(y)
	if err != nil {
		t.Fatal(err)
	}
	out.y, out.grads = wide(v.Data()), make(map[string][]float64)
	for name, p := range ps.All() {
		out.grads[name] = grad(t, p)
	}
	return out
}

// grad returns the gradient of a parameter.
func grad(t *testing.T, p *graph.Param) []float64 {
	t.Helper()
	v, err := p.Grad()
	if err != nil {
		t.Fatal(err)
	}
	return wide(v.Data())
}

// wide returns a copy of the data of a value in float64.
func wide(data any) (out []float64) {
	switch data := data.(type) {
	case []float32:
		for _, v := range data {
			out = append(out, float64(v))
		}
	case []float64:
		out = append(out, data...)
	case float32:
		out = []float64{float64(data)}
	case float64:
		out = []float64{data}
	}
	return out
}

// sines returns n numbers of either sign.
func sines(n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = float64(float32(math.Sin(float64(3*i + 1))))
	}
	return s
}

// alike checks that numbers differ by no more than tol in relation to their size. NaN is like NaN alone.
func alike(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i, w := range want {
		if g := got[i]; g != w && !(math.IsNaN(g) && math.IsNaN(w)) && !(math.Abs(g-w) <= tol*(1+math.Abs(w))) {
			t.Errorf("%s: element %d is %v, want %v", what, i, g, w)
			return
		}
	}
}

// columns returns columns [lo, hi) of x, whose rows are wide.
func columns(x []float64, width, lo, hi int) (out []float64) {
	for ; len(x) > 0; x = x[width:] {
		out = append(out, x[lo:hi]...)
	}
	return out
}

// cut returns columns [lo, hi) of a tensor.
func cut(v oracle.Tensor, lo, hi int) oracle.Tensor {
	last := len(v.Shape) - 1
	return oracle.Tensor{Shape: append(slices.Clone(v.Shape[:last]), hi-lo), Floats: columns(v.Floats, v.Shape[last], lo, hi)}
}

// with returns v with one number replaced.
func with(v oracle.Tensor, at int, x float64) oracle.Tensor {
	v.Floats = slices.Clone(v.Floats)
	v.Floats[at] = x
	return v
}
