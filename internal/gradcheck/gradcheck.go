// Package gradcheck compares gradients with finite differences.
package gradcheck

import "math"

// Error returns how far grad is from the gradient of f at x, relative to the size of that gradient: it is [Off] of
// [Differences].
func Error(f func() float64, x, grad []float64, h float64) float64 {
	return Off(grad, Differences(f, x, h))
}

// Differences returns the gradient of f at x by six-point central differences of step h in float64. f reads x, which
// Differences changes and restores.
//
// The truncation error of six points falls with the sixth power of h, the rounding error grows with 1/h. A step of 1e-2
// leaves a right gradient of an operation within 1e-9; the deeper f is, the smaller the step must be.
func Differences(f func() float64, x []float64, h float64) []float64 {
	ds := make([]float64, len(x))
	for i, v := range x {
		at := func(k float64) float64 {
			x[i] = v + k*h
			return f()
		}
		ds[i] = (45*(at(1)-at(-1)) - 9*(at(2)-at(-2)) + (at(3) - at(-3))) / (60 * h)
		x[i] = v
	}
	return ds
}

// Off returns how far grad is from want, relative to the size of that: ||grad - want|| / ||want||. A gradient of zero is
// compared absolutely.
func Off(grad, want []float64) float64 {
	var off, size float64
	for i, n := range want {
		off += (grad[i] - n) * (grad[i] - n)
		size += n * n
	}
	if size < 1e-12 {
		return math.Sqrt(off)
	}
	return math.Sqrt(off / size)
}
