package samplertest

import (
	"math"
	"slices"
)

// add adds to the logit of a token, as it is after division by the temperature.
func (r *Reference) add(token int, x float64) {
	r.Logits[token] += x * r.Temp
}

// Bias adds to the logit of a token.
func (r *Reference) Bias(token int, bias float64) { r.add(token, bias) }

// Allow drops all other tokens.
func (r *Reference) Allow(tokens ...int) {
	r.keep(slices.DeleteFunc(r.Ranking(), func(id int) bool { return !slices.Contains(tokens, id) }))
}

// Suppress drops tokens.
func (r *Reference) Suppress(tokens ...int) {
	for _, t := range tokens {
		r.Logits[t] = math.Inf(-1)
	}
}

// Repetition divides the positive logits of tokens by penalty and multiplies the others, or with normalize multiplies
// their log-probabilities and leaves the other tokens as they are.
func (r *Reference) Repetition(tokens []int, penalty float64, normalize bool) {
	lp := r.LogProbs()
	for i, x := range r.Logits {
		switch {
		case !slices.Contains(tokens, i) || math.IsInf(x, -1):
		case normalize:
			r.Logits[i] += (penalty - 1) * lp[i] * r.Temp
		case x > 0:
			r.Logits[i] /= penalty
		default:
			r.Logits[i] *= penalty
		}
	}
}

// Frequency subtracts penalty for every time that a token is among tokens.
func (r *Reference) Frequency(tokens []int, penalty float64) {
	times := map[int]float64{}
	for _, t := range tokens {
		times[t]++
	}
	for t, n := range times {
		r.add(t, -penalty*n)
	}
}

// Presence subtracts penalty once for each of tokens.
func (r *Reference) Presence(tokens []int, penalty float64) {
	for i := range r.Logits {
		if slices.Contains(tokens, i) {
			r.add(i, -penalty)
		}
	}
}

// NoRepeatNGram drops the tokens with which the last n of text would be in it already.
func (r *Reference) NoRepeatNGram(text []int, n int) {
	for t := range r.Logits {
		next := append(slices.Clone(text), t)
		if len(next) < n {
			continue
		}
		gram := next[len(next)-n:]
		for i := 0; i+n <= len(text); i++ {
			if slices.Equal(text[i:i+n], gram) {
				r.Logits[t] = math.Inf(-1)
			}
		}
	}
}

// SequenceBias adds to the logit of a token with which text would end in sequence.
func (r *Reference) SequenceBias(text, sequence []int, bias float64) {
	next := append(slices.Clone(text), sequence[len(sequence)-1])
	if len(next) >= len(sequence) && slices.Equal(next[len(next)-len(sequence):], sequence) {
		r.add(sequence[len(sequence)-1], bias)
	}
}

// DRY subtracts multiplier·base^(n-allowed) from the logits of the tokens that would continue a repetition of the
// last n >= allowed tokens of text, of which n as large as possible, up to the last breaker. A token that is a
// breaker is spared.
func (r *Reference) DRY(text []int, multiplier, base float64, allowed int, breakers [][]int) {
	since := len(text)
	for i := len(text) - 1; i >= 0 && since == len(text); i-- {
		longest := 0
		for _, b := range breakers {
			if i+len(b) <= len(text) && slices.Equal(text[i:i+len(b)], b) {
				longest = max(longest, len(b))
			}
		}
		if longest > 0 {
			since = len(text) - i - longest
			break
		}
	}
	for t := range r.Logits {
		if slices.ContainsFunc(breakers, func(b []int) bool { return slices.Equal(b, []int{t}) }) {
			continue
		}
		longest := 0
		for i, next := range text {
			n := 0
			for next == t && n < since && n < i && text[i-1-n] == text[len(text)-1-n] {
				n++
			}
			longest = max(longest, n)
		}
		if longest >= allowed && len(text) > allowed {
			exponent := longest - allowed
			if base > 1.000001 {
				exponent = min(exponent, int(88.7228391/math.Log(base)))
			}
			r.add(t, -multiplier*math.Pow(base, float64(exponent)))
		}
	}
}
