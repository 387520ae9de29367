package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
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
		d.ids, d.logits, d.row = d.ids[:0], d.logits[:0], nil
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
	d.weights = d.weights[:0]
	if d.row == nil {
		d.keepTop(k)
		return nil
	}

	// Collect tokens above a threshold, which rises to the k-th of those collected whenever they are too many.
	// A token equal to the threshold has a higher id than the k already there, so it has lost.
	d.ids, d.logits = d.ids[:0], d.logits[:0]
	threshold := float32(math.Inf(-1))
	for i, x := range d.row {
		if x > threshold {
			d.keep(i, float64(x))
			if len(d.ids)-k == max(k, 64) {
				threshold = float32(d.keepTop(k).logit)
			}
		}
	}
	d.row = nil
	if len(d.ids) > k {
		d.keepTop(k)
	}
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

// keepThrough drops what ranks after last from the list, with its weights if there are any.
func (d *Distribution) keepThrough(last cand) {
	n := 0
	for i, id := range d.ids {
		if x := d.logits[i]; x > last.logit || x == last.logit && id <= last.id {
			d.ids[n], d.logits[n] = id, x
			if len(d.weights) > 0 {
				d.weights[n] = d.weights[i]
			}
			n++
		}
	}
	d.truncate(n)
}

func (d *Distribution) truncate(n int) {
	d.ids, d.logits = d.ids[:n], d.logits[:n]
	if len(d.weights) > 0 {
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
	n := d.vocab
	if d.row != nil {
		d.listHeavy(p)
	} else {
		n = len(d.ids)
		d.weigh()
	}

	// No sort: drop what is too light, histogram the rest by logit, and rank only the bucket that crosses p.
	low := d.dropLight(lightest(p, d.total, n))
	need := p * d.total
	d.keepThrough(crossing(d.narrow(low, &need), need))
	d.addUp()
	return nil
}

// lightest returns a weight below which no token is in the nucleus: together n such tokens weigh less than
// (1-p)·total, so the tokens that rank before any of them already reach p·total. The factor outweighs rounding.
func lightest(p, total float64, n int) float64 {
	return max((1-p)*total/float64(n)*(1-1e-9), math.SmallestNonzeroFloat64)
}

// listHeavy lists the tokens of row that can be in the nucleus, judged by the total so far, which only grows.
func (d *Distribution) listHeavy(p float64) {
	d.total = 0
	n := 0
	for lo := 0; lo < d.vocab; lo += block {
		w := d.rowBlock(lo)
		d.total += sum(w)
		limit := lightest(p, d.total, d.vocab)
		d.ids = slices.Grow(d.ids[:n], len(w))[:n+len(w)]
		d.logits = slices.Grow(d.logits[:n], len(w))[:n+len(w)]
		d.weights = slices.Grow(d.weights[:n], len(w))[:n+len(w)]
		for i, v := range w {
			if v >= limit {
				d.ids[n], d.logits[n], d.weights[n] = int32(lo+i), float64(d.row[lo+i]), v
				n++
			}
		}
	}
	d.truncate(n)
	d.row = nil
}

// dropLight drops the tokens that weigh less than limit and returns the lowest logit left.
func (d *Distribution) dropLight(limit float64) (low float64) {
	low = d.top
	n := 0
	for i, w := range d.weights {
		if w >= limit {
			x := d.logits[i]
			low = min(low, x)
			d.ids[n], d.logits[n], d.weights[n] = d.ids[i], x, w
			n++
		}
	}
	d.truncate(n)
	return low
}

// narrow returns candidates among which the ranking reaches *need, and subtracts from *need what ranks
// before them. Logits are at least low.
func (d *Distribution) narrow(low float64, need *float64) []cand {
	const buckets = 512
	at, c := 0, 0.0
	if len(d.ids) > 2*buckets && d.top > low {
		c = min(buckets/(d.top-low), math.MaxFloat64)
		d.hist = slices.Grow(d.hist[:0], buckets)[:buckets]
		clear(d.hist)
		for i, x := range d.logits {
			d.hist[bucket(d.top-x, c, buckets)] += d.weights[i]
		}
		for at < buckets-1 && d.hist[at] < *need {
			*need -= d.hist[at]
			at++
		}
	}
	d.cands = d.cands[:0]
	for i, x := range d.logits {
		if bucket(d.top-x, c, buckets) == at {
			d.cands = append(d.cands, cand{logit: x, weight: d.weights[i], id: d.ids[i]})
		}
	}
	return d.cands
}

// bucket numbers the gap between the largest logit and another. Rounding is monotonic, so buckets follow the
// ranking, and the last one holds at least the lowest logit.
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
	if d.row != nil {
		// The largest weight is 1, so logits decide, up to the rounding that slack covers; weights then do.
		gap := d.temp * math.Log(p)
		slack := 1e-6 * (math.Abs(d.top) - gap)
		limit := float32(max(d.top+gap-slack, -math.MaxFloat32))
		d.ids, d.logits = d.ids[:0], d.logits[:0]
		for i, x := range d.row {
			if x >= limit {
				d.keep(i, float64(x))
			}
		}
		d.row = nil
		d.weighed = false
	}
	d.weigh()
	d.dropLight(p)
	d.addUp()
	return nil
}
