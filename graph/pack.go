package graph

import (
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Pack moves the storage of parameters together, one behind the other in order, so that [Node.Linears] multiplies by them
// as by one. They keep their names, shapes and values. It must come before any graph has the parameters, as in the
// function that makes a layer. If a graph has one of them already, or one could not be made, all stay where they are. A
// parameter that is packed twice goes with the last ones.
func Pack(params ...*Param) {
	size := 0
	for _, p := range params {
		if p == nil || p.value == nil || p.bound.Load() || p.value.Dtype() != params[0].value.Dtype() {
			return
		}
		size += p.value.Shape().TotalSize()
	}
	if size == 0 {
		return
	}
	if params[0].value.Dtype() == tensor.Float64 {
		pack(params, kernel.Make[float64](size), (*tensor.Dense).Float64s)
	} else {
		pack(params, kernel.Make[float32](size), (*tensor.Dense).Float32s)
	}
}

func pack[F kernel.Float](params []*Param, memory []F, numbers func(*tensor.Dense) []F) {
	for _, p := range params {
		n := copy(memory, numbers(p.value))
		p.value = tensor.New(tensor.WithShape(p.value.Shape().Clone()...), tensor.WithBacking(memory[:n:n]))
		memory = memory[n:]
	}
}
