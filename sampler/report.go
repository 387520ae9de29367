package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// LogProb returns the natural logarithm of the probability of a token: -Inf for one that is masked, dropped or
// outside the vocabulary, and finite where the probability itself is too small for a float64. After Reset it
// is the raw one, of the softmax of the logits; after steps it is that of what they left.
func (d *Distribution) LogProb(token int) float64 {
	if token < 0 || token >= d.vocab {
		return math.Inf(-1)
	}
	x, ok := d.logit(token)
	if !ok {
		return math.Inf(-1)
	}
	d.weigh()
	return (x-d.top)*d.scale() - math.Log(d.total)
}

// Rank returns the place of a token among those kept: 1 for the most probable, and 0 for a token that is masked,
// dropped or outside the vocabulary.
func (d *Distribution) Rank(token int) int {
	if token < 0 || token >= d.vocab {
		return 0
	}
	x, ok := d.logit(token)
	if !ok {
		return 0
	}
	rank := 1
	if d.row == nil {
		for i, y := range d.logits {
			if y > x || y == x && int(d.ids[i]) < token {
				rank++
			}
		}
		return rank
	}
	for i := range d.row {
		if y := d.at(i); y > x || y == x && i < token {
			rank++
		}
	}
	return rank
}

// A Candidate is a token with its probability.
type Candidate struct {
	Token   int
	Prob    float64
	LogProb float64
}

// Top appends the n most probable tokens to dst, the most probable first, or as many as there are.
func (d *Distribution) Top(dst []Candidate, n int) []Candidate {
	if d.vocab == 0 || n <= 0 {
		return dst
	}
	d.weigh()
	logTotal := math.Log(d.total)
	for _, c := range d.head(n) {
		dst = append(dst, Candidate{
			Token: int(c.id), Prob: d.Prob(int(c.id)), LogProb: (c.logit-d.top)*d.scale() - logTotal,
		})
	}
	return dst
}

// head returns the first n of the ranking in order. They are valid until cands are used again.
func (d *Distribution) head(n int) []cand {
	c := d.cands[:0]
	limit := math.Inf(-1)
	take := func(id int, x float64) {
		// What equals the limit has a higher token than the n already there.
		if x <= limit {
			return
		}
		c = append(c, cand{logit: x, weight: 1, id: int32(id)})
		if len(c)-n == max(n, 64) {
			last := crossing(c, float64(n))
			c = slices.DeleteFunc(c, func(o cand) bool { return last.before(&o) })
			limit = last.logit
		}
	}
	if d.row == nil {
		for i, x := range d.logits {
			take(int(d.ids[i]), x)
		}
	} else {
		for i := above(d.row, 0, roundDown(limit)); i < d.vocab; i = above(d.row, i+1, roundDown(limit)) {
			take(i, d.at(i))
		}
	}
	slices.SortFunc(c, func(a, b cand) int {
		if a.before(&b) {
			return -1
		}
		return 1
	})
	d.cands = c
	return c[:min(n, len(c))]
}

// A Report says how a token came to be drawn.
type Report struct {
	Token int

	// Of the softmax of the logits as the model gave them.
	RawLogProb float64
	RawRank    int
	RawEntropy float64
	RawTop     []Candidate

	// Of the distribution that the token was drawn from.
	LogProb float64
	Rank    int
	Entropy float64
	Top     []Candidate

	Trace []StepReport
}

// A StepReport says what a step of the chain left.
type StepReport struct {
	Step   string  // its type: TopK, Temperature, ...
	Tokens int     // how many tokens are left
	Mass   float64 // the probability that these had before the step
}

// SampleReport does what Sample does, draws the same token, and reports how: log-probabilities, ranks and the
// top most probable tokens before and after the steps, and what each of these kept. It is slower than Sample
// and allocates.
func (s *Sampler) SampleReport(logits []float32, top int) (Report, error) {
	if top < 0 {
		return Report{Token: -1}, errors.Errorf("sampler: report of the top %d tokens, want at least 0", top)
	}
	d := s.distribution()
	defer d.release()
	fail := func(err error) (Report, error) { return Report{Token: -1}, err }
	if err := d.reset(logits); err != nil {
		return fail(err)
	}
	if err := s.check(); err != nil {
		return fail(err)
	}
	var r Report
	var raw Distribution
	if err := raw.reset(logits); err != nil {
		return fail(err)
	}
	r.RawEntropy, r.RawTop = raw.Entropy(), raw.Top(nil, top)

	chain := s.chain()
	h := s.history()
	var before []float64
	for i, step := range chain {
		before = d.Probs(before)
		if err := chain.apply(i, step, d, h); err != nil {
			return fail(err)
		}
		at := StepReport{Step: stepName(step)}
		for token := range d.All() {
			at.Tokens++
			at.Mass += before[token]
		}
		r.Trace = append(r.Trace, at)
	}
	token := d.draw(Uniform(s.Seed, s.Stream, s.Step))
	r.Token, r.RawLogProb, r.RawRank = token, raw.LogProb(token), raw.Rank(token)
	r.LogProb, r.Rank, r.Entropy, r.Top = d.LogProb(token), d.Rank(token), d.Entropy(), d.Top(nil, top)
	s.accept(d, token)
	return r, nil
}
