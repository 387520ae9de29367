package sampler

import (
	"math"

	"github.com/pkg/errors"
)

// Mirostat keeps the surprise of the text near Tau bits a token: it drops the tokens that are more surprising
// than Mu, or all but the most probable one if that is too, and after every token moves Mu by Eta times what the
// token's surprise was off. The surprise is that in the distribution which the token was drawn from, at the end
// of the chain, where Mirostat should stand last. This is mirostat 2. (Basu, Ramachandran, Keskar and Varshney,
// "Mirostat: a neural text decoding algorithm that directly controls perplexity", 2021.)
type Mirostat struct {
	Tau float64 // the surprise to aim for, in bits, at least 0
	Eta float64 // how fast to correct, at least 0

	Drawn int     // number of tokens learnt from
	Mu    float64 // the largest surprise to keep; before the first token it is 2·Tau, whatever Mu says
}

// Apply drops what is too surprising.
func (m *Mirostat) Apply(d *Distribution, _ *History) error {
	if err := m.check(); err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	d.weigh()
	if mu := m.mu(); float64(math.Exp2(-mu)*d.total) <= 1 || math.IsNaN(mu) { // 1 is the weight of the first
		return d.MaxSurprise(mu)
	}
	return d.TopK(1)
}

// Learn moves Mu.
func (m *Mirostat) Learn(d *Distribution, token int) {
	m.Mu = m.mu() - float64(m.Eta*(-d.LogProb(token)/math.Ln2-m.Tau))
	m.Drawn++
}

// Clone returns a copy.
func (m *Mirostat) Clone() Step {
	out := *m
	return &out
}

func (m *Mirostat) mu() float64 {
	if m.Drawn == 0 {
		return 2 * m.Tau
	}
	return m.Mu
}

func (m *Mirostat) check() error {
	if !(m.Tau >= 0 && m.Tau <= math.MaxFloat32) || !(m.Eta >= 0 && m.Eta <= math.MaxFloat32) {
		return errors.Errorf("sampler: mirostat with tau %v and eta %v, want finite numbers of at least 0", m.Tau, m.Eta)
	}
	return nil
}

// Mirostat1 is the first version of [Mirostat]. It takes the probabilities for those of Zipf's law, estimates its
// exponent from the M most probable tokens, and keeps as many tokens as would then have a mean surprise of Mu.
// With fewer than two tokens there is nothing to estimate, and it keeps them.
type Mirostat1 struct {
	Tau float64 // the surprise to aim for, in bits, at least 0
	Eta float64 // how fast to correct, at least 0
	M   int     // number of tokens to estimate from, at least 2; 0 is 100

	Drawn int     // number of tokens learnt from
	Mu    float64 // the surprise to allow; before the first token it is 2·Tau, whatever Mu says
}

// Apply keeps the most probable tokens.
func (m *Mirostat1) Apply(d *Distribution, _ *History) error {
	common := Mirostat{Tau: m.Tau, Eta: m.Eta, Drawn: m.Drawn, Mu: m.Mu}
	if err := common.check(); err != nil {
		return err
	}
	if m.M < 0 || m.M == 1 {
		return errors.Errorf("sampler: mirostat estimates from %d tokens, want at least 2", m.M)
	}
	if err := d.ready(); err != nil {
		return err
	}
	n := m.M
	if n == 0 {
		n = 100
	}
	return d.TopK(d.zipfCount(n, common.mu()))
}

// Learn moves Mu.
func (m *Mirostat1) Learn(d *Distribution, token int) {
	common := Mirostat{Tau: m.Tau, Eta: m.Eta, Drawn: m.Drawn, Mu: m.Mu}
	common.Learn(d, token)
	m.Drawn, m.Mu = common.Drawn, common.Mu
}

// Clone returns a copy.
func (m *Mirostat1) Clone() Step {
	out := *m
	return &out
}

// zipfCount returns how many tokens mirostat 1 keeps, at least 1, or 0 for all.
func (d *Distribution) zipfCount(m int, mu float64) int {
	head := d.head(m)
	if len(head) < 2 {
		return 0
	}
	tb, tt := 0.0, 0.0
	for i := range head[1:] {
		t := math.Log(float64(i+2) / float64(i+1))
		tb += float64(t * ((head[i].logit - head[i+1].logit) * d.scale()))
		tt += float64(t * t)
	}
	s := tb / tt
	// k = (ε·2^mu / (1 - V^-ε))^(1/s) with ε = s-1, of which ε / (1 - V^-ε) tends to 1/log V for ε = 0.
	logV, epsilon := math.Log(float64(d.vocab)), s-1
	ratio := 1 / logV
	if epsilon != 0 {
		ratio = epsilon / -math.Expm1(-epsilon*logV)
	}
	k := math.Pow(ratio*math.Exp2(mu), 1/s)
	if !(k < float64(d.vocab)) {
		return 0
	}
	return max(int(k), 1)
}
