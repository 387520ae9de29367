package sampler

import (
	"math"
	"slices"

	"github.com/logits-go/logits/internal/kernel"
)

// topOfRow is TopK where row is what the logits are. It makes a list of the k most probable tokens, or reports that it has
// not: k is a large part of a large row, or the guess was too high.
func (d *Distribution) topOfRow(k int) bool {
	if d.vocab < 2*sampled {
		limit := cutOf(d.row, k, float32(d.top))
		if k > d.vocab/8 {
			d.ids, d.logits = kernel.ListValues(d.ids[:0], d.logits[:0], d.row, limit)
			if len(d.ids) == k {
				d.row = nil
				return true
			}
		} else {
			d.ids = list(d.ids[:0], d.row, limit)
		}
	} else {
		limit, ok := d.guessTop(k)
		if !ok {
			return false
		}
		d.ids = list(d.ids[:0], d.row, limit)
		if len(d.ids) < k {
			return false
		}
		d.floats = slices.Grow(d.floats[:0], len(d.ids))[:len(d.ids)]
		for i, id := range d.ids {
			d.floats[i] = d.row[id]
		}
		limit = cutOf(d.floats, k, float32(d.top))
		n := 0
		for i, id := range d.ids {
			d.ids[n] = id
			if d.floats[i] > limit {
				n++
			}
		}
		d.ids = d.ids[:n]
	}
	if over := len(d.ids) - k; over > 0 {
		d.dropTies(over)
	}
	d.listLogits()
	return true
}

// dropTies drops the last few of the listed tokens of row that share the least logit.
func (d *Distribution) dropTies(over int) {
	least := float32(d.top)
	for _, id := range d.ids {
		least = min(least, d.row[id])
	}
	n := len(d.ids)
	for i := len(d.ids) - 1; i >= 0; i-- { // what is kept moves to the end
		id := d.ids[i]
		if over > 0 && d.row[id] == least {
			over--
			continue
		}
		n--
		d.ids[n] = id
	}
	d.ids = d.ids[:copy(d.ids, d.ids[n:])]
}

// guessTop returns a logit that about k tokens of row are above, and probably a few more. It reports whether it has one.
func (d *Distribution) guessTop(k int) (limit float32, ok bool) {
	// Of the tokens sampled, those of the first k are as many as these times the share of the row, give or take its root.
	const stretch, most = 64, 96
	mean := float64(k) * sampled / float64(d.vocab)
	rank := int(mean+3*math.Sqrt(mean)) + 3
	if rank > most {
		return 0, false
	}
	var first [most]float32 // the first of those sampled, in order
	n := 0
	limit = float32(math.Inf(-1))
	for i := range sampled / stretch {
		lo := i * (d.vocab - stretch) / (sampled/stretch - 1)
		part := d.row[lo : lo+stretch]
		for j := above(part, 0, limit); j < stretch; j = above(part, j+1, limit) {
			n = min(n+1, rank)
			at := n - 1
			for ; at > 0 && first[at-1] < part[j]; at-- {
				first[at] = first[at-1]
			}
			first[at] = part[j]
			if n == rank {
				limit = first[n-1]
			}
		}
	}
	return limit, n == rank
}

// cutOf returns the largest float32 that at least k of x are above, or -Inf if there is none. If exactly k are above a lesser
// one it may be that. X holds no NaN, and top is the largest of it.
func cutOf(x []float32, k int, top float32) float32 {
	lo, hi := float32(math.Inf(-1)), top // more than k are above lo, and fewer above hi
	nLo, nHi := kernel.Count(x, lo), 0
	if nLo <= k {
		return lo
	}
	next := top // the least of a few that are spread over x
	for i := range 8 {
		next = min(next, x[i*len(x)/8])
	}
	run := 0 // how often the same end has moved, hi if negative
	for i := 0; ; i++ {
		if next > lo && next < hi {
			switch n := kernel.Count(x, next); {
			case n == k:
				return next
			case n > k:
				lo, nLo = next, n
				run = max(run, 0) + 1
			default:
				hi, nHi = next, n
				run = min(run, 0) - 1
			}
		}
		// As if they thinned out towards the top, and further if they have not. Now and then halve the number of floats between,
		// which ends soon wherever they are.
		root := math.Sqrt(float64(nHi))
		part := (math.Sqrt(float64(k)) - root) / (math.Sqrt(float64(nLo)) - root)
		switch {
		case run > 1:
			part -= part / 8
		case run < -1:
			part += (1 - part) / 8
		}
		next = float32(float64(hi) - part*(float64(hi)-float64(lo)))
		if from, to := ordinal(lo), ordinal(hi); i%8 == 7 || !(next > lo && next < hi) {
			if to-from <= 1 {
				return lo
			}
			next = fromOrdinal(from + (to-from)/2)
		}
	}
}

// ordinal numbers floats in their order, in which both zeros are one.
func ordinal(x float32) int64 {
	n := int64(math.Float32bits(x) &^ (1 << 31))
	if x < 0 {
		return -n
	}
	return n
}

func fromOrdinal(n int64) float32 {
	if n < 0 {
		return -math.Float32frombits(uint32(-n))
	}
	return math.Float32frombits(uint32(n))
}
