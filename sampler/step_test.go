package sampler_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/samplertest"
)

// A pair is a step with random parameters, as the package and as the reference do it. Text is what came before.
type pair struct {
	name string
	step func(rng *rand.Rand, text []int) (sampler.Step, func(r *samplertest.Reference))
}

func pick[T any](rng *rand.Rand, values ...T) T { return values[rng.IntN(len(values))] }

// pairs are all steps. The parameters avoid numbers at which rounding would decide.
var pairs = []pair{
	{"temperature", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		t := pick(rng, 0.25, 0.8, 1, 3, 0.011)
		return sampler.Temperature(t), func(r *samplertest.Reference) { r.Temperature(t) }
	}},
	{"dynamic temperature", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		low, high, exponent := 0.2+rng.Float64(), 1.2+rng.Float64(), pick(rng, 0, 0.5, 1, 2.5)
		return sampler.DynamicTemperature{Low: low, High: high, Exponent: exponent},
			func(r *samplertest.Reference) { r.DynamicTemperature(low, high, exponent) }
	}},
	{"top-k", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		k := pick(rng, 0, 1, 2, 7, 64, 700)
		return sampler.TopK(k), func(r *samplertest.Reference) { r.TopK(k) }
	}},
	{"top-k with ties", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		k := pick(rng, 0, 1, 2, 7, 64, 700)
		return sampler.TopKTies(k), func(r *samplertest.Reference) { r.TopKTies(k) }
	}},
	{"top-p", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		p := pick(rng, 0, 1e-9, 0.31, 0.83, 0.987654, 1)
		return sampler.TopP(p), func(r *samplertest.Reference) { r.TopP(p) }
	}},
	{"min-p", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		p := pick(rng, 0, 1e-5, 0.043, 0.37, 1)
		return sampler.MinP(p), func(r *samplertest.Reference) { r.MinP(p) }
	}},
	{"typical-p", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		p := pick(rng, 0, 0.037, 0.31, 0.83, 0.987654, 1)
		return sampler.TypicalP(p), func(r *samplertest.Reference) { r.Typical(p, false, false, 0) }
	}},
	{"typical rule", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		rule := sampler.TypicalRule{P: pick(rng, 0, 0.037, 0.31, 0.83), Ties: rng.IntN(2) == 0,
			Exceed: rng.IntN(2) == 0, MinKeep: rng.IntN(4)}
		return rule, func(r *samplertest.Reference) { r.Typical(rule.P, rule.Ties, rule.Exceed, rule.MinKeep) }
	}},
	{"epsilon", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		e := pick(rng, 0, 1e-5, 3.1e-4, 0.0123, 0.77)
		return sampler.Epsilon(e), func(r *samplertest.Reference) { r.Epsilon(e) }
	}},
	{"eta", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		e := pick(rng, 0, 1e-5, 3.1e-4, 0.0123, 0.77)
		return sampler.Eta(e), func(r *samplertest.Reference) { r.Eta(e) }
	}},
	{"p-less", func(*rand.Rand, []int) (sampler.Step, func(*samplertest.Reference)) {
		return sampler.PLess{}, func(r *samplertest.Reference) { r.PLess() }
	}},
	{"top-n-sigma", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		n := pick(rng, 0, 0.31, 1.013, 2.7, 100)
		return sampler.TopNSigma(n), func(r *samplertest.Reference) { r.TopNSigma(n) }
	}},
	{"top-h", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		h := pick(rng, 0, 0.113, 0.437, 0.913, 1)
		return sampler.TopH(h), func(r *samplertest.Reference) { r.TopH(h) }
	}},
	{"xtc", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		x := sampler.XTC{Probability: rng.Float64(), Threshold: pick(rng, 0, 1e-4, 0.0313, 0.137)}
		return x, func(r *samplertest.Reference) {
			if toss < x.Probability {
				r.XTC(x.Threshold)
			}
		}
	}},
	{"mirostat", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		m := &sampler.Mirostat{Tau: pick(rng, 0, 1.03, 2.21, 5.013), Eta: 0.1}
		return m, func(r *samplertest.Reference) {
			if slices.Max(r.Probs()) < math.Exp2(-2*m.Tau) {
				r.TopK(1)
			}
			r.MaxSurprise(2 * m.Tau)
		}
	}},
	{"mirostat 1", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		m := &sampler.Mirostat1{Tau: 3, Eta: 0.1, M: pick(rng, 2, 5, 100), Drawn: 1, Mu: rng.Float64() * 9}
		return m, func(r *samplertest.Reference) { r.Mirostat1(m.M, m.Mu) }
	}},
	{"adaptive-p", func(rng *rand.Rand, _ []int) (sampler.Step, func(*samplertest.Reference)) {
		a := &sampler.AdaptiveP{Target: rng.Float64(), Decay: 0.9}
		return a, func(r *samplertest.Reference) { r.AdaptiveP(a.Target) }
	}},
	{"repetition penalty", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		p := sampler.RepetitionPenalty{Penalty: pick(rng, 1, 1.3, 0.7, 1e-3), Normalize: rng.IntN(2) == 0}
		return p, func(r *samplertest.Reference) { r.Repetition(text, p.Penalty, p.Normalize) }
	}},
	{"frequency penalty", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		p := pick(rng, 0, 0.31, -0.7, 9)
		return sampler.FrequencyPenalty{Penalty: p}, func(r *samplertest.Reference) { r.Frequency(text, p) }
	}},
	{"presence penalty", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		p := pick(rng, 0, 0.31, -0.7, 9)
		return sampler.PresencePenalty{Penalty: p}, func(r *samplertest.Reference) { r.Presence(text, p) }
	}},
	{"no-repeat n-gram", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		n := rng.IntN(4)
		return sampler.NoRepeatNGram{N: n}, func(r *samplertest.Reference) {
			if n > 0 {
				r.NoRepeatNGram(text, n)
			}
		}
	}},
	{"dry", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		o := sampler.DRY{Multiplier: pick(rng, 0, 0.8, 3), Base: pick(rng, 1, 1.75), AllowedLength: 1 + rng.IntN(3)}
		for range rng.IntN(3) {
			o.Breakers = append(o.Breakers, text[:min(len(text), 1+rng.IntN(2))])
		}
		o.Breakers = slices.DeleteFunc(o.Breakers, func(b []int) bool { return len(b) == 0 })
		return o, func(r *samplertest.Reference) { r.DRY(text, o.Multiplier, o.Base, o.AllowedLength, o.Breakers) }
	}},
	{"bad words", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		var w sampler.BadWords
		if len(text) > 2 {
			w.Words = [][]int{text[len(text)-1:], text[len(text)-3:], {text[len(text)-1], text[0]}, {text[0], text[0]}}
		}
		return w, func(r *samplertest.Reference) {
			for _, word := range w.Words {
				r.SequenceBias(text, word, -inf)
			}
		}
	}},
	{"sequence bias", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		b := sampler.SequenceBias{Sequence: append(slices.Clone(text[max(0, len(text)-rng.IntN(3)):]), 0),
			Bias: pick(rng, 0, 2.3, -7, -inf)}
		return b, func(r *samplertest.Reference) { r.SequenceBias(text, b.Sequence, b.Bias) }
	}},
	{"logit bias", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		b := sampler.LogitBias{}
		for _, t := range text {
			b[t] = pick(rng, 0, 3, -1e3, -inf, 40, 0.1)
		}
		return b, func(r *samplertest.Reference) {
			for t, x := range b {
				r.Bias(t, x)
			}
		}
	}},
	{"allowed tokens", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		a := sampler.AllowedTokens(append(slices.Clone(text), 1, 0))
		return a, func(r *samplertest.Reference) { r.Allow(a...) }
	}},
	{"suppressed tokens", func(rng *rand.Rand, text []int) (sampler.Step, func(*samplertest.Reference)) {
		return sampler.SuppressedTokens(text), func(r *samplertest.Reference) { r.Suppress(text...) }
	}},
}

const toss = 0.4375

// same fails the test if d is not the distribution of r.
// Where rounding has made equal logits differ, or the other way round, ranks may not be told.
func same(t *testing.T, what string, d *sampler.Distribution, r *samplertest.Reference, ranked bool) {
	t.Helper()
	ranking := r.Ranking()
	want := slices.Sorted(slices.Values(ranking))
	if got := kept(d); !slices.Equal(got, want) {
		t.Fatalf("%s: kept %d tokens, want %d: %.20v, %.20v", what, len(got), len(want), got, want)
	}
	if d.Len() != len(want) {
		t.Fatalf("%s: Len is %d, want %d", what, d.Len(), len(want))
	}
	probs, logs := r.Probs(), r.LogProbs()
	for id, p := range d.All() {
		if math.Abs(p-probs[id]) > 1e-11 {
			t.Fatalf("%s: token %d has probability %v, want %v", what, id, p, probs[id])
		}
	}
	for i, id := range ranking[:min(len(ranking), 5)] {
		if got := d.Rank(id); ranked && got != i+1 {
			t.Fatalf("%s: token %d has rank %d, want %d", what, id, got, i+1)
		}
		if got := d.LogProb(id); math.Abs(got-logs[id]) > 1e-9*math.Max(1, math.Abs(logs[id])) {
			t.Fatalf("%s: token %d has log-probability %v, want %v", what, id, got, logs[id])
		}
	}
	top := d.Top(nil, 7)
	if len(top) != min(7, len(ranking)) {
		t.Fatalf("%s: top 7 of %d tokens are %d", what, len(ranking), len(top))
	}
	for i, c := range top {
		if ranked && c.Token != ranking[i] || c.Prob != d.Prob(c.Token) ||
			math.Abs(c.LogProb-d.LogProb(c.Token)) > 1e-12*math.Max(1, -c.LogProb) {
			t.Fatalf("%s: place %d is %+v, want token %d", what, i, c, ranking[i])
		}
	}
	if got, want := d.Entropy(), r.Entropy(); math.Abs(got-want) > 1e-10 {
		t.Fatalf("%s: entropy is %v, want %v", what, got, want)
	}
}

// randomRow is a row of logits, half of them full of ties, and a text whose tokens repeat.
func randomRow(rng *rand.Rand, vocab int) (logits []float32, text []int) {
	logits = make([]float32, vocab)
	ties := rng.IntN(2) == 0
	for i := range logits {
		logits[i] = float32(rng.NormFloat64() * 3)
		if ties {
			logits[i] = float32(math.Round(float64(logits[i])*2) / 2)
		}
		if i > 1 && rng.IntN(8) == 0 {
			logits[i] = float32(-inf)
		}
	}
	for range rng.IntN(30) {
		text = append(text, 2+rng.IntN(max(1, min(vocab-2, 5))))
	}
	if vocab == 2 {
		text = nil
	}
	return logits, text
}

// Every step, alone and after others, leaves the tokens and probabilities of its definition.
func TestStepsAreTheirDefinitions(t *testing.T) {
	var d sampler.Distribution
	for i, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			for trial := range 240 {
				vocab := 2 + rng.IntN([]int{2, 30, 600, 1400}[trial%4])
				logits, text := randomRow(rng, vocab)
				h := sampler.History{Tokens: text, Prompt: len(text) / 2, Toss: toss}
				r := samplertest.NewReference(logits)
				if err := d.Reset(logits); err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("trial %d, V=%d", trial, vocab)
				chain := []pair{p}
				for range trial / 4 % 3 {
					if q := pairs[rng.IntN(len(pairs))]; q.name != "adaptive-p" { // which brings near what was far apart
						chain = slices.Insert(chain, 0, q)
					}
				}
				sure := 0.0
				for _, q := range chain {
					if len(chain) > 1 {
						sure = max(sure, slices.Max(r.Probs()))
					}
					step, ref := q.step(rng, text)
					ref(r)
					err := step.Apply(&d, &h)
					what += fmt.Sprintf(" %T%+v", step, step)
					if len(r.Ranking()) == 0 {
						if err == nil {
							t.Fatalf("%s: no error where no token is left", what)
						}
						break
					}
					if err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					if rng.IntN(3) == 0 {
						d.Prob(0) // to have it weighed
					}
				}
				// Of what others have next to a probability of 1, float64 does not know enough to choose by.
				if len(r.Ranking()) > 0 && sure < 1-1e-7 {
					same(t, what, &d, r, p.name != "adaptive-p")
				}
			}
		})
	}
}

// The same for vocabularies as large as they get.
func TestStepsOfLargeVocabulary(t *testing.T) {
	var d sampler.Distribution
	for i, p := range pairs {
		rng := rand.New(rand.NewPCG(uint64(i), 2))
		vocab := []int{131072, 262144}[i%2]
		logits, text := randomRow(rng, vocab)
		h := sampler.History{Tokens: text, Toss: toss}
		r := samplertest.NewReference(logits)
		if err := d.Reset(logits); err != nil {
			t.Fatal(err)
		}
		step, ref := p.step(rng, text)
		ref(r)
		if err := step.Apply(&d, &h); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		want := r.Ranking()
		slices.Sort(want)
		if got := kept(&d); !slices.Equal(got, want) {
			t.Errorf("V=%d %T%+v: kept %d tokens, want %d", vocab, step, step, len(got), len(want))
			continue
		}
		probs := r.Probs()
		for id, q := range d.All() {
			if math.Abs(q-probs[id]) > 1e-11 {
				t.Errorf("V=%d %T%+v: token %d has probability %v, want %v", vocab, step, step, id, q, probs[id])
				break
			}
		}
		if err := samplertest.Stratified(d.Probs(nil), 20000, d.Draw); err != nil {
			t.Errorf("V=%d %T%+v: %v", vocab, step, step, err)
		}
	}
}

// What every step leaves can be drawn, and nothing else, and as often as it is probable.
func TestStepsDraw(t *testing.T) {
	var d sampler.Distribution
	for i, p := range pairs {
		for _, vocab := range []int{2, 3, 50, 2000} {
			rng := rand.New(rand.NewPCG(uint64(i), uint64(vocab)))
			logits, text := randomRow(rng, vocab)
			if err := d.Reset(logits); err != nil {
				t.Fatal(err)
			}
			h := sampler.History{Tokens: text, Toss: toss}
			step, _ := p.step(rng, text)
			if err := step.Apply(&d, &h); err != nil {
				continue // no token left
			}
			probs := d.Probs(nil)
			for what, err := range map[string]error{
				"stratified": samplertest.Stratified(probs, 10000, d.Draw),
				"reachable":  samplertest.Reachable(probs, d.Draw),
			} {
				if err != nil {
					t.Errorf("V=%d %T%+v: %s: %v", vocab, step, step, what, err)
				}
			}
		}
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(5, 5)) }
