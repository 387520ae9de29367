package sampler

import (
	"slices"

	"github.com/pkg/errors"
)

// A History is what the steps of a chain may know besides the logits: the text so far and a number to toss
// with. A [Sampler] keeps one.
type History struct {
	Tokens []int // the prompt and then what has been drawn
	Prompt int   // how many of Tokens are the prompt

	// Toss is a number in [0, 1) for the steps that decide by chance. A Sampler sets it before every token, to
	// a number independent of the one that draws it; several steps share it.
	Toss float64 `json:"-"`
}

// NewHistory returns a history of a prompt, which it copies.
func NewHistory(prompt ...int) History {
	return History{Tokens: slices.Clone(prompt), Prompt: len(prompt)}
}

// A Part is a part of a text.
type Part uint8

const (
	WholeText  Part = iota // prompt and output
	PromptOnly             // what the model was given
	OutputOnly             // what has been drawn
)

var partNames = []string{"whole text", "prompt only", "output only"}

// String returns the part's name.
func (p Part) String() string {
	if int(p) < len(partNames) {
		return partNames[p]
	}
	return "no part"
}

// MarshalText returns the part's name.
func (p Part) MarshalText() ([]byte, error) {
	if int(p) >= len(partNames) {
		return nil, errors.Errorf("sampler: part %d of a text, want 0 to %d", p, len(partNames)-1)
	}
	return []byte(partNames[p]), nil
}

// UnmarshalText sets p by its name.
func (p *Part) UnmarshalText(name []byte) error {
	i := slices.Index(partNames, string(name))
	if i < 0 {
		return errors.Errorf("sampler: %q is no part of a text, want one of %q", name, partNames)
	}
	*p = Part(i)
	return nil
}

// A Scope says which tokens a step looks back at. The zero value is all of them.
type Scope struct {
	Of   Part
	Last int // only so many of the last tokens of the part; 0 is all
}

// In returns the tokens of scope, which are a part of h. A part that there is not, a negative number of tokens
// and a prompt that is longer than the text are errors.
func (h *History) In(scope Scope) ([]int, error) {
	if h == nil {
		return nil, errors.New("sampler: no history")
	}
	if h.Prompt < 0 || h.Prompt > len(h.Tokens) {
		return nil, errors.Errorf("sampler: history has %d tokens, %d of them prompt", len(h.Tokens), h.Prompt)
	}
	if scope.Last < 0 {
		return nil, errors.Errorf("sampler: scope of the last %d tokens, want at least 0", scope.Last)
	}
	text := h.Tokens
	switch scope.Of {
	case WholeText:
	case PromptOnly:
		text = text[:h.Prompt]
	case OutputOnly:
		text = text[h.Prompt:]
	default:
		return nil, errors.Errorf("sampler: scope of part %d of a text, want 0 to %d", scope.Of, len(partNames)-1)
	}
	if scope.Last > 0 && scope.Last < len(text) {
		text = text[len(text)-scope.Last:]
	}
	return text, nil
}
