package gguf

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pkg/errors"
)

// The kinds of tokens that llama.cpp tells apart.
const (
	tokenNormal  = 1
	tokenUnknown = 2
	tokenControl = 3
	tokenAdded   = 4
	tokenUnused  = 5
	tokenByte    = 6
)

// A tokenizer is Hugging Face's tokenizer.json, as far as it decides the ids of text.
type tokenizer struct {
	Added []struct {
		ID      int    `json:"id"`
		Content string `json:"content"`
		Special bool   `json:"special"`
	} `json:"added_tokens"`
	Normalizer   json.RawMessage `json:"normalizer"`
	PreTokenizer struct {
		Type           string `json:"type"`
		AddPrefixSpace bool   `json:"add_prefix_space"`
		UseRegex       *bool  `json:"use_regex"`
		PrependScheme  string `json:"prepend_scheme"`
	} `json:"pre_tokenizer"`
	PostProcessor struct {
		Type   string `json:"type"`
		Single []struct {
			SpecialToken *struct {
				ID string `json:"id"`
			} `json:"SpecialToken"`
		} `json:"single"`
	} `json:"post_processor"`
	Model struct {
		Type         string            `json:"type"`
		Vocab        map[string]int    `json:"vocab"`
		Merges       []json.RawMessage `json:"merges"`
		ByteFallback bool              `json:"byte_fallback"`
		UnkToken     string            `json:"unk_token"`
	} `json:"model"`
}

// Tokenizer returns the settings of a tokenizer for a model with so many tokens. content is a tokenizer.json of byte-level
// BPE in the manner of GPT-2, or of BPE with byte_fallback in the manner of Llama 2. Other kinds are an error.
func Tokenizer(content []byte, vocab int) ([]Setting, error) {
	var t tokenizer
	if err := json.Unmarshal(content, &t); err != nil {
		return nil, errors.Wrap(err, "gguf: tokenizer")
	}
	settings, err := t.settings(vocab)
	return settings, errors.WithMessage(err, "gguf")
}

func (t *tokenizer) settings(vocab int) ([]Setting, error) {
	if t.Model.Type != "BPE" {
		return nil, errors.Errorf("a tokenizer of type %s, want BPE", t.Model.Type)
	}
	tokens, kinds, err := t.tokens(vocab)
	if err != nil {
		return nil, err
	}
	merges, err := t.merges()
	if err != nil {
		return nil, err
	}
	if t.Model.ByteFallback {
		return t.pieces(tokens, kinds, merges)
	}
	return t.byteLevel(tokens, kinds, merges)
}

// byteLevel returns the settings of a tokenizer in the manner of GPT-2.
func (t *tokenizer) byteLevel(tokens []string, kinds []int32, merges [][2]string) ([]Setting, error) {
	pre := t.PreTokenizer
	switch {
	case pre.Type != "ByteLevel":
		return nil, errors.Errorf("a tokenizer with pre-tokenizer %q, want ByteLevel", pre.Type)
	case len(t.Normalizer) > 0 && string(t.Normalizer) != "null":
		return nil, errors.Errorf("a tokenizer with normalizer %.80s", t.Normalizer)
	case pre.AddPrefixSpace:
		return nil, errors.New("a tokenizer that adds a space before text")
	case pre.UseRegex != nil && !*pre.UseRegex && len(merges) > 0:
		return nil, errors.New("a tokenizer that merges across words")
	}
	joined := make([]string, len(merges))
	for i, m := range merges {
		joined[i] = m[0] + " " + m[1]
	}
	settings := []Setting{
		{"tokenizer.ggml.model", "gpt2"},
		{"tokenizer.ggml.pre", "gpt-2"},
		{"tokenizer.ggml.tokens", tokens},
		{"tokenizer.ggml.token_type", kinds},
		{"tokenizer.ggml.merges", joined},
		{"tokenizer.ggml.add_bos_token", false},
	}
	for _, a := range t.Added {
		if a.Content == "<|endoftext|>" { // begins and ends texts, as in GPT-2
			id := uint32(a.ID)
			settings = append(settings, Setting{"tokenizer.ggml.bos_token_id", id}, Setting{"tokenizer.ggml.eos_token_id", id})
		}
	}
	return settings, nil
}

// tokens returns the tokens and their kinds by id.
func (t *tokenizer) tokens(vocab int) ([]string, []int32, error) {
	tokens, kinds := make([]string, vocab), make([]int32, vocab)
	for i := range tokens {
		tokens[i], kinds[i] = fmt.Sprintf("[PAD%d]", i), tokenUnused
	}
	set := func(id int, token string, kind int32) error {
		if id < 0 || id >= vocab {
			return errors.Errorf("token %q has id %d in a model of %d tokens", token, id, vocab)
		}
		tokens[id], kinds[id] = token, kind
		return nil
	}
	for token, id := range t.Model.Vocab {
		if id >= 0 && id < vocab && kinds[id] != tokenUnused {
			return nil, nil, errors.Errorf("tokens %q and %q have id %d", min(token, tokens[id]), max(token, tokens[id]), id)
		}
		if err := set(id, token, tokenNormal); err != nil {
			return nil, nil, err
		}
	}
	for _, a := range t.Added {
		kind := int32(tokenAdded)
		if a.Special {
			kind = tokenControl
		}
		if err := set(a.ID, a.Content, kind); err != nil {
			return nil, nil, err
		}
	}
	return tokens, kinds, nil
}

// merges returns the pairs that merge, by rank. Files have them in one string or, later, in two.
func (t *tokenizer) merges() ([][2]string, error) {
	merges := make([][2]string, len(t.Model.Merges))
	for i, m := range t.Model.Merges {
		var joined string
		var parts []string
		if json.Unmarshal(m, &joined) == nil {
			parts = strings.Split(joined, " ")
		} else if err := json.Unmarshal(m, &parts); err != nil {
			return nil, errors.Wrapf(err, "merge %.80s", m)
		}
		if len(parts) != 2 {
			return nil, errors.Errorf("merge %.80s is of no two tokens", m)
		}
		merges[i] = [2]string(parts)
	}
	return merges, nil
}
