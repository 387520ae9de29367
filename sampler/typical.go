package sampler

import "math"

// TypicalP keeps the most typical tokens, those whose surprise -log p is nearest to the entropy, until their
// probabilities sum to at least p; the token that crosses p is kept. That may drop the most probable tokens.
// Tokens that are equally typical rank by their ids. P lies in [0, 1]; 0 and 1 keep all.
// (Meister, Pimentel, Wiher and Cotterell, "Locally typical sampling", 2023.)
func (d *Distribution) TypicalP(p float64) error {
	return d.typical(TypicalRule{P: p})
}

func (d *Distribution) typical(r TypicalRule) error {
	if err := r.check(); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	if r.P == 1 || r.P == 0 && !r.Exceed {
		return nil
	}
	d.spread()
	entropy := d.Entropy()
	scale, logTotal := d.scale(), math.Log(d.total)
	typicality := func(x float64) float64 { return -math.Abs((logTotal - (x-d.top)*scale) - entropy) }

	rank := func(weight func(i int) float64) {
		d.cands = d.cands[:0]
		for i, x := range d.logits {
			d.cands = append(d.cands, cand{logit: typicality(x), weight: weight(i), id: d.ids[i]})
		}
	}
	need := float64(r.P * d.total)
	if r.Exceed {
		need = math.Nextafter(need, math.Inf(1))
	}
	rank(func(i int) float64 { return d.weights[i] })
	last := crossing(d.cands, need)
	if r.MinKeep > 1 {
		rank(func(int) float64 { return 1 })
		if least := crossing(d.cands, float64(r.MinKeep)); last.before(&least) {
			last = least
		}
	}
	d.keepIf(func(i int) bool {
		t := typicality(d.logits[i])
		return t > last.logit || t == last.logit && (r.Ties || d.ids[i] <= last.id)
	})
	return nil
}
