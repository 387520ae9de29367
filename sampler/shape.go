package sampler

import (
	"math"

	"github.com/pkg/errors"
)

// Entropy returns -Σ p·log p of the tokens kept, in nats: 0 for a single one, log n for n equal ones.
func (d *Distribution) Entropy() float64 {
	if d.vocab == 0 {
		return 0
	}
	d.weigh()
	// log p is z - log total with z = (logit-top)/temp, so that Σ p·log p needs no logarithm but one.
	scale, acc := d.scale(), 0.0
	for lo := 0; lo < len(d.weights); lo += block {
		hi := min(lo+block, len(d.weights))
		part := 0.0
		switch {
		case d.row == nil:
			for i, w := range d.weights[lo:hi] {
				if w > 0 {
					part += float64(w * ((d.logits[lo+i] - d.top) * scale))
				}
			}
		case len(d.edits) > 0:
			for i, w := range d.weights[lo:hi] {
				if w > 0 {
					part += float64(w * ((d.at(lo+i) - d.top) * scale))
				}
			}
		default:
			for i, w := range d.weights[lo:hi] {
				if w > 0 {
					part += float64(w * ((float64(d.row[lo+i]) - d.top) * scale))
				}
			}
		}
		acc += part
	}
	return max(math.Log(d.total)-acc/d.total, 0)
}

// keepIf drops the tokens of the list for which keep, which is given their places in it, is false. Best may be
// among them. The list is made of row first, where there still is one.
func (d *Distribution) keepIf(keep func(i int) bool) {
	d.spread()
	n, best := 0, false
	for i, id := range d.ids {
		if !keep(i) {
			continue
		}
		best = best || int(id) == d.best
		d.ids[n], d.logits[n] = id, d.logits[i]
		if d.weighed {
			d.weights[n] = d.weights[i]
		}
		n++
	}
	d.truncate(n)
	if !best { // weights are relative to that of best
		d.weighed = false
		d.findBest()
	}
	if d.weighed {
		d.addUp()
	}
}

// DynamicTemperature divides the logits by a temperature between low and high that follows the entropy:
// low + (high-low)·(entropy/log n)^exponent for n tokens kept, so that a distribution that is sure of its token
// is sharpened and one that is not is flattened. Where one token is left it does nothing; where the temperature
// comes out as 0 it keeps the first. Low and high must be finite with 0 <= low <= high, the exponent finite and
// at least 0; an exponent of 0 gives high. (Entropy-based dynamic temperature of llama.cpp, which counts
// masked tokens in n where this does not.)
func (d *Distribution) DynamicTemperature(low, high, exponent float64) error {
	if err := checkDynamicTemperature(low, high, exponent); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	n := d.Len()
	if n < 2 {
		return nil
	}
	sure := min(d.Entropy()/math.Log(float64(n)), 1)
	return d.Temperature(low + float64((high-low)*math.Pow(sure, exponent)))
}

func checkDynamicTemperature(low, high, exponent float64) error {
	if !(low >= 0 && low <= high && high <= math.MaxFloat64) {
		return errors.Errorf("sampler: dynamic temperature is from %v to %v, want finite numbers of at least 0, the lower first",
			low, high)
	}
	if !(exponent >= 0 && exponent <= math.MaxFloat64) {
		return errors.Errorf("sampler: the exponent of the dynamic temperature is %v, want a finite number of at least 0",
			exponent)
	}
	return nil
}
