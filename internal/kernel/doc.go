// Package kernel holds the numeric loops under the graph operations, the optimizers and the sampler.
//
// A kernel works on slices, allocates nothing that outlives it and knows no graph. Matrices are row-major.
// The doc comment of a kernel is the loop it computes. Kernels are generic over [Float]: float32 is what
// models run in, float64 is what proves them. They trust their callers with lengths, which the operations
// check when a graph is built.
//
// A result does not depend on the number of threads: work is split over output elements, never over the
// terms of a sum, and every sum has one fixed order.
package kernel

// Float is the type of the numbers in a model.
type Float interface {
	~float32 | ~float64
}
