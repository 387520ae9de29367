package text

import (
	"encoding/json"
	"io"
	"os"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// Limits of what Load reads, so that no file can fill the memory. GPT-2's tokenizer.json has 1.5 MB and 50,257
// tokens, Llama 3's 9 MB and 128,256.
const (
	maxFile    = 32 << 20
	maxEntries = 1 << 20 // of the vocabulary and of each list
)

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
