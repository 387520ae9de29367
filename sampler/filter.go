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
		d.listFrom(limit, false) // and only what is left is weighed
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
// less: logits decide, up to the rounding that slack covers. It returns a logit of which all tokens above are listed, and no other.
// Many says that they are a large part of the row.
func (d *Distribution) listFrom(limit float64, many bool) (floor float64) {
	gap := d.temp * math.Log(limit)
	slack := 1e-6 * (math.Abs(d.top) + math.Abs(gap))
	least := float32(max(d.top+gap-slack, -math.MaxFloat32))
	least = math.Nextafter32(least, float32(math.Inf(-1)))
	if many {
		d.ids, d.logits = kernel.ListValues(d.ids[:0], d.logits[:0], d.row, least)
		d.exact()
		d.row = nil
		return float64(least)
	}
	d.ids = list(d.ids[:0], d.row, least)
	d.listLogits()
	return float64(least)
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
