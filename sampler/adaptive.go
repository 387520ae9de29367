package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// AdaptiveP prefers tokens whose probability is near a target, and moves the target against what was drawn so
// that the probabilities of the text average to Target. A token of probability p gets the logit
// 5 - 10·x²/(1+x) with x = |p-t|/0.3 and t = 2·Target less the moving average, within [0, 1]. It makes improbable
// tokens probable, so a filter such as MinP belongs before it, and it belongs at the end of a chain.
// (adaptive_p of llama.cpp, with its constants.)
type AdaptiveP struct {
	Target float64 // in [0, 1]
	Decay  float64 // of the moving average, in [0, 0.99]: it looks back about 1/(1-Decay) tokens

	Drawn       int     // number of tokens learnt from
	WeightedSum float64 // Σ p·Decay^age; before the first token it is that of a long text at Target
	TotalWeight float64 // Σ Decay^age, likewise

	ids   []int32 // the distribution that Apply found
	probs []float64
}

// Apply gives every token kept a logit by its probability. It undoes the temperatures so far, which those are.
func (a *AdaptiveP) Apply(d *Distribution, _ *History) error {
	if !(a.Target >= 0 && a.Target <= 1) || !(a.Decay >= 0 && a.Decay <= 0.99) {
		return errors.Errorf("sampler: adaptive-p with target %v and decay %v, want 0 to 1 and 0 to 0.99", a.Target, a.Decay)
	}
	if err := d.ready(); err != nil {
		return err
	}
	d.spread()
	d.weigh()
	a.ids = append(a.ids[:0], d.ids...)
	a.probs = a.probs[:0]
	sum, total := a.average()
	target := min(max(2*a.Target-sum/total, 0), 1)
	for i, w := range d.weights {
		p := w / d.total
		a.probs = append(a.probs, p)
		x := math.Abs(p-target) / 0.3
		d.logits[i] = 5 - float64(10*x*x)/(1+x)
	}
	d.temp, d.weighed = 1, false
	d.findBest()
	return nil
}

// Learn takes the probability that the token had before Apply into the average.
func (a *AdaptiveP) Learn(_ *Distribution, token int) {
	p := 0.0
	if i, ok := slices.BinarySearch(a.ids, int32(token)); ok {
		p = a.probs[i]
	}
	sum, total := a.average()
	a.WeightedSum, a.TotalWeight = p+float64(a.Decay*sum), 1+float64(a.Decay*total)
	a.Drawn++
}

// Clone returns a copy.
func (a *AdaptiveP) Clone() Step {
	out := *a
	out.ids, out.probs = slices.Clone(a.ids), slices.Clone(a.probs)
	return &out
}

func (a *AdaptiveP) average() (sum, total float64) {
	if a.Drawn == 0 {
		return a.Target / (1 - a.Decay), 1 / (1 - a.Decay)
	}
	return a.WeightedSum, a.TotalWeight
}
