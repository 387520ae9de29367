package samplertest

import (
	"cmp"
	"math"
	"slices"
)

// A Reference is a distribution over a vocabulary, and its methods the steps that reshape it, by definition. All
// parameters have to be in range. It is slow, and it keeps what it keeps to the letter: where sums of float64
// decide about a tie, add them up otherwise and another token may be in.
type Reference struct {
	Logits []float64 // after all that has been added, -Inf for what is masked or dropped
	Temp   float64   // what they are divided by
}

// NewReference returns the softmax of logits.
func NewReference(logits []float32) *Reference {
	r := &Reference{Temp: 1}
	for _, x := range logits {
		r.Logits = append(r.Logits, float64(x))
	}
	return r
}

// Ranking returns the tokens that are left, the most probable first, the lower first where they are equal.
func (r *Reference) Ranking() (ids []int) {
	for i, x := range r.Logits {
		if x > math.Inf(-1) {
			ids = append(ids, i)
		}
	}
	slices.SortFunc(ids, func(a, b int) int { return cmp.Or(cmp.Compare(r.Logits[b], r.Logits[a]), cmp.Compare(a, b)) })
	return ids
}

// LogProbs returns the logarithms of the probabilities.
func (r *Reference) LogProbs() []float64 {
	ranking := r.Ranking()
	out := make([]float64, len(r.Logits))
	top, total := r.Logits[ranking[0]], 0.0
	for _, id := range slices.Backward(ranking) {
		total += math.Exp((r.Logits[id] - top) / r.Temp)
	}
	for i, x := range r.Logits {
		out[i] = (x-top)/r.Temp - math.Log(total)
		if math.IsInf(x, -1) {
			out[i] = x
		}
	}
	return out
}

// Probs returns the probabilities.
func (r *Reference) Probs() []float64 {
	ranking := r.Ranking()
	out := make([]float64, len(r.Logits))
	total := 0.0
	for _, id := range slices.Backward(ranking) {
		out[id] = math.Exp((r.Logits[id] - r.Logits[ranking[0]]) / r.Temp)
		total += out[id]
	}
	for i := range out {
		out[i] /= total
	}
	return out
}

// Entropy returns -Σ p·log p.
func (r *Reference) Entropy() (h float64) {
	for _, lp := range r.LogProbs() {
		if p := math.Exp(lp); p > 0 {
			h -= p * lp
		}
	}
	return h
}

// keep drops all but ids.
func (r *Reference) keep(ids []int) {
	kept := make([]bool, len(r.Logits))
	for _, id := range ids {
		kept[id] = true
	}
	for i := range r.Logits {
		if !kept[i] {
			r.Logits[i] = math.Inf(-1)
		}
	}
}

// keepIf drops the tokens for which f is false, but never all: of the most probable it then keeps all that are equal.
func (r *Reference) keepIf(f func(id int) bool) {
	var ids []int
	ranking := r.Ranking()
	for _, id := range ranking {
		if f(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		for _, id := range ranking {
			if r.Logits[id] == r.Logits[ranking[0]] {
				ids = append(ids, id)
			}
		}
	}
	r.keep(ids)
}

// Temperature divides the logits by t, or keeps the first token if t is 0.
func (r *Reference) Temperature(t float64) {
	if t == 0 {
		r.keep(r.Ranking()[:1])
		return
	}
	r.Temp *= t
}

// DynamicTemperature is Temperature by the entropy relative to that of as many equal tokens.
func (r *Reference) DynamicTemperature(low, high, exponent float64) {
	if n := len(r.Ranking()); n > 1 {
		r.Temperature(low + (high-low)*math.Pow(r.Entropy()/math.Log(float64(n)), exponent))
	}
}

// TopK keeps the first k tokens; 0 is all.
func (r *Reference) TopK(k int) {
	if ranking := r.Ranking(); k > 0 && k < len(ranking) {
		r.keep(ranking[:k])
	}
}

// TopKTies keeps the first k tokens and those that equal the last of them; 0 is all.
func (r *Reference) TopKTies(k int) {
	if ranking := r.Ranking(); k > 0 && k < len(ranking) {
		least := r.Logits[ranking[k-1]]
		r.keepIf(func(id int) bool { return r.Logits[id] >= least })
	}
}

// TopP keeps the fewest first tokens whose probabilities sum to at least p; 0 and 1 are all.
func (r *Reference) TopP(p float64) {
	if p == 0 || p == 1 {
		return
	}
	ranking, probs, sum := r.Ranking(), r.Probs(), 0.0
	for i, id := range ranking {
		if sum += probs[id]; sum >= p {
			r.keep(ranking[:i+1])
			return
		}
	}
}

// MinP keeps the tokens that are at least p times as probable as the first; 0 is all.
func (r *Reference) MinP(p float64) {
	top := r.Logits[r.Ranking()[0]]
	if p > 0 {
		r.keepIf(func(id int) bool { return math.Exp((r.Logits[id]-top)/r.Temp) >= p })
	}
}

// Typical keeps the tokens whose surprise is nearest to the entropy until they sum to at least p, or with exceed to
// more; with ties also those that are as near as the last; at least minKeep in any case.
func (r *Reference) Typical(p float64, ties, exceed bool, minKeep int) {
	if p == 1 || p == 0 && !exceed {
		return
	}
	ids, lp, h := r.Ranking(), r.LogProbs(), r.Entropy()
	off := func(id int) float64 { return math.Abs(-lp[id] - h) }
	slices.SortFunc(ids, func(a, b int) int {
		if r.Logits[a] == r.Logits[b] {
			return cmp.Compare(a, b)
		}
		return cmp.Or(cmp.Compare(off(a), off(b)), cmp.Compare(a, b))
	})
	sum, n := 0.0, 0
	for n < len(ids) && (n < minKeep || sum < p || exceed && sum == p) {
		sum += math.Exp(lp[ids[n]])
		n++
	}
	for ties && n < len(ids) && off(ids[n]) == off(ids[n-1]) {
		n++
	}
	r.keep(ids[:n])
}

// Epsilon keeps the tokens whose probability is at least epsilon; 0 is all.
func (r *Reference) Epsilon(epsilon float64) {
	probs := r.Probs()
	if epsilon > 0 {
		r.keepIf(func(id int) bool { return probs[id] >= epsilon })
	}
}

// Eta is Epsilon of min(epsilon, √epsilon·e^-entropy).
func (r *Reference) Eta(epsilon float64) {
	r.Epsilon(min(epsilon, math.Sqrt(epsilon)*math.Exp(-r.Entropy())))
}

// PLess is Epsilon of Σ p².
func (r *Reference) PLess() {
	sum := 0.0
	for _, p := range r.Probs() {
		sum += p * p
	}
	r.Epsilon(sum)
}

// MaxSurprise keeps the tokens whose surprise is at most mu bits.
func (r *Reference) MaxSurprise(mu float64) {
	r.Epsilon(math.Exp2(-mu))
}

// TopNSigma keeps the tokens whose logits are at least the largest less n standard deviations; 0 is all.
func (r *Reference) TopNSigma(n float64) {
	ids := r.Ranking()
	mean, variance := 0.0, 0.0
	for _, id := range ids {
		mean += r.Logits[id] / float64(len(ids))
	}
	for _, id := range ids {
		variance += (r.Logits[id] - mean) * (r.Logits[id] - mean) / float64(len(ids))
	}
	least := r.Logits[ids[0]] - n*math.Sqrt(variance)
	if n > 0 {
		r.keepIf(func(id int) bool { return r.Logits[id] >= least })
	}
}

// TopH keeps the first tokens as long as their part of the entropy is at most h of it; 0 and 1 are all.
func (r *Reference) TopH(h float64) {
	if h == 0 || h == 1 {
		return
	}
	ids, lp, bound, sum := r.Ranking(), r.LogProbs(), h*r.Entropy(), 0.0
	for i, id := range ids {
		if sum -= math.Exp(lp[id]) * lp[id]; sum > bound {
			r.keep(ids[:max(i, 1)])
			return
		}
	}
}

// XTC drops all tokens of at least threshold but the last.
func (r *Reference) XTC(threshold float64) {
	ids, probs := r.Ranking(), r.Probs()
	n := 0
	for n < len(ids) && probs[ids[n]] >= threshold {
		n++
	}
	r.keep(ids[max(n-1, 0):])
}

// Mirostat1 keeps as many tokens as the first version of mirostat does for mu, estimating from m.
func (r *Reference) Mirostat1(m int, mu float64) {
	ids := r.Ranking()
	if len(ids) < 2 {
		return
	}
	tb, tt := 0.0, 0.0
	for i := range min(m, len(ids)) - 1 {
		t := math.Log(float64(i+2) / float64(i+1))
		tb += t * (r.Logits[ids[i]] - r.Logits[ids[i+1]]) / r.Temp
		tt += t * t
	}
	s := tb / tt
	k := math.Pow((s-1)*math.Exp2(mu)/(1-math.Pow(float64(len(r.Logits)), 1-s)), 1/s)
	if k < float64(len(ids)) {
		r.keep(ids[:max(int(k), 1)])
	}
}

// AdaptiveP gives tokens logits by how near their probability is to target.
func (r *Reference) AdaptiveP(target float64) {
	probs := r.Probs()
	for _, id := range r.Ranking() {
		x := math.Abs(probs[id]-target) / 0.3
		r.Logits[id] = 5 - 10*x*x/(1+x)
	}
	r.Temp = 1
}
