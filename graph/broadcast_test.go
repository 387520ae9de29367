package graph_test

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/logits-go/logits/graph"
)

// broadcast returns the shape of x op y, or nil if the shapes do not fit.
func broadcast(x, y []int) []int {
	out := make([]int, max(len(x), len(y)))
	for i := range out {
		a, b := 1, 1
		if j := i - len(out) + len(x); j >= 0 {
			a = x[j]
		}
		if j := i - len(out) + len(y); j >= 0 {
			b = y[j]
		}
		if a != b && a != 1 && b != 1 {
			return nil
		}
		out[i] = max(a, b)
	}
	return out
}

// place returns where the operand of a shape has the element that goes to place at of out.
func place(at int, out, shape []int) (offset int) {
	stride := 1
	for i := len(out) - 1; i >= 0; i-- {
		index := at % out[i]
		at /= out[i]
		if j := i - len(out) + len(shape); j >= 0 {
			if shape[j] > 1 {
				offset += index * stride
			}
			stride *= shape[j]
		}
	}
	return offset
}

// Sums, differences and products of any shapes that fit are those of loops over elements, and their gradients are too;
// shapes that do not fit are errors.
func TestBroadcastProperties(t *testing.T) {
	ops := []struct {
		name string
		node func(x, y graph.Node) graph.Node
		f    func(x, y float64) float64
		dx   func(x, y float64) float64
		dy   func(x, y float64) float64
	}{
		{"Add", graph.Node.Add, func(x, y float64) float64 { return x + y }, func(x, y float64) float64 { return 1 }, func(x, y float64) float64 { return 1 }},
		{"Sub", graph.Node.Sub, func(x, y float64) float64 { return x - y }, func(x, y float64) float64 { return 1 }, func(x, y float64) float64 { return -1 }},
		{"Mul", graph.Node.Mul, func(x, y float64) float64 { return x * y }, func(x, y float64) float64 { return y }, func(x, y float64) float64 { return x }},
	}
	rapid.Check(t, func(rt *rapid.T) {
		o := rapid.SampledFrom(ops).Draw(rt, "op")
		shape := rapid.SliceOfN(rapid.SampledFrom([]int{1, 1, 2, 3, 5}), 1, 4)
		xs, ys := shape.Draw(rt, "x"), shape.Draw(rt, "y")
		if rapid.Bool().Draw(rt, "fitting") { // y has axes of x, or 1
			ys = slices.Clone(xs[rapid.IntRange(0, len(xs)-1).Draw(rt, "from"):])
			for i := range ys {
				if rapid.Bool().Draw(rt, "repeats") {
					ys[i] = 1
				}
			}
		}
		if rapid.Bool().Draw(rt, "turned") {
			xs, ys = ys, xs
		}
		want := broadcast(xs, ys)
		g, ps := graph.New(graph.DType(tensor.Float64)), graph.NewParams(3, graph.DType(tensor.Float64))
		px, py := ps.Root().Param("x", graph.Normal(1), xs...), ps.Root().Param("y", graph.Normal(1), ys...)
		z := o.node(g.Param(px), g.Param(py))
		if want == nil {
			if _, err := graph.Compile(z); err == nil {
				rt.Fatalf("%v and %v fit", xs, ys)
			}
			return
		}
		w := g.Input("w", tensor.Float64, want...)
		prog, err := graph.CompileTrain(z.Mul(w).Sum(), z)
		if err != nil {
			rt.Fatal(err)
		}
		weights := sines(tensor.Shape(want).TotalSize())
		if err := prog.Run(t.Context(), graph.Feed{w: graph.Floats(weights, want...)}); err != nil {
			rt.Fatal(err)
		}
		v, err := prog.Value(z)
		if err != nil {
			rt.Fatal(err)
		}
		x, y := px.Value().Data().([]float64), py.Value().Data().([]float64)
		dx, dy := make([]float64, len(x)), make([]float64, len(y))
		out := wide(v.Data())
		if !slices.Equal([]int(v.Shape()), want) && len(want) > 0 || len(out) != len(weights) {
			rt.Fatalf("%s of %v and %v is %v, want %v", o.name, xs, ys, v.Shape(), want)
		}
		for at := range out {
			i, j := place(at, want, xs), place(at, want, ys)
			if out[at] != o.f(x[i], y[j]) {
				rt.Fatalf("%s of %v and %v: element %d is %v, want %v", o.name, xs, ys, at, out[at], o.f(x[i], y[j]))
			}
			dx[i] += weights[at] * o.dx(x[i], y[j])
			dy[j] += weights[at] * o.dy(x[i], y[j])
		}
		for _, c := range []struct {
			p    *graph.Param
			want []float64
		}{{px, dx}, {py, dy}} {
			got := grad(t, c.p)
			for i := range got {
				if math.Abs(got[i]-c.want[i]) > 1e-12*(1+math.Abs(c.want[i])) {
					rt.Fatalf("%s of %v and %v: gradient %d of %s is %v, want %v", o.name, xs, ys, i, c.p.Name(), got[i], c.want[i])
				}
			}
		}
	})
}
