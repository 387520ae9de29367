package kernel

import "sync"

// A loop32 is a loop over float32 operands that [Parallel] splits. A closure would have to be allocated in every call;
// a loop32 is kept and used again, so that a step of training allocates nothing.
type loop32 struct {
	body func(l *loop32, lo, hi int) // reads and writes what it needs of the operands in [lo, hi)

	// The operands. A body names them first: dst, x, w := l.out[0], l.in[0], l.in[1].
	out, in [6][]float32
	dim     int // length of a row, where operands have rows
	eps     float64
	op      operation
	factors [10]float32
	sums    []float64
	ids     []int

	run func(lo, hi int) // calls body
}

var loops sync.Pool // of *loop32

// newLoop returns a loop with the given body, a function that captures nothing, and no operands.
func newLoop(body func(l *loop32, lo, hi int)) *loop32 {
	l, ok := loops.Get().(*loop32)
	if !ok {
		l = new(loop32)
		l.run = func(lo, hi int) { l.body(l, lo, hi) }
	}
	l.body = body
	return l
}

// parallel runs the loop over [0, n) and releases it.
func (l *loop32) parallel(n, grain int) {
	Parallel(n, grain, l.run)
	l.out, l.in, l.factors = [6][]float32{}, [6][]float32{}, [10]float32{}
	l.sums, l.ids = nil, nil
	loops.Put(l)
}
