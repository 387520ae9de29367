package text

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
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

// Load reads a tokenizer from a file of up to 32 MiB and a million tokens, which is one of
//   - a Hugging Face tokenizer.json,
//   - the tokenizer.model of SentencePiece, of type BPE with tokens for bytes,
//   - the tok.bin of llama2.c.
//
// It returns
//   - a [*BPE] for byte-level BPE with GPT-2's pattern, as [Save] writes it and as GPT-2's own file has it;
//   - [Bytes] if its tokens are the 256 bytes and no more;
//   - a [*Chars] for the layout that [Save] gives to characters;
//   - a [*SentencePiece] for BPE with byte_fallback, as in Llama 2's tokenizer.json, and for the other files.
//
// Whatever could make text become other tokens than it says, another pre-tokenizer, a normalizer, an unknown
// field, is an error. All added tokens become special tokens, and they are recognised as they are spelt,
// normalized or not. A template may put one special token before a text and do nothing else; Encode does not
// put it there. Because no text may come back as another, a [*SentencePiece] keeps spaces where others lose
// them: a model's remove_extra_whitespaces, and a Metaspace that adds no space to one that is there, have no
// effect.
func Load(r io.Reader) (Tokenizer, error) {
	if r == nil {
		return nil, errors.New("text: reading a tokenizer: no reader")
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, errors.Wrap(err, "text: reading a tokenizer")
	}
	if len(data) > maxFile {
		return nil, errors.Errorf("text: a tokenizer of more than %d bytes", maxFile)
	}
	parse, name := parseJSON, "tokenizer.json"
	switch {
	case looksLikeLlama2c(data):
		parse, name = parseLlama2c, "tok.bin"
	case looksLikeModel(data):
		parse, name = parseModel, "tokenizer.model"
	}
	t, err := parse(data)
	return t, errors.WithMessage(err, "text: "+name)
}

// fileNames are the names that files of tokenizers have in a folder, the one that says most first.
var fileNames = []string{"tokenizer.json", "tokenizer.model", "tok.bin"}

// ReadFile loads the tokenizer in a file, see [Load]. If path is a folder, such as that of a model, it loads
// the tokenizer.json in it or, if there is none, the tokenizer.model or the tok.bin.
func ReadFile(path string) (Tokenizer, error) {
	f, err := openTokenizer(path)
	if err != nil {
		return nil, errors.WithMessage(err, "text: reading a tokenizer")
	}
	defer f.Close()
	t, err := Load(f)
	return t, errors.WithMessage(err, f.Name())
}

// openTokenizer opens the file at path or, if that is a folder, the first there is of fileNames in it.
func openTokenizer(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, errors.WithStack(err)
	}
	if !info.IsDir() {
		f, err := os.Open(path)
		return f, errors.WithStack(err)
	}
	for _, name := range fileNames {
		f, err := os.Open(filepath.Join(path, name))
		if !os.IsNotExist(err) {
			return f, errors.WithStack(err)
		}
	}
	return nil, errors.Errorf("%s has no %s", path, strings.Join(fileNames, ", no "))
}

// parseJSON returns the tokenizer in a tokenizer.json.
func parseJSON(data []byte) (Tokenizer, error) {
	if !utf8.Valid(data) {
		return nil, errors.Errorf("the file is not valid UTF-8")
	}
	if !json.Valid(data) { // also says no to anything after the object
		return nil, errors.Errorf("the file is not JSON")
	}
	var hf hfTokenizer
	if err := unmarshalStrict(data, &hf); err != nil {
		return nil, errors.WithStack(err)
	}
	return hf.tokenizer()
}

// tokenizer returns what hf describes.
func (hf *hfTokenizer) tokenizer() (Tokenizer, error) {
	switch {
	case hf.Version != "" && hf.Version != "1.0":
		return nil, errors.Errorf("version %q is not supported", hf.Version)
	case hf.Truncation != nil:
		return nil, errors.Errorf("truncation is not supported")
	case hf.Padding != nil:
		return nil, errors.Errorf("padding is not supported")
	}
	m := &hf.Model.hfModel
	isBPE := m.Type == "BPE" || m.Type == "" && m.Merges != nil
	switch {
	case isBPE && m.ByteFallback:
		return hf.sentencePiece()
	case hf.Normalizer != nil:
		return nil, errors.Errorf("normalizer %q is not supported", hf.Normalizer.kind)
	case isBPE:
		return hf.bpe()
	case m.Type == "WordLevel":
		return hf.chars()
	case m.Type == "":
		return nil, errors.Errorf("there is no model of known type")
	}
	return nil, errors.Errorf("model %q is not supported", m.Type)
}

// bpe returns the byte-level BPE that hf describes.
func (hf *hfTokenizer) bpe() (Tokenizer, error) {
	m, pre := &hf.Model.hfModel, hf.PreTokenizer
	if m.Merges == nil {
		return nil, errors.Errorf("there are no merges")
	}
	merges := *m.Merges
	switch {
	case pre == nil || pre.Type != "ByteLevel" || isTrue(pre.AddPrefixSpace):
		return nil, errors.Errorf("pre-tokenizer %s is not supported for BPE", pre)
	case pre.UseRegex != nil && !*pre.UseRegex && len(merges) > 0:
		return nil, errors.Errorf("pre-tokenizer %s is not supported for BPE with merges", pre)
	case hf.PostProcessor != nil && hf.PostProcessor.Type != "ByteLevel":
		return nil, errors.Errorf("post-processor %s is not supported", hf.PostProcessor)
	case hf.Decoder != nil && hf.Decoder.Type != "ByteLevel":
		return nil, errors.Errorf("decoder %s is not supported for BPE", hf.Decoder)
	}
	special, err := hf.special()
	if err != nil {
		return nil, err
	}
	size, err := m.check()
	if err != nil {
		return nil, err
	}
	config := BPEConfig{Tokens: make([]string, size), Special: special}
	// Special tokens stand in vocab as well, where only the merges tell them from others.
	ordinary := make(map[string]bool, 256+len(merges))
	for c := range len(byteStrings) {
		ordinary[spell(byteStrings[c:c+1])] = true
	}
	for _, both := range merges {
		ordinary[both[0]], ordinary[both[1]], ordinary[both[0]+both[1]] = true, true, true
	}
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
