package loss_test

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/loss"
)

// CrossEntropy works on any Gorgonia graph, and stays exact where e**logit would overflow.
func Example() {
	g := gorgonia.NewGraph()
	logits := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(2, 3), gorgonia.WithName("logits"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{2, 1, 0.1, 10000, -10000, 0}))))
	targets := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(2), gorgonia.WithName("targets"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(2), tensor.WithBacking([]int{0, 2}))))
	rows, err := loss.Options{Reduction: loss.None}.CrossEntropy(logits, targets)
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
	fmt.Printf("%.4f\n", rows.Value().Data())
	fmt.Printf("%.1f\n", loss.Perplexity(0.6931))
	// Output:
	// [0.4170 10000.0000]
	// 2.0
}
