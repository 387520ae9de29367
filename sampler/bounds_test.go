package sampler_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// The ends of the ranges that settings may lie in belong to them.
func TestSettingsAtTheirBounds(t *testing.T) {
	row := []float32{2, 1, 0, 1}
	for _, step := range []sampler.Step{
		&sampler.AdaptiveP{Target: 0, Decay: 0},
		&sampler.AdaptiveP{Target: 1, Decay: 0.99},
		sampler.DRY{Multiplier: math.MaxFloat32, Base: math.MaxFloat32},
		sampler.DynamicTemperature{Low: 2, High: 2},
		sampler.DynamicTemperature{Low: 0, High: math.MaxFloat64, Exponent: math.MaxFloat64},
		sampler.FrequencyPenalty{Penalty: math.MaxFloat64},
		&sampler.Mirostat{Tau: math.MaxFloat32, Eta: math.MaxFloat32},
		sampler.PresencePenalty{Penalty: -math.MaxFloat64},
		sampler.RepetitionPenalty{Penalty: math.MaxFloat64},
		sampler.TopNSigma(math.MaxFloat64),
		sampler.LogitBias{2: math.MaxFloat64},
	} {
		var d sampler.Distribution
		if err := d.Reset(row); err != nil {
			t.Fatal(err)
		}
		h := sampler.NewHistory()
		if err := step.Apply(&d, &h); err != nil {
			t.Errorf("%T%+v: %v", step, step, err)
		}
	}
	if token, err := sampler.Multinomial([]float64{0, math.MaxFloat64}, 0.5); token != 1 || err != nil {
		t.Errorf("of weights 0 and the largest number %d is drawn, %v", token, err)
	}
	var s sampler.Sampler
	if r, err := s.SampleReport(row, 0); err != nil || r.Token != 0 || len(r.Top) != 0 {
		t.Errorf("a report of no candidates is %+v, %v", r, err)
	}
	for _, temperature := range []float64{1e-9, 1e9} {
		c := sampler.Contrastive{Expert: newToy(fixed(row...)), Amateur: newToy(fixed(row...)), Temperature: temperature}
		if _, err := c.Next(context.Background(), 1); err != nil {
			t.Errorf("contrastive decoding at temperature %v: %v", temperature, err)
		}
	}
	for _, b := range []sampler.Beam{
		{LengthPenalty: 16}, {LengthPenalty: -16}, {GNMTPenalty: 16}, {Width: 2, Groups: 2, Diversity: math.MaxFloat64},
	} {
		found, err := sampler.BeamSearch(context.Background(), b, newToy(fixed(row...)), []int{1}, 1)
		if err != nil || len(found) != max(b.Width, 1) || len(found[0].Tokens) != 1 {
			t.Errorf("%+v finds %v, %v", b, found, err)
		}
	}
}

// Settings that change nothing add no step to the chain of a preset, but for the temperature.
func TestPresetsOfNothing(t *testing.T) {
	for _, p := range []preset{
		llama(func(*sampler.LlamaCPP) {}), llama(func(p *sampler.LlamaCPP) { p.TopNSigma, p.DynatempRange = 0, 0 }),
		hugging(func(*sampler.HuggingFace) {}), hugging(func(p *sampler.HuggingFace) { p.TypicalP = 0 }),
		hugging(func(p *sampler.HuggingFace) { p.EOSTokenID = []int{1} }),
		vllm(func(*sampler.VLLM) {}), vllm(func(p *sampler.VLLM) { p.StopTokenIDs = []int{1} }),
		vllm(func(p *sampler.VLLM) { p.MinTokens = 1 }),
	} {
		chain, err := p.Chain()
		if err != nil {
			t.Errorf("%+v: %v", p, err)
		}
		for _, step := range chain {
			if step != sampler.Step(sampler.Temperature(1)) {
				t.Errorf("the chain of %+v has %T%+v", p, step, step)
			}
		}
	}
	biased := vllm(func(p *sampler.VLLM) { p.LogitBias = map[int]float64{} })
	if chain, err := biased.Chain(); err != nil || !reflect.DeepEqual(chain, sampler.Chain{sampler.Temperature(1)}) {
		t.Errorf("biases of no tokens make %v, %v", chain, err)
	}
}

// What LlamaCPP takes out of its range it brings back to the end of the range, and no further.
func TestLlamaCPPClamps(t *testing.T) {
	for _, c := range []struct {
		change func(p *sampler.LlamaCPP)
		last   sampler.Step
	}{
		{func(p *sampler.LlamaCPP) { p.Mirostat, p.Temp, p.MirostatTau = 1, 2, 3 }, &sampler.Mirostat1{Tau: 3, Eta: 0.1, M: 100}},
		{func(p *sampler.LlamaCPP) { p.DynatempRange, p.Temp = 0.5, 2 }, sampler.DynamicTemperature{Low: 1.5, High: 2.5, Exponent: 1}},
		{func(p *sampler.LlamaCPP) { p.DynatempRange, p.Temp = 3, 2 }, sampler.DynamicTemperature{Low: 0, High: 5, Exponent: 1}},
		{func(p *sampler.LlamaCPP) { p.DynatempRange, p.Temp = 3, -3 }, sampler.Temperature(0)},
		{func(p *sampler.LlamaCPP) { p.AdaptiveP, p.AdaptiveTarget, p.AdaptiveDecay = true, 0.25, 0.5 },
			&sampler.AdaptiveP{Target: 0.25, Decay: 0.5}},
		{func(p *sampler.LlamaCPP) { p.AdaptiveP, p.AdaptiveTarget, p.AdaptiveDecay = true, 1, 2 },
			&sampler.AdaptiveP{Target: 1, Decay: 0.99}},
		{func(p *sampler.LlamaCPP) { p.AdaptiveP, p.AdaptiveTarget, p.AdaptiveDecay = true, 0, -1 },
			&sampler.AdaptiveP{Target: 0, Decay: 0}},
	} {
		chain, err := llama(c.change).Chain()
		if err != nil || !reflect.DeepEqual(chain[len(chain)-1], c.last) {
			t.Errorf("the chain is %+v, %v, want %+v at its end", chain, err, c.last)
		}
	}
	chain, err := llama(func(p *sampler.LlamaCPP) { p.Mirostat, p.Temp = 1, 2 }).Chain()
	if err != nil || chain[0] != sampler.Step(sampler.Temperature(2)) {
		t.Errorf("the chain of mirostat at temperature 2 is %+v, %v", chain, err)
	}
	chain, err = llama(func(p *sampler.LlamaCPP) { p.XTCProbability, p.XTCThreshold = 1, 0.5 }).Chain()
	if err != nil || chain[0] != sampler.Step(sampler.XTC{Probability: 1, Threshold: 0.5}) {
		t.Errorf("the chain with xtc at a threshold of 0.5 is %+v, %v", chain, err)
	}
	chain, err = llama(func(p *sampler.LlamaCPP) { p.DryMultiplier, p.DryBase, p.DryPenaltyLastN = 1, 1, 7 }).Chain()
	want := sampler.DRY{Multiplier: 1, Base: 1, AllowedLength: 2, Scope: sampler.Scope{Last: 7}}
	if err != nil || !reflect.DeepEqual(chain[0], sampler.Step(want)) {
		t.Errorf("the chain with dry of base 1 is %+v, %v, want %+v", chain, err, want)
	}
	for _, bias := range []float64{math.NaN(), math.Inf(1)} {
		if _, err := llama(func(p *sampler.LlamaCPP) { p.LogitBias = map[int]float64{1: bias} }).Chain(); err == nil {
			t.Errorf("no error of a bias of %v", bias)
		}
	}
	if _, err := hugging(func(p *sampler.HuggingFace) { p.Temperature = math.MaxFloat64 }).Chain(); err != nil {
		t.Error(err)
	}
}

// A Speculative refuses a Sampler that is wrong before it asks its models for anything.
func TestSpeculativeRefusesFirst(t *testing.T) {
	type unable struct{ sampler.TopK }
	for _, s := range []sampler.Sampler{
		{Temperature: -1}, {TopK: -1}, {TopP: -1}, {MinP: -1}, {Steps: sampler.Chain{&unable{}}},
	} {
		target, draft := newToy(fixed(1, 2)), newToy(fixed(1, 2))
		sp := sampler.Speculative{Target: target, Draft: draft}
		if _, err := collect(sp.Generate(context.Background(), &s, []int{1}, 3)); err == nil {
			t.Errorf("no error of %+v", s)
		}
		if *target.calls != 0 || *draft.calls != 0 {
			t.Errorf("%+v: %d calls of the target and %d of the draft before the error", s, *target.calls, *draft.calls)
		}
	}
}

// Tokens next to those of the vocabulary have no probability, whether the distribution is a row or a list.
func TestReportOutsideOfTheVocabulary(t *testing.T) {
	for _, k := range []int{0, 2} {
		var d sampler.Distribution
		if err := d.Reset([]float32{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		if err := d.TopK(k); err != nil {
			t.Fatal(err)
		}
		for _, token := range []int{-1, 3} {
			if p, rank := d.LogProb(token), d.Rank(token); !math.IsInf(p, -1) || rank != 0 {
				t.Errorf("top-k %d: token %d has log-probability %v and rank %d", k, token, p, rank)
			}
		}
		if top := d.Top(nil, -1); top != nil {
			t.Errorf("the top -1 are %v", top)
		}
	}
	var empty sampler.Distribution
	if top := empty.Top(nil, 1); top != nil {
		t.Errorf("the top of nothing are %v", top)
	}
}

// What falls on the edge of a cutoff stays, in a list and among changed logits too.
func TestTopNSigmaAtItsEdge(t *testing.T) {
	// The standard deviation of 1 and -1 is 1.
	for name, d := range map[string]*sampler.Distribution{
		"row":    reset(t, []float32{1, -1}),
		"list":   reset(t, []float32{1, -1, -9}, topK(2)),
		"edited": reset(t, []float32{1, 3}, func(d *sampler.Distribution) error { return d.Bias(1, -4) }),
	} {
		if err := d.TopNSigma(2); err != nil {
			t.Fatal(err)
		}
		if got := kept(d); !slices.Equal(got, []int{0, 1}) {
			t.Errorf("%s: kept %v, want both", name, got)
		}
	}
}

// A bias as large as they get makes a token certain, unless it has been dropped.
func TestLargeBias(t *testing.T) {
	for name, d := range map[string]*sampler.Distribution{
		"row":  reset(t, []float32{0, 1}),
		"list": reset(t, []float32{0, 1, -1}, topK(2)),
	} {
		if err := d.Bias(1, 1000); err != nil {
			t.Fatal(err)
		}
		if p, q := d.Prob(1), d.Prob(0); p != 1 || q != 0 {
			t.Errorf("%s: probabilities %v and %v, want 1 and 0", name, p, q)
		}
	}
	d := reset(t, []float32{0, 1}, topK(1), func(d *sampler.Distribution) error { return d.Bias(0, 1000) })
	if got := d.Top(nil, 1); len(got) != 1 || got[0] != (sampler.Candidate{Token: 1, Prob: 1}) {
		t.Errorf("the top is %+v, want token 1", got)
	}
}

// Tokens whose weight is too small for a float64 count for nothing, however far below the others they are.
func TestEntropyOfTinyWeights(t *testing.T) {
	row := []float32{0, -30, 0, -30, -31}
	for name, d := range map[string]*sampler.Distribution{
		"row":    reset(t, row, temperature(1e-308)),
		"list":   reset(t, row, topK(4), temperature(1e-308)),
		"edited": reset(t, row, func(d *sampler.Distribution) error { return d.Bias(1, -1) }, temperature(1e-308)),
	} {
		if got := d.Entropy(); !(math.Abs(got-math.Ln2) <= 1e-15) {
			t.Errorf("%s: entropy is %v, want log 2", name, got)
		}
		if err := d.TopH(0.3); err != nil {
			t.Fatal(err)
		}
		if got := kept(d); !slices.Equal(got, []int{0}) {
			t.Errorf("%s: top-h keeps %v, want the first", name, got)
		}
	}
}

// The entropy of changed logits is that of what they are, not of the nearest float32.
func TestEntropyOfEdits(t *testing.T) {
	row := make([]float32, 1000)
	d := reset(t, row)
	for i := range row {
		if err := d.Bias(i, float64(i%7)*1.000000013); err != nil {
			t.Fatal(err)
		}
	}
	want := 0.0
	for _, p := range d.Probs(nil) {
		want -= p * math.Log(p)
	}
	if got := d.Entropy(); math.Abs(got-want) > 1e-12 {
		t.Errorf("entropy is %v, want %v", got, want)
	}
}

// Two tokens are enough for an entropy.
func TestDynamicTemperatureOfTwo(t *testing.T) {
	d := reset(t, []float32{1, 1}, func(d *sampler.Distribution) error { return d.DynamicTemperature(1, 3, 1) })
	e := reset(t, []float32{1, 0}, func(d *sampler.Distribution) error { return d.DynamicTemperature(2, 2, 1) })
	if err := d.Bias(0, 1); err != nil { // after a temperature of 3
		t.Fatal(err)
	}
	if got, want := d.Prob(0), 1/(1+math.Exp(-1)); math.Abs(got-want) > 1e-12 {
		t.Errorf("probability %v, want %v", got, want)
	}
	if got, want := e.Prob(0), 1/(1+math.Exp(-0.5)); math.Abs(got-want) > 1e-12 {
		t.Errorf("probability %v at a temperature of 2, want %v", got, want)
	}
}

// The penalty of a long repeat is no larger than a float32 can be.
func TestDRYIsBounded(t *testing.T) {
	text := make([]int, 400)
	for i := range text {
		text[i] = 1
	}
	for base, want := range map[float64]float64{1.75: -0.8 * math.Pow(1.75, 158), 1: -0.8} {
		d := reset(t, []float32{0, 0})
		if err := d.DRY(text, sampler.DRY{Multiplier: 0.8, Base: base}); err != nil {
			t.Fatal(err)
		}
		if got := d.LogProb(1) - d.LogProb(0); math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("base %v: %v below, want %v", base, got, want)
		}
	}
}

// AtLeast adds to what its step keeps, and takes nothing away.
func TestAtLeastKeepsMore(t *testing.T) {
	h := sampler.NewHistory()
	for n, want := range map[int]int{2: 3, 3: 3, 4: 4} {
		d := reset(t, []float32{3, 3, 3, 1, 0})
		if err := (sampler.AtLeast{N: n, Step: sampler.MinP(0.9)}).Apply(d, &h); err != nil {
			t.Fatal(err)
		}
		if d.Len() != want {
			t.Errorf("at least %d keeps %d tokens, want %d", n, d.Len(), want)
		}
	}
}

// A token that the target does not allow is not accepted, whatever number is drawn.
func TestSpeculativeNeverAcceptsTheMasked(t *testing.T) {
	sp := sampler.Speculative{Target: newToy(fixed(float32(-inf), 0)), Draft: newToy(fixed(5, 0))}
	sp.SetUniform(func(uint64, uint64, uint64) float64 { return 0 })
	tokens, err := collect(sp.Generate(context.Background(), &sampler.Sampler{Temperature: 1}, []int{1}, 4))
	if err != nil || !slices.Equal(tokens, []int{1, 1, 1, 1}) {
		t.Errorf("drew %v, %v, want 1 alone", tokens, err)
	}
	if sp.Proposed == 0 || sp.Accepted != 0 {
		t.Errorf("accepted %d of %d", sp.Accepted, sp.Proposed)
	}
}

// empty is a model of no state, of which any two pointers may be equal.
type empty struct{}

func (*empty) Next(context.Context, ...int) ([]float32, error) { return []float32{0, 1}, nil }

func TestModelsOfNoState(t *testing.T) {
	c := sampler.Contrastive{Expert: new(empty), Amateur: new(empty)}
	if _, err := c.Next(context.Background(), 1); err != nil {
		t.Error(err)
	}
}

// forks counts how often a model is forked.
type forks struct {
	*toy
	n *int
}

func (f forks) Fork() (forks, error) {
	*f.n++
	toy, err := f.toy.Fork()
	return forks{toy, f.n}, err
}

// A beam goes on with the model of the one it comes from, and forks it only for a second.
func TestBeamSearchForksAtNeed(t *testing.T) {
	for groups, want := range map[int]int{1: 0, 2: 1, 3: 2} {
		model := forks{newToy(fixed(2, 1, 0)), new(int)}
		b := sampler.Beam{Width: groups, Groups: groups}
		if _, err := sampler.BeamSearch(context.Background(), b, model, []int{1}, 4); err != nil {
			t.Fatal(err)
		}
		if *model.n != want {
			t.Errorf("%d groups of one beam fork %d times, want %d", groups, *model.n, want)
		}
	}
}

// A typicality of 1 keeps all, however little some weigh.
func TestTypicalOfOne(t *testing.T) {
	d := reset(t, []float32{0, -50, -60})
	if err := d.TypicalP(1); err != nil {
		t.Fatal(err)
	}
	if d.Len() != 3 {
		t.Errorf("kept %v, want all", kept(d))
	}
}

// A nucleus of changed logits has them as they are, not as the nearest float32.
func TestTopPOfEdits(t *testing.T) {
	d := reset(t, make([]float32, 100))
	want := make([]float64, 100)
	for i := range want {
		want[i] = float64(i%7) * 0.100000013
		if err := d.Bias(i, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.TopP(0.9); err != nil {
		t.Fatal(err)
	}
	ids := kept(d)
	for _, id := range ids {
		if got, want := d.LogProb(id)-d.LogProb(ids[0]), want[id]-want[ids[0]]; math.Abs(got-want) > 1e-12 {
			t.Fatalf("token %d is %v above token %d, want %v", id, got, ids[0], want)
		}
	}
}

// A context that is cancelled while a round begins lets the round's first token out, and ends it before the second.
func TestSpeculativeIsCancelledWithinARound(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	logits := fixed(0, 1)
	target := newToy(func(text []int) []float32 { cancel(); return logits(text) })
	sp := sampler.Speculative{Target: target, Draft: newToy(logits)}
	var s sampler.Sampler
	tokens, err := collect(sp.Generate(ctx, &s, []int{1}, 5))
	if !errors.Is(err, context.Canceled) || !slices.Equal(tokens, []int{1, -1}) {
		t.Errorf("drew %v, %v, want one token and that the context was cancelled", tokens, err)
	}
}
