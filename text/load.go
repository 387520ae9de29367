package text

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// Limits of what Load reads, so that no file can fill the memory. GPT-2's tokenizer.json has 1.5 MB and 50,257
// tokens, Llama 3's 9 MB and 128,256.
const (
	maxFile    = 32 << 20
	maxEntries = 1 << 20 // of the vocabulary and of each list
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

// hfUnknown stands for a part that must be null, and keeps its type for the message.
type hfUnknown struct{ kind string }

func (u *hfUnknown) UnmarshalJSON(data []byte) error {
	var k struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(data, &k) // anything but an object has no type, and is refused all the same
	u.kind = k.Type
	return nil
}

type hfAdded struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
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

// list is a JSON array that must not have more than maxEntries.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.Errorf("%.20s is not an array", data)
	}
	*l = list[T]{}
	for d.More() {
		if len(*l) == maxEntries {
			return errors.Errorf("an array has more than %d entries", maxEntries)
		}
		var entry T
		if err := d.Decode(&entry); err != nil {
			return err
		}
		*l = append(*l, entry)
	}
	return nil
}

// vocabulary is a JSON object of ids by token, in the order of the file. A token that occurs twice is an
// error.
type vocabulary []vocabularyEntry

type vocabularyEntry struct {
	token string
	id    int
}

func (v *vocabulary) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Errorf("vocab is not an object")
	}
	seen := make(map[string]bool)
	for d.More() {
		if len(*v) == maxEntries {
			return errors.Errorf("vocab has more than %d tokens", maxEntries)
		}
		t, err := d.Token()
		if err != nil {
			return err
		}
		token, _ := t.(string)
		if seen[token] {
			return errors.Errorf("token %q occurs twice in vocab", token)
		}
		seen[token] = true
		var id int
		if err := d.Decode(&id); err != nil {
			return errors.Wrapf(err, "id of token %q", token)
		}
		if id < 0 || id > maxID {
			return errors.Errorf("token %q cannot have id %d", token, id)
		}
		*v = append(*v, vocabularyEntry{token, id})
	}
	return nil
}

func unmarshalStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Load reads a Hugging Face tokenizer.json of up to 32 MiB and a million tokens. It returns a [*BPE] for byte-level BPE with
// GPT-2's pattern, as [Save] writes it and as GPT-2's own file has it, a [Bytes] if its tokens are the 256
// bytes and no more, and a [*Chars] for the layout that [Save] gives to characters. Whatever could make text
// become other tokens than it says, another pre-tokenizer, a normalizer, a template, an unknown field, is an
// error. All added tokens become special tokens.
func Load(r io.Reader) (Tokenizer, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, errors.Wrap(err, "text: reading a tokenizer")
	}
	if len(data) > maxFile {
		return nil, errors.Errorf("text: a tokenizer.json of more than %d bytes", maxFile)
	}
	if !utf8.Valid(data) {
		return nil, errors.Errorf("text: tokenizer.json is not valid UTF-8")
	}
	if !json.Valid(data) { // also says no to anything after the object
		return nil, errors.Errorf("text: tokenizer.json is not JSON")
	}
	var hf hfTokenizer
	if err := unmarshalStrict(data, &hf); err != nil {
		return nil, errors.Wrap(err, "text: tokenizer.json")
	}
	t, err := hf.tokenizer()
	if err != nil {
		return nil, errors.WithMessage(err, "text: tokenizer.json")
	}
	return t, nil
}

// ReadFile loads the tokenizer in a file, see [Load].
func ReadFile(path string) (Tokenizer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Wrap(err, "text: reading a tokenizer")
	}
	defer f.Close()
	t, err := Load(f)
	return t, errors.WithMessage(err, path)
}

// tokenizer returns what hf describes.
func (hf *hfTokenizer) tokenizer() (Tokenizer, error) {
	switch {
	case hf.Normalizer != nil:
		return nil, errors.Errorf("normalizer %q is not supported", hf.Normalizer.kind)
	case hf.Truncation != nil:
		return nil, errors.Errorf("truncation is not supported")
	case hf.Padding != nil:
		return nil, errors.Errorf("padding is not supported")
	}
	m := &hf.Model.hfModel
	switch {
	case m.Type == "WordLevel":
		return hf.chars()
	case m.Type == "BPE", m.Type == "" && m.Merges != nil:
		return hf.bpe()
	case m.Type == "":
		return nil, errors.Errorf("there is no model of known type")
	}
	return nil, errors.Errorf("model %q is not supported", m.Type)
}

// bpe returns the byte-level BPE that hf describes.
func (hf *hfTokenizer) bpe() (Tokenizer, error) {
	m, pre := &hf.Model.hfModel, hf.PreTokenizer
	var merges hfMerges
	if m.Merges != nil {
		merges = *m.Merges
	}
	switch {
	case pre == nil || pre.Type != "ByteLevel" || isTrue(pre.AddPrefixSpace):
		return nil, errors.Errorf("pre-tokenizer %s is not supported for BPE", pre)
	case pre.UseRegex != nil && !*pre.UseRegex && len(merges) > 0:
		return nil, errors.Errorf("pre-tokenizer %s is not supported for BPE with merges", pre)
	case hf.PostProcessor != nil && hf.PostProcessor.Type != "ByteLevel":
		return nil, errors.Errorf("post-processor %s is not supported", hf.PostProcessor)
	case hf.Decoder != nil && hf.Decoder.Type != "ByteLevel":
		return nil, errors.Errorf("decoder %s is not supported for BPE", hf.Decoder)
	case m.Dropout != nil && *m.Dropout != 0:
		return nil, errors.Errorf("dropout %g is not supported", *m.Dropout)
	case m.ContinuingSubwordPrefix != nil && *m.ContinuingSubwordPrefix != "":
		return nil, errors.Errorf("continuing_subword_prefix %q is not supported", *m.ContinuingSubwordPrefix)
	case m.EndOfWordSuffix != nil && *m.EndOfWordSuffix != "":
		return nil, errors.Errorf("end_of_word_suffix %q is not supported", *m.EndOfWordSuffix)
	case m.ByteFallback:
		return nil, errors.Errorf("byte_fallback is not supported")
	case m.IgnoreMerges:
		return nil, errors.Errorf("ignore_merges is not supported")
	}
	// unk_token and fuse_unk need no look: with all 256 bytes in the vocabulary nothing is unknown.
	config := BPEConfig{Special: make(map[string]int, len(hf.AddedTokens))}
	for _, a := range hf.AddedTokens {
		if a.SingleWord || a.LStrip || a.RStrip {
			return nil, errors.Errorf("added token %q: single_word, lstrip and rstrip are not supported", a.Content)
		}
		if _, ok := config.Special[a.Content]; ok {
			return nil, errors.Errorf("added token %q occurs twice", a.Content)
		}
		config.Special[a.Content] = a.ID
	}
	top := -1
	for _, e := range m.Vocab {
		top = max(top, e.id)
	}
	if used := len(m.Vocab); top >= used+maxHoles {
		return nil, errors.Errorf("ids up to %d are too many for %d tokens", top, used)
	}
	// Special tokens stand in vocab as well, where only the merges tell them from others.
	ordinary := make(map[string]bool, 256+len(merges))
	for c := range len(byteStrings) {
		ordinary[spell(byteStrings[c:c+1])] = true
	}
	for _, both := range merges {
		ordinary[both[0]], ordinary[both[1]], ordinary[both[0]+both[1]] = true, true, true
	}
	config.Tokens = make([]string, top+1)
	for _, e := range m.Vocab {
		if id, ok := config.Special[e.token]; ok {
			if id != e.id {
				return nil, errors.Errorf("added token %q has id %d, and id %d in vocab", e.token, id, e.id)
			}
			if !ordinary[e.token] {
				continue
			}
		}
		token, err := unspell(e.token)
		if err != nil {
			return nil, err
		}
		if token == "" {
			return nil, errors.Errorf("token %d is empty", e.id)
		}
		if old := config.Tokens[e.id]; old != "" {
			return nil, errors.Errorf("id %d is of both %q and %q", e.id, old, token)
		}
		config.Tokens[e.id] = token
	}
	config.Merges = make([]Merge, len(merges))
	for rank, both := range merges {
		left, err := unspell(both[0])
		if err != nil {
			return nil, errors.WithMessagef(err, "merge %d", rank)
		}
		right, err := unspell(both[1])
		if err != nil {
			return nil, errors.WithMessagef(err, "merge %d", rank)
		}
		config.Merges[rank] = Merge{left, right}
	}
	b, err := NewBPE(config)
	if err != nil {
		return nil, err
	}
	if b.isBytes() {
		return Bytes{}, nil
	}
	return b, nil
}

// isBytes reports whether b is no more than Bytes.
func (b *BPE) isBytes() bool {
	if len(b.tokens) != 256 || len(b.merges) > 0 || len(b.special) > 0 {
		return false
	}
	for id, token := range b.tokens {
		if token != byteStrings[id:id+1] {
			return false
		}
	}
	return true
}

// anyCharacter is the pattern by which a tokenizer.json of characters splits: "." would leave out newlines.
const anyCharacter = `[\s\S]`

// chars returns the characters that hf describes.
func (hf *hfTokenizer) chars() (Tokenizer, error) {
	m, pre := &hf.Model.hfModel, hf.PreTokenizer
	switch {
	case pre == nil || pre.Type != "Split" || pre.Pattern == nil || pre.Pattern.Regex != anyCharacter ||
		pre.Behavior != "Isolated" || isTrue(pre.Invert):
		return nil, errors.Errorf("pre-tokenizer %s is not supported for WordLevel", pre)
	case hf.PostProcessor != nil:
		return nil, errors.Errorf("post-processor %s is not supported for WordLevel", hf.PostProcessor)
	case hf.Decoder == nil || hf.Decoder.Type != "Fuse":
		return nil, errors.Errorf("decoder %s is not supported for WordLevel", hf.Decoder)
	case len(hf.AddedTokens) > 0:
		return nil, errors.Errorf("added tokens are not supported for WordLevel")
	case len(m.Vocab) == 0:
		return nil, errors.Errorf("the vocabulary is empty")
	}
	runes := make([]rune, len(m.Vocab))
	for i := range runes {
		runes[i] = -1
	}
	for _, e := range m.Vocab {
		r, n := utf8.DecodeRuneInString(e.token)
		switch {
		case m.UnkToken != nil && e.token == *m.UnkToken:
			return nil, errors.Errorf("token %q for what is unknown is not supported", e.token)
		case n == 0 || n != len(e.token):
			return nil, errors.Errorf("token %q is not one character", e.token)
		case e.id >= len(runes):
			return nil, errors.Errorf("token %q has id %d in a vocabulary of %d", e.token, e.id, len(runes))
		case runes[e.id] >= 0:
			return nil, errors.Errorf("id %d is of both %q and %q", e.id, runes[e.id], r)
		}
		runes[e.id] = r
	}
	return newChars(runes), nil
}
