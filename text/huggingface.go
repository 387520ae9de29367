package text

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/pkg/errors"
)

// hfTokenizer is the layout of tokenizer.json, see https://huggingface.co/docs/tokenizers/api/tokenizer.
// Fields that are not here are refused, because they could change what text becomes.
type hfTokenizer struct {
	Version       string        `json:"version"`
	Truncation    *hfUnknown    `json:"truncation"`
	Padding       *hfUnknown    `json:"padding"`
	AddedTokens   list[hfAdded] `json:"added_tokens"`
	Normalizer    *hfUnknown    `json:"normalizer"`
	PreTokenizer  *hfPart       `json:"pre_tokenizer"`
	PostProcessor *hfPart       `json:"post_processor"`
	Decoder       *hfPart       `json:"decoder"`
	Model         hfModelOrNone `json:"model"`
}

// hfUnknown stands for a part that is mostly null, and keeps its type for the message.
type hfUnknown struct {
	kind string
	raw  []byte
}

func (u *hfUnknown) UnmarshalJSON(data []byte) error {
	var k struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(data, &k) // anything but an object has no type, and is refused all the same
	u.kind, u.raw = k.Type, bytes.Clone(data)
	return nil
}

// hfAdded is an added token.
type hfAdded struct {
	ID         *int   `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

func (a *hfAdded) UnmarshalJSON(data []byte) error {
	type plain hfAdded
	return unmarshalStrict(data, (*plain)(a))
}

// hfPart is a pre-tokenizer, a post-processor or a decoder: of those that are known, all fields.
type hfPart struct {
	Type           string     `json:"type"`
	AddPrefixSpace *bool      `json:"add_prefix_space,omitempty"`
	TrimOffsets    *bool      `json:"trim_offsets,omitempty"`
	UseRegex       *bool      `json:"use_regex,omitempty"`
	Pattern        *hfPattern `json:"pattern,omitempty"`
	Behavior       string     `json:"behavior,omitempty"`
	Invert         *bool      `json:"invert,omitempty"`

	raw []byte // the whole of it
}

type hfPattern struct {
	Regex string `json:"Regex"`
}

// UnmarshalJSON reads the fields of the known types and, of others, only the type.
func (p *hfPart) UnmarshalJSON(data []byte) error {
	var k struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return err
	}
	p.raw = bytes.Clone(data)
	switch k.Type {
	case "ByteLevel", "Split", "Fuse":
		type plain hfPart
		return unmarshalStrict(data, (*plain)(p))
	}
	p.Type = k.Type
	return nil
}

// String names p in messages.
func (p *hfPart) String() string {
	switch {
	case p == nil:
		return "null"
	case p.Type == "ByteLevel" && isTrue(p.AddPrefixSpace):
		return "ByteLevel with add_prefix_space"
	case p.Type == "ByteLevel" && p.UseRegex != nil && !*p.UseRegex:
		return "ByteLevel without use_regex"
	case p.Type == "Split" && p.Pattern != nil:
		return "Split by " + p.Pattern.Regex
	}
	return p.Type
}

func isTrue(b *bool) bool { return b != nil && *b }

// hfModel holds the fields of the models BPE and WordLevel.
type hfModel struct {
	Type                    string     `json:"type"`
	Dropout                 *float64   `json:"dropout"`
	UnkToken                *string    `json:"unk_token"`
	ContinuingSubwordPrefix *string    `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string    `json:"end_of_word_suffix"`
	FuseUnk                 bool       `json:"fuse_unk"`
	ByteFallback            bool       `json:"byte_fallback"`
	IgnoreMerges            bool       `json:"ignore_merges"`
	Vocab                   vocabulary `json:"vocab"`
	Merges                  *hfMerges  `json:"merges"`
}

// check says what is not supported in a BPE. It returns one more than the largest id of the vocabulary.
// unk_token and fuse_unk need no look: with tokens for all 256 bytes nothing is unknown.
func (m *hfModel) check() (size int, err error) {
	switch {
	case m.Dropout != nil && *m.Dropout != 0:
		return 0, errors.Errorf("dropout %g is not supported", *m.Dropout)
	case m.ContinuingSubwordPrefix != nil && *m.ContinuingSubwordPrefix != "":
		return 0, errors.Errorf("continuing_subword_prefix %q is not supported", *m.ContinuingSubwordPrefix)
	case m.EndOfWordSuffix != nil && *m.EndOfWordSuffix != "":
		return 0, errors.Errorf("end_of_word_suffix %q is not supported", *m.EndOfWordSuffix)
	case m.IgnoreMerges:
		return 0, errors.Errorf("ignore_merges is not supported")
	}
	for _, e := range m.Vocab {
		size = max(size, e.id+1)
	}
	if used := len(m.Vocab); size > used+maxHoles {
		return 0, errors.Errorf("ids up to %d are too many for %d tokens", size-1, used)
	}
	return size, nil
}

// special returns the added tokens.
func (hf *hfTokenizer) special() (map[string]int, error) {
	special := make(map[string]int, len(hf.AddedTokens))
	for _, a := range hf.AddedTokens {
		switch _, twice := special[a.Content]; {
		case a.SingleWord || a.LStrip || a.RStrip:
			return nil, errors.Errorf("added token %q: single_word, lstrip and rstrip are not supported", a.Content)
		case a.ID == nil:
			return nil, errors.Errorf("added token %q has no id", a.Content)
		case twice:
			return nil, errors.Errorf("added token %q occurs twice", a.Content)
		}
		special[a.Content] = *a.ID
	}
	return special, nil
}

// hfModelOrNone reads a model if its type is known, and only the type if not.
type hfModelOrNone struct{ hfModel }

func (m *hfModelOrNone) UnmarshalJSON(data []byte) error {
	var k struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return err
	}
	switch m.Type = k.Type; k.Type {
	case "", "BPE", "WordLevel":
		return unmarshalStrict(data, &m.hfModel)
	}
	return nil
}

type hfMerges = list[hfMerge]

// hfMerge is a merge, "left right" or, in newer files, ["left", "right"].
type hfMerge [2]string

func (m *hfMerge) UnmarshalJSON(data []byte) error {
	var both []string
	if data[0] == '[' {
		if err := json.Unmarshal(data, &both); err != nil {
			return err
		}
	} else {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		both = strings.Split(s, " ")
	}
	if len(both) != 2 {
		return errors.Errorf("merge %s is not a pair", data)
	}
	m[0], m[1] = both[0], both[1]
	return nil
}
