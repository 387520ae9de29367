package gguf

import (
	"encoding/json"
	"strings"

	"github.com/pkg/errors"
)

// pieces returns the settings of a tokenizer in the manner of Llama 2, which SentencePiece trains. llama.cpp merges by
// the scores of what pairs make, so a token that is made earlier has a higher one. It puts a space before all text
// between special tokens, or none.
func (t *tokenizer) pieces(tokens []string, kinds []int32, merges [][2]string) ([]Setting, error) {
	prefix, err := t.prefix()
	if err != nil {
		return nil, err
	}
	bos, err := t.bos()
	if err != nil {
		return nil, err
	}
	ids := make(map[string]int, len(tokens))
	for id, token := range tokens {
		ids[token] = id
		switch {
		case token == t.Model.UnkToken && token != "":
			kinds[id] = tokenUnknown
		case kinds[id] == tokenNormal && len(token) == 6 && strings.HasPrefix(token, "<0x") && token[5] == '>':
			kinds[id] = tokenByte
		}
	}
	scores := make([]float32, len(tokens))
	for rank, m := range merges {
		made := m[0] + m[1]
		id, ok := ids[made]
		switch {
		case !ok:
			return nil, errors.Errorf("the merge of %q and %q makes no token", m[0], m[1])
		case scores[id] == 0:
			scores[id] = -float32(rank + 1)
		case merges[rank-1][0]+merges[rank-1][1] != made: // the pairs that make a token are not together
			return nil, errors.Errorf("merges of %q have ranks that no score has", made)
		}
	}
	for id, score := range scores {
		if score == 0 && kinds[id] == tokenNormal { // characters, which nothing makes
			scores[id] = -float32(len(merges) + 1)
		}
	}
	settings := []Setting{
		{"tokenizer.ggml.model", "llama"},
		{"tokenizer.ggml.pre", "default"},
		{"tokenizer.ggml.tokens", tokens},
		{"tokenizer.ggml.scores", scores},
		{"tokenizer.ggml.token_type", kinds},
		{"tokenizer.ggml.add_space_prefix", prefix},
		{"tokenizer.ggml.add_bos_token", bos != ""},
		{"tokenizer.ggml.add_eos_token", false},
	}
	if bos == "" {
		bos = "<s>"
	}
	for _, s := range []struct{ key, token string }{
		{"bos_token_id", bos}, {"eos_token_id", "</s>"}, {"unknown_token_id", t.Model.UnkToken},
	} {
		if id, ok := ids[s.token]; ok {
			settings = append(settings, Setting{"tokenizer.ggml." + s.key, uint32(id)})
		}
	}
	return settings, nil
}

// prefix reports whether t puts a space before text. If it does so at the start alone, llama.cpp differs where text
// follows a special token.
func (t *tokenizer) prefix() (bool, error) {
	pre := t.PreTokenizer
	if pre.Type == "Metaspace" {
		known := map[string]bool{"first": true, "always": true, "never": false}
		prefix, ok := known[pre.PrependScheme]
		if !ok || len(t.Normalizer) > 0 && string(t.Normalizer) != "null" {
			return false, errors.Errorf("a tokenizer with normalizer %.80s and a Metaspace of scheme %q", t.Normalizer, pre.PrependScheme)
		}
		return prefix, nil
	}
	var n struct {
		Type        string            `json:"type"`
		Normalizers []json.RawMessage `json:"normalizers"`
	}
	if err := json.Unmarshal(t.Normalizer, &n); err != nil {
		return false, errors.Wrap(err, "normalizer")
	}
	parts := []json.RawMessage{t.Normalizer}
	if n.Type == "Sequence" {
		parts = n.Normalizers
	}
	space, prefix := false, false
	for i, part := range parts {
		var p struct {
			Type    string `json:"type"`
			Prepend string `json:"prepend"`
			Content string `json:"content"`
			Pattern struct {
				String string
			} `json:"pattern"`
		}
		if err := json.Unmarshal(part, &p); err != nil {
			return false, errors.Wrap(err, "normalizer")
		}
		switch {
		case p.Type == "Prepend" && p.Prepend == "▁" && i == 0:
			prefix = true
		case p.Type == "Replace" && p.Pattern.String == " " && p.Content == "▁" && !space:
			space = true
		default:
			return false, errors.Errorf("a tokenizer with normalizer %.80s", part)
		}
	}
	if !space || pre.Type != "" {
		return false, errors.Errorf("a tokenizer with normalizer %.80s and pre-tokenizer %q", t.Normalizer, pre.Type)
	}
	return prefix, nil
}

// bos returns the special token that t puts before text, or "".
func (t *tokenizer) bos() (string, error) {
	p := t.PostProcessor
	switch {
	case p.Type == "":
		return "", nil
	case p.Type == "TemplateProcessing" && len(p.Single) == 1 && p.Single[0].SpecialToken == nil:
		return "", nil
	case p.Type == "TemplateProcessing" && len(p.Single) == 2 && p.Single[0].SpecialToken != nil && p.Single[1].SpecialToken == nil:
		return p.Single[0].SpecialToken.ID, nil
	}
	return "", errors.Errorf("a tokenizer with post-processor %s, other than of one token before text", p.Type)
}
