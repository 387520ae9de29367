package gguf

import (
	"encoding/json"
	"fmt"

	"github.com/pkg/errors"
)

// The kinds of tokens that llama.cpp tells apart.
const (
	tokenNormal  = 1
	tokenControl = 3
	tokenAdded   = 4
	tokenUnused  = 5
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
	} `json:"pre_tokenizer"`
	Model struct {
		Type         string            `json:"type"`
		Vocab        map[string]int    `json:"vocab"`
		Merges       []json.RawMessage `json:"merges"`
		ByteFallback bool              `json:"byte_fallback"`
	} `json:"model"`
}

// Tokenizer returns the settings of a tokenizer for a model with so many tokens. content is a tokenizer.json of byte-level
// BPE in the manner of GPT-2. Other kinds are an error.
func Tokenizer(content []byte, vocab int) ([]Setting, error) {
	var t tokenizer
	if err := json.Unmarshal(content, &t); err != nil {
		return nil, errors.Wrap(err, "gguf: tokenizer")
	}
	pre := t.PreTokenizer
	switch {
	case t.Model.Type != "BPE" || t.Model.ByteFallback || pre.Type != "ByteLevel":
		return nil, errors.Errorf("gguf: a tokenizer of type %s behind %s, want BPE behind ByteLevel", t.Model.Type, pre.Type)
	case len(t.Normalizer) > 0 && string(t.Normalizer) != "null":
		return nil, errors.Errorf("gguf: a tokenizer with normalizer %.80s", t.Normalizer)
	case pre.AddPrefixSpace:
		return nil, errors.New("gguf: a tokenizer that adds a space before text")
	case pre.UseRegex != nil && !*pre.UseRegex && len(t.Model.Merges) > 0:
		return nil, errors.New("gguf: a tokenizer that merges across words")
	}
	tokens, kinds := make([]string, vocab), make([]int32, vocab)
	for i := range tokens {
		tokens[i], kinds[i] = fmt.Sprintf("[PAD%d]", i), tokenUnused
	}
	set := func(id int, token string, kind int32) error {
		if id < 0 || id >= vocab {
			return errors.Errorf("gguf: token %q has id %d in a model of %d tokens", token, id, vocab)
		}
		tokens[id], kinds[id] = token, kind
		return nil
	}
	for token, id := range t.Model.Vocab {
		if id >= 0 && id < vocab && kinds[id] != tokenUnused {
			return nil, errors.Errorf("gguf: tokens %q and %q have id %d", min(token, tokens[id]), max(token, tokens[id]), id)
		}
		if err := set(id, token, tokenNormal); err != nil {
			return nil, err
		}
	}
	end := -1
	for _, a := range t.Added {
		kind := int32(tokenAdded)
		if a.Special {
			kind = tokenControl
		}
		if err := set(a.ID, a.Content, kind); err != nil {
			return nil, err
		}
		if a.Content == "<|endoftext|>" {
			end = a.ID
		}
	}
	merges := make([]string, len(t.Model.Merges))
	for i, m := range t.Model.Merges {
		var pair [2]string
		if json.Unmarshal(m, &merges[i]) == nil {
			continue
		}
		if err := json.Unmarshal(m, &pair); err != nil {
			return nil, errors.Wrapf(err, "gguf: merge %.80s", m)
		}
		merges[i] = pair[0] + " " + pair[1]
	}
	settings := []Setting{
		{"tokenizer.ggml.model", "gpt2"},
		{"tokenizer.ggml.pre", "gpt-2"},
		{"tokenizer.ggml.tokens", tokens},
		{"tokenizer.ggml.token_type", kinds},
		{"tokenizer.ggml.merges", merges},
		{"tokenizer.ggml.add_bos_token", false},
	}
	if end >= 0 { // begins and ends texts, as in GPT-2
		settings = append(settings, Setting{"tokenizer.ggml.bos_token_id", uint32(end)}, Setting{"tokenizer.ggml.eos_token_id", uint32(end)})
	}
	return settings, nil
}
