package sampler

import (
	"cmp"
	"math"
	"slices"

	"github.com/pkg/errors"
)

// An edit is a logit that a step has changed.
type edit struct {
	id    int32
	logit float64
}

// While every token is kept, the logits that steps change are float64 in edits, apart from the row, so that a
// few changes to a large vocabulary cost a few changes. Row, a copy by then, holds each of them rounded up to
// float32: what passes over tokens by their value in row passes over none of the edited by mistake, and what
// it finds has its exact logit looked up.

// logit returns the logit of a token of the vocabulary, or false if it is masked or dropped.
func (d *Distribution) logit(token int) (float64, bool) {
	if d.row == nil {
		i, ok := slices.BinarySearch(d.ids, int32(token))
		if !ok {
			return 0, false
		}
		return d.logits[i], d.logits[i] > math.Inf(-1)
	}
	x := d.at(token)
	return x, x > math.Inf(-1)
}

// at returns the logit of a token of row.
func (d *Distribution) at(token int) float64 {
	if len(d.edits) > 0 {
		if n := d.slots[token]; n > 0 {
			return d.edits[n-1].logit
		}
	}
	return float64(d.row[token])
}

// set changes the logit of a token that is kept. -Inf drops it. After the last of some sets comes settle.
func (d *Distribution) set(token int, x float64) {
	d.weighed = false
	if token == d.best && !d.stale {
		d.stale = x < d.top
		d.top = max(x, d.top)
	} else if !d.stale && (x > d.top || x == d.top && token < d.best) {
		d.best, d.top = token, x
	}
	if !(x <= math.MaxFloat64) {
		d.overflow = true
	}
	if d.row == nil {
		if i, ok := slices.BinarySearch(d.ids, int32(token)); ok {
			d.logits[i] = x
			d.holes = d.holes || math.IsInf(x, -1)
		}
		return
	}
	if !d.private {
		d.own = append(d.own[:0], d.row...)
		d.row, d.private = d.own, true
	}
	if len(d.slots) < d.vocab {
		d.slots = append(d.slots, make([]int32, d.vocab-len(d.slots))...)
	}
	n := d.slots[token]
	if n == 0 {
		d.edits = append(d.edits, edit{id: int32(token)})
		n = int32(len(d.edits))
		d.slots[token] = n
		d.sorted = false
	}
	d.edits[n-1].logit = x
	d.row[token] = roundUp(x)
}

// settle makes d whole again after sets. Step is what an error calls them.
func (d *Distribution) settle(step string) error {
	if d.overflow {
		d.empty()
		return errors.Errorf("sampler: %s makes a logit larger than any float64", step)
	}
	if d.holes {
		n := 0
		for i, x := range d.logits {
			d.ids[n], d.logits[n] = d.ids[i], x
			if x > math.Inf(-1) {
				n++
			}
		}
		d.ids, d.logits, d.holes = d.ids[:n], d.logits[:n], false
	}
	if d.stale {
		d.findBest()
	}
	return d.some(step)
}

// some is an error if no token is left.
func (d *Distribution) some(step string) error {
	if d.best < 0 {
		d.empty()
		return errors.Errorf("sampler: %s leaves no token", step)
	}
	return nil
}

// empty makes d a distribution of nothing.
func (d *Distribution) empty() {
	d.vocab, d.row, d.ids, d.logits = 0, nil, d.ids[:0], d.logits[:0]
}

// findBest finds the first token of the ranking.
func (d *Distribution) findBest() {
	d.best, d.top, d.stale = -1, math.Inf(-1), false
	if d.row == nil {
		for i, x := range d.logits {
			if x > d.top {
				d.best, d.top = int(d.ids[i]), x
			}
		}
		return
	}
	limit := float32(math.Inf(-1))
	for i := above(d.row, 0, limit); i < d.vocab; i = above(d.row, i+1, limit) {
		if x := d.at(i); x > d.top {
			d.best, d.top, limit = i, x, roundDown(x)
		}
	}
}

// sortEdits orders the edits by token.
func (d *Distribution) sortEdits() {
	if d.sorted {
		return
	}
	slices.SortFunc(d.edits, func(a, b edit) int { return cmp.Compare(a.id, b.id) })
	for i, e := range d.edits {
		d.slots[e.id] = int32(i + 1)
	}
	d.sorted = true
}

// forgetEdits empties edits.
func (d *Distribution) forgetEdits() {
	for _, e := range d.edits {
		d.slots[e.id] = 0
	}
	d.edits, d.sorted = d.edits[:0], true
}

// exact puts the logits of edits, which are in order, in the place of what was read from row for them.
func (d *Distribution) exact() {
	d.sortEdits()
	from := 0
	for _, e := range d.edits {
		i, ok := slices.BinarySearch(d.ids[from:], e.id)
		if from += i; ok {
			d.logits[from] = e.logit
		}
	}
}

// spread turns row into a list of all its tokens.
func (d *Distribution) spread() {
	if d.row == nil {
		return
	}
	d.ids = list(d.ids[:0], d.row, float32(math.Inf(-1)))
	if d.weighed {
		for i, id := range d.ids {
			d.weights[i] = d.weights[id]
		}
		d.weights = d.weights[:len(d.ids)]
	}
	d.listLogits()
	if d.weighed {
		d.addUp()
	}
}

// roundUp returns the least float32 of at least x.
func roundUp(x float64) float32 {
	f := float32(x)
	if float64(f) < x {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

// roundDown returns the largest float32 of at most x.
func roundDown(x float64) float32 {
	f := float32(x)
	if float64(f) > x {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}
