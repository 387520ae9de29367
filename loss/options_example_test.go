package loss_test

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/loss"
)

// matrix and vector add inputs to a graph.
func matrix(g *gorgonia.ExprGraph, name string, rows, cols int, v ...float64) *gorgonia.Node {
	return gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(rows, cols), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(v))))
}

func vector(g *gorgonia.ExprGraph, name string, v ...float64) *gorgonia.Node {
	return gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(len(v)), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))))
}

func tokens(g *gorgonia.ExprGraph, name string, v ...int) *gorgonia.Node {
	return gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(len(v)), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))))
}

// show runs a graph and prints a loss and its gradient for x.
func show(g *gorgonia.ExprGraph, cost *gorgonia.Node, err error, x *gorgonia.Node) {
	if err != nil {
		fmt.Println(err)
		return
	}
	ds, err := gorgonia.Grad(cost, x)
	if err != nil {
		fmt.Println(err)
		return
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f, gradient %.4f\n", cost.Value().Data(), ds[0].Value().Data())
}

// Only the answer of a dialogue is learned: the prompt has weight 0. Logits are bounded as in Gemma 2.
func ExampleOptions_CrossEntropyWeighted() {
	g := gorgonia.NewGraph()
	logits := matrix(g, "logits", 3, 2, 5, -5, 1, 0, 0, 60)
	targets := tokens(g, "targets", 1, 0, 0)
	answer := vector(g, "answer", 0, 1, 1)
	cost, err := loss.Options{SoftCap: 30}.CrossEntropyWeighted(logits, targets, answer)
	show(g, cost, err, logits)
	// Output:
	// 14.6171, gradient [0.0000 0.0000 -0.1344 0.1345 -0.5000 0.0353]
}

// The focal loss lets what is known already count for little.
func ExampleOptions_focal() {
	for _, gamma := range []float64{0, 2} {
		g := gorgonia.NewGraph()
		logits := matrix(g, "logits", 1, 2, 3, 0)
		cost, err := loss.Options{FocalGamma: gamma}.CrossEntropy(logits, tokens(g, "targets", 0))
		show(g, cost, err, logits)
	}
	// Output:
	// 0.0486, gradient [-0.0474 0.0474]
	// 0.0001, gradient [-0.0003 0.0003]
}

// Several labels may apply to one thing; here those that do are rare and count threefold.
func ExampleBinary() {
	g := gorgonia.NewGraph()
	logits := matrix(g, "logits", 1, 3, 2, -1, 0)
	labels := matrix(g, "labels", 1, 3, 1, 0, 1)
	cost, err := loss.Binary{PosWeight: []float64{3}}.CrossEntropy(logits, labels)
	show(g, cost, err, logits)
	// Output:
	// 0.9245, gradient [-0.1192 0.0896 -0.5000]
}
