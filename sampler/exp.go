package sampler

import "github.com/logits-go/logits/internal/kernel"

// block is the number of tokens whose weights are summed together. Every sum over a vocabulary adds up
// sums of blocks, so that it has one order and its error stays near that of a single addition.
const block = 512

// flushBelow is where exp becomes 0: e^-708 is the last value short of the subnormal numbers.
const flushBelow = -708

// exps computes dst[i] = exp((x[i] - limit)·scale) for x[i] <= limit, to within two units in the last place
// of float64; exps of less than -708 are 0. len(dst) must be at least len(x). It returns what sum does of dst.
func exps[F kernel.Float](dst []float64, x []F, limit, scale float64) float64 {
	return kernel.Weigh(dst, x, limit, scale)
}

// sum adds up w in one fixed order.
func sum(w []float64) float64 {
	var a, b, c, d float64
	for len(w) >= 4 {
		a += w[0]
		b += w[1]
		c += w[2]
		d += w[3]
		w = w[4:]
	}
	for _, v := range w {
		a += v
	}
	return (a + b) + (c + d)
}

// above returns the index of the first logit from the given one on that is larger than limit or NaN, or
// len(logits) if there is none.
func above[F kernel.Float](logits []F, from int, limit F) int {
	return kernel.Above(logits, from, limit)
}

// list appends to ids the indices of the values above limit.
func list[F kernel.Float](ids []int32, x []F, limit F) []int32 { return kernel.List(ids, x, limit) }
