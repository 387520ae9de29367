package graph_test

import (
	"context"
	"fmt"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/graph"
)

// A graph is built as its formula, compiled, and run.
func Example() {
	params := graph.NewParams(1)
	w := params.Root().Param("weight", graph.Ones, 2, 3)

	g := graph.New()
	x := g.Input("x", g.DType(), 1, 3)
	y := x.Linear(x.Param(w)).Softmax() // (1, 2)
	prog, err := graph.Compile(y)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := prog.Run(context.Background(), graph.Feed{x: graph.Floats([]float32{1, 2, 3}, 1, 3)}); err != nil {
		fmt.Println(err)
		return
	}
	v, err := prog.Value(y)
	fmt.Println(v.Data(), err)
	// Output: [0.5 0.5] <nil>
}

// Errors stick to the graph and name the layer, the operation and the shapes.
func Example_errors() {
	params := graph.NewParams(1)
	w := params.Root().At("layers", 0).Param("weight", graph.Ones, 7, 5)

	g := graph.New()
	x := g.Input("x", g.DType(), 2, 3, 4)
	y := x.Linear(x.Param(w)).SiLU().Softmax() // nothing here needs a check
	_, err := graph.Compile(y)
	fmt.Println(err)
	// Output: graph: layers.0: Linear: x (2, 3, 4) does not fit w (7, 5) layers.0.weight
}

// CompileTrain adds the gradients of a scalar for every parameter.
func ExampleCompileTrain() {
	params := graph.NewParams(1)
	w := params.Root().Param("w", graph.Ones, 3)

	g := graph.New()
	x := g.Param(w)
	cost := x.Mul(x).Sum() // Σ w²
	prog, err := graph.CompileTrain(cost)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := prog.Run(context.Background(), nil); err != nil {
		fmt.Println(err)
		return
	}
	grad, err := w.Grad()
	fmt.Println(prog.Scalar(cost), grad.Data(), err)
	// Output: 3 [2 2 2] <nil>
}

// Any function of Gorgonia fits into a graph.
func ExampleApply() {
	g := graph.New()
	x := g.Input("x", g.DType(), 2)
	y := graph.Apply(gorgonia.Neg, x)
	prog, err := graph.Compile(y)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = prog.Run(context.Background(), graph.Feed{x: graph.Floats([]float32{1, -2}, 2)})
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := prog.Value(y)
	fmt.Println(v.Data(), err)
	// Output: [-1 2] <nil>
}
