package sampler

import (
	"math"

	"github.com/pkg/errors"
)

// TopH keeps the most probable tokens as long as what they contribute to the entropy, Σ -p·log p, is at most h
// times the whole; the token that would exceed that is dropped, the first is always kept. H lies in [0, 1];
// 0 and 1 keep all. (Potraka, Khan and others, "Top-H decoding: adapting the creativity and coherence with
// bounded entropy in text generation", 2025.)
func (d *Distribution) TopH(h float64) error {
	if err := checkTopH(h); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	if h == 0 || h == 1 {
		return nil
	}
	d.spread()
	d.weigh()
	scale, logTotal, whole := d.scale(), math.Log(d.total), 0.0
	d.cands = d.cands[:0]
	for i, x := range d.logits {
		w := d.weights[i]
		part := 0.0
		if w > 0 {
			part = float64(w * (logTotal - (x-d.top)*scale))
		}
		whole += part
		d.cands = append(d.cands, cand{logit: x, weight: part, id: d.ids[i]})
	}
	// What crosses more than h·whole is dropped, so the first number above it is what to reach.
	over := crossing(d.cands, math.Nextafter(float64(h*whole), math.Inf(1)))
	d.keepIf(func(i int) bool {
		c := cand{logit: d.logits[i], id: d.ids[i]}
		return c.before(&over) || int(c.id) == d.best
	})
	return nil
}

func checkTopH(h float64) error {
	if !(h >= 0 && h <= 1) {
		return errors.Errorf("sampler: top-h is %v, want 0 to 1", h)
	}
	return nil
}
