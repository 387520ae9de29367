package misuse

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/sampler"
)

var row = []float32{1, 2, 3, 0}

// drawn returns the error of a sampler, which must not have counted on.
func drawn(s sampler.Sampler) func() error {
	return func() error {
		token, err := s.Sample(row)
		if err != nil && (token != -1 || s.Step != 0) {
			return errors.Errorf("token %d at step %d", token, s.Step)
		}
		return err
	}
}

// steps is drawn for steps after a text of three tokens.
func steps(list ...sampler.Step) func() error {
	return drawn(sampler.Sampler{Steps: list, History: sampler.NewHistory(1, 2, 1)})
}

func samplers(*testing.T) []mistake {
	sampled := func(logits []float32) func() error {
		return func() error { _, err := new(sampler.Sampler).Sample(logits); return err }
	}
	tensors := func(s sampler.Sampler, t tensor.Tensor) func() error {
		return func() error { _, err := s.SampleTensor(t); return err }
	}
	scope := sampler.Scope{Of: 9}
	f32 := func(n int) []float32 { return make([]float32, n) }
	return []mistake{
		{"temperature negative", drawn(sampler.Sampler{Temperature: -1}), []string{"sampler", "temperature", "-1"}},
		{"temperature NaN", drawn(sampler.Sampler{Temperature: nan}), []string{"sampler", "temperature", "NaN"}},
		{"temperature infinite", drawn(sampler.Sampler{Temperature: inf}), []string{"sampler", "temperature", "+Inf"}},
		{"top-k negative", drawn(sampler.Sampler{Temperature: 1, TopK: -1}), []string{"sampler", "top-k", "-1"}},
		{"top-k negative when greedy", drawn(sampler.Sampler{TopK: -1}), []string{"sampler", "top-k", "-1"}},
		{"top-p above 1", drawn(sampler.Sampler{Temperature: 1, TopP: 1.1}), []string{"sampler", "top-p", "1.1"}},
		{"top-p negative", drawn(sampler.Sampler{Temperature: 1, TopP: -0.1}), []string{"sampler", "top-p", "-0.1"}},
		{"top-p NaN", drawn(sampler.Sampler{Temperature: 1, TopP: nan}), []string{"sampler", "top-p", "NaN"}},
		{"min-p above 1", drawn(sampler.Sampler{Temperature: 1, MinP: 2}), []string{"sampler", "min-p", "2"}},
		{"min-p NaN", drawn(sampler.Sampler{Temperature: 1, MinP: nan}), []string{"sampler", "min-p", "NaN"}},
		{"settings and steps", drawn(sampler.Sampler{Temperature: 1, Steps: sampler.Chain{sampler.TopK(1)}}), []string{"sampler", "Steps"}},
		{"a nil step", steps(nil), []string{"sampler", "nil"}},
		{"a step that is a nil pointer", steps((*sampler.Mirostat)(nil)), []string{"sampler", "Mirostat"}},
		{"step TopK", steps(sampler.TopK(-2)), []string{"TopK", "-2"}},
		{"step TopKTies", steps(sampler.TopKTies(-2)), []string{"TopKTies", "-2"}},
		{"step TopP", steps(sampler.TopP(2)), []string{"TopP", "2"}},
		{"step MinP", steps(sampler.MinP(-1)), []string{"MinP", "-1"}},
		{"step Temperature", steps(sampler.Temperature(-1)), []string{"Temperature", "-1"}},
		{"step TypicalP", steps(sampler.TypicalP(1.5)), []string{"TypicalP", "1.5"}},
		{"step TypicalRule", steps(sampler.TypicalRule{P: 0.5, MinKeep: -1}), []string{"TypicalRule", "-1"}},
		{"step Epsilon", steps(sampler.Epsilon(1)), []string{"Epsilon", "1"}},
		{"step Eta", steps(sampler.Eta(-0.5)), []string{"Eta", "-0.5"}},
		{"step TopH", steps(sampler.TopH(1.5)), []string{"TopH", "1.5"}},
		{"step TopNSigma", steps(sampler.TopNSigma(inf)), []string{"TopNSigma", "+Inf"}},
		{"step XTC", steps(sampler.XTC{Probability: 2, Threshold: 0.1}), []string{"XTC", "2"}},
		{"step XTC threshold", steps(sampler.XTC{Probability: 0, Threshold: 0.9}), []string{"XTC", "0.9"}},
		{"step XTC to keep", steps(sampler.XTC{Probability: 1, Threshold: 0.1, MinKeep: -1}), []string{"XTC", "-1"}},
		{"step DynamicTemperature", steps(sampler.DynamicTemperature{Low: 2, High: 1, Exponent: 1}), []string{"DynamicTemperature", "2", "1"}},
		{"step DynamicTemperature exponent", steps(sampler.DynamicTemperature{Low: 1, High: 2, Exponent: -1}), []string{"DynamicTemperature", "-1"}},
		{"step AllowedTokens", steps(sampler.AllowedTokens{4}), []string{"AllowedTokens", "4"}},
		{"step AllowedTokens of none", steps(sampler.AllowedTokens{}), []string{"AllowedTokens"}},
		{"step SuppressedTokens of all", steps(sampler.SuppressedTokens{0, 1, 2, 3}), []string{"SuppressedTokens"}},
		{"step SuppressedTokens", steps(sampler.SuppressedTokens{-1}), []string{"SuppressedTokens", "-1"}},
		{"step LogitBias", steps(sampler.LogitBias{7: 1}), []string{"LogitBias", "7"}},
		{"step LogitBias of NaN", steps(sampler.LogitBias{0: nan}), []string{"LogitBias", "NaN"}},
		{"step LogitBias of infinity", steps(sampler.LogitBias{0: inf}), []string{"LogitBias", "+Inf"}},
		{"step BadWords of nothing", steps(sampler.BadWords{Words: [][]int{{}}}), []string{"BadWords"}},
		{"step BadWords", steps(sampler.BadWords{Words: [][]int{{99}}}), []string{"BadWords", "99"}},
		{"step BadWords of a scope", steps(sampler.BadWords{Words: [][]int{{1}}, Scope: scope}), []string{"BadWords", "9"}},
		{"step ForcedTokens", steps(sampler.ForcedTokens{Tokens: []int{4}}), []string{"ForcedTokens", "4"}},
		{"step ForcedTokens at", steps(sampler.ForcedTokens{At: -1, Tokens: []int{1}}), []string{"ForcedTokens", "-1"}},
		{"step MinLength", steps(sampler.MinLength{Length: -1, Stop: []int{1}}), []string{"MinLength", "-1"}},
		{"step MinLength of a token", steps(sampler.MinLength{Length: 9, Stop: []int{8}}), []string{"MinLength", "8"}},
		{"step MinLength of a part", steps(sampler.MinLength{Length: 9, Stop: []int{1}, Of: 7}), []string{"MinLength", "7"}},
		{"step NoRepeatNGram", steps(sampler.NoRepeatNGram{N: -1}), []string{"NoRepeatNGram", "-1"}},
		{"step RepetitionPenalty", steps(sampler.RepetitionPenalty{Penalty: -1}), []string{"RepetitionPenalty", "-1"}},
		{"step RepetitionPenalty of infinity", steps(sampler.RepetitionPenalty{Penalty: inf, Normalize: true}), []string{"RepetitionPenalty", "+Inf"}},
		{"step RepetitionPenalty of a scope", steps(sampler.RepetitionPenalty{Penalty: 2, Scope: sampler.Scope{Last: -1}}), []string{"RepetitionPenalty", "-1"}},
		{"step FrequencyPenalty", steps(sampler.FrequencyPenalty{Penalty: nan}), []string{"FrequencyPenalty", "NaN"}},
		{"step PresencePenalty", steps(sampler.PresencePenalty{Penalty: inf}), []string{"PresencePenalty", "+Inf"}},
		{"step SequenceBias", steps(sampler.SequenceBias{Bias: 1}), []string{"SequenceBias"}},
		{"step SequenceBias of a token", steps(sampler.SequenceBias{Sequence: []int{1, 9}, Bias: 1}), []string{"SequenceBias", "9"}},
		{"step DRY", steps(sampler.DRY{Multiplier: -1}), []string{"DRY", "-1"}},
		{"step DRY base", steps(sampler.DRY{Multiplier: 1, Base: 0.5}), []string{"DRY", "0.5"}},
		{"step DRY length", steps(sampler.DRY{Multiplier: 1, AllowedLength: -1}), []string{"DRY", "-1"}},
		{"step DRY breaker", steps(sampler.DRY{Multiplier: 1, Breakers: [][]int{{}}}), []string{"DRY"}},
		{"step Mirostat", steps(&sampler.Mirostat{Tau: -1}), []string{"Mirostat", "-1"}},
		{"step Mirostat rate", steps(&sampler.Mirostat{Tau: 1, Eta: nan}), []string{"Mirostat", "NaN"}},
		{"step Mirostat1", steps(&sampler.Mirostat1{Tau: 1, M: 1}), []string{"Mirostat1", "1"}},
		{"step AdaptiveP", steps(&sampler.AdaptiveP{Target: 2}), []string{"AdaptiveP", "2"}},
		{"step AdaptiveP decay", steps(&sampler.AdaptiveP{Target: 0.5, Decay: 1}), []string{"AdaptiveP", "1"}},
		{"step AtLeast", steps(sampler.AtLeast{N: -1, Step: sampler.TopP(0.5)}), []string{"AtLeast", "-1"}},
		{"step AtLeast of nothing", steps(sampler.AtLeast{N: 1}), []string{"AtLeast"}},
		{"step AtLeast of another", steps(sampler.AtLeast{N: 1, Step: sampler.TopK(1)}), []string{"AtLeast", "TopK"}},
		{"a prompt longer than the text", drawn(sampler.Sampler{
			Steps:   sampler.Chain{sampler.PresencePenalty{Penalty: 1, Scope: sampler.Scope{Of: sampler.OutputOnly}}},
			History: sampler.History{Tokens: []int{1}, Prompt: 2},
		}), []string{"PresencePenalty", "2"}},
		{"no logits", sampled(nil), []string{"sampler", "no logits"}},
		{"a logit of NaN", sampled([]float32{1, float32(nan)}), []string{"sampler", "logit 1 is NaN"}},
		{"a logit of infinity", sampled([]float32{float32(inf), 0}), []string{"sampler", "logit 0 is +Inf"}},
		{"logits all masked", sampled([]float32{float32(-inf), float32(-inf)}), []string{"sampler", "2"}},
		{"no tensor", tensors(sampler.Sampler{}, nil), []string{"sampler", "tensor"}},
		{"a nil Dense", tensors(sampler.Sampler{}, (*tensor.Dense)(nil)), []string{"sampler"}},
		{"a zero Dense", tensors(sampler.Sampler{}, new(tensor.Dense)), []string{"sampler"}},
		{"a tensor of ids", tensors(sampler.Sampler{}, tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(make([]int, 4)))), []string{"sampler", "int"}},
		{"a tensor of four axes", tensors(sampler.Sampler{}, tensor.New(tensor.WithShape(1, 1, 2, 2), tensor.WithBacking(f32(4)))), []string{"sampler", "(1, 1, 2, 2)"}},
		{"a sparse tensor", tensors(sampler.Sampler{}, tensor.CSRFromCoord(tensor.Shape{2, 4}, []int{0}, []int{1}, []float32{1})), []string{"sampler"}},
		{"a masked tensor", tensors(sampler.Sampler{}, tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(f32(4), make([]bool, 4)))), []string{"sampler", "mask"}},
		{"a tensor and steps that look back", tensors(sampler.Sampler{Steps: sampler.Chain{sampler.NoRepeatNGram{N: 2}}}, tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(f32(4)))), []string{"sampler", "NoRepeatNGram"}},
		{"a batch of rows too few", func() error {
			b := sampler.Batch{Rows: make([]sampler.Sampler, 2)}
			return b.Sample(make([]int, 2), [][]float32{row})
		}, []string{"sampler", "1", "2"}},
		{"a batch without room", func() error {
			b := sampler.Batch{Rows: make([]sampler.Sampler, 2)}
			return b.Sample(make([]int, 1), [][]float32{row, row})
		}, []string{"sampler", "1", "2"}},
		{"a batch with a row that is wrong", func() error {
			b := sampler.Batch{Rows: make([]sampler.Sampler, 2)}
			return b.Sample(make([]int, 2), [][]float32{row, {}})
		}, []string{"sampler", "row 1 of 2", "no logits"}},
		{"a batch with a Learner twice", func() error {
			m := &sampler.Mirostat{Tau: 1}
			b := sampler.Batch{Rows: []sampler.Sampler{{Steps: sampler.Chain{m}}, {Steps: sampler.Chain{m}}}}
			return b.Sample(make([]int, 2), [][]float32{row, row})
		}, []string{"sampler", "Mirostat"}},
		{"a chain of steps of one's own, saved", func() error { _, err := json.Marshal(sampler.Chain{own{}}); return err }, []string{"own"}},
		{"a chain of an unknown step", func() error { var c sampler.Chain; return json.Unmarshal([]byte(`[{"Top":1}]`), &c) }, []string{"Top"}},
		{"a chain of an unknown field", func() error { var c sampler.Chain; return json.Unmarshal([]byte(`[{"XTC":{"P":1}}]`), &c) }, []string{"XTC", "P"}},
		{"a chain of two steps in one", func() error {
			var c sampler.Chain
			return json.Unmarshal([]byte(`[{"TopK":1,"TopP":0.5}]`), &c)
		}, []string{"step"}},
		{"a chain that is no list", func() error { var c sampler.Chain; return json.Unmarshal([]byte(`{"TopK":1}`), &c) }, []string{"hain"}},
		{"a chain cut short, decoded", func() error { var c sampler.Chain; return c.GobDecode([]byte(`[{"TopK"`)) }, []string{"JSON"}},
		{"an unknown part", func() error { var p sampler.Part; return p.UnmarshalText([]byte("middle")) }, []string{"middle"}},
		{"Clone of a pointer that is no Learner", func() error {
			s := sampler.Sampler{Steps: sampler.Chain{new(own)}}
			_, err := s.Clone()
			return err
		}, []string{"own"}},
		{"Accept of a token that is not there", func() error {
			var d sampler.Distribution
			if err := d.Reset(row); err != nil {
				return nil
			}
			return new(sampler.Sampler).Accept(&d, 4)
		}, []string{"token 4"}},
		{"Accept from nothing", func() error { return new(sampler.Sampler).Accept(nil, 0) }, []string{"sampler"}},
		{"Apply to nothing", func() error { return new(sampler.Sampler).Apply(nil) }, []string{"sampler"}},
		{"a report of fewer than none", func() error { _, err := new(sampler.Sampler).SampleReport(row, -1); return err }, []string{"sampler", "-1"}},
	}
}

// An own step is of a type that package sampler does not know.
type own struct{}

func (own) Apply(*sampler.Distribution, *sampler.History) error { return nil }

func distributions(*testing.T) []mistake {
	on := func(f func(d *sampler.Distribution) error) func() error {
		return func() error {
			var d sampler.Distribution
			if err := d.Reset(row); err != nil {
				return errors.WithMessage(err, "not expected here")
			}
			return f(&d)
		}
	}
	empty := func(f func(d *sampler.Distribution) error) func() error {
		return func() error { return f(new(sampler.Distribution)) }
	}
	type d = *sampler.Distribution
	return []mistake{
		{"Reset of nothing", empty(func(d d) error { return d.Reset(nil) }), []string{"no logits"}},
		{"Temperature before Reset", empty(func(d d) error { return d.Temperature(1) }), []string{"empty"}},
		{"TopK before Reset", empty(func(d d) error { return d.TopK(3) }), []string{"empty"}},
		{"TopP before Reset", empty(func(d d) error { return d.TopP(0.5) }), []string{"empty"}},
		{"Draw before Reset", empty(func(d d) error { _, err := d.Draw(0); return err }), []string{"empty"}},
		{"Force before Reset", empty(func(d d) error { return d.Force(0) }), []string{"empty"}},
		{"Bias before Reset", empty(func(d d) error { return d.Bias(0, 1) }), []string{"empty"}},
		{"DRY before Reset", empty(func(d d) error { return d.DRY([]int{1}, sampler.DRY{Multiplier: 1}) }), []string{"empty"}},
		{"Draw at 1", on(func(d d) error { _, err := d.Draw(1); return err }), []string{"1"}},
		{"Draw at NaN", on(func(d d) error { _, err := d.Draw(nan); return err }), []string{"NaN"}},
		{"Draw below 0", on(func(d d) error { _, err := d.Draw(-0.5); return err }), []string{"-0.5"}},
		{"Temperature", on(func(d d) error { return d.Temperature(nan) }), []string{"temperature", "NaN"}},
		{"TopK", on(func(d d) error { return d.TopK(-1) }), []string{"top-k", "-1"}},
		{"TopP", on(func(d d) error { return d.TopP(inf) }), []string{"top-p", "+Inf"}},
		{"MinP", on(func(d d) error { return d.MinP(1.5) }), []string{"min-p", "1.5"}},
		{"MaxSurprise", on(func(d d) error { return d.MaxSurprise(nan) }), []string{"NaN"}},
		{"XTC", on(func(d d) error { return d.XTC(0.6) }), []string{"0.6"}},
		{"Eta", on(func(d d) error { return d.Eta(1) }), []string{"1"}},
		{"Allow of an unknown token", on(func(d d) error { return d.Allow(1, 4) }), []string{"4"}},
		{"Allow of none", on(func(d d) error { return d.Allow() }), []string{"no token"}},
		{"Suppress of all", on(func(d d) error { return d.Suppress(0, 1, 2, 3) }), []string{"no token"}},
		{"Force of an unknown token", on(func(d d) error { return d.Force(-1) }), []string{"-1"}},
		{"Bias of an unknown token", on(func(d d) error { return d.Bias(4, 1) }), []string{"4"}},
		{"Bias that drops the last", on(func(d d) error {
			if err := d.TopK(1); err != nil {
				return nil
			}
			return d.Bias(2, -inf)
		}), []string{"no token"}},
		{"NoRepeatNGram of 0", on(func(d d) error { return d.NoRepeatNGram([]int{1}, 0) }), []string{"0"}},
		{"NoRepeatNGram of an unknown token", on(func(d d) error { return d.NoRepeatNGram([]int{9}, 1) }), []string{"9"}},
		{"RepetitionPenalty of an unknown token", on(func(d d) error { return d.RepetitionPenalty([]int{-3}, 2) }), []string{"-3"}},
		{"FrequencyPenalty of an unknown token", on(func(d d) error { return d.FrequencyPenalty([]int{4}, 2) }), []string{"4"}},
		{"PresencePenalty of NaN", on(func(d d) error { return d.PresencePenalty([]int{1}, nan) }), []string{"NaN"}},
		{"SequenceBias of nothing", on(func(d d) error { return d.SequenceBias(nil, nil, 1) }), []string{"sequence"}},
		{"Argmax of nothing", func() error { _, err := sampler.Argmax[float32](nil); return err }, []string{"no logits"}},
		{"Softmax of NaN", func() error { _, err := sampler.Softmax(nil, []float64{nan}); return err }, []string{"logit 0 is NaN"}},
		{"LogSoftmax of masked logits", func() error { _, err := sampler.LogSoftmax(nil, []float64{-inf}); return err }, []string{"-Inf"}},
		{"LogProb of an unknown token", func() error { _, err := sampler.LogProb(row, 4); return err }, []string{"token 4"}},
		{"Multinomial of nothing", func() error { _, err := sampler.Multinomial(nil, 0); return err }, []string{"0"}},
		{"Multinomial of a negative weight", func() error { _, err := sampler.Multinomial([]float64{1, -1}, 0); return err }, []string{"-1"}},
		{"Multinomial of NaN", func() error { _, err := sampler.Multinomial([]float64{1, nan}, 0); return err }, []string{"NaN"}},
		{"Multinomial at 1", func() error { _, err := sampler.Multinomial([]float64{1, 1}, 1); return err }, []string{"1"}},
		{"Multinomial whose sum overflows", func() error { _, err := sampler.Multinomial([]float64{1e308, 1e308}, 0); return err }, []string{"Inf"}},
	}
}

func presets(*testing.T) []mistake {
	type hf = sampler.HuggingFace
	type vllm = sampler.VLLM
	type llama = sampler.LlamaCPP
	ofHF := func(change func(p *hf)) func() error {
		return func() error {
			p := sampler.DefaultHuggingFace()
			p.DoSample = true
			change(&p)
			_, err := p.Sampler()
			return err
		}
	}
	ofVLLM := func(change func(p *vllm)) func() error {
		return func() error { p := sampler.DefaultVLLM(); change(&p); _, err := p.Sampler(); return err }
	}
	ofLlama := func(change func(p *llama)) func() error {
		return func() error { p := sampler.DefaultLlamaCPP(); change(&p); _, err := p.Sampler(); return err }
	}
	return []mistake{
		{"HuggingFace temperature", ofHF(func(p *hf) { p.Temperature = -1 }), []string{"temperature is -1"}},
		{"HuggingFace top-k", ofHF(func(p *hf) { p.TopK = -1 }), []string{"top-k of -1"}},
		{"HuggingFace top-p", ofHF(func(p *hf) { p.TopP = 1.5 }), []string{"top-p is 1.5"}},
		{"HuggingFace min-p", ofHF(func(p *hf) { p.MinP = -1 }), []string{"min-p is -1"}},
		{"HuggingFace typical-p", ofHF(func(p *hf) { p.TypicalP = 2 }), []string{"typical-p is 2"}},
		{"HuggingFace epsilon", ofHF(func(p *hf) { p.EpsilonCutoff = 1 }), []string{"epsilon_cutoff is 1"}},
		{"HuggingFace penalty", ofHF(func(p *hf) { p.RepetitionPenalty = -1 }), []string{"repetition penalty is -1"}},
		{"HuggingFace n-gram", ofHF(func(p *hf) { p.NoRepeatNGramSize = -1 }), []string{"n-gram of -1"}},
		{"HuggingFace bad word", ofHF(func(p *hf) { p.BadWordsIDs = [][]int{{}} }), []string{"a bad word of no tokens"}},
		{"HuggingFace sampling without sampling", ofHF(func(p *hf) { p.DoSample, p.TopP = false, 0.5 }), []string{"without DoSample", "TopP:0.5"}},
		{"HuggingFace length", ofHF(func(p *hf) { p.MinNewTokens = -1 }), []string{"minimum lengths of 0 and -1"}},
		{"vLLM temperature", ofVLLM(func(p *vllm) { p.Temperature = 3 }), []string{"temperature is 3"}},
		{"vLLM presence penalty", ofVLLM(func(p *vllm) { p.PresencePenalty = 3 }), []string{"presence_penalty is 3"}},
		{"vLLM frequency penalty", ofVLLM(func(p *vllm) { p.FrequencyPenalty = nan }), []string{"frequency_penalty is NaN"}},
		{"vLLM repetition penalty", ofVLLM(func(p *vllm) { p.RepetitionPenalty = -1 }), []string{"repetition penalty is -1"}},
		{"vLLM top-p", ofVLLM(func(p *vllm) { p.TopP = -1 }), []string{"top_p is -1"}},
		{"vLLM top-k", ofVLLM(func(p *vllm) { p.TopK = -2 }), []string{"top_k is -2"}},
		{"vLLM min-p", ofVLLM(func(p *vllm) { p.MinP = 2 }), []string{"min_p is 2"}},
		{"vLLM length", ofVLLM(func(p *vllm) { p.MinTokens = -1 }), []string{"min_tokens -1"}},
		{"vLLM bias", ofVLLM(func(p *vllm) { p.LogitBias = map[int]float64{1: nan} }), []string{"logit bias of token 1 is NaN"}},
		{"vLLM bad word", ofVLLM(func(p *vllm) { p.BadWords = [][]int{{}} }), []string{"a bad word of no tokens"}},
		{"llama.cpp temperature", ofLlama(func(p *llama) { p.Temp = nan }), []string{"llama.cpp is NaN", "Temp:NaN"}},
		{"llama.cpp top-p", ofLlama(func(p *llama) { p.TopP = nan }), []string{"llama.cpp is NaN", "TopP:NaN"}},
		{"llama.cpp mirostat", ofLlama(func(p *llama) { p.Mirostat = 3 }), []string{"mirostat version 3"}},
		{"llama.cpp dry length", ofLlama(func(p *llama) { p.DryMultiplier, p.DryAllowedLength = 1, 0 }), []string{"allowed length of dry is 0"}},
		{"llama.cpp last tokens", ofLlama(func(p *llama) { p.PenaltyRepeat, p.PenaltyLastN = 2, -2 }), []string{"the last -2"}},
		{"llama.cpp penalty", ofLlama(func(p *llama) { p.PenaltyRepeat, p.PenaltyLastN = nan, 64 }), []string{"llama.cpp is NaN", "PenaltyRepeat:NaN"}},
		{"llama.cpp bias", ofLlama(func(p *llama) { p.LogitBias = map[int]float64{1: nan} }), []string{"logit bias of token 1 is NaN"}},
	}
}

// A toy model gives every token the same logits, and may fail instead.
type toy struct {
	n    int
	fail error
}

func (m *toy) Next(_ context.Context, tokens ...int) ([]float32, error) {
	m.n += len(tokens)
	return row, m.fail
}

func (m *toy) NextAll(ctx context.Context, tokens ...int) ([][]float32, error) {
	r, err := m.Next(ctx, tokens...)
	rows := make([][]float32, len(tokens))
	for i := range rows {
		rows[i] = r
	}
	return rows, err
}

func (m *toy) NextHidden(ctx context.Context, tokens ...int) ([]float32, [][]float32, error) {
	rows, err := m.NextAll(ctx, tokens...)
	return row, rows, err
}

func (m *toy) Len() int { return m.n }

func (m *toy) Truncate(n int) error { m.n = n; return nil }

func (m *toy) Fork() (*toy, error) { c := *m; return &c, nil }

// A sequence of tokens, which ends with an error.
type sequence = func(yield func(int, error) bool)

// last returns the error that a sequence ends with.
func last(seq sequence) (last error) {
	for token, err := range seq {
		if last = err; err != nil && token != -1 {
			return errors.Errorf("token %d with an error", token)
		}
	}
	return last
}

func generation(*testing.T) []mistake {
	bg := context.Background()
	ended, cancel := context.WithCancel(bg)
	cancel()
	generate := func(ctx context.Context, s sampler.Sampler, m sampler.Model, prompt []int, n int) func() error {
		return func() error { return last(sequence(s.Generate(ctx, m, prompt, n))) }
	}
	beam := func(b sampler.Beam) func() error {
		return func() error { _, err := sampler.BeamSearch(bg, b, new(toy), []int{1}, 3); return err }
	}
	speculate := func(sp *sampler.Speculative, s sampler.Sampler, prompt ...int) func() error {
		return func() error { return last(sequence(sp.Generate(bg, &s, prompt, 3))) }
	}
	contrast := func(c sampler.ContrastiveSearch, m sampler.Encoder, prompt ...int) func() error {
		return func() error { return last(sequence(c.Generate(bg, m, prompt, 3))) }
	}
	next := func(m sampler.Model) func() error { return func() error { _, err := m.Next(bg, 1); return err } }
	shared := new(toy)
	return []mistake{
		{"no model", generate(bg, sampler.Sampler{}, nil, []int{1}, 3), []string{"sampler", "model"}},
		{"no prompt", generate(bg, sampler.Sampler{}, new(toy), nil, 3), []string{"sampler", "prompt"}},
		{"fewer tokens than none", generate(bg, sampler.Sampler{}, new(toy), []int{1}, -1), []string{"sampler", "-1"}},
		{"a context that has ended", generate(ended, sampler.Sampler{}, new(toy), []int{1}, 3), []string{"context canceled"}},
		{"no context", generate(nil, sampler.Sampler{}, new(toy), []int{1}, 3), []string{"context"}}, //nolint
		{"a setting out of range", generate(bg, sampler.Sampler{TopP: 2}, new(toy), []int{1}, 3), []string{"sampler", "top-p", "2"}},
		{"a model that fails", generate(bg, sampler.Sampler{}, &toy{fail: errors.New("no power")}, []int{1}, 3), []string{"sampler", "no power"}},
		{"beams of negative width", beam(sampler.Beam{Width: -1}), []string{"-1 beams"}},
		{"beams in groups that do not divide", beam(sampler.Beam{Width: 3, Groups: 2, Diversity: 1}), []string{"3", "2"}},
		{"beams in negative groups", beam(sampler.Beam{Width: 2, Groups: -1}), []string{"-1 groups"}},
		{"beams with a diversity of NaN", beam(sampler.Beam{Width: 2, Groups: 2, Diversity: nan}), []string{"diversity NaN"}},
		{"beams with diversity and no groups", beam(sampler.Beam{Width: 2, Diversity: 1}), []string{"diversity 1 of 0 groups"}},
		{"beams with two penalties", beam(sampler.Beam{Width: 2, LengthPenalty: 1, GNMTPenalty: 1}), []string{"two length penalties"}},
		{"beams with a penalty of NaN", beam(sampler.Beam{Width: 2, LengthPenalty: nan}), []string{"length penalty NaN"}},
		{"beams that stop in an unknown way", beam(sampler.Beam{Width: 2, EarlyStop: 7}), []string{"beam stop 7"}},
		{"beams of no prompt", func() error { _, err := sampler.BeamSearch(bg, sampler.Beam{}, new(toy), nil, 3); return err }, []string{"prompt"}},
		{"beams of a negative length", func() error { _, err := sampler.BeamSearch(bg, sampler.Beam{}, new(toy), []int{1}, -3); return err }, []string{"-3"}},
		{"beams after the end", func() error { _, err := sampler.BeamSearch(ended, sampler.Beam{}, new(toy), []int{1}, 3); return err }, []string{"context canceled"}},
		{"beams of no model", func() error { _, err := sampler.BeamSearch[*toy](bg, sampler.Beam{}, nil, []int{1}, 3); return err }, []string{"model"}},
		{"speculation without a draft", speculate(&sampler.Speculative{Target: new(toy)}, sampler.Sampler{}, 1), []string{"speculate", "<nil>"}},
		{"speculation without a target", speculate(&sampler.Speculative{Draft: new(toy)}, sampler.Sampler{}, 1), []string{"speculate", "<nil>"}},
		{"speculation with one model", speculate(&sampler.Speculative{Target: shared, Draft: shared}, sampler.Sampler{}, 1), []string{"speculate", "the target holds 5 tokens, want 3"}},
		{"speculation ahead by less than nothing", speculate(&sampler.Speculative{Target: new(toy), Draft: new(toy), Lookahead: -1}, sampler.Sampler{}, 1), []string{"speculate", "lookahead -1"}},
		{"speculation of no prompt", speculate(&sampler.Speculative{Target: new(toy), Draft: new(toy)}, sampler.Sampler{}), []string{"prompt"}},
		{"speculation out of range", speculate(&sampler.Speculative{Target: new(toy), Draft: new(toy)}, sampler.Sampler{TopP: 2}, 1), []string{"top-p", "2"}},
		{"contrast with a top-k of less than none", contrast(sampler.ContrastiveSearch{TopK: -1}, new(toy), 1), []string{"contrastive search", "top-k -1"}},
		{"contrast with an alpha above 1", contrast(sampler.ContrastiveSearch{Alpha: 1.5}, new(toy), 1), []string{"contrastive search", "alpha 1.5"}},
		{"contrast without a model", contrast(sampler.ContrastiveSearch{}, nil, 1), []string{"model"}},
		{"contrast without a prompt", contrast(sampler.ContrastiveSearch{}, new(toy)), []string{"prompt"}},
		{"guidance without a model", next(&sampler.Guidance{Cond: new(toy), Scale: 1.5}), []string{"guidance", "<nil>"}},
		{"guidance with one model", next(&sampler.Guidance{Cond: shared, Uncond: shared, Scale: 1.5}), []string{"guidance", "both models are one"}},
		{"guidance of no scale", next(&sampler.Guidance{Cond: new(toy), Uncond: new(toy)}), []string{"guidance", "scale is 0"}},
		{"guidance of NaN", next(&sampler.Guidance{Cond: new(toy), Uncond: new(toy), Scale: nan}), []string{"guidance", "scale is NaN"}},
		{"contrastive decoding with one model", next(&sampler.Contrastive{Expert: shared, Amateur: shared}), []string{"contrastive", "both models are one"}},
		{"contrastive decoding without an expert", next(&sampler.Contrastive{Amateur: new(toy)}), []string{"contrastive", "<nil>"}},
		{"contrastive decoding with an alpha of NaN", next(&sampler.Contrastive{Expert: new(toy), Amateur: new(toy), Alpha: nan}), []string{"contrastive", "alpha is NaN"}},
		{"contrastive decoding at a negative temperature", next(&sampler.Contrastive{Expert: new(toy), Amateur: new(toy), Temperature: -1}), []string{"contrastive", "temperature is -1"}},
	}
}
