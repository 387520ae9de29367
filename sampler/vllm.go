package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// VLLM are the sampling parameters of vLLM, by the names of SamplingParams; Sampler and Chain make of them what
// its engine of version 1 makes of them, in its order: allowed tokens, bad words, minimum length, logit bias,
// repetition, frequency and presence penalty, and then the most probable token at temperature 0, or
// temperature, min-p, top-k and top-p. Begin with [DefaultVLLM]; the zero value is greedy, as a 0 for TopP or
// RepetitionPenalty, which take no 0 there, is the default of 1.
//
// Ranges are those of vLLM, and what it rejects is an error. Its edge cases are kept: a temperature between 0 and
// 0.01 is 0.01, biases are clamped to [-100, 100] as in its server, top-k keeps all tokens that equal the k-th,
// the repetition penalty looks at prompt and output, the others and bad words at the output alone.
// It differs where torch leaves a choice open or rounds:
//   - Sums are float32 there, and float64 here.
//   - Which of equal tokens top-p keeps depends on the sort there; here it is the lower.
//   - A row that holds NaN, or no finite logit, gives a token there, here a [LogitsError].
//   - Bad words are strings there, here tokens.
//   - Random numbers are those of this package, so the tokens drawn are others, with the same probabilities.
type VLLM struct {
	Seed uint64

	PresencePenalty   float64 // in [-2, 2]
	FrequencyPenalty  float64 // in [-2, 2]
	RepetitionPenalty float64 // above 0
	Temperature       float64 // in [0, 2]
	TopP              float64 // in (0, 1]
	TopK              int     // 0 and -1 keep all
	MinP              float64 // in [0, 1]

	MinTokens       int   // how long the output is before StopTokenIDs may come
	StopTokenIDs    []int // the end of a text and others; where Generate ends
	LogitBias       map[int]float64
	AllowedTokenIDs []int
	BadWords        [][]int
}

// DefaultVLLM returns the defaults of SamplingParams: temperature 1 and nothing else.
func DefaultVLLM() VLLM {
	return VLLM{RepetitionPenalty: 1, Temperature: 1, TopP: 1}
}

// Sampler returns a Sampler with the chain and the seed of p.
func (p VLLM) Sampler() (*Sampler, error) {
	chain, err := p.Chain()
	if err != nil {
		return nil, err
	}
	return &Sampler{Steps: chain, Seed: p.Seed, Stop: slices.Clone(p.StopTokenIDs)}, nil
}

// Chain returns the steps that vLLM would run.
func (p VLLM) Chain() (Chain, error) {
	if p.TopP == 0 {
		p.TopP = 1
	}
	if p.RepetitionPenalty == 0 {
		p.RepetitionPenalty = 1
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	c := Chain{}
	if len(p.AllowedTokenIDs) > 0 {
		c = append(c, AllowedTokens(p.AllowedTokenIDs))
	}
	if len(p.BadWords) > 0 {
		c = append(c, BadWords{Words: p.BadWords, Scope: Scope{Of: OutputOnly}})
	}
	if p.MinTokens > 0 && len(p.StopTokenIDs) > 0 {
		c = append(c, MinLength{Length: p.MinTokens, Stop: p.StopTokenIDs, Of: OutputOnly})
	}
	if len(p.LogitBias) > 0 {
		clamped := LogitBias{}
		for token, bias := range p.LogitBias {
			if math.IsNaN(bias) {
				return nil, errors.Errorf("sampler: logit bias of token %d is NaN", token)
			}
			clamped[token] = min(max(bias, -100), 100)
		}
		c = append(c, clamped)
	}
	if p.RepetitionPenalty != 1 {
		c = append(c, RepetitionPenalty{Penalty: p.RepetitionPenalty})
	}
	if p.FrequencyPenalty != 0 {
		c = append(c, FrequencyPenalty{Penalty: p.FrequencyPenalty, Scope: Scope{Of: OutputOnly}})
	}
	if p.PresencePenalty != 0 {
		c = append(c, PresencePenalty{Penalty: p.PresencePenalty, Scope: Scope{Of: OutputOnly}})
	}
	if p.Temperature == 0 {
		return append(c, Temperature(0)), nil
	}
	c = append(c, Temperature(max(p.Temperature, 0.01)))
	if p.MinP > 0 {
		c = append(c, MinP(p.MinP))
	}
	if p.TopK > 0 {
		c = append(c, TopKTies(p.TopK))
	}
	if p.TopP < 1 {
		c = append(c, TopP(p.TopP))
	}
	return c, nil
}

func (p *VLLM) check() error {
	for _, r := range []struct {
		name          string
		v, least, top float64
	}{
		{"presence_penalty", p.PresencePenalty, -2, 2},
		{"frequency_penalty", p.FrequencyPenalty, -2, 2},
		{"temperature", p.Temperature, 0, 2},
		{"top_p", p.TopP, 0, 1},
		{"min_p", p.MinP, 0, 1},
	} {
		if !(r.v >= r.least && r.v <= r.top) {
			return errors.Errorf("sampler: %s is %v, want %v to %v", r.name, r.v, r.least, r.top)
		}
	}
	if p.TopK < -1 || p.MinTokens < 0 {
		return errors.Errorf("sampler: top_k is %d and min_tokens %d, want at least -1 and 0", p.TopK, p.MinTokens)
	}
	for _, word := range p.BadWords {
		if len(word) == 0 {
			return errors.New("sampler: a bad word of no tokens")
		}
	}
	return checkRepetition(p.RepetitionPenalty)
}
