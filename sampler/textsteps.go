package sampler

import (
	"math"

	"github.com/pkg/errors"
)

// RepetitionPenalty is [Distribution.RepetitionPenalty], or with Normalize
// [Distribution.NormalizedRepetitionPenalty], of the tokens of Scope. A penalty of 0 is 1, which is none.
type RepetitionPenalty struct {
	Penalty   float64
	Normalize bool
	Scope     Scope
}

// Apply penalises the tokens of Scope.
func (p RepetitionPenalty) Apply(d *Distribution, h *History) error {
	text, err := h.In(p.Scope)
	if err != nil {
		return err
	}
	if p.Penalty == 0 {
		p.Penalty = 1
	}
	return d.repetition(text, p.Penalty, p.Normalize)
}

// FrequencyPenalty is [Distribution.FrequencyPenalty] of the tokens of Scope.
type FrequencyPenalty struct {
	Penalty float64
	Scope   Scope
}

// Apply penalises the tokens of Scope.
func (p FrequencyPenalty) Apply(d *Distribution, h *History) error {
	text, err := h.In(p.Scope)
	if err != nil {
		return err
	}
	return d.FrequencyPenalty(text, p.Penalty)
}

// PresencePenalty is [Distribution.PresencePenalty] of the tokens of Scope.
type PresencePenalty struct {
	Penalty float64
	Scope   Scope
}

// Apply penalises the tokens of Scope.
func (p PresencePenalty) Apply(d *Distribution, h *History) error {
	text, err := h.In(p.Scope)
	if err != nil {
		return err
	}
	return d.PresencePenalty(text, p.Penalty)
}

// NoRepeatNGram is [Distribution.NoRepeatNGram] of the tokens of Scope. An N of 0 switches it off.
type NoRepeatNGram struct {
	N     int
	Scope Scope
}

// Apply drops the tokens that would repeat N tokens of Scope.
func (n NoRepeatNGram) Apply(d *Distribution, h *History) error {
	text, err := h.In(n.Scope)
	if err != nil {
		return err
	}
	if n.N == 0 {
		return d.ready()
	}
	return d.NoRepeatNGram(text, n.N)
}

// BadWords bans sequences of tokens: the last token of each is dropped where the text of Scope ends with the
// others. It is an error if no token is left.
type BadWords struct {
	Words [][]int
	Scope Scope
}

// Apply drops the tokens that would complete a bad word.
func (w BadWords) Apply(d *Distribution, h *History) error {
	text, err := h.In(w.Scope)
	if err != nil {
		return err
	}
	if err := d.ready(); err != nil {
		return err
	}
	for _, word := range w.Words {
		if err := d.sequenceBias(text, word, math.Inf(-1)); err != nil {
			return err
		}
	}
	return d.settle("bad words")
}

// SequenceBias is [Distribution.SequenceBias] after the text of Scope.
type SequenceBias struct {
	Sequence []int
	Bias     float64
	Scope    Scope
}

// Apply adds to the logit of the token that would complete the sequence.
func (b SequenceBias) Apply(d *Distribution, h *History) error {
	text, err := h.In(b.Scope)
	if err != nil {
		return err
	}
	return d.SequenceBias(text, b.Sequence, b.Bias)
}

// LogitBias adds to the logits of tokens, as [Distribution.Bias] does. -Inf bans a token.
type LogitBias map[int]float64

// Apply adds to the logits.
func (b LogitBias) Apply(d *Distribution, _ *History) error {
	if err := d.ready(); err != nil {
		return err
	}
	for token, bias := range b {
		if err := checkBias(bias); err != nil {
			return errors.WithMessagef(err, "sampler: token %d", token)
		}
		if err := d.has(token); err != nil {
			return err
		}
		d.bias(token, bias)
	}
	return d.settle("logit bias")
}

// AllowedTokens is [Distribution.Allow] as a step. Ascending order is fastest.
type AllowedTokens []int

// Apply drops all other tokens.
func (a AllowedTokens) Apply(d *Distribution, _ *History) error { return d.Allow(a...) }

// SuppressedTokens is [Distribution.Suppress] as a step.
type SuppressedTokens []int

// Apply drops the tokens.
func (s SuppressedTokens) Apply(d *Distribution, _ *History) error { return d.Suppress(s...) }

// ForcedTokens prescribes a part of the output, whatever the logits are: token number At+i of the output, which
// counts from 0, is Tokens[i]. At 0 that is how a text begins; at the last place it is how it ends.
type ForcedTokens struct {
	At     int
	Tokens []int
}

// Apply makes the prescribed token certain, as [Distribution.Force] does.
func (f ForcedTokens) Apply(d *Distribution, h *History) error {
	output, err := h.In(Scope{Of: OutputOnly})
	if err != nil {
		return err
	}
	if f.At < 0 {
		return errors.Errorf("sampler: tokens forced at %d of the output, want at least 0", f.At)
	}
	if i := len(output) - f.At; i >= 0 && i < len(f.Tokens) {
		return d.Force(f.Tokens[i])
	}
	return d.ready()
}

// MinLength drops the Stop tokens as long as the text is shorter than Length. Of says what of the text counts:
// the output for min_new_tokens of Hugging Face and min_tokens of vLLM, the whole for Hugging Face's
// min_length. It is an error if no token is left.
type MinLength struct {
	Length int
	Stop   []int
	Of     Part
}

// Apply drops the Stop tokens of a text that is too short.
func (m MinLength) Apply(d *Distribution, h *History) error {
	text, err := h.In(Scope{Of: m.Of})
	if err != nil {
		return err
	}
	if m.Length < 0 {
		return errors.Errorf("sampler: minimum length is %d, want at least 0", m.Length)
	}
	if len(text) >= m.Length {
		return d.has(m.Stop...)
	}
	return d.Suppress(m.Stop...)
}
