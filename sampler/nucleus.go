package sampler

import (
	"math"
	"slices"

	"github.com/logits-go/logits/internal/kernel"
)

// TopP keeps the smallest set of most probable tokens whose probabilities sum to at least p; the token that
// crosses p is kept. 0 and 1 keep all. (Nucleus sampling: Holtzman et al., "The curious case of neural text
// degeneration", 2020.)
func (d *Distribution) TopP(p float64) error {
	if err := checkTopP(p); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	if p == 0 || p == 1 {
		return nil
	}
	// No sort: list what is heavy enough to matter, and narrow the interval of logits in which p is crossed. Where that is
	// not fast, or not sure, histogram the list by logit, and rank only the bucket that crosses p.
	row := d.row
	if limit, ok := d.cutRow(p); ok {
		d.relist(row, limit)
		return nil
	}
	need, off := d.listNucleus(p)
	if limit, ok := d.cut(need, off); ok {
		d.keepAbove(row, limit)
		return nil
	}
	last, ok := d.cross(need, off)
	if !ok { // by which need is wrong at most
		last, _ = d.cross(float64(p*d.exactTotal(row)), 0)
	}
	d.keepThrough(last)
	d.addUp()
	return nil
}

// listNucleus drops tokens that are not in the nucleus of mass p, though not all of them, and returns what the
// probabilities of the nucleus have to sum to, as weights, and what that is wrong by at most. It leaves a list and
// its weights.
func (d *Distribution) listNucleus(p float64) (need, off float64) {
	d.floor = math.Inf(1)
	if d.row == nil || d.weighed || d.vocab < 2*sampled {
		d.weigh()
		need = float64(p * d.total)
		if d.row != nil || !kernel.CanSelect() { // else cut sees to it
			d.dropLight(lightest(p, d.total, d.vocab))
		}
		return need, 0
	}
	if d.roughUp() {
		off = p*kernel.RoughError*d.total + d.rounding()
	} else {
		d.sumUp()
	}
	need = float64(p * d.total)
	total, row := d.total, d.row
	d.floor = d.listFrom(d.guess((1 - p) * total))
	d.weigh()
	if d.total < need+off { // the guess was too high
		d.row, d.weighed, d.floor = row, false, math.Inf(1)
		d.dropLight(lightest(p, total*(1-2*kernel.RoughError), d.vocab))
	}
	return need, off
}

// cutRow is cut of a small row. Rough weights are good enough for nearly all.
func (d *Distribution) cutRow(p float64) (limit float64, ok bool) {
	if !kernel.CanSelect() || d.row == nil || d.weighed || len(d.edits) > 0 || d.vocab >= 2*sampled {
		return 0, false
	}
	const spare = 16 // of what Between writes
	n := (d.vocab + 63) &^ 63
	d.floats = slices.Grow(d.floats[:0], 4*n+2*spare)[:4*n+2*spare]
	x, w, near := d.floats[:n], d.floats[n:2*n], d.floats[2*n:]
	for i := copy(x, d.row); i < n; i++ {
		x[i] = float32(math.Inf(-1))
	}
	if !kernel.RoughWeights(w, x, d.top, d.scale()) {
		return 0, false
	}
	total, _ := kernel.SumAbove(x, w, float32(math.Inf(-1)))
	// The sum of the nucleus has an error, and p times that of all.
	off := 2*kernel.RoughError*total + float64(d.vocab)*0x1p-100
	cut, ok := narrowCut(near, x, w, p*total, off, float32(d.top), d.top, d.temp)
	return float64(cut), ok
}

// cut returns a logit such that the tokens above it are the first of the ranking whose weights sum to at least need. It
// reports whether it has one that stays right if need is wrong by off and sums are by their rounding: where tokens of the same
// logit are at the edge, or where it would not be fast, it has not.
func (d *Distribution) cut(need, off float64) (limit float64, ok bool) {
	const long = 4096
	if !kernel.CanSelect() {
		return 0, false
	}
	off += float64(d.vocab+1<<12) * 0x1p-52 * need
	const spare = 16 // of what Between writes
	scratch := func(n int) []float64 {
		d.hist = slices.Grow(d.hist[:0], 2*(n+spare))[:2*(n+spare)]
		return d.hist
	}
	if n := len(d.logits); n <= long {
		return narrowCut(scratch(n), d.logits, d.weights, need, off, d.top, d.top, d.temp)
	}
	// Only those around the edge are looked at more than once.
	head, _ := kernel.SumAbove(d.logits, d.weights, d.likely)
	if math.IsInf(d.floor, 0) || !(head < need-off) { // nobody has guessed, or it was wrong
		return 0, false
	}
	room := len(d.logits) + spare
	d.near = slices.Grow(d.near[:0], 2*room)[:2*room]
	x, w := d.near[:room], d.near[room:]
	n := kernel.Between(x, w, d.logits, d.weights, math.Inf(-1), d.likely)
	return narrowCut(scratch(n), x[:n], w[:n], need-head, off, d.likely, d.top, d.temp)
}

// narrowCut returns one of x such that the weights w of those above sum to at least need, but without the least of these to
// less. It reports whether it has one that stays right if the sums and need are wrong by off together. No x is above high.
// Near is memory for twice as many elements as Between wants.
func narrowCut[F kernel.Float](near, x, w []F, need, off float64, high F, top, temp float64) (limit F, ok bool) {
	const turns, few = 24, 8
	lo, hi := F(math.Inf(-1)), high
	sumLo, nLo := kernel.SumAbove(x, w, lo)
	sumHi, nHi := 0.0, 0
	weightLo, weightHi := 0.0, math.Exp((float64(high)-top)/temp)
	run := 0 // how often the same end has moved, hi if negative
	for range turns {
		if nLo-nHi <= few {
			n := kernel.Between(near[:len(near)/2], near[len(near)/2:], x, w, lo, hi)
			return crossingLogit(near[:n], near[len(near)/2:], need-sumHi, off, lo)
		}
		// As if logits were spread evenly, and further if they have not been.
		part := (need - sumHi) / (sumLo - sumHi)
		switch {
		case run > 1:
			part -= part / 4
		case run < -1:
			part += (1 - part) / 4
		}
		weight := weightHi - part*(weightHi-weightLo)
		next := F(top + float64(temp*math.Log(weight)))
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
			weight = math.Exp((float64(next) - top) / temp)
		}
		if !(next > lo && next < hi) {
			break
		}
		if s, n := kernel.SumAbove(x, w, next); s < need {
			hi, sumHi, nHi, weightHi = next, s, n, weight
			run = min(run, 0) - 1
		} else {
			lo, sumLo, nLo, weightLo = next, s, n, weight
			run = max(run, 0) + 1
		}
	}
	return 0, false
}

// crossingLogit is narrowCut of a few, which it sorts. All are above lo.
func crossingLogit[F kernel.Float](x, w []F, need, off float64, lo F) (limit F, ok bool) {
	for i := range x {
		for j := i; j > 0 && x[j] > x[j-1]; j-- {
			x[j], x[j-1] = x[j-1], x[j]
			w[j], w[j-1] = w[j-1], w[j]
		}
	}
	for i := range x {
		last := need
		if need -= float64(w[i]); need > 0 {
			continue
		}
		if i+1 < len(x) {
			lo = x[i+1]
		}
		return lo, last > off && -need > off && lo < x[i]
	}
	return 0, false
}

// keepAbove keeps what is above limit of the list, which has been made of row if floor is not +Inf.
func (d *Distribution) keepAbove(row []float32, limit float64) {
	if limit >= d.floor && len(d.edits) == 0 && len(d.ids) > d.vocab/8 { // listing again is faster
		d.relist(row, limit)
		return
	}
	d.truncate(kernel.Keep(d.ids, d.logits, d.weights, limit))
	d.addUp()
}

// relist makes the list anew of what is above limit in row.
func (d *Distribution) relist(row []float32, limit float64) {
	d.ids, d.logits = kernel.ListValues(d.ids[:0], d.logits[:0], row, roundDown(limit))
	d.row, d.weighed = nil, false
}

// cross returns the first token of the ranking of the list at which weights sum to at least need, and whether it stays
// that if need is wrong by off.
func (d *Distribution) cross(need, off float64) (last cand, ok bool) {
	last, need = crossingAt(d.narrow(need))
	return last, off == 0 || need > off && last.weight-need > off
}

// exactTotal returns the total of the weights of row, of which the list has been made, or of the list if it is nil.
func (d *Distribution) exactTotal(row []float32) float64 {
	was := d.row
	d.row = row
	d.sumUp()
	d.row = was
	return d.total
}

// sampled is the number of tokens that guess looks at.
const sampled = 2048

// guess returns a weight such that the tokens of row that weigh less weigh about mass together, or somewhat less. A few
// that it looks at weigh at least as much, for the weights of so many others that it cannot see are hard to guess. It sets
// likely to a logit such that the tokens below probably weigh more than mass. Many says that of the tokens a large part weigh
// at least as much.
func (d *Distribution) guess(mass float64) (low float64, many bool) {
	// Weights of stretches all over the row go into buckets of a quarter of a power of two, from 2^-64 to 1.
	const stretch, buckets, lowest, few = 64, 64 * 4, (1023 - 64) * 4, 8
	d.hist = slices.Grow(d.hist[:0], buckets+1)[:buckets+1]
	clear(d.hist)
	var counts [buckets + 1]int32
	var w [stretch]float64
	for i := range sampled / stretch {
		lo := i * (d.vocab - stretch) / (sampled/stretch - 1)
		exps(w[:], d.row[lo:lo+stretch], d.top, d.scale())
		for _, v := range w {
			at := min(max(int(math.Float64bits(v)>>50)-lowest, 0), buckets)
			d.hist[at] += v
			counts[at]++
		}
	}
	left := mass * 0.75 * sampled / float64(d.vocab)
	at, most := 0, buckets
	for seen := counts[most]; seen < few; seen += counts[most] {
		most--
	}
	for at < most && d.hist[at] <= left {
		left -= d.hist[at]
		at++
	}
	heavy := int32(0)
	for _, n := range counts[at:] {
		heavy += n
	}
	low = max(math.Float64frombits(uint64(at+lowest)<<50), math.SmallestNonzeroFloat64)
	for left += mass * 0.75 * sampled / float64(d.vocab); at < most && d.hist[at] <= left; at++ {
		left -= d.hist[at]
	}
	d.likely = d.top + float64(d.temp*math.Log(math.Float64frombits(uint64(at+1+lowest)<<50)))
	return low, heavy > sampled/8
}

// lightest returns a weight below which no token is in the nucleus: together n such tokens weigh less than
// (1-p)·total, so the tokens that rank before any of them already reach p·total. The factor outweighs rounding.
func lightest(p, total float64, n int) float64 {
	return max((1-p)*total/float64(n)*(1-1e-9), math.SmallestNonzeroFloat64)
}

// narrow returns candidates among which the ranking reaches need, and what is left of need after those that rank
// before them.
func (d *Distribution) narrow(need float64) (c []cand, left float64) {
	const buckets = 512
	at, perUnit := 0, 0.0
	if len(d.ids) > 2*buckets {
		low := d.top
		for _, x := range d.logits {
			if x < low {
				low = x
			}
		}
		perUnit = min(buckets/(d.top-low), math.MaxFloat64)
		d.hist = slices.Grow(d.hist[:0], buckets)[:buckets]
		clear(d.hist)
		for i, x := range d.logits {
			d.hist[bucket(d.top-x, perUnit, buckets)] += d.weights[i]
		}
		for at < bucket(d.top-low, perUnit, buckets) && d.hist[at] < need {
			need -= d.hist[at]
			at++
		}
	}
	d.cands = d.cands[:0]
	for i, x := range d.logits {
		if bucket(d.top-x, perUnit, buckets) == at {
			d.cands = append(d.cands, cand{logit: x, weight: d.weights[i], id: d.ids[i]})
		}
	}
	return d.cands, need
}

// bucket numbers the gap between the largest logit and another. Rounding is monotonic, so buckets follow the
// ranking, and equal logits share one.
func bucket(gap, perUnit float64, buckets int) int {
	return min(int(gap*perUnit), buckets-1)
}
