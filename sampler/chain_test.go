package sampler_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/samplertest"
)

// everything is a chain of every step that there is, most of which do something.
func everything() sampler.Chain {
	return sampler.Chain{
		sampler.LogitBias{3: 0.5, 9: -inf, 11: -1e300}, sampler.SequenceBias{Sequence: []int{1, 2}, Bias: -inf},
		sampler.RepetitionPenalty{Penalty: 1.2, Scope: sampler.Scope{Of: sampler.OutputOnly, Last: 20}},
		sampler.RepetitionPenalty{Penalty: 1.02, Normalize: true}, sampler.FrequencyPenalty{Penalty: 0.1},
		sampler.PresencePenalty{Penalty: 0.2},
		sampler.NoRepeatNGram{N: 3}, sampler.DRY{Multiplier: 0.8, Breakers: [][]int{{4}, {5, 6}}},
		sampler.BadWords{Words: [][]int{{7}, {8, 1}}},
		sampler.MinLength{Length: 3, Stop: []int{0}}, sampler.ForcedTokens{At: 5, Tokens: []int{12}},
		sampler.SuppressedTokens{13},
		sampler.DynamicTemperature{Low: 0.5, High: 1.5, Exponent: 1}, sampler.Temperature(1.1),
		sampler.TopNSigma(3), sampler.TopK(400), sampler.TopKTies(390), sampler.TopH(0.99), sampler.TypicalP(0.99),
		sampler.TypicalRule{P: 0.99, Ties: true, MinKeep: 2}, sampler.TopP(0.98), sampler.MinP(0.001),
		sampler.AtLeast{N: 3, Step: sampler.MinP(0.002)}, sampler.Epsilon(1e-4), sampler.Eta(1e-4),
		sampler.XTC{Probability: 0.5, Threshold: 0.1},
		&sampler.Mirostat1{Tau: 6, Eta: 0.1}, &sampler.AdaptiveP{Target: 0.2, Decay: 0.9}, &sampler.Mirostat{Tau: 5,
			Eta: 0.1},
	}
}

// Saved in the middle of a text, copied by Clone or loaded, a sampler of every step goes on with the same tokens.
func TestChainsAreSaved(t *testing.T) {
	logits := row("gauss", 500)
	s := &sampler.Sampler{Steps: append(everything(), sampler.AllowedTokens{2, 1, 3}, sampler.PLess{}), Seed: 7}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back sampler.Sampler
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back.Steps, s.Steps) {
		t.Fatalf("the chain comes back as %#v, %v", back.Steps, err)
	}

	s = &sampler.Sampler{Steps: everything(), History: sampler.NewHistory(1, 2, 3, 1, 2), Seed: 7, Stream: 8,
		Stop: []int{0}}
	samples(t, s, logits, 20)
	copies := []*sampler.Sampler{{}, {}, nil}
	if data, err = json.Marshal(s); err == nil {
		err = json.Unmarshal(data, copies[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := firstError(gob.NewEncoder(&buf).Encode(s), gob.NewDecoder(&buf).Decode(copies[1])); err != nil {
		t.Fatal(err)
	}
	if copies[2], err = s.Clone(); err != nil {
		t.Fatal(err)
	}
	want := samples(t, s, logits, 40)
	for i, c := range copies {
		if got := samples(t, c, logits, 40); !slices.Equal(got, want) {
			t.Errorf("copy %d draws %v, want %v", i, got, want)
		}
		if !reflect.DeepEqual(c.History, s.History) || c.Step != s.Step || len(c.History.Tokens) != 65 ||
			c.History.Prompt != 5 {
			t.Errorf("copy %d ends at step %d with %+v, want %d with %+v", i, c.Step, c.History, s.Step, s.History)
		}
	}
	if slices.Index(want, want[0]) == len(want)-1 || len(slices.Compact(slices.Sorted(slices.Values(want)))) < 5 {
		t.Errorf("tokens %v say little", want)
	}
}

// An assigned copy has a history of its own, wherever the two go on.
func TestAssignedHistories(t *testing.T) {
	a := sampler.Sampler{Steps: sampler.Chain{sampler.RepetitionPenalty{Penalty: 1.3}}, Seed: 1}
	logits := row("gauss", 50)
	samples(t, &a, logits, 5)
	b := a
	b.Seed = 2
	x := samples(t, &a, logits, 10)
	y := samples(t, &b, logits, 10)
	if !slices.Equal(a.History.Tokens[5:], x) || !slices.Equal(b.History.Tokens[5:], y) || slices.Equal(x, y) {
		t.Errorf("histories are %v and %v, drawn were %v and %v", a.History.Tokens, b.History.Tokens, x, y)
	}
}

func TestChainErrors(t *testing.T) {
	logits := []float32{1, 2, 3}
	for _, c := range []struct {
		name string
		s    sampler.Sampler
		want string
	}{
		{"temperature beside steps", sampler.Sampler{Steps: sampler.Chain{}, Temperature: 1}, "beside Steps"},
		{"top-k beside steps", sampler.Sampler{Steps: sampler.Chain{}, TopK: 1}, "beside Steps"},
		{"top-p beside steps", sampler.Sampler{Steps: sampler.Chain{}, TopP: 1}, "beside Steps"},
		{"min-p beside steps", sampler.Sampler{Steps: sampler.Chain{}, MinP: 1}, "beside Steps"},
		{"history without steps", sampler.Sampler{History: sampler.NewHistory(1)}, "history of 1 tokens without Steps"},
		{"token out of the vocabulary", sampler.Sampler{Steps: sampler.Chain{sampler.PresencePenalty{}},
			History: sampler.NewHistory(3)},
			"step 0 of 1, PresencePenalty: sampler: token 3 is not in [0, 3)"},
		{"a mask of all", sampler.Sampler{Steps: sampler.Chain{sampler.TopK(2), sampler.AllowedTokens{0}}},
			"step 1 of 2, AllowedTokens"},
	} {
		token, err := c.s.Sample(logits)
		if err == nil || !strings.Contains(err.Error(), c.want) || token != -1 || c.s.Step != 0 {
			t.Errorf("%s: Sample = %d, %v at step %d, want %q", c.name, token, err, c.s.Step, c.want)
		}
		if _, err := c.s.Probs(nil, logits); err == nil {
			t.Errorf("%s: Probs succeeds", c.name)
		}
		if r, err := c.s.SampleReport(logits, 1); err == nil || r.Token != -1 || c.s.Step != 0 {
			t.Errorf("%s: SampleReport = %+v, %v", c.name, r, err)
		}
	}
	// No steps at all are a draw from the softmax.
	s := sampler.Sampler{Steps: sampler.Chain{}}
	if probs, err := s.Probs(nil, logits); err != nil || math.Abs(probs[0]-0.0900305731703805) > 1e-15 {
		t.Errorf("no steps: %v, %v", probs, err)
	}
}

// foreign is a step of another package, a pointer without Clone.
type foreign struct{ last int }

func (f *foreign) Apply(d *sampler.Distribution, h *sampler.History) error {
	f.last = len(h.Tokens)
	return d.TopK(1)
}

func TestForeignSteps(t *testing.T) {
	f := new(foreign)
	s := sampler.Sampler{Steps: sampler.Chain{sampler.Temperature(1), f}, History: sampler.NewHistory(0, 0)}
	if got := samples(t, &s, []float32{1, 2}, 3); !slices.Equal(got, []int{1, 1, 1}) || f.last != 4 {
		t.Errorf("drew %v, the last step saw %d tokens", got, f.last)
	}
	if _, err := s.Clone(); err == nil || !strings.Contains(err.Error(),
		"step 1 of 2, a *sampler_test.foreign, has no Clone") {
		t.Errorf("Clone: %v", err)
	}
	if _, err := json.Marshal(s); err == nil || !strings.Contains(err.Error(), "*sampler_test.foreign cannot be saved") {
		t.Errorf("Marshal: %v", err)
	}
	for _, text := range []string{
		`[{"TopQ":1}]`, `[{"TopK":1,"TopP":1}]`, `[{}]`, `[1]`, `{}`, `[{"TopK":"x"}]`, `[{"XTC":{"Chance":1}}]`, `[null]`,
		`[{"AtLeast":{"N":2}}]`, `[{"AtLeast":{"N":2,"K":1}}]`, `[{"LogitBias":{"1":"x"}}]`, `[{"LogitBias":[]}]`,
		`[{"DRY":{"Scope":{"Of":"prompt"}}}]`,
	} {
		var c sampler.Chain
		if err := json.Unmarshal([]byte(text), &c); err == nil {
			t.Errorf("%s is read as %#v", text, c)
		}
	}
}

// Apply leaves a sampler as it is, Accept moves it on as Sample does.
func TestAccept(t *testing.T) {
	logits := row("gauss", 300)
	newSampler := func() *sampler.Sampler { return &sampler.Sampler{Steps: everything(), Seed: 3} }
	a, b := newSampler(), newSampler()
	var d sampler.Distribution
	for range 30 {
		if _, err := b.Probs(nil, logits); err != nil {
			t.Fatal(err)
		}
		if err := firstError(d.Reset(logits), b.Apply(&d)); err != nil {
			t.Fatal(err)
		}
		token := draw(t, &d, sampler.Uniform(b.Seed, b.Stream, b.Step))
		if err := b.Accept(&d, token); err != nil {
			t.Fatal(err)
		}
		if want := sample(t, a, logits); token != want {
			t.Fatalf("drew %d by hand, want %d", token, want)
		}
	}
	if err := firstError(d.Reset(logits), d.TopK(1)); err != nil {
		t.Fatal(err)
	}
	for _, token := range []int{-1, 300, (kept(&d)[0] + 1) % 300} {
		if err := b.Accept(&d, token); err == nil || b.Step != 30 {
			t.Errorf("token %d is accepted: %v, step %d", token, err, b.Step)
		}
	}
}

// Generate shows the steps the prompt and what has been drawn, anew each time.
func TestGenerateKeepsHistory(t *testing.T) {
	s := sampler.Sampler{Steps: sampler.Chain{sampler.Temperature(0)}, Stop: []int{8}}
	for range 2 {
		got, err := collect(s.Generate(context.Background(), new(counter), []int{2, 4}, 9))
		if want := []int{2, 4, 5, 6, 7, 8}; err != nil || !slices.Equal(got, want[2:5]) ||
			!slices.Equal(s.History.Tokens, want) || s.History.Prompt != 2 {
			t.Errorf("generated %v, %v with history %+v, want %v", got, err, s.History, want)
		}
	}
}

// Mu of mirostat and the target of adaptive-p move as their formulas say.
func TestLearners(t *testing.T) {
	logits := row("gauss", 100)
	raw := samplertest.NewReference(logits).Probs()
	m := &sampler.Mirostat{Tau: 3, Eta: 0.2}
	a := &sampler.AdaptiveP{Target: 0.1, Decay: 0.8}
	sm := sampler.Sampler{Steps: sampler.Chain{m}, Seed: 1}
	sa := sampler.Sampler{Steps: sampler.Chain{a}, Seed: 1}
	mu, sum, total := 6.0, 0.1/(1-0.8), 1/(1-0.8)
	for range 25 {
		r := samplertest.NewReference(logits)
		r.MaxSurprise(mu)
		token := sample(t, &sm, logits)
		mu -= 0.2 * (-math.Log2(r.Probs()[token]) - 3)
		if math.Abs(m.Mu-mu) > 1e-12 {
			t.Fatalf("mu is %v, want %v", m.Mu, mu)
		}

		r = samplertest.NewReference(logits)
		r.AdaptiveP(min(max(2*0.1-sum/total, 0), 1))
		probs, err := sa.Probs(nil, logits)
		if err != nil {
			t.Fatal(err)
		}
		for id, p := range r.Probs() {
			if math.Abs(probs[id]-p) > 1e-12 {
				t.Fatalf("token %d has probability %v, want %v", id, probs[id], p)
			}
		}
		token = sample(t, &sa, logits)
		sum, total = raw[token]+0.8*sum, 1+0.8*total
		if math.Abs(a.WeightedSum-sum) > 1e-12 || math.Abs(a.TotalWeight-total) > 1e-12 {
			t.Fatalf("the average is %v / %v, want %v / %v", a.WeightedSum, a.TotalWeight, sum, total)
		}
	}
	if m.Drawn != 25 || a.Drawn != 25 {
		t.Errorf("learnt from %d and %d tokens", m.Drawn, a.Drawn)
	}
}

// Mirostat brings the mean surprise of a long text to Tau.
func TestMirostatReachesTau(t *testing.T) {
	logits := row("flat", 3000)
	for name, step := range map[string]sampler.Step{
		"2": &sampler.Mirostat{Tau: 4, Eta: 0.1}, "1": &sampler.Mirostat1{Tau: 4, Eta: 0.1},
	} {
		s := sampler.Sampler{Steps: sampler.Chain{step}, Seed: 1}
		bits := 0.0
		for i := range 600 {
			r, err := s.SampleReport(logits, 0)
			if err != nil {
				t.Fatal(err)
			}
			if i >= 100 {
				bits -= r.LogProb / math.Ln2 / 500
			}
		}
		if math.Abs(bits-4) > 0.1 {
			t.Errorf("version %s: %v bits a token, want 4", name, bits)
		}
	}
}

func TestReport(t *testing.T) {
	logits := []float32{0, 3, 2, 1, float32(-inf)}
	s := sampler.Sampler{Temperature: 1, TopK: 3, TopP: 0.8}
	twin := s
	r, err := s.SampleReport(logits, 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := sample(t, &twin, logits); r.Token != want || s.Step != 1 {
		t.Errorf("token %d at step %d, want %d", r.Token, s.Step, want)
	}
	raw, after := samplertest.NewReference(logits), samplertest.NewReference(logits)
	after.TopK(2)
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-14 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	near("raw log-probability", r.RawLogProb, raw.LogProbs()[r.Token])
	near("log-probability", r.LogProb, after.LogProbs()[r.Token])
	near("raw entropy", r.RawEntropy, raw.Entropy())
	near("entropy", r.Entropy, after.Entropy())
	if r.RawRank != slices.Index(raw.Ranking(), r.Token)+1 || r.Rank != r.RawRank {
		t.Errorf("ranks are %d and %d", r.RawRank, r.Rank)
	}
	if len(r.RawTop) != 2 || len(r.Top) != 2 || r.RawTop[1].Token != 2 || r.Top[0].Token != 1 {
		t.Errorf("top tokens are %v and %v", r.RawTop, r.Top)
	}
	near("raw top", r.RawTop[0].Prob, raw.Probs()[1])
	near("top", r.Top[1].Prob, after.Probs()[2])
	p := raw.Probs()
	want := []sampler.StepReport{{"Temperature", 4, 1}, {"TopK", 3, 1 - p[0]}, {"TopP", 2,
		(p[1] + p[2]) / (1 - p[0])}, {"MinP", 2, 1}}
	for i, at := range r.Trace {
		near(at.Step, at.Mass, want[i].Mass)
		at.Mass = want[i].Mass
		if at != want[i] {
			t.Errorf("step %d reports %+v, want %+v", i, at, want[i])
		}
	}
	if len(r.Trace) != 4 {
		t.Errorf("trace is %v", r.Trace)
	}
	if _, err := s.SampleReport(logits, -1); err == nil {
		t.Error("a report of the top -1 succeeds")
	}
	var empty sampler.Distribution
	if empty.Entropy() != 0 || empty.Rank(0) != 0 || empty.Top(nil, 3) != nil || empty.LogProb(0) != -inf {
		t.Error("an empty distribution has an entropy, ranks or tokens")
	}
}

func TestChainDoesNotAllocate(t *testing.T) {
	llama, err := sampler.LlamaCPP{
		TopK: 40, TopP: 0.95, MinP: 0.05, TypP: 0.99, Temp: 0.8, DynatempRange: 0.3, DynatempExponent: 1,
		TopNSigma: 3, XTCProbability: 0.5, XTCThreshold: 0.1,
		PenaltyLastN: 64, PenaltyRepeat: 1.1, PenaltyFreq: 0.1, PenaltyPresent: 0.1, DryMultiplier: 0.8,
		DryBase: 1.75, DryAllowedLength: 2,
		DryPenaltyLastN: -1, LogitBias: map[int]float64{3: 1, 4: -inf}, AdaptiveP: true, AdaptiveTarget: 0.3,
	}.Chain()
	if err != nil {
		t.Fatal(err)
	}
	for name, chain := range map[string]sampler.Chain{
		"llama.cpp": llama,
		"whole row": {sampler.TopNSigma(9), sampler.TypicalP(0.999), sampler.TopH(0.99), sampler.Epsilon(1e-9),
			sampler.Eta(1e-9), &sampler.Mirostat{Tau: 5}},
		"masks": {sampler.NoRepeatNGram{N: 40}, sampler.SuppressedTokens{7}, sampler.AllowedTokens{1, 2, 3, 90,
			80, 5, 6}, sampler.TopKTies(5), &sampler.Mirostat1{Tau: 5}},
	} {
		s := sampler.Sampler{Steps: chain}
		logits := row("gauss", 20000)
		samples(t, &s, logits, 200)
		s.History.Tokens = slices.Grow(s.History.Tokens, 100)
		if n := testing.AllocsPerRun(20, func() { sample(t, &s, logits) }); n != 0 {
			t.Errorf("%s: %v allocations a token, want 0", name, n)
		}
	}
}

// The tokens that Sample draws are as frequent as probable, over a panel of seeds.
func TestSampleFrequencies(t *testing.T) {
	for _, c := range []struct {
		vocab int
		chain sampler.Chain
	}{
		{2, sampler.Chain{}},
		{5, sampler.Chain{sampler.Temperature(1.5)}},
		{500, sampler.Chain{sampler.TypicalP(0.95), sampler.Temperature(0.9)}},
		{5000, sampler.Chain{sampler.MinP(0.01), sampler.TopNSigma(3), sampler.TopH(0.8)}},
	} {
		logits := row("gauss", c.vocab)
		for seed := range uint64(4) {
			s := sampler.Sampler{Steps: c.chain, Seed: seed}
			probs, err := s.Probs(nil, logits)
			if err != nil {
				t.Fatal(err)
			}
			counts := make([]int, c.vocab)
			for range 3000 {
				counts[sample(t, &s, logits)]++
			}
			g, critical, err := samplertest.GTest(counts, probs, 1e-6)
			if err != nil || g > critical {
				t.Errorf("V=%d, seed %d: G is %v, critical %v, %v", c.vocab, seed, g, critical, err)
			}
		}
	}
}
