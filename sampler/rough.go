package sampler

import (
	"slices"

	"github.com/logits-go/logits/internal/kernel"
)

// Sums of a large vocabulary are first taken in float32, at a fraction of the price and with a bound on the error. A token
// or a set of tokens that comes out the same wherever in its bounds the sum lies is what the exact sums give. Only where
// the bounds hold an edge, one row in a hundred or so, the exact sums are computed. So no result depends on them.

// roughUp computes sums and total of row in float32 mostly, or reports that it cannot.
func (d *Distribution) roughUp() bool {
	if d.row == nil || len(d.edits) > 0 || d.vocab < 4*block || float64(float32(d.top)) != d.top {
		return false
	}
	whole := d.vocab / block
	d.sums = slices.Grow(d.sums[:0], whole+1)[:whole]
	if !kernel.RoughSums(d.sums, d.row, d.top, d.scale()) {
		return false
	}
	d.total = 0
	for _, s := range d.sums {
		d.total += s
	}
	if lo := whole * block; lo < d.vocab {
		var w [block]float64
		d.addSum(d.weighBlock(w[:d.vocab-lo], lo))
	}
	return true
}

// rounding bounds what float64 sums over the vocabulary are wrong by, and the weights in them.
func (d *Distribution) rounding() float64 {
	return float64(d.vocab+1<<12) * 0x1p-52 * d.total
}

// drawRough is drawOnce from rough sums. It reports whether they are good enough for this u.
func (d *Distribution) drawRough(u float64) (token int, ok bool) {
	if !d.roughUp() {
		return -1, false
	}
	at, before := d.locate(float64(u * d.total))
	lo := at * block
	var w [block]float64
	weights := w[:min(block, d.vocab-lo)]
	d.weighBlock(weights, lo)

	// Of u·(before+after) - before, which is the distance to walk, the error is at most that of u·after and of
	// (1-u)·before.
	target := float64(u*d.total) - before
	off := kernel.RoughError*(float64(u*(d.total-before))+float64((1-u)*before))*(1+1e-6) + d.rounding()
	acc := 0.0
	for i, v := range weights {
		last := acc
		if acc += v; acc > target {
			return lo + i, target-last > off && acc-target > off
		}
	}
	return -1, false
}
