package sampler_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// Parameters out of range are errors that name them, and so is a distribution that is empty.
func TestStepErrors(t *testing.T) {
	nan := math.NaN()
	none := &sampler.History{}
	for _, c := range []struct {
		step sampler.Step
		want string
	}{
		{sampler.Temperature(nan), "temperature is NaN"},
		{sampler.DynamicTemperature{Low: nan, High: 1}, "from NaN to 1"},
		{sampler.DynamicTemperature{Low: -1, High: 1}, "from -1 to 1"},
		{sampler.DynamicTemperature{Low: 2, High: 1}, "from 2 to 1"},
		{sampler.DynamicTemperature{High: inf}, "from 0 to +Inf"},
		{sampler.DynamicTemperature{High: 1, Exponent: -1}, "exponent of the dynamic temperature is -1"},
		{sampler.DynamicTemperature{High: 1, Exponent: nan}, "exponent of the dynamic temperature is NaN"},
		{sampler.DynamicTemperature{High: 1, Exponent: inf}, "exponent of the dynamic temperature is +Inf"},
		{sampler.TopK(-1), "top-k is -1"},
		{sampler.TopKTies(-1), "top-k is -1"},
		{sampler.TopP(1.1), "top-p is 1.1"},
		{sampler.MinP(nan), "min-p is NaN"},
		{sampler.TypicalP(-0.1), "typical-p is -0.1"},
		{sampler.TypicalP(1.1), "typical-p is 1.1"},
		{sampler.TypicalP(nan), "typical-p is NaN"},
		{sampler.TypicalRule{MinKeep: -1}, "at least -1 tokens"},
		{sampler.Epsilon(-0.1), "epsilon is -0.1"},
		{sampler.Epsilon(1), "epsilon is 1"},
		{sampler.Epsilon(nan), "epsilon is NaN"},
		{sampler.Eta(-0.1), "eta is -0.1"},
		{sampler.Eta(1), "eta is 1"},
		{sampler.Eta(nan), "eta is NaN"},
		{sampler.TopNSigma(-1), "top-n-sigma is -1"},
		{sampler.TopNSigma(nan), "top-n-sigma is NaN"},
		{sampler.TopNSigma(inf), "top-n-sigma is +Inf"},
		{sampler.TopH(-0.1), "top-h is -0.1"},
		{sampler.TopH(1.1), "top-h is 1.1"},
		{sampler.TopH(nan), "top-h is NaN"},
		{sampler.XTC{Probability: -0.1}, "probability of xtc is -0.1"},
		{sampler.XTC{Probability: 1.1}, "probability of xtc is 1.1"},
		{sampler.XTC{Probability: nan}, "probability of xtc is NaN"},
		{sampler.XTC{Threshold: -0.1}, "threshold of xtc is -0.1"},
		{sampler.XTC{Threshold: 0.51}, "threshold of xtc is 0.51"},
		{sampler.XTC{Threshold: nan}, "threshold of xtc is NaN"},
		{sampler.XTC{MinKeep: -1}, "at least -1 tokens"},
		{&sampler.Mirostat{Tau: -1}, "tau -1"},
		{&sampler.Mirostat{Tau: nan}, "tau NaN"},
		{&sampler.Mirostat{Eta: -1}, "eta -1"},
		{&sampler.Mirostat{Eta: inf}, "eta +Inf"},
		{&sampler.Mirostat{Drawn: 1, Mu: nan}, "surprise is NaN"},
		{&sampler.Mirostat1{Tau: -1}, "tau -1"},
		{&sampler.Mirostat1{M: 1}, "from 1 tokens"},
		{&sampler.AdaptiveP{Target: 1.1}, "target 1.1"},
		{&sampler.AdaptiveP{Target: nan}, "target NaN"},
		{&sampler.AdaptiveP{Decay: 1}, "decay 1"},
		{sampler.RepetitionPenalty{Penalty: -1}, "repetition penalty is -1"},
		{sampler.RepetitionPenalty{Penalty: nan}, "repetition penalty is NaN"},
		{sampler.RepetitionPenalty{Penalty: inf}, "repetition penalty is +Inf"},
		{sampler.FrequencyPenalty{Penalty: inf}, "frequency penalty is +Inf"},
		{sampler.PresencePenalty{Penalty: nan}, "presence penalty is NaN"},
		{sampler.PresencePenalty{Scope: sampler.Scope{Last: -1}}, "last -1 tokens"},
		{sampler.PresencePenalty{Scope: sampler.Scope{Of: 3}}, "part 3 of a text"},
		{sampler.NoRepeatNGram{N: -1}, "n-gram of -1 tokens"},
		{sampler.DRY{Multiplier: -1}, "multiplier of dry is -1"},
		{sampler.DRY{Multiplier: nan}, "multiplier of dry is NaN"},
		{sampler.DRY{Base: 0.5}, "base of dry is 0.5"},
		{sampler.DRY{Base: inf}, "base of dry is +Inf"},
		{sampler.DRY{AllowedLength: -1}, "allowed length of dry is -1"},
		{sampler.DRY{Breakers: [][]int{{1}, {}}}, "breaker 1 of dry is empty"},
		{sampler.BadWords{Words: [][]int{{}}}, "a sequence of no tokens"},
		{sampler.BadWords{Words: [][]int{{9}}}, "token 9 is not in [0, 2)"},
		{sampler.SequenceBias{Sequence: []int{1}, Bias: nan}, "bias is NaN"},
		{sampler.SequenceBias{Sequence: []int{1}, Bias: inf}, "bias is +Inf"},
		{sampler.LogitBias{1: nan}, "token 1: sampler: bias is NaN"},
		{sampler.LogitBias{-1: 1}, "token -1 is not in [0, 2)"},
		{sampler.LogitBias{0: -inf, 1: -inf}, "leaves no token"},
		{sampler.AllowedTokens{2}, "token 2 is not in [0, 2)"},
		{sampler.AllowedTokens{}, "leaves no token"},
		{sampler.SuppressedTokens{2}, "token 2 is not in [0, 2)"},
		{sampler.SuppressedTokens{0, 1, 0}, "leaves no token"},
		{sampler.ForcedTokens{At: -1}, "forced at -1"},
		{sampler.ForcedTokens{Tokens: []int{-3}}, "token -3 is not in [0, 2)"},
		{sampler.MinLength{Length: -1}, "minimum length is -1"},
		{sampler.MinLength{Length: 1, Stop: []int{0, 1}}, "leaves no token"},
		{sampler.MinLength{Stop: []int{5}}, "token 5 is not in [0, 2)"},
		{sampler.AtLeast{N: -1, Step: sampler.TopP(1)}, "at least -1 tokens"},
		{sampler.AtLeast{N: 1, Step: sampler.TopK(1)}, "of a sampler.TopK"},
		{sampler.AtLeast{N: 1}, "of a <nil>"},
	} {
		d := reset(t, []float32{1, 2})
		if err := c.step.Apply(d, none); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T%+v: error is %v, want %q", c.step, c.step, err, c.want)
		}
		chain := sampler.Chain{sampler.TopK(2), c.step}
		if err := chain.Apply(reset(t, []float32{1, 2}), none); err == nil || !strings.Contains(err.Error(),
			"step 1 of 2") {
			t.Errorf("%T%+v in a chain: error is %v, which does not name the step", c.step, c.step, err)
		}
	}
	for _, p := range pairs {
		step, _ := p.step(newRand(), nil)
		if err := step.Apply(new(sampler.Distribution), &sampler.History{}); err == nil {
			t.Errorf("%T of an empty distribution succeeds", step)
		}
	}
	for _, h := range []*sampler.History{nil, {Prompt: 1}, {Prompt: -1}} {
		for _, step := range []sampler.Step{
			sampler.RepetitionPenalty{}, sampler.FrequencyPenalty{}, sampler.PresencePenalty{},
			sampler.NoRepeatNGram{}, sampler.DRY{},
			sampler.BadWords{}, sampler.SequenceBias{}, sampler.ForcedTokens{}, sampler.MinLength{},
		} {
			if err := step.Apply(reset(t, []float32{1, 2}), h); err == nil || !strings.Contains(err.Error(), "history") {
				t.Errorf("%T with history %+v: error is %v", step, h, err)
			}
		}
	}
	if err := (sampler.XTC{}).Apply(reset(t, []float32{1}), nil); err == nil {
		t.Error("xtc without history succeeds")
	}
	if err := (sampler.XTC{}).Apply(reset(t, []float32{1}), &sampler.History{Toss: 1}); err == nil {
		t.Error("xtc with a toss of 1 succeeds")
	}
	if err := (sampler.Chain{nil}).Apply(reset(t, []float32{1}), none); err == nil || !strings.Contains(err.Error(),
		"step 0 of 1 is nil") {
		t.Errorf("nil step: error is %v", err)
	}
}

// A mask that leaves nothing leaves an empty distribution, and one that has gone over all numbers too.
func TestMasksThatLeaveNothing(t *testing.T) {
	for name, mask := range map[string]func(d *sampler.Distribution) error{
		"suppress": func(d *sampler.Distribution) error { return d.Suppress(2, 0) },
		"allow":    func(d *sampler.Distribution) error { return d.Allow(1) },
		"bias":     func(d *sampler.Distribution) error { return firstError(d.Bias(0, -inf), d.Bias(2, -inf)) },
		"n-gram":   func(d *sampler.Distribution) error { return d.NoRepeatNGram([]int{0, 2}, 1) },
		"overflow": func(d *sampler.Distribution) error {
			return firstError(d.Bias(0, math.MaxFloat64), d.Bias(0, math.MaxFloat64))
		},
		"list":        func(d *sampler.Distribution) error { return firstError(d.TopK(2), d.Suppress(0, 1, 2)) },
		"list, allow": func(d *sampler.Distribution) error { return firstError(d.TopK(2), d.Allow(1, 1)) },
		"list of overflow": func(d *sampler.Distribution) error {
			return firstError(d.TopK(1), d.Bias(2, math.MaxFloat64), d.Bias(2, math.MaxFloat64))
		},
	} {
		d := reset(t, []float32{1, float32(-inf), 2})
		if err := mask(d); err == nil {
			t.Errorf("%s succeeds", name)
		}
		if _, err := d.Draw(0); err == nil || d.Len() != 0 {
			t.Errorf("%s: %d tokens are left, Draw fails with %v", name, d.Len(), err)
		}
		if err := d.Reset([]float32{1, 2}); err != nil || d.Prob(1) < 0.7 {
			t.Errorf("%s: after Reset the probability is %v, %v", name, d.Prob(1), err)
		}
	}
}

// Only Force brings back what is masked.
func TestMaskedStaysMasked(t *testing.T) {
	for _, look := range []bool{false, true} {
		d := reset(t, []float32{1, float32(-inf), 2})
		if look {
			d.Prob(0)
		}
		err := firstError(d.Bias(1, 100), d.RepetitionPenalty([]int{1, 1}, 0.1), d.FrequencyPenalty([]int{1}, -9),
			d.PresencePenalty([]int{1}, -9))
		if got := kept(d); err != nil || !slices.Equal(got, []int{0, 2}) {
			t.Errorf("kept %v, %v", got, err)
		}
		if err := d.Force(1); err != nil || d.Prob(1) != 1 || d.Len() != 1 {
			t.Errorf("forced token has probability %v of %d, %v", d.Prob(1), d.Len(), err)
		}
		if err := firstError(d.TopP(0.5), d.Temperature(2)); err != nil || draw(t, d, 0.9) != 1 {
			t.Errorf("forced token is not drawn: %v", err)
		}
	}
}

func TestScopes(t *testing.T) {
	h := sampler.NewHistory(1, 2, 3)
	h.Tokens = append(h.Tokens, 4, 5)
	for _, c := range []struct {
		scope sampler.Scope
		want  []int
	}{
		{sampler.Scope{}, []int{1, 2, 3, 4, 5}},
		{sampler.Scope{Last: 4}, []int{2, 3, 4, 5}},
		{sampler.Scope{Last: 9}, []int{1, 2, 3, 4, 5}},
		{sampler.Scope{Of: sampler.PromptOnly}, []int{1, 2, 3}},
		{sampler.Scope{Of: sampler.PromptOnly, Last: 1}, []int{3}},
		{sampler.Scope{Of: sampler.OutputOnly}, []int{4, 5}},
		{sampler.Scope{Of: sampler.OutputOnly, Last: 1}, []int{5}},
	} {
		if got, err := h.In(c.scope); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, %v, want %v", c.scope, got, err, c.want)
		}
	}
	for p := range sampler.Part(3) {
		var back sampler.Part
		if text, err := p.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != p ||
			p.String() != string(text) {
			t.Errorf("part %d comes back as %d: %v", p, back, err)
		}
	}
	if _, err := sampler.Part(3).MarshalText(); err == nil || sampler.Part(3).String() != "no part" {
		t.Error("part 3 is a part")
	}
	if err := new(sampler.Part).UnmarshalText([]byte("prompt")); err == nil {
		t.Error("a part that there is not is read")
	}
}

// What is forced and what is held back depends on how long the output is.
func TestStepsByPosition(t *testing.T) {
	logits := []float32{9, 1, 2, 3}
	for _, c := range []struct {
		step    sampler.Step
		outputs [][]int // that many tokens of output, which tokens are kept
	}{
		{sampler.ForcedTokens{Tokens: []int{2, 1}}, [][]int{{2}, {1}, {0, 1, 2, 3}}},
		{sampler.ForcedTokens{At: 1, Tokens: []int{3}}, [][]int{{0, 1, 2, 3}, {3}, {0, 1, 2, 3}}},
		{sampler.MinLength{Length: 2, Stop: []int{0, 3}, Of: sampler.OutputOnly}, [][]int{{1, 2}, {1, 2}, {0, 1, 2, 3}}},
		{sampler.MinLength{Length: 4, Stop: []int{0}}, [][]int{{1, 2, 3}, {0, 1, 2, 3}}},
	} {
		h := sampler.NewHistory(1, 1, 1)
		for i, want := range c.outputs {
			d := reset(t, logits)
			if err := c.step.Apply(d, &h); err != nil {
				t.Fatal(err)
			}
			if got := kept(d); !slices.Equal(got, want) {
				t.Errorf("%T%+v after %d tokens keeps %v, want %v", c.step, c.step, i, got, want)
			}
			h.Tokens = append(h.Tokens, 1)
		}
	}
}

// XTC tosses: it excludes where the toss is below the probability.
func TestXTCChance(t *testing.T) {
	logits := []float32{3, 3, 0}
	for _, c := range []struct {
		toss, probability float64
		want              int
	}{{0, 0, 3}, {0, 5e-324, 2}, {0.3, 0.3, 3}, {math.Nextafter(0.3, 0), 0.3, 2}, {justBelow1, 1, 2}} {
		d := reset(t, logits)
		step := sampler.XTC{Probability: c.probability, Threshold: 0.1}
		if err := step.Apply(d, &sampler.History{Toss: c.toss}); err != nil || d.Len() != c.want {
			t.Errorf("toss %v, probability %v: %d tokens, %v, want %d", c.toss, c.probability, d.Len(), err, c.want)
		}
	}
}
