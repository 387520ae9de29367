package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/kernel"
)

// Temperature divides the logits by t: below 1 it sharpens the distribution, above 1 it flattens it.
// 0 is the limit: it keeps only the most probable token, the lowest if several share the largest logit.
func (d *Distribution) Temperature(t float64) error {
	if err := checkTemperature(t); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	if t == 0 {
		d.row, d.ids, d.logits = nil, d.ids[:0], d.logits[:0]
		d.keep(d.best, d.top)
		d.weighed = false
		return nil
	}
	if product := d.temp * t; product == 0 || math.IsInf(product, 1) {
		return errors.Errorf("sampler: temperatures %v and %v multiply to %v", d.temp, t, product)
	}
	if t != 1 {
		d.temp *= t
		d.weighed = false
	}
	return nil
}

// TopK keeps the k most probable tokens, exactly k even where probabilities are equal: the lower tokens stay.
// 0 keeps all, as does a k of at least the number of tokens. (Fan, Lewis and Dauphin, "Hierarchical neural
// story generation", 2018.)
func (d *Distribution) TopK(k int) error {
	if err := checkTopK(k); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	if k == 0 || k >= d.vocab || d.row == nil && k >= len(d.ids) {
		return nil
	}
	d.weighed = false
	if d.row == nil {
		d.keepTop(k)
		return nil
	}
	if len(d.edits) == 0 && d.topOfRow(k) {
		return nil
	}

	// Collect tokens above a threshold, which rises to the k-th of those collected whenever they are too many.
	// A token equal to the threshold has a higher id than the k already there, so it has lost.
	d.ids, d.logits = d.ids[:0], d.logits[:0]
	threshold := float32(math.Inf(-1))
	for i := above(d.row, 0, threshold); i < d.vocab; i = above(d.row, i+1, threshold) {
		d.keep(i, d.at(i))
		if len(d.ids)-k == max(k, 64) {
			threshold = roundDown(d.keepTop(k).logit)
		}
	}
	d.row = nil
	if len(d.ids) > k {
		d.keepTop(k)
	}
	return nil
}

// TopKTies keeps the k most probable tokens and those that are as probable as the last of them, as Hugging Face
// and vLLM do. 0 keeps all, as does a k of at least the number of tokens.
func (d *Distribution) TopKTies(k int) error {
	if err := checkTopK(k); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	if k == 0 || k >= d.vocab || d.row == nil && k >= len(d.ids) {
		return nil
	}
	head := d.head(k)
	last := head[len(head)-1].logit
	if d.row == nil {
		d.keepIf(func(i int) bool { return d.logits[i] >= last })
		return nil
	}
	d.weighed = false
	d.ids = list(d.ids[:0], d.row, math.Nextafter32(roundUp(last), float32(math.Inf(-1))))
	d.listLogits()
	d.keepIf(func(i int) bool { return d.logits[i] >= last }) // row is not quite the value of what is edited
	return nil
}

// keepTop drops all but the first k of the ranking from the list and returns the last of these.
func (d *Distribution) keepTop(k int) cand {
	d.cands = d.cands[:0]
	for i, id := range d.ids {
		d.cands = append(d.cands, cand{logit: d.logits[i], weight: 1, id: id})
	}
	last := crossing(d.cands, float64(k))
	d.keepThrough(last)
	return last
}

// keepThrough drops what ranks after last from the list, with its weights if it is weighed. Like list and
// dropLight it copies every token and then moves on past those to keep.
func (d *Distribution) keepThrough(last cand) {
	n := 0
	for i, id := range d.ids {
		x := d.logits[i]
		d.ids[n], d.logits[n] = id, x
		if d.weighed {
			d.weights[n] = d.weights[i]
		}
		if x == last.logit && id > last.id {
			continue
		}
		if x >= last.logit {
			n++
		}
	}
	d.truncate(n)
}

func (d *Distribution) truncate(n int) {
	d.ids, d.logits = d.ids[:n], d.logits[:n]
	if d.weighed {
		d.weights = d.weights[:n]
	}
}

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
	// No sort: list what is heavy enough to matter, histogram that by logit, and rank only the bucket that
	// crosses p.
	row := d.row
	need, off := d.listNucleus(p)
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
	if d.row == nil || d.weighed || d.vocab < 2*sampled {
		d.weigh()
		need = float64(p * d.total)
		d.dropLight(lightest(p, d.total, d.vocab))
		return need, 0
	}
	if d.roughUp() {
		off = p*kernel.RoughError*d.total + d.rounding()
	} else {
		d.sumUp()
	}
	need = float64(p * d.total)
	total, row := d.total, d.row
	d.listFrom(d.guess((1 - p) * total))
	d.weigh()
	if d.total < need+off { // the guess was too high
		d.row, d.weighed = row, false
		d.dropLight(lightest(p, total*(1-2*kernel.RoughError), d.vocab))
	}
	return need, off
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
// that it looks at weigh at least as much, for the weights of so many others that it cannot see are hard to guess.
func (d *Distribution) guess(mass float64) float64 {
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
	return max(math.Float64frombits(uint64(at+lowest)<<50), math.SmallestNonzeroFloat64)
}

// lightest returns a weight below which no token is in the nucleus: together n such tokens weigh less than
// (1-p)·total, so the tokens that rank before any of them already reach p·total. The factor outweighs rounding.
func lightest(p, total float64, n int) float64 {
	return max((1-p)*total/float64(n)*(1-1e-9), math.SmallestNonzeroFloat64)
}

// dropLight drops the tokens that weigh less than limit, which is positive. It leaves a list and its weights;
// sums and total are for addUp to compute.
func (d *Distribution) dropLight(limit float64) {
	switch {
	case d.row == nil:
		d.weigh()
	case d.weighed:
		d.ids = list(d.ids[:0], d.weights, math.Nextafter(limit, 0))
		for i, id := range d.ids {
			d.weights[i] = d.weights[id]
		}
		d.listLogits()
		d.truncate(len(d.ids))
		return
	default:
		d.listFrom(limit) // and only what is left is weighed
		d.weigh()
	}
	n := 0
	for i, w := range d.weights {
		d.ids[n], d.logits[n], d.weights[n] = d.ids[i], d.logits[i], w
		if w >= limit {
			n++
		}
	}
	d.truncate(n)
}

// listFrom makes a list of the tokens of row that weigh at least limit, and perhaps of some that weigh a little
// less: logits decide, up to the rounding that slack covers.
func (d *Distribution) listFrom(limit float64) {
	gap := d.temp * math.Log(limit)
	slack := 1e-6 * (math.Abs(d.top) + math.Abs(gap))
	least := float32(max(d.top+gap-slack, -math.MaxFloat32))
	d.ids = list(d.ids[:0], d.row, math.Nextafter32(least, float32(math.Inf(-1))))
	d.listLogits()
}

// listLogits completes the list with the logits of ids.
func (d *Distribution) listLogits() {
	d.logits = slices.Grow(d.logits[:0], len(d.ids))[:len(d.ids)]
	for i, id := range d.ids {
		d.logits[i] = float64(d.row[id])
	}
	d.exact()
	d.row = nil
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

// MinP keeps the tokens that are at least p times as probable as the most probable one. 0 keeps all.
// (Nguyen et al., "Turning up the heat: min-p sampling for creative and coherent LLM outputs", 2024.)
func (d *Distribution) MinP(p float64) error {
	if err := checkMinP(p); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	if p == 0 {
		return nil
	}
	d.dropLight(p) // the largest weight is 1
	d.addUp()
	return nil
}
