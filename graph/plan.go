package graph

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// A buffer is memory for one or more values of a program that never live at the same time.
type buffer struct {
	size        int // in elements
	first, last int // the steps at which its first value is written and its last one read
	offset      int // in the arena
	into        *buffer
}

// forever is the last step of a buffer that outlives the run.
const forever = 1 << 30

// root returns the buffer that b was merged into.
func (b *buffer) root() *buffer {
	for b.into != nil {
		b = b.into
	}
	return b
}

// place gives every buffer an offset such that no two overlap that live at the same time, and returns the size of the
// arena. Large buffers are placed first, each in the lowest gap that holds it.
func place(buffers []*buffer) (size int) {
	const align = 16 // elements; a cache line of float32
	order := slices.Clone(buffers)
	slices.SortStableFunc(order, func(a, b *buffer) int { return b.size - a.size })
	var placed []*buffer // by offset
	for _, b := range order {
		at := 0
		for _, p := range placed {
			if p.last < b.first || b.last < p.first {
				continue
			}
			if at+b.size <= p.offset {
				break
			}
			at = max(at, (p.offset+p.size+align-1)/align*align)
		}
		b.offset = at
		size = max(size, at+b.size)
		i, _ := slices.BinarySearchFunc(placed, at, func(p *buffer, at int) int { return p.offset - at })
		placed = slices.Insert(placed, i, b)
	}
	return size
}

// An arena is the memory of a program.
type arena struct {
	f32 []float32
	f64 []float64
}

// newArena returns memory for size numbers.
func newArena(dt tensor.Dtype, size int) (a arena) {
	if dt == tensor.Float64 {
		a.f64 = kernel.Make[float64](size)
		return a
	}
	a.f32 = kernel.Make[float32](size)
	return a
}

// value returns a value of the given shape that lies at offset.
func (a arena) value(offset int, shape tensor.Shape) gorgonia.Value {
	size := shape.TotalSize()
	s := tensor.WithShape(shape.Clone()...)
	switch {
	case a.f64 != nil && shape.IsScalar():
		return (*gorgonia.F64)(&a.f64[offset])
	case a.f64 != nil:
		return tensor.New(s, tensor.WithBacking(a.f64[offset:offset+size:offset+size]))
	case shape.IsScalar():
		return (*gorgonia.F32)(&a.f32[offset])
	default:
		return tensor.New(s, tensor.WithBacking(a.f32[offset:offset+size:offset+size]))
	}
}
