package sampler

import (
	"math"

	"github.com/pkg/errors"
)

// Epsilon keeps the tokens whose probability is at least epsilon. If there are none it keeps the most probable
// one and those that equal it. Epsilon lies in [0, 1); 0 keeps all. (Hewitt, Manning and Liang, "Truncation
// sampling as language model desmoothing", 2022.)
func (d *Distribution) Epsilon(epsilon float64) error {
	if err := checkCutoff("epsilon", epsilon); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	return d.cutOff(epsilon)
}

// Eta keeps the tokens whose probability is at least min(epsilon, √epsilon·e^-H) with H the entropy: the
// flatter the distribution, the less a token has to have. If there are none it keeps the most probable one and
// those that equal it. Epsilon lies in [0, 1); 0 keeps all. (Hewitt, Manning and Liang, "Truncation sampling as
// language model desmoothing", 2022.)
func (d *Distribution) Eta(epsilon float64) error {
	if err := checkCutoff("eta", epsilon); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	return d.cutOff(min(epsilon, float64(math.Sqrt(epsilon)*math.Exp(-d.Entropy()))))
}

// PLess keeps the tokens whose probability is at least Σ p², which is that of two draws being the same. It has
// no parameter. (Tan and others, "p-less sampling: a robust hyperparameter-free approach for LLM decoding", 2025.)
func (d *Distribution) PLess() error {
	if err := d.ready(); err != nil {
		return err
	}
	d.weigh()
	squares := 0.0
	for lo := 0; lo < len(d.weights); lo += block {
		part := 0.0
		for _, w := range d.weights[lo:min(lo+block, len(d.weights))] {
			part += float64(w * w)
		}
		squares += part
	}
	return d.cutOff(squares / d.total / d.total)
}

// MaxSurprise keeps the tokens whose surprise -log2 p is at most mu bits. If there are none it keeps the most
// probable one and those that equal it, of which [Mirostat], which cuts with it, keeps the first alone. Mu may be
// any number, +Inf keeps all.
func (d *Distribution) MaxSurprise(mu float64) error {
	if math.IsNaN(mu) {
		return errors.New("sampler: surprise is NaN, want a number of bits")
	}
	if err := d.ready(); err != nil {
		return err
	}
	return d.cutOff(math.Exp2(-mu))
}

// cutOff keeps what has at least probability p, or the largest there is.
func (d *Distribution) cutOff(p float64) error {
	if p == 0 {
		return nil
	}
	d.weigh()
	d.dropLight(min(max(float64(p*d.total), math.SmallestNonzeroFloat64), 1)) // 1 is the weight of the largest
	d.addUp()
	return nil
}

func checkCutoff(name string, epsilon float64) error {
	if !(epsilon >= 0 && epsilon < 1) {
		return errors.Errorf("sampler: %s is %v, want at least 0 and less than 1", name, epsilon)
	}
	return nil
}

// TopNSigma keeps the tokens whose logits are at least the largest less n standard deviations of all the logits
// kept. It keeps the same tokens at any temperature. N is finite and at least 0; 0 keeps all.
// (Tang and others, "Top-nσ: not all logits are you need", 2024.)
func (d *Distribution) TopNSigma(n float64) error {
	if err := checkTopNSigma(n); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	if n == 0 {
		return nil
	}
	sigma := d.deviation()
	if !(sigma <= math.MaxFloat64) {
		return errors.New("sampler: logits are too far apart for a standard deviation")
	}
	least := d.top - float64(n*sigma)
	d.weighed = false
	if d.row == nil {
		d.keepIf(func(i int) bool { return d.logits[i] >= least })
		return nil
	}
	d.ids = list(d.ids[:0], d.row, math.Nextafter32(roundUp(least), float32(math.Inf(-1))))
	d.listLogits()
	if len(d.edits) > 0 { // of which row is not quite the value
		d.keepIf(func(i int) bool { return d.logits[i] >= least })
	}
	return nil
}

// deviation returns the standard deviation of the logits kept. It divides by their range before it squares.
func (d *Distribution) deviation() float64 {
	n := float64(d.Len())
	spread := 0.0
	mean := d.sumOf(func(x float64) float64 {
		spread = max(spread, d.top-x)
		return x - d.top
	}) / n
	if spread == 0 {
		return 0
	}
	return spread * math.Sqrt(d.sumOf(func(x float64) float64 {
		off := (x - d.top - mean) / spread
		return float64(off * off)
	})/n)
}

// sumOf adds up a function of the logits kept.
func (d *Distribution) sumOf(f func(x float64) float64) (total float64) {
	n := len(d.ids)
	if d.row != nil {
		n = d.vocab
	}
	for lo := 0; lo < n; lo += block {
		part := 0.0
		for i := lo; i < min(lo+block, n); i++ {
			switch {
			case d.row == nil:
				part += f(d.logits[i])
			case d.row[i] > float32(math.Inf(-1)):
				part += f(d.at(i))
			}
		}
		total += part
	}
	return total
}

func checkTopNSigma(n float64) error {
	if !(n >= 0 && n <= math.MaxFloat64) {
		return errors.Errorf("sampler: top-n-sigma is %v, want a finite number of at least 0", n)
	}
	return nil
}
