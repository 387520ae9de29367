package op

import (
	"unsafe"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// floats returns the numbers of v, which are of type F.
func floats[F kernel.Float](v gorgonia.Value) []F {
	switch v := v.(type) {
	case *tensor.Dense:
		if v.Dtype() == tensor.Float64 {
			s := v.Float64s()
			return *(*[]F)(unsafe.Pointer(&s))
		}
		s := v.Float32s()
		return *(*[]F)(unsafe.Pointer(&s))
	case *gorgonia.F32:
		return unsafe.Slice((*F)(unsafe.Pointer(v)), 1)
	case *gorgonia.F64:
		return unsafe.Slice((*F)(unsafe.Pointer(v)), 1)
	}
	return nil
}

// ints returns the integers of v. They are its own memory if it holds ints.
func ints(v gorgonia.Value) []int {
	d, ok := v.(*tensor.Dense)
	if !ok {
		return nil
	}
	switch d.Dtype() {
	case tensor.Int:
		return d.Ints()
	case tensor.Int32:
		return widen(d.Int32s())
	case tensor.Int64:
		return widen(d.Int64s())
	}
	return nil
}

func widen[I int32 | int64](in []I) []int {
	out := make([]int, len(in))
	for i, v := range in {
		out[i] = int(v)
	}
	return out
}

// input and output return operands and results of a call.
func input[F kernel.Float](c *Call, i int) []F  { return floats[F](c.In[i]) }
func output[F kernel.Float](c *Call, i int) []F { return floats[F](c.Out[i]) }

// dtypeOf returns Gorgonia's name of F.
func dtypeOf[F kernel.Float]() tensor.Dtype {
	if unsafe.Sizeof(F(0)) == 4 {
		return tensor.Float32
	}
	return tensor.Float64
}

// is64 reports whether n holds float64. Constructors run in float32 on anything else, and refuse what is neither.
func is64(n *gorgonia.Node) bool { return n != nil && n.Dtype() == tensor.Float64 }
