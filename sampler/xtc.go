package sampler

import (
	"math"

	"github.com/pkg/errors"
)

// XTC excludes the top choices: of the tokens whose probability is at least threshold it keeps only the least
// probable one, the highest where probabilities are equal, and with it all below. Where fewer than two reach
// the threshold it does nothing. The threshold lies in [0, 0.5]: above, no two tokens can reach it. The method
// always excludes; the step of that name does so by chance. (Weidmann, "Exclude top choices", 2024, as in
// llama.cpp.)
func (d *Distribution) XTC(threshold float64) error {
	return d.xtc(threshold, 0)
}

func (d *Distribution) xtc(threshold float64, minKeep int) error {
	if err := checkXTC(threshold); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	d.weigh()
	limit := float64(threshold * d.total)
	d.spare = d.spare[:0]
	last := cand{logit: math.Inf(1), id: -1}
	for i, w := range d.weights {
		if !(w >= limit) {
			continue
		}
		c := cand{id: int32(i)}
		if d.row == nil {
			c.id, c.logit = d.ids[i], d.logits[i]
		} else if c.logit = d.at(i); math.IsInf(c.logit, -1) {
			continue
		}
		d.spare = append(d.spare, c.id)
		if last.before(&c) {
			last = c
		}
	}
	if len(d.spare) < 2 || minKeep > 1 && d.Len()-len(d.spare)+1 < minKeep {
		return nil
	}
	for _, id := range d.spare {
		if id != last.id {
			d.set(int(id), math.Inf(-1))
		}
	}
	return d.settle("xtc")
}

func checkXTC(threshold float64) error {
	if !(threshold >= 0 && threshold <= 0.5) {
		return errors.Errorf("sampler: the threshold of xtc is %v, want 0 to 0.5", threshold)
	}
	return nil
}
