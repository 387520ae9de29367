package sampler_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// A preset makes a chain.
type preset interface {
	Chain() (sampler.Chain, error)
	Sampler() (*sampler.Sampler, error)
}

// with is a default with something changed.
func with[P any](p P, change func(*P)) P {
	change(&p)
	return p
}

func llama(change func(*sampler.LlamaCPP)) preset {
	return with(sampler.DefaultLlamaCPP(), func(p *sampler.LlamaCPP) {
		p.TopK, p.TopP, p.MinP, p.Temp = 0, 1, 0, 1
		change(p)
	})
}

func hugging(change func(*sampler.HuggingFace)) preset {
	return with(sampler.DefaultHuggingFace(), func(p *sampler.HuggingFace) {
		p.DoSample, p.TopK = true, 0
		change(p)
	})
}

func vllm(change func(*sampler.VLLM)) preset { return with(sampler.DefaultVLLM(), change) }

// The systems as their sources say, where they agree and where they do not. Probabilities are those of their own tests
// where these have the case: llama.cpp's tests/test-sampling.cpp, transformers' tests/generation/test_logits_process.py.
// A bound that float32 rounds over there, as 0.4 + 0.3 >= 0.7, is moved by 1e-6.
func TestPresetsConform(t *testing.T) {
	tenths := logProbs(0.1, 0.2, 0.3, 0.4)
	falling := logProbs(0.4, 0.3, 0.2, 0.1)
	four := []float32{1, 1, 1, 1}
	inverse := func(n float64, ids ...int) (want []float64) {
		want = make([]float64, 4)
		for _, id := range ids {
			want[id] = 1 / n
		}
		return want
	}
	all := []float64{0.1, 0.2, 0.3, 0.4}
	type (
		l = sampler.LlamaCPP
		h = sampler.HuggingFace
		v = sampler.VLLM
	)
	for _, c := range []struct {
		name   string
		preset preset
		logits []float32
		want   []float64
	}{
		{"llama: temp 1", llama(func(p *l) {}), tenths, all},
		{"llama: temp 0", llama(func(p *l) { p.Temp = 0 }), tenths, []float64{0, 0, 0, 1}},
		{"llama: temp -1", llama(func(p *l) { p.Temp = -1 }), tenths, []float64{0, 0, 0, 1}},
		{"llama: temp 0 of equal", llama(func(p *l) { p.Temp = 0 }), four, []float64{1, 0, 0, 0}},
		{"llama: top-k 1", llama(func(p *l) { p.TopK = 1 }), tenths, []float64{0, 0, 0, 1}},
		{"llama: top-k 3", llama(func(p *l) { p.TopK = 3 }), tenths, []float64{0, 0.222222, 0.333333, 0.444444}},
		{"llama: top-k 4", llama(func(p *l) { p.TopK = 4 }), tenths, all},
		{"llama: top-k 9", llama(func(p *l) { p.TopK = 9 }), tenths, all},
		{"llama: top-k 0", llama(func(p *l) { p.TopK = 0 }), tenths, all},
		{"llama: top-k -1", llama(func(p *l) { p.TopK = -1 }), tenths, all},
		{"llama: top-k of equal", llama(func(p *l) { p.TopK = 2 }), four, inverse(2, 0, 1)},
		{"llama: top-p 0", llama(func(p *l) { p.TopP = 0 }), tenths, []float64{0, 0, 0, 1}},
		{"llama: top-p -1", llama(func(p *l) { p.TopP = -1 }), tenths, []float64{0, 0, 0, 1}},
		{"llama: top-p 0.7", llama(func(p *l) { p.TopP = 0.7 - 1e-6 }), tenths, []float64{0, 0, 0.428571, 0.571429}},
		{"llama: top-p 0.8", llama(func(p *l) { p.TopP = 0.8 }), tenths, []float64{0, 0.222222, 0.333333, 0.444444}},
		{"llama: top-p 1", llama(func(p *l) { p.TopP = 1 }), tenths, all},
		{"llama: top-p 2", llama(func(p *l) { p.TopP = 2 }), tenths, all},
		{"llama: top-p of equal", llama(func(p *l) { p.TopP = 0.5 }), four, inverse(2, 0, 1)},
		{"llama: top-p, at least 3", llama(func(p *l) { p.TopP, p.MinKeep = 0.5, 3 }), four, inverse(3, 0, 1, 2)},
		{"llama: top-p 0, at least 2", llama(func(p *l) { p.TopP, p.MinKeep = 0, 2 }), four, inverse(2, 0, 1)},
		{"llama: min-p 0", llama(func(p *l) { p.MinP = 0 }), tenths, all},
		{"llama: min-p 0.24", llama(func(p *l) { p.MinP = 0.24 }), tenths, all},
		{"llama: min-p 0.26", llama(func(p *l) { p.MinP = 0.26 }), tenths, []float64{0, 0.2 / 0.9, 0.3 / 0.9, 0.4 / 0.9}},
		{"llama: min-p 0.49", llama(func(p *l) { p.MinP = 0.49 }), tenths, []float64{0, 0.2 / 0.9, 0.3 / 0.9, 0.4 / 0.9}},
		{"llama: min-p 0.51", llama(func(p *l) { p.MinP = 0.51 }), tenths, []float64{0, 0, 0.3 / 0.7, 0.4 / 0.7}},
		{"llama: min-p 0.74", llama(func(p *l) { p.MinP = 0.74 }), tenths, []float64{0, 0, 0.3 / 0.7, 0.4 / 0.7}},
		{"llama: min-p 0.76", llama(func(p *l) { p.MinP = 0.76 }), tenths, []float64{0, 0, 0, 1}},
		{"llama: min-p 1", llama(func(p *l) { p.MinP = 1 }), tenths, []float64{0, 0, 0, 1}},
		{"llama: min-p 1.05", llama(func(p *l) { p.MinP = 1.05 }), tenths, []float64{0, 0, 0, 1}},
		{"llama: min-p 1 of equal", llama(func(p *l) { p.MinP = 1 }), four, inverse(4, 0, 1, 2, 3)},
		{"llama: min-p 1.05 of equal", llama(func(p *l) { p.MinP = 1.05 }), four, inverse(1, 0)},
		{"llama: min-p, at least 2", llama(func(p *l) { p.MinP, p.MinKeep = 1, 2 }), tenths, []float64{0, 0,
			0.3 / 0.7, 0.4 / 0.7}},
		{"llama: xtc 0.09", llama(func(p *l) { p.XTCProbability, p.XTCThreshold = 1, 0.09 }), falling, []float64{0,
			0, 0, 1}},
		{"llama: xtc 0.19", llama(func(p *l) { p.XTCProbability, p.XTCThreshold = 1, 0.19 }), falling, []float64{0,
			0, 0.666667, 0.333333}},
		{"llama: xtc 0.29", llama(func(p *l) { p.XTCProbability, p.XTCThreshold = 1.5, 0.29 }), falling,
			[]float64{0, 0.5, 0.333333, 0.166667}},
		{"llama: xtc 0.39", llama(func(p *l) { p.XTCProbability, p.XTCThreshold = 1, 0.39 }), falling,
			[]float64{0.4, 0.3, 0.2, 0.1}},
		{"llama: xtc above 0.5", llama(func(p *l) { p.XTCProbability, p.XTCThreshold = 1, 0.51 }), falling,
			[]float64{0.4, 0.3, 0.2, 0.1}},
		{"llama: xtc below 0", llama(func(p *l) { p.XTCProbability, p.XTCThreshold = 1, -1 }), falling, []float64{0,
			0, 0, 1}},
		{"llama: xtc, at least 2", llama(func(p *l) { p.XTCProbability, p.XTCThreshold, p.MinKeep = 1, 0.09, 2 }),
			falling, []float64{0.4, 0.3, 0.2, 0.1}},
		{"llama: typical 0.97", llama(func(p *l) { p.TypP = 0.5 }), logProbs(0.97, 0.01, 0.01, 0.01), []float64{1,
			0, 0, 0}},
		{"llama: typical 0.4", llama(func(p *l) { p.TypP = 0.5 }), logProbs(0.4, 0.2, 0.2, 0.2), inverse(3, 1, 2, 3)},
		{"llama: typical of equal", llama(func(p *l) { p.TypP = 0.5 }), four, inverse(3, 0, 1, 2)},
		{"llama: typical 0", llama(func(p *l) { p.TypP = 0 }), four, inverse(1, 0)},
		{"llama: typical -1", llama(func(p *l) { p.TypP = -1 }), four, inverse(1, 0)},
		{"llama: typical, at least 2", llama(func(p *l) { p.TypP, p.MinKeep = 0, 2 }), four, inverse(2, 0, 1)},
		{"llama: sigma 1", llama(func(p *l) { p.TopNSigma = 1 }), tenths, []float64{0, 0, 0.428571, 0.571429}},
		{"llama: sigma 0", llama(func(p *l) { p.TopNSigma = 0 }), tenths, all},
		{"llama: sigma 3", llama(func(p *l) { p.TopNSigma = 3 }), tenths, all},
		{"llama: dynatemp of equal", llama(func(p *l) { p.DynatempRange = 0.5 }), four, inverse(4, 0, 1, 2, 3)},
		{"llama: dynatemp from temp 0", llama(func(p *l) { p.Temp, p.DynatempRange = 0, 2 }), four,
			inverse(4, 0, 1, 2, 3)},
		{"llama: dynatemp all below 0", llama(func(p *l) { p.Temp, p.DynatempRange = -1, 0.5 }), tenths,
			[]float64{0, 0, 0, 1}},
		{"llama: mirostat 2 is alone", llama(func(p *l) { p.Mirostat, p.MirostatTau, p.TopK = 2, 5, 1 }), tenths, all},
		{"llama: mirostat 2 of no surprise", llama(func(p *l) { p.Mirostat, p.MirostatTau = 2, 0 }), tenths,
			[]float64{0, 0, 0, 1}},
		{"llama: mirostat 2 of no surprise of equal", llama(func(p *l) { p.Mirostat, p.MirostatTau = 2, 0 }), four,
			inverse(1, 0)},
		{"llama: mirostat 1 of no surprise", llama(func(p *l) { p.Mirostat, p.MirostatTau = 1, 0 }), tenths,
			[]float64{0, 0, 0, 1}},
		{"llama: adaptive-p of a negative target", llama(func(p *l) { p.AdaptiveP, p.AdaptiveTarget = true, -1 }),
			tenths, all},
		{"llama: adaptive-p of equal", llama(func(p *l) { p.AdaptiveP, p.AdaptiveTarget = true, 0.3 }), four,
			inverse(4, 0, 1, 2, 3)},
		{"llama: bias", llama(func(p *l) { p.LogitBias = map[int]float64{3: -inf} }), tenths, []float64{1. / 6,
			2. / 6, 3. / 6, 0}},
		{"llama: nothing", sampler.LlamaCPP{}, tenths, []float64{0, 0, 1, 0}},

		{"hf: nothing", sampler.HuggingFace{}, tenths, []float64{0, 0, 0, 1}},
		{"hf: defaults are greedy", sampler.DefaultHuggingFace(), tenths, []float64{0, 0, 0, 1}},
		{"hf: sampling", hugging(func(p *h) {}), tenths, all},
		{"hf: top-k of equal", hugging(func(p *h) { p.TopK = 2 }), four, inverse(4, 0, 1, 2, 3)},
		{"hf: top-k 2", hugging(func(p *h) { p.TopK = 2 }), tenths, []float64{0, 0, 0.428571, 0.571429}},
		{"hf: top-k 9", hugging(func(p *h) { p.TopK = 9 }), tenths, all},
		{"hf: top-p", hugging(func(p *h) { p.TopP = 0.8 - 1e-6 }), logProbs(0.3, 0.1, 0.1, 0.5), []float64{0.375, 0,
			0, 0.625}},
		{"hf: top-p of equal", hugging(func(p *h) { p.TopP = 0.5 }), four, inverse(2, 0, 1)},
		{"hf: top-p 0", hugging(func(p *h) { p.TopP = 0 }), tenths, []float64{0, 0, 0, 1}},
		{"hf: min-p", hugging(func(p *h) { p.MinP = 0.51 }), tenths, []float64{0, 0, 0.428571, 0.571429}},
		{"hf: typical 0.97", hugging(func(p *h) { p.TypicalP = 0.5 }), logProbs(0.97, 0.01, 0.01, 0.01),
			[]float64{1, 0, 0, 0}},
		{"hf: typical 0.4", hugging(func(p *h) { p.TypicalP = 0.5 }), logProbs(0.4, 0.2, 0.2, 0.2), inverse(3, 1, 2, 3)},
		{"hf: typical of equal", hugging(func(p *h) { p.TypicalP = 0.5 }), four, inverse(4, 0, 1, 2, 3)},
		{"hf: epsilon", hugging(func(p *h) { p.EpsilonCutoff = 0.1 }), logProbs(0.87, 0.099, 0.001, 0.03),
			[]float64{1, 0, 0, 0}},
		{"hf: epsilon of all", hugging(func(p *h) { p.EpsilonCutoff = 0.1 }), logProbs(0.4, 0.299, 0.101, 0.2),
			[]float64{0.4, 0.299, 0.101, 0.2}},
		{"hf: epsilon above all", hugging(func(p *h) { p.EpsilonCutoff = 0.5 }), four, inverse(4, 0, 1, 2, 3)},
		{"hf: eta", hugging(func(p *h) { p.EtaCutoff = 0.0625 }), logProbs(1e-30, 0.1, 0.8, 0.1), []float64{0, 0.1,
			0.8, 0.1}},
		{"hf: eta of a sure one", hugging(func(p *h) { p.EtaCutoff = 0.0625 }), logProbs(0.01, 0.04, 0.9, 0.05),
			[]float64{0, 0, 1, 0}},
		{"hf: top-h of equal", hugging(func(p *h) { p.TopH = 0.5 }), four, inverse(2, 0, 1)},
		{"hf: greedy after penalties", sampler.HuggingFace{SuppressTokens: []int{3}}, tenths, []float64{0, 0, 1, 0}},
		{"hf: bad words leave the end", hugging(func(p *h) {
			p.BadWordsIDs, p.EOSTokenID = [][]int{{3}, {2}},
				[]int{3}
		}), tenths, []float64{1. / 7, 2. / 7, 0, 4. / 7}},
		{"hf: minimum length", hugging(func(p *h) { p.MinLength, p.EOSTokenID = 1, []int{3} }), tenths,
			[]float64{1. / 6, 2. / 6, 3. / 6, 0}},
		{"hf: sequence bias", hugging(func(p *h) {
			p.SequenceBias = []sampler.SequenceBias{{Sequence: []int{3},
				Bias: -inf}}
		}), tenths, []float64{1. / 6, 2. / 6, 3. / 6, 0}},

		{"hf: sequence bias given twice", hugging(func(p *h) {
			p.SequenceBias = []sampler.SequenceBias{{Sequence: []int{3}, Bias: -inf}, {Sequence: []int{2}, Bias: -inf},
				{Sequence: []int{3}, Bias: 0}}
		}), tenths, []float64{1. / 7, 2. / 7, 0, 4. / 7}},

		{"vllm: nothing", sampler.VLLM{}, tenths, []float64{0, 0, 0, 1}},
		{"vllm: defaults", sampler.DefaultVLLM(), tenths, all},
		{"vllm: greedy drops filters", vllm(func(p *v) { p.Temperature, p.TopK = 0, 3 }), four, inverse(1, 0)},
		{"vllm: top-k of equal", vllm(func(p *v) { p.TopK = 2 }), four, inverse(4, 0, 1, 2, 3)},
		{"vllm: top-k -1", vllm(func(p *v) { p.TopK = -1 }), tenths, all},
		{"vllm: top-p of equal", vllm(func(p *v) { p.TopP = 0.5 }), four, inverse(2, 0, 1)},
		{"vllm: min-p", vllm(func(p *v) { p.MinP = 0.51 }), tenths, []float64{0, 0, 0.428571, 0.571429}},
		{"vllm: small temperatures are 0.01", vllm(func(p *v) { p.Temperature = 1e-6 }), []float32{0.01, 0, 0, 0},
			[]float64{math.E / (math.E + 3), 1 / (math.E + 3), 1 / (math.E + 3), 1 / (math.E + 3)}},
		{"vllm: biases are at most 100", vllm(func(p *v) {
			p.LogitBias = map[int]float64{0: 1e9, 1: 100, 2: -inf,
				3: -100}
		}), four, []float64{0.5, 0.5, 0, 0}},
		{"vllm: allowed tokens", vllm(func(p *v) { p.AllowedTokenIDs = []int{3, 1} }), tenths, []float64{0, 1. / 3,
			0, 2. / 3}},
		{"vllm: bad words", vllm(func(p *v) { p.BadWords = [][]int{{3}} }), tenths, []float64{1. / 6, 2. / 6, 3. / 6, 0}},
		{"vllm: minimum", vllm(func(p *v) { p.MinTokens, p.StopTokenIDs = 1, []int{3} }), tenths, []float64{1. / 6,
			2. / 6, 3. / 6, 0}},
	} {
		s, err := c.preset.Sampler()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		checkProbs(t, c.name, c.logits, s.Steps, sampler.History{}, c.want, 2e-6)
	}
}

// The vector that tells orders apart: with the temperature last a low one does not narrow the nucleus.
func TestPresetsOrder(t *testing.T) {
	logits := []float32{3, 2, 1}
	for name, c := range map[string]struct {
		preset preset
		want   int
	}{
		"llama.cpp": {llama(func(p *sampler.LlamaCPP) { p.TopP, p.Temp = 0.8, 0.5 }), 2},
		"hf":        {hugging(func(p *sampler.HuggingFace) { p.TopP, p.Temperature = 0.8, 0.5 }), 1},
		"vllm":      {vllm(func(p *sampler.VLLM) { p.TopP, p.Temperature = 0.8, 0.5 }), 1},
	} {
		chain, err := c.preset.Chain()
		if err != nil {
			t.Fatal(err)
		}
		d := reset(t, logits)
		if err := chain.Apply(d, &sampler.History{}); err != nil || d.Len() != c.want {
			t.Errorf("%s keeps %d tokens, %v, want %d", name, d.Len(), err, c.want)
		}
	}
	// All that there is, in the order in which it comes.
	names := func(p preset) (out []string) {
		c, err := p.Chain()
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range c {
			out = append(out, strings.TrimPrefix(reflect.TypeOf(step).String(), "sampler."))
		}
		return out
	}
	for name, c := range map[string]struct{ got, want []string }{
		"llama.cpp": {names(sampler.LlamaCPP{
			TopK: 1, TopP: 0.5, MinP: 0.5, XTCProbability: 1, TypP: 0.5, Temp: 1, TopNSigma: 1, PenaltyLastN: -1,
			PenaltyRepeat: 2, PenaltyFreq: 1,
			PenaltyPresent: 1, DryMultiplier: 1, DryBase: 2, DryAllowedLength: 2, DryPenaltyLastN: 3,
			AdaptiveP: true, LogitBias: map[int]float64{1: 1},
		}), []string{"LogitBias", "RepetitionPenalty", "FrequencyPenalty", "PresencePenalty", "DRY", "TopNSigma",
			"TopK", "TypicalRule", "TopP", "MinP",
			"XTC", "Temperature", "*sampler.AdaptiveP"}},
		"llama.cpp by default": {names(sampler.DefaultLlamaCPP()), []string{"TopK", "TopP", "MinP", "Temperature"}},
		"mirostat": {names(sampler.LlamaCPP{Mirostat: 2, TopK: 1, LogitBias: map[int]float64{1: 1}}),
			[]string{"LogitBias", "Temperature", "*sampler.Mirostat"}},
		"hf": {names(sampler.HuggingFace{
			DoSample: true, Temperature: 2, TopH: 0.5, TopK: 1, TopP: 0.5, MinP: 0.5, TypicalP: 0.5,
			EpsilonCutoff: 0.5, EtaCutoff: 0.5, RepetitionPenalty: 2,
			NoRepeatNGramSize: 1, SequenceBias: []sampler.SequenceBias{{Sequence: []int{1}}},
			BadWordsIDs: [][]int{{1}}, MinLength: 1, MinNewTokens: 1,
			EOSTokenID: []int{2}, SuppressTokens: []int{3},
		}), []string{"SequenceBias", "RepetitionPenalty", "NoRepeatNGram", "BadWords", "MinLength", "MinLength",
			"SuppressedTokens", "Temperature", "TopK",
			"TopH", "TopKTies", "TopP", "MinP", "TypicalRule", "Epsilon", "Eta"}},
		"vllm": {names(sampler.VLLM{
			PresencePenalty: 1, FrequencyPenalty: 1, RepetitionPenalty: 2, Temperature: 1, TopP: 0.5, TopK: 1,
			MinP: 0.5, MinTokens: 1, StopTokenIDs: []int{1},
			LogitBias: map[int]float64{1: 1}, AllowedTokenIDs: []int{1, 2}, BadWords: [][]int{{3}},
		}), []string{"AllowedTokens", "BadWords", "MinLength", "LogitBias", "RepetitionPenalty", "FrequencyPenalty",
			"PresencePenalty", "Temperature", "MinP",
			"TopKTies", "TopP"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s runs %v, want %v", name, c.got, c.want)
		}
	}
}

// Which tokens a penalty is for is where systems differ most.
func TestPresetsScope(t *testing.T) {
	h := sampler.NewHistory(0, 1)
	h.Tokens = append(h.Tokens, 2, 2)
	even := make([]float32, 4)
	share := func(penalties ...float64) []float64 {
		total := 0.0
		for i, p := range penalties {
			penalties[i] = math.Exp(-p)
			total += penalties[i]
		}
		for i := range penalties {
			penalties[i] /= total
		}
		return penalties
	}
	for _, c := range []struct {
		name   string
		preset preset
		want   []float64
	}{
		{"llama: all", llama(func(p *sampler.LlamaCPP) { p.PenaltyFreq, p.PenaltyPresent = 1, 0.5 }), share(1.5,
			1.5, 2.5, 0)},
		{"llama: the last 3", llama(func(p *sampler.LlamaCPP) { p.PenaltyLastN, p.PenaltyFreq = 3, 1 }), share(0, 1, 2, 0)},
		{"llama: no limit", llama(func(p *sampler.LlamaCPP) { p.PenaltyLastN, p.PenaltyFreq = -1, 1 }), share(1, 1, 2, 0)},
		{"llama: none", llama(func(p *sampler.LlamaCPP) { p.PenaltyLastN, p.PenaltyFreq = 0, 1 }), share(0, 0, 0, 0)},
		{"vllm: output", vllm(func(p *sampler.VLLM) { p.FrequencyPenalty, p.PresencePenalty = 1, 0.5 }), share(0, 0,
			2.5, 0)},
	} {
		chain, err := c.preset.Chain()
		if err != nil {
			t.Fatal(err)
		}
		checkProbs(t, c.name, even, chain, h, c.want, 1e-12)
	}
	twos := []float32{2, 2, 2, 2}
	for name, p := range map[string]preset{
		"hf":    hugging(func(p *sampler.HuggingFace) { p.RepetitionPenalty = 2 }),
		"vllm":  vllm(func(p *sampler.VLLM) { p.RepetitionPenalty = 2 }),
		"llama": llama(func(p *sampler.LlamaCPP) { p.PenaltyRepeat = 2 }),
	} {
		chain, err := p.Chain()
		if err != nil {
			t.Fatal(err)
		}
		checkProbs(t, name, twos, chain, h, share(1, 1, 1, 0), 1e-12)
	}
}

// Defaults are those of common/common.h, GenerationConfig and SamplingParams.
func TestPresetDefaults(t *testing.T) {
	llama := sampler.LlamaCPP{
		TopK: 40, TopP: 0.95, MinP: 0.05, XTCProbability: 0, XTCThreshold: 0.1, TypP: 1, Temp: 0.8, DynatempRange: 0,
		DynatempExponent: 1, TopNSigma: -1, PenaltyLastN: 64, PenaltyRepeat: 1, PenaltyFreq: 0, PenaltyPresent: 0,
		DryMultiplier: 0, DryBase: 1.75, DryAllowedLength: 2, DryPenaltyLastN: 64, AdaptiveTarget: -1,
		AdaptiveDecay: 0.9, Mirostat: 0, MirostatTau: 5, MirostatEta: 0.1, MinKeep: 0,
	}
	hf := sampler.HuggingFace{Temperature: 1, TopK: 50, TopP: 1, TypicalP: 1, RepetitionPenalty: 1}
	vllm := sampler.VLLM{RepetitionPenalty: 1, Temperature: 1, TopP: 1}
	for _, c := range []struct{ got, want any }{
		{sampler.DefaultLlamaCPP(), llama}, {sampler.DefaultHuggingFace(), hf}, {sampler.DefaultVLLM(), vllm},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("defaults are %+v, want %+v", c.got, c.want)
		}
	}
}

func TestPresetErrors(t *testing.T) {
	nan := math.NaN()
	type (
		l = sampler.LlamaCPP
		h = sampler.HuggingFace
		v = sampler.VLLM
	)
	for _, c := range []struct {
		name   string
		preset preset
	}{
		{"llama: NaN", llama(func(p *l) { p.TopP = nan })},
		{"llama: min_keep", llama(func(p *l) { p.MinKeep = -1 })},
		{"llama: mirostat 3", llama(func(p *l) { p.Mirostat = 3 })},
		{"llama: window", llama(func(p *l) { p.PenaltyLastN = -2 })},
		{"llama: window of dry", llama(func(p *l) { p.DryPenaltyLastN = -2 })},
		{"llama: repetition", llama(func(p *l) { p.PenaltyRepeat = 0 })},
		{"llama: dry", llama(func(p *l) { p.DryMultiplier, p.DryAllowedLength = 1, 0 })},
		{"llama: dry that rewards", llama(func(p *l) { p.DryMultiplier = -1 })},
		{"llama: temperature", llama(func(p *l) { p.Temp = inf })},
		{"llama: temperature of mirostat", llama(func(p *l) { p.Mirostat, p.Temp = 2, inf })},
		{"llama: tau", llama(func(p *l) { p.Mirostat, p.MirostatTau = 1, -1 })},
		{"llama: eta", llama(func(p *l) { p.Mirostat, p.MirostatEta = 2, inf })},
		{"llama: dynatemp", llama(func(p *l) { p.DynatempRange = inf })},
		{"llama: exponent", llama(func(p *l) { p.DynatempRange, p.DynatempExponent = 1, -1 })},
		{"llama: sigma", llama(func(p *l) { p.TopNSigma = inf })},
		{"llama: frequency", llama(func(p *l) { p.PenaltyFreq = inf })},
		{"llama: presence", llama(func(p *l) { p.PenaltyPresent = -inf })},
		{"llama: target of adaptive-p", llama(func(p *l) { p.AdaptiveP, p.AdaptiveTarget = true, 1.1 })},
		{"hf: temperature 0", hugging(func(p *h) { p.Temperature = 0 })},
		{"hf: temperature NaN", hugging(func(p *h) { p.Temperature = nan })},
		{"hf: sampling parameters without sampling", sampler.HuggingFace{TopP: 0.9}},
		{"hf: temperature without sampling", sampler.HuggingFace{Temperature: 0.9}},
		{"hf: top-k without sampling", sampler.HuggingFace{TopK: 9}},
		{"hf: min-p without sampling", sampler.HuggingFace{MinP: 0.1}},
		{"hf: top-k", hugging(func(p *h) { p.TopK = -1 })},
		{"hf: top-p", hugging(func(p *h) { p.TopP = 1.1 })},
		{"hf: top-h", hugging(func(p *h) { p.TopH = 1.1 })},
		{"hf: min-p", hugging(func(p *h) { p.MinP = -0.1 })},
		{"hf: typical", hugging(func(p *h) { p.TypicalP = nan })},
		{"hf: epsilon", hugging(func(p *h) { p.EpsilonCutoff = 1 })},
		{"hf: eta", hugging(func(p *h) { p.EtaCutoff = -1 })},
		{"hf: repetition", hugging(func(p *h) { p.RepetitionPenalty = -1 })},
		{"hf: n-gram", hugging(func(p *h) { p.NoRepeatNGramSize = -1 })},
		{"hf: bad words", hugging(func(p *h) { p.BadWordsIDs = [][]int{{}} })},
		{"hf: sequence bias", hugging(func(p *h) { p.SequenceBias = []sampler.SequenceBias{{}} })},
		{"hf: bias", hugging(func(p *h) { p.SequenceBias = []sampler.SequenceBias{{Sequence: []int{1}, Bias: nan}} })},
		{"hf: minimum length without an end", hugging(func(p *h) { p.MinLength = 3 })},
		{"vllm: presence", vllm(func(p *v) { p.PresencePenalty = 2.1 })},
		{"vllm: frequency", vllm(func(p *v) { p.FrequencyPenalty = -2.1 })},
		{"vllm: repetition", vllm(func(p *v) { p.RepetitionPenalty = -1 })},
		{"vllm: temperature", vllm(func(p *v) { p.Temperature = 2.1 })},
		{"vllm: temperature NaN", vllm(func(p *v) { p.Temperature = nan })},
		{"vllm: top-p", vllm(func(p *v) { p.TopP = -0.1 })},
		{"vllm: top-k", vllm(func(p *v) { p.TopK = -2 })},
		{"vllm: min-p", vllm(func(p *v) { p.MinP = 1.1 })},
		{"vllm: minimum", vllm(func(p *v) { p.MinTokens = -1 })},
		{"vllm: bias", vllm(func(p *v) { p.LogitBias = map[int]float64{1: nan} })},
		{"vllm: bad words", vllm(func(p *v) { p.BadWords = [][]int{{}} })},
	} {
		if s, err := c.preset.Sampler(); err == nil || s != nil {
			t.Errorf("%s: no error", c.name)
		}
	}
}
