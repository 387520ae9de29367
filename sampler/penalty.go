package sampler

import (
	"math"

	"github.com/pkg/errors"
)

// RepetitionPenalty makes tokens less probable, each once however often it is given: it divides their positive
// logits by penalty and multiplies the others with it. A penalty below 1 makes them more probable instead; it
// must be positive and finite. A constant added to all logits changes the result, which is a property of the
// definition; [Distribution.NormalizedRepetitionPenalty] has it not. (Keskar and others, "CTRL: a conditional
// transformer language model for controllable generation", 2019, with the negative logits multiplied, as
// every system does.)
func (d *Distribution) RepetitionPenalty(tokens []int, penalty float64) error {
	return d.repetition(tokens, penalty, false)
}

// NormalizedRepetitionPenalty multiplies the log-probabilities of tokens by penalty, each once however often it
// is given. No constant added to the logits changes the result. The penalty must be positive and finite.
// (The option normalize of Hugging Face's repetition penalty.)
func (d *Distribution) NormalizedRepetitionPenalty(tokens []int, penalty float64) error {
	return d.repetition(tokens, penalty, true)
}

func (d *Distribution) repetition(tokens []int, penalty float64, normalize bool) error {
	if err := checkRepetition(penalty); err != nil {
		return err
	}
	if err := d.has(tokens...); err != nil {
		return err
	}
	if penalty == 1 {
		return nil
	}
	zero := 0.0 // the logit of a certain token
	if normalize {
		d.weigh()
		zero = d.top + float64(math.Log(d.total)*d.temp)
	}
	d.count(tokens, func(token, _ int, x float64) {
		switch {
		case normalize:
			x = zero + float64((x-zero)*penalty)
		case x > 0:
			x /= penalty
		default:
			x *= penalty
		}
		d.set(token, max(x, -math.MaxFloat64)) // which penalises, but does not mask
	})
	return d.settle("repetition penalty")
}

// FrequencyPenalty subtracts penalty from the logits of tokens, as they are after the temperatures so far, as
// many times as each is given. A negative penalty adds; it must be finite. (The frequency_penalty of OpenAI's API.)
func (d *Distribution) FrequencyPenalty(tokens []int, penalty float64) error {
	return d.subtract(tokens, penalty, "frequency penalty", func(n int) float64 { return float64(n) })
}

// PresencePenalty subtracts penalty once from the logit of each of tokens, as it is after the temperatures so
// far. A negative penalty adds; it must be finite. (The presence_penalty of OpenAI's API.)
func (d *Distribution) PresencePenalty(tokens []int, penalty float64) error {
	return d.subtract(tokens, penalty, "presence penalty", func(int) float64 { return 1 })
}

func (d *Distribution) subtract(tokens []int, penalty float64, name string, times func(n int) float64) error {
	if err := checkPenalty(name, penalty); err != nil {
		return err
	}
	if err := d.has(tokens...); err != nil {
		return err
	}
	if penalty == 0 {
		return nil
	}
	d.count(tokens, func(token, n int, x float64) {
		d.set(token, max(x-float64(float64(penalty*times(n))*d.temp), -math.MaxFloat64))
	})
	return d.settle(name)
}

// count calls f once for every token that is among tokens and kept, with how often it is given and its logit.
func (d *Distribution) count(tokens []int, f func(token, n int, logit float64)) {
	d.tally()
	for _, t := range tokens {
		d.counts[t]++
	}
	for _, t := range tokens {
		n := int(d.counts[t])
		if d.counts[t] = 0; n > 0 {
			if x, ok := d.logit(t); ok {
				f(t, n, x)
			}
		}
	}
}

// tally makes counts long enough.
func (d *Distribution) tally() {
	if len(d.counts) < d.vocab {
		d.counts = append(d.counts, make([]int32, d.vocab-len(d.counts))...)
	}
}

func checkRepetition(penalty float64) error {
	if !(penalty > 0 && penalty <= math.MaxFloat64) {
		return errors.Errorf("sampler: repetition penalty is %v, want a finite number above 0", penalty)
	}
	return nil
}

func checkPenalty(name string, penalty float64) error {
	if !(math.Abs(penalty) <= math.MaxFloat64) {
		return errors.Errorf("sampler: %s is %v, want a finite number", name, penalty)
	}
	return nil
}
