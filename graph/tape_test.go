package graph_test

import (
	"fmt"
	"reflect"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
)

// runTape runs the forward and the backward pass of a graph in Gorgonia's own machine, twice, and returns the cost and
// the gradients of wrt.
func runTape(t *testing.T, g *gorgonia.ExprGraph, cost *gorgonia.Node, wrt gorgonia.Nodes) (any, []any) {
	t.Helper()
	grads, err := gorgonia.Grad(cost, wrt...)
	if err != nil {
		t.Fatal(err)
	}
	var c gorgonia.Value
	gorgonia.Read(cost, &c)
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	var ds []any
	for range 2 {
		vm.Reset()
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		ds = nil
		for _, d := range grads {
			ds = append(ds, d.Value().Data())
		}
	}
	return c.Data(), ds
}

// let gives the inputs of a graph the values of a feed.
func let(t *testing.T, feed graph.Feed) {
	t.Helper()
	for n, v := range feed {
		if err := gorgonia.Let(n.Gorgonia(), v); err != nil {
			t.Fatal(err)
		}
	}
}

// Our ops give the same bits in Gorgonia's tape machine as in a Program, gradients included. Only sums that products
// and the gradients of norms make are rounded otherwise there, where a sum is a step of its own.
func TestTapeMachineAgrees(t *testing.T) {
	for _, c := range gradientCases() {
		if c.name == "Dropout" {
			continue // drops other elements in every run
		}
		for _, p := range precisions {
			t.Run(fmt.Sprint(c.name, c.shapes, "/", p.name), func(t *testing.T) {
				tol := 0.0
				if c.sums {
					tol = p.tol / 10
				}
				prog, cost, feed, ps := c.program(t, p.dtype)
				run(t, prog, feed)
				want := prog.Scalar(cost)
				g := cost.Graph()
				let(t, feed)
				var wrt gorgonia.Nodes
				for i := range c.shapes {
					wrt = append(wrt, g.Gorgonia().ByName(fmt.Sprint("p", i))...)
				}
				got, grads := runTape(t, g.Gorgonia(), cost.Gorgonia(), wrt)
				alike(t, "cost", wide(got), []float64{want}, tol)
				for i, d := range grads {
					alike(t, fmt.Sprint("gradient of p", i), wide(d), grad(t, ps.Get(fmt.Sprint("p", i))), tol)
				}
			})
		}
	}
}

// So does a whole model, with ops of Gorgonia's own in it, which write over their operands there.
func TestTapeMachineRunsModels(t *testing.T) {
	build := func() (*graph.Graph, graph.Node, graph.Feed, *graph.Params) {
		ps := graph.NewParams(1)
		m, err := layers.NewTransformerLM(ps.Root(), layers.Config{VocabSize: 17, ContextLength: 6, DModel: 16, NumLayers: 2, NumHeads: 2})
		if err != nil {
			t.Fatal(err)
		}
		g := graph.New()
		x, y := g.Tokens("x", 2, 6), g.Tokens("y", 2, 6)
		logits := m.Forward(x)
		logits = graph.Apply2(gorgonia.Add, graph.Apply(gorgonia.Tanh, logits), logits)
		ids := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
		return g, graph.Apply2(loss.CrossEntropy, logits, y), graph.Feed{x: graph.Ints(ids, 2, 6), y: graph.Ints(ids, 2, 6)}, ps
	}
	_, cost, feed, ps := build()
	prog, err := graph.CompileTrain(cost)
	if err != nil {
		t.Fatal(err)
	}
	if err := prog.Run(t.Context(), feed); err != nil {
		t.Fatal(err)
	}
	want := prog.Scalar(cost)
	g, cost, feed, _ := build()
	let(t, feed)
	var wrt gorgonia.Nodes
	var names []string
	for name := range ps.All() {
		wrt, names = append(wrt, g.Gorgonia().ByName(name)...), append(names, name)
	}
	got, grads := runTape(t, g.Gorgonia(), cost.Gorgonia(), wrt)
	if float64(got.(float32)) != want {
		t.Errorf("tape machine: %v, program: %v", got, want)
	}
	for i, d := range grads {
		v, err := ps.Get(names[i]).Grad()
		if err != nil {
			t.Fatal(err)
		}
		if diff := maxDiff(d.([]float32), v.Data().([]float32)); diff > 1e-6 {
			t.Errorf("gradient of %s differs by %g", names[i], diff)
		}
	}
}

func maxDiff(x, y []float32) (d float32) {
	for i := range x {
		d = max(d, x[i]-y[i], y[i]-x[i])
	}
	return d
}

// A Program is a gorgonia.VM: it runs on values that gorgonia.Let has given.
func TestProgramIsAVM(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2)
	y := x.Scale(2)
	prog, err := graph.Compile(y)
	if err != nil {
		t.Fatal(err)
	}
	if err := prog.RunAll(); err == nil {
		t.Error("RunAll without a value: no error")
	}
	let(t, graph.Feed{x: graph.Floats([]float32{1, 2}, 2)})
	if err := prog.RunAll(); err != nil {
		t.Fatal(err)
	}
	v, err := prog.Value(y)
	if err != nil || !reflect.DeepEqual(v.Data(), []float32{2, 4}) {
		t.Errorf("Value = %v, %v", v, err)
	}
}
