// Loss uses package loss alone, on a graph that is all Gorgonia's: it fits the logits of a three-class bigram table to
// a repeating sequence with Gorgonia's own machine and solver.
package main

import (
	"fmt"
	"log"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/loss"
)

func main() {
	// Row i of the table holds the logits of what follows i.
	g := gorgonia.NewGraph()
	table := gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(3, 3), gorgonia.WithName("table"), gorgonia.WithInit(gorgonia.Zeroes()))
	next := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(3), gorgonia.WithName("next"),
		gorgonia.WithValue(tensor.New(tensor.WithShape(3), tensor.WithBacking([]int{1, 2, 0}))))
	cost, err := loss.CrossEntropy(table, next)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := gorgonia.Grad(cost, table); err != nil {
		log.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(g, gorgonia.BindDualValues(table))
	defer vm.Close()
	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(1))
	for step := range 50 {
		if err := vm.RunAll(); err != nil {
			log.Fatal(err)
		}
		if step%10 == 0 {
			nats := float64(cost.Value().Data().(float32))
			fmt.Printf("step %2d  loss %.4f  perplexity %.4f\n", step, nats, loss.Perplexity(nats))
		}
		if err := solver.Step([]gorgonia.ValueGrad{table}); err != nil {
			log.Fatal(err)
		}
		vm.Reset()
	}
}
