package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// HuggingFace are the sampling parameters of Hugging Face's transformers, by the names of GenerationConfig; Sampler
// and Chain make of them what generate makes of them, in its order: sequence bias, repetition penalty,
// no-repeat n-gram, bad words, minimum lengths, suppressed tokens, and then, when sampling, temperature, top-h,
// top-k, top-p, min-p, typical-p, epsilon and eta. Begin with [DefaultHuggingFace]; the zero value is greedy.
//
// Without DoSample the token is the most probable one, and a parameter of sampling that is neither 0 nor the
// default is an error, where transformers warns and goes on. What it raises an error for is one here. A 0 is
// None for RepetitionPenalty, TypicalP and TopH, which take no 0 there.
//
// Its edge cases are kept: top-k keeps all tokens that equal the k-th, typical-p all that are as typical as the
// last, top-p of 0 and an epsilon above all probabilities keep the most probable, top-h looks at 100 tokens.
// It differs where torch leaves a choice open or rounds:
//   - Sums are float32 there, and float64 here.
//   - Which of equal tokens top-p and top-h keep depends on the sort there; here it is the lower.
//   - A bias of a sequence, or a bad word, that with the next token is the whole text is skipped there, and
//     counts here.
//   - A TopP or TypicalP above 1, a cutoff outside of [0, 1), and a minimum length without EOSTokenID switch
//     their processor off there; here they are errors.
//   - Random numbers are those of this package, so the tokens drawn are others, with the same probabilities.
type HuggingFace struct {
	Seed uint64

	DoSample      bool
	Temperature   float64
	TopH          float64
	TopK          int
	TopP          float64
	MinP          float64
	TypicalP      float64
	EpsilonCutoff float64
	EtaCutoff     float64

	RepetitionPenalty float64        // of prompt and output
	NoRepeatNGramSize int            // in prompt and output
	SequenceBias      []SequenceBias // of one sequence twice the last
	BadWordsIDs       [][]int
	MinLength         int // of prompt and output
	MinNewTokens      int
	EOSTokenID        []int // what the minimum lengths hold back, also where Generate ends
	SuppressTokens    []int
}

// DefaultHuggingFace returns the defaults of GenerationConfig: temperature 1, top-k 50 when sampling, and
// greedy, since DoSample is false.
func DefaultHuggingFace() HuggingFace {
	return HuggingFace{Temperature: 1, TopK: 50, TopP: 1, TypicalP: 1, RepetitionPenalty: 1}
}

// Sampler returns a Sampler with the chain and the seed of p.
func (p HuggingFace) Sampler() (*Sampler, error) {
	chain, err := p.Chain()
	if err != nil {
		return nil, err
	}
	return &Sampler{Steps: chain, Seed: p.Seed, Stop: slices.Clone(p.EOSTokenID)}, nil
}

// Chain returns the processors that transformers would run.
func (p HuggingFace) Chain() (Chain, error) {
	c := Chain{}
	for i, b := range p.SequenceBias {
		if len(b.Sequence) == 0 {
			return nil, errors.New("sampler: a sequence of no tokens")
		}
		if err := checkBias(b.Bias); err != nil {
			return nil, err
		}
		// They are a dictionary there, in which the last bias of a sequence is the one.
		if !slices.ContainsFunc(p.SequenceBias[i+1:], func(later SequenceBias) bool {
			return slices.Equal(later.Sequence, b.Sequence)
		}) {
			c = append(c, b)
		}
	}
	if p.RepetitionPenalty != 0 && p.RepetitionPenalty != 1 {
		if err := checkRepetition(p.RepetitionPenalty); err != nil {
			return nil, err
		}
		c = append(c, RepetitionPenalty{Penalty: p.RepetitionPenalty})
	}
	if p.NoRepeatNGramSize < 0 || p.MinLength < 0 || p.MinNewTokens < 0 || p.TopK < 0 {
		return nil, errors.Errorf("sampler: n-gram of %d, minimum lengths of %d and %d tokens and top-k of %d, want at least 0",
			p.NoRepeatNGramSize, p.MinLength, p.MinNewTokens, p.TopK)
	}
	if p.NoRepeatNGramSize > 0 {
		c = append(c, NoRepeatNGram{N: p.NoRepeatNGramSize})
	}
	var words [][]int
	for _, word := range p.BadWordsIDs {
		if len(word) == 0 {
			return nil, errors.New("sampler: a bad word of no tokens")
		}
		if len(word) > 1 || !slices.Contains(p.EOSTokenID, word[0]) { // a bad word cannot keep a text from ending
			words = append(words, word)
		}
	}
	if len(words) > 0 {
		c = append(c, BadWords{Words: words})
	}
	if (p.MinLength > 0 || p.MinNewTokens > 0) && len(p.EOSTokenID) == 0 {
		return nil, errors.New("sampler: a minimum length without EOSTokenID")
	}
	if p.MinLength > 0 {
		c = append(c, MinLength{Length: p.MinLength, Stop: p.EOSTokenID})
	}
	if p.MinNewTokens > 0 {
		c = append(c, MinLength{Length: p.MinNewTokens, Stop: p.EOSTokenID, Of: OutputOnly})
	}
	if len(p.SuppressTokens) > 0 {
		c = append(c, SuppressedTokens(p.SuppressTokens))
	}
	if !p.DoSample {
		if !isOr(p.Temperature, 1) || !isOr(p.TopP, 1) || !isOr(p.TypicalP, 1) || p.TopK != 0 && p.TopK != 50 ||
			p.TopH != 0 || p.MinP != 0 || p.EpsilonCutoff != 0 || p.EtaCutoff != 0 {
			return nil, errors.Errorf("sampler: parameters of sampling without DoSample: %+v", p)
		}
		return append(c, Temperature(0)), nil
	}
	return p.warpers(c)
}

func (p *HuggingFace) warpers(c Chain) (Chain, error) {
	if !(p.Temperature > 0 && p.Temperature <= math.MaxFloat64) {
		return nil, errors.Errorf("sampler: temperature is %v, want a finite number above 0; without DoSample it is greedy",
			p.Temperature)
	}
	if p.Temperature != 1 {
		c = append(c, Temperature(p.Temperature))
	}
	if err := checkTopH(p.TopH); err != nil {
		return nil, err
	}
	if p.TopH > 0 {
		c = append(c, TopK(100), TopH(p.TopH))
	}
	if p.TopK > 0 {
		c = append(c, TopKTies(p.TopK))
	}
	if err := checkTopP(p.TopP); err != nil {
		return nil, err
	}
	switch {
	case p.TopP == 0:
		c = append(c, TopK(1))
	case p.TopP < 1:
		c = append(c, TopP(p.TopP))
	}
	if err := checkMinP(p.MinP); err != nil {
		return nil, err
	}
	if p.MinP > 0 {
		c = append(c, MinP(p.MinP))
	}
	rule := TypicalRule{P: p.TypicalP, Ties: true}
	if err := rule.check(); err != nil {
		return nil, err
	}
	if p.TypicalP > 0 && p.TypicalP < 1 {
		c = append(c, rule)
	}
	if err := checkCutoff("epsilon_cutoff", p.EpsilonCutoff); err != nil {
		return nil, err
	}
	if p.EpsilonCutoff > 0 {
		c = append(c, Epsilon(p.EpsilonCutoff))
	}
	if err := checkCutoff("eta_cutoff", p.EtaCutoff); err != nil {
		return nil, err
	}
	if p.EtaCutoff > 0 {
		c = append(c, Eta(p.EtaCutoff))
	}
	return c, nil
}

// isOr reports whether x is 0 or value.
func isOr(x, value float64) bool { return x == 0 || x == value }
