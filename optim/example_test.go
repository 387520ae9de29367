package optim_test

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/optim"
)

// Optimizers are Gorgonia solvers. Here one minimizes (w-3)² on a graph that is all Gorgonia's.
func Example() {
	g := gorgonia.NewGraph()
	w := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("w"), gorgonia.WithValue(0.0))
	off := gorgonia.Must(gorgonia.Sub(w, gorgonia.NewConstant(3.0)))
	cost := gorgonia.Must(gorgonia.Square(off))
	if _, err := gorgonia.Grad(cost, w); err != nil {
		fmt.Println(err)
		return
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(w))
	defer vm.Close()

	weights := []gorgonia.ValueGrad{w}
	opt := &optim.AdamW{LR: optim.Cosine{Peak: 0.3, Warmup: 10, Steps: 200}, WeightDecay: optim.None, MaxNorm: 1}
	for range 200 {
		if err := vm.RunAll(); err != nil {
			fmt.Println(err)
			return
		}
		if err := opt.Step(weights); err != nil {
			fmt.Println(err)
			return
		}
		if err := optim.ZeroGrad(weights); err != nil { // the tape machine adds to gradients
			fmt.Println(err)
			return
		}
		vm.Reset()
	}
	fmt.Printf("w = %.3f after %d steps\n", w.Value().Data(), opt.Steps())
	// Output: w = 3.000 after 200 steps
}
