package graph_test

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
)

// A sum with a product is what it is when the product is an output too, and so has a step of its own, and takes less
// memory. So are the gradients, where sums of products come from two readers of one value.
func TestSumsOfProducts(t *testing.T) {
	run := func(fused bool) (numbers []float32, memory int) {
		ps := graph.NewParams(2)
		g := graph.New()
		x := g.Input("x", tensor.Float32, 6, 40)
		var weights []graph.Node
		for _, name := range []string{"a", "b", "c"} {
			weights = append(weights, g.Param(ps.Root().Param(name, graph.Normal(0.3), 40, 40)))
		}
		h := x.Linear(weights[0])
		products := []graph.Node{h.Linear(weights[1]), h.SiLU().Linear(weights[2])}
		y := h.Add(products[0]).SiLU().Add(products[1])
		outputs := []graph.Node{y}
		if !fused {
			outputs = append(outputs, products...)
		}
		prog, err := graph.CompileTrain(y.Mul(y).Mean(), outputs...)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]float32, 6*40)
		for i := range data {
			data[i] = float32(math.Sin(float64(i)))
		}
		if err := prog.Run(t.Context(), graph.Feed{x: graph.Floats(data, 6, 40)}); err != nil {
			t.Fatal(err)
		}
		v, err := prog.Value(y)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, v.Data().([]float32)...)
		for _, p := range ps.All() {
			d, err := p.Grad()
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, d.Data().([]float32)...)
		}
		return numbers, prog.Memory()
	}
	want, more := run(false)
	got, memory := run(true)
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); d > 1e-5*(1+math.Abs(float64(want[i]))) {
			t.Fatalf("number %d is %v, want %v", i, got[i], want[i])
		}
	}
	if memory >= more {
		t.Errorf("%d bytes, and %d when products are outputs", memory, more)
	}
}

// A step that adds does not write over its summand where the step that takes over its rows reads that too.
func TestSumReadByFollower(t *testing.T) {
	const dim = 40
	run := func(keep bool) []float32 {
		g := graph.New()
		x, a := g.Input("x", tensor.Float32, dim), g.Input("a", tensor.Float32, dim)
		w := g.Param(graph.NewParams(2).Root().Param("w", graph.Normal(0.3), dim, dim))
		r := a.SiLU()
		y := x.Linear(w).Add(r).RMSNorm(r, 1e-5)
		outputs := []graph.Node{y}
		if keep {
			outputs = append(outputs, r) // nothing may lie over it
		}
		prog, err := graph.Compile(outputs...)
		if err != nil {
			t.Fatal(err)
		}
		if err := prog.Run(t.Context(), graph.Feed{x: graph.Floats(wave(dim, 1), dim), a: graph.Floats(wave(dim, 2), dim)}); err != nil {
			t.Fatal(err)
		}
		v, err := prog.Value(y)
		if err != nil {
			t.Fatal(err)
		}
		return v.Data().([]float32)
	}
	if want, got := run(true), run(false); !slices.Equal(got, want) {
		t.Errorf("computed %v, want %v", got, want)
	}
}

// wave returns n numbers between -1 and 1.
func wave(n int, frequency float64) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(math.Sin(frequency * float64(i+1)))
	}
	return s
}
