package sampler

import (
	"math"

	"github.com/pkg/errors"
)

// LlamaCPP are the sampling parameters of llama.cpp, by its names; Sampler and Chain make of them what
// llama.cpp makes of them, in its order: logit bias, penalties, DRY, top-n-sigma, top-k, typical-p, top-p,
// min-p, XTC, and temperature last, which is where it differs most from others. With Mirostat the chain is
// logit bias, temperature and mirostat alone. Begin with [DefaultLlamaCPP]: a 0 is a 0, as there, so the zero
// value keeps one token only, the most typical.
//
// What is out of the range of a step switches it off or is its limit, as there: TopK of 0 or less keeps all,
// TopP of at least 1 keeps all and of 0 or less keeps one token, MinP of more than 1 too, Temp of 0 or less is
// greedy. NaN is an error here.
//
// It differs from llama.cpp in what that does by accident of float32, of an unstable sort or of a masked token:
//   - Its sums are float32 in sequence, which keeps other nuclei of large vocabularies; here they are exact.
//   - Which of equal tokens it keeps is unspecified; here it is the lower. Typical-p, too, ranks equal ones so.
//   - Typical-p there does not survive a probability of 0, of a masked token for example; here it does.
//   - Masked tokens, among them what top-n-sigma drops, stay candidates there: they count for its dynamic
//     temperature, for min_keep, and as tokens that reach an XTC threshold of 0; here they do not.
//   - A Mirostat1 of equal logits, or of masked ones among the first, has no exponent there; here it has a limit.
//   - A row without any finite logit gives its last token there, here a [LogitsError].
//   - Random numbers are those of this package, so the tokens drawn are others, with the same probabilities.
//   - Sequence breakers of DRY are strings there, here tokens, so that its default ones, newline, colon, quote
//     and asterisk, are for the caller to add; DryAllowedLength must be at least 1, DryMultiplier at least 0.
//   - A window of -1 tokens is all of the text here; there it was the size of the context, and is refused now.
//   - An AdaptiveTarget above 1, the bias of a token outside of the vocabulary, and what is not finite where no
//     limit makes sense are errors here.
type LlamaCPP struct {
	Seed    uint64
	MinKeep int // how many tokens filters keep at least; 0 is 1

	TopK             int
	TopP             float64
	MinP             float64
	XTCProbability   float64
	XTCThreshold     float64
	TypP             float64 // typical-p
	Temp             float64
	DynatempRange    float64 // temperatures from Temp less this to Temp plus this, by entropy; 0 or less is Temp alone
	DynatempExponent float64
	TopNSigma        float64

	PenaltyLastN   int // how many of the last tokens, prompt included, are penalised; 0 none, -1 all
	PenaltyRepeat  float64
	PenaltyFreq    float64
	PenaltyPresent float64

	DryMultiplier       float64
	DryBase             float64
	DryAllowedLength    int
	DryPenaltyLastN     int // as PenaltyLastN
	DrySequenceBreakers [][]int

	AdaptiveP      bool    // ends the chain with adaptive-p, as naming it among the samplers does there
	AdaptiveTarget float64 // at most 1; of less than 0 is none
	AdaptiveDecay  float64

	Mirostat    int // version 1 or 2; 0 is none
	MirostatTau float64
	MirostatEta float64

	LogitBias map[int]float64
}

// DefaultLlamaCPP returns llama.cpp's defaults: top-k 40, top-p 0.95, min-p 0.05, temperature 0.8.
func DefaultLlamaCPP() LlamaCPP {
	return LlamaCPP{
		TopK: 40, TopP: 0.95, MinP: 0.05, XTCThreshold: 0.1, TypP: 1, Temp: 0.8, DynatempExponent: 1, TopNSigma: -1,
		PenaltyLastN: 64, PenaltyRepeat: 1, DryBase: 1.75, DryAllowedLength: 2, DryPenaltyLastN: 64,
		AdaptiveTarget: -1, AdaptiveDecay: 0.9, MirostatTau: 5, MirostatEta: 0.1,
	}
}

// Sampler returns a Sampler with the chain and the seed of p.
func (p LlamaCPP) Sampler() (*Sampler, error) {
	chain, err := p.Chain()
	if err != nil {
		return nil, err
	}
	return &Sampler{Steps: chain, Seed: p.Seed}, nil
}

// Chain returns the steps that llama.cpp would run. What it refuses, or cannot mean anything, is an error.
func (p LlamaCPP) Chain() (Chain, error) {
	for _, v := range []float64{
		p.TopP, p.MinP, p.XTCProbability, p.XTCThreshold, p.TypP, p.Temp, p.DynatempRange, p.DynatempExponent, p.TopNSigma,
		p.PenaltyRepeat, p.PenaltyFreq, p.PenaltyPresent, p.DryMultiplier, p.DryBase, p.AdaptiveTarget, p.AdaptiveDecay,
		p.MirostatTau, p.MirostatEta,
	} {
		if math.IsNaN(v) {
			return nil, errors.Errorf("sampler: a parameter of llama.cpp is NaN: %+v", p)
		}
	}
	if err := checkMinKeep(p.MinKeep); err != nil {
		return nil, err
	}
	c := Chain{}
	if len(p.LogitBias) > 0 {
		for token, bias := range p.LogitBias {
			if math.IsNaN(bias) || math.IsInf(bias, 1) {
				return nil, errors.Errorf("sampler: logit bias of token %d is %v", token, bias)
			}
		}
		c = append(c, LogitBias(p.LogitBias))
	}
	if p.Mirostat != 0 {
		return p.mirostat(c)
	}
	c, err := p.penalties(c)
	if err != nil {
		return nil, err
	}
	if p.TopNSigma > 0 {
		if err := checkTopNSigma(p.TopNSigma); err != nil {
			return nil, err
		}
		c = append(c, TopNSigma(p.TopNSigma))
	}
	if p.TopK > 0 {
		c = append(c, TopK(p.TopK))
	}
	if p.TypP < 1 {
		c = append(c, TypicalRule{P: max(p.TypP, 0), Exceed: true, MinKeep: p.MinKeep})
	}
	switch {
	case p.TopP <= 0:
		c = append(c, TopK(max(p.MinKeep, 1)))
	case p.TopP < 1:
		c = append(c, atLeast(p.MinKeep, TopP(p.TopP)))
	}
	switch {
	case p.MinP > 1:
		c = append(c, TopK(max(p.MinKeep, 1)))
	case p.MinP > 0:
		c = append(c, atLeast(p.MinKeep, MinP(p.MinP)))
	}
	if p.XTCProbability > 0 && p.XTCThreshold <= 0.5 {
		c = append(c, XTC{Probability: min(p.XTCProbability, 1), Threshold: max(p.XTCThreshold, 0), MinKeep: p.MinKeep})
	}
	temperature, err := p.temperature()
	if err != nil {
		return nil, err
	}
	c = append(c, temperature)
	if p.AdaptiveP && p.AdaptiveTarget >= 0 {
		if p.AdaptiveTarget > 1 {
			return nil, errors.Errorf("sampler: the target of adaptive-p is %v, want at most 1", p.AdaptiveTarget)
		}
		c = append(c, &AdaptiveP{Target: p.AdaptiveTarget, Decay: min(max(p.AdaptiveDecay, 0), 0.99)})
	}
	return c, nil
}

func (p *LlamaCPP) mirostat(c Chain) (Chain, error) {
	if p.Mirostat != 1 && p.Mirostat != 2 {
		return nil, errors.Errorf("sampler: mirostat version %d, want 0, 1 or 2", p.Mirostat)
	}
	second := &Mirostat{Tau: p.MirostatTau, Eta: p.MirostatEta}
	if err := second.check(); err != nil {
		return nil, err
	}
	t := max(p.Temp, 0) // whatever the range of the dynamic one
	if err := checkTemperature(t); err != nil {
		return nil, err
	}
	c = append(c, Temperature(t))
	if p.Mirostat == 1 {
		return append(c, &Mirostat1{Tau: p.MirostatTau, Eta: p.MirostatEta, M: 100}), nil
	}
	return append(c, second), nil
}

func (p *LlamaCPP) temperature() (Step, error) {
	if p.DynatempRange <= 0 || p.Temp+p.DynatempRange <= 0 {
		t := max(p.Temp, 0)
		return Temperature(t), checkTemperature(t)
	}
	t := DynamicTemperature{
		Low: max(p.Temp-p.DynatempRange, 0), High: p.Temp + p.DynatempRange, Exponent: p.DynatempExponent,
	}
	return t, checkDynamicTemperature(t.Low, t.High, t.Exponent)
}

func (p *LlamaCPP) penalties(c Chain) (Chain, error) {
	if p.PenaltyLastN < -1 || p.DryPenaltyLastN < -1 {
		return nil, errors.Errorf("sampler: penalties for the last %d and %d tokens, want at least -1",
			p.PenaltyLastN, p.DryPenaltyLastN)
	}
	if err := checkPenalty("frequency penalty", p.PenaltyFreq); err != nil {
		return nil, err
	}
	if err := checkPenalty("presence penalty", p.PenaltyPresent); err != nil {
		return nil, err
	}
	scope := Scope{Last: max(p.PenaltyLastN, 0)} // whose 0 is all
	if p.PenaltyLastN != 0 && p.PenaltyRepeat != 1 {
		if err := checkRepetition(p.PenaltyRepeat); err != nil {
			return nil, err
		}
		c = append(c, RepetitionPenalty{Penalty: p.PenaltyRepeat, Scope: scope})
	}
	if p.PenaltyLastN != 0 && p.PenaltyFreq != 0 {
		c = append(c, FrequencyPenalty{Penalty: p.PenaltyFreq, Scope: scope})
	}
	if p.PenaltyLastN != 0 && p.PenaltyPresent != 0 {
		c = append(c, PresencePenalty{Penalty: p.PenaltyPresent, Scope: scope})
	}
	if p.DryMultiplier != 0 && p.DryBase >= 1 && p.DryPenaltyLastN != 0 {
		dry := DRY{
			Multiplier: p.DryMultiplier, Base: p.DryBase, AllowedLength: p.DryAllowedLength, Breakers: p.DrySequenceBreakers,
			Scope: Scope{Last: max(p.DryPenaltyLastN, 0)},
		}
		if err := dry.check(); err != nil {
			return nil, err
		}
		c = append(c, dry)
	}
	return c, nil
}

func atLeast(n int, step Step) Step {
	if n < 2 {
		return step
	}
	return AtLeast{N: n, Step: step}
}
