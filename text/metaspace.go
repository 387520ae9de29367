package text

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/pkg/errors"
)

// The parts of Llama's tokenizer.json, see [PrefixAll] and the others. A Metaspace says in one part what the
// normalizers say; it alone can say that only the start of a text gets a space.
const (
	hfReplaceSpaces = `{"type":"Replace","pattern":{"String":" "},"content":"▁"}`
	hfPrependSpace  = `{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},` + hfReplaceSpaces + `]}`
	hfMetaspace     = `{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}`

	hfDecodePieces = `{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}`
	hfDecode       = `{"type":"Sequence","decoders":[` + hfDecodePieces + `]}`
	hfDecodeStrip  = `{"type":"Sequence","decoders":[` + hfDecodePieces + `,{"type":"Strip","content":" ","start":1,"stop":0}]}`
)

// sameJSON reports whether two JSON texts have one value.
func sameJSON(a []byte, b string) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// metaspace is the pre-tokenizer of that name. Older files have add_prefix_space.
type metaspace struct {
	Type           string  `json:"type"`
	Replacement    string  `json:"replacement"`
	PrependScheme  *string `json:"prepend_scheme"`
	AddPrefixSpace *bool   `json:"add_prefix_space"`
	Split          *bool   `json:"split"`
}

// template is the post-processor that puts special tokens around a text.
type template struct {
	Type          string                     `json:"type"` // TemplateProcessing
	Single        []templatePart             `json:"single"`
	Pair          []templatePart             `json:"pair"` // of two texts at once, which nobody encodes here
	SpecialTokens map[string]templateSpecial `json:"special_tokens"`
}

// templatePart is either a special token or a text.
type templatePart struct {
	SpecialToken *templateName `json:"SpecialToken,omitempty"`
	Sequence     *templateName `json:"Sequence,omitempty"`
}

type templateName struct {
	ID     string `json:"id"`
	TypeID int    `json:"type_id"`
}

type templateSpecial struct {
	ID     string   `json:"id"`
	IDs    []int    `json:"ids"`
	Tokens []string `json:"tokens"`
}

// sentencePiece returns the BPE with byte fallback that hf describes.
func (hf *hfTokenizer) sentencePiece() (Tokenizer, error) {
	m := &hf.Model.hfModel
	size, err := m.check()
	if err != nil {
		return nil, err
	}
	config := SentencePieceConfig{Tokens: make([]string, size)}
	if config.Prefix, err = hf.spaces(); err != nil {
		return nil, err
	}
	if config.Special, err = hf.special(); err != nil {
		return nil, err
	}
	if config.BOS, err = hf.bos(config.Special); err != nil {
		return nil, err
	}
	bytes := 0
	for _, e := range m.Vocab {
		if id, ok := config.Special[e.token]; ok {
			if id != e.id {
				return nil, errors.Errorf("added token %q has id %d, and id %d in vocab", e.token, id, e.id)
			}
			continue
		}
		if c, ok := spelledByte(e.token); ok {
			config.Bytes[c] = e.id
			bytes++
			continue
		}
		switch old := config.Tokens[e.id]; {
		case e.token == "":
			return nil, errors.Errorf("token %d is empty", e.id)
		case strings.Contains(e.token, " "):
			return nil, errors.Errorf("token %q holds a space, which is spelt %q", e.token, underline)
		case old != "":
			return nil, errors.Errorf("id %d is of both %q and %q", e.id, spellPiece(old), e.token)
		}
		config.Tokens[e.id] = unspellPiece(e.token)
	}
	if bytes != len(config.Bytes) {
		return nil, errors.Errorf("there are %d tokens of bytes, not %d", bytes, len(config.Bytes))
	}
	if m.Merges == nil {
		return nil, errors.Errorf("there are no merges")
	}
	config.Merges = make([]Merge, len(*m.Merges))
	for rank, both := range *m.Merges {
		config.Merges[rank] = Merge{unspellPiece(both[0]), unspellPiece(both[1])}
	}
	t, err := NewSentencePiece(config)
	if err != nil {
		return nil, err // not a nil *SentencePiece, which would not be nil here
	}
	if hf.splits() && t.joined.crosses() {
		return nil, errors.Errorf("pre-tokenizer Metaspace with split is not supported where a token reaches across spaces")
	}
	return t, nil
}

// spaces returns where hf puts spaces.
func (hf *hfTokenizer) spaces() (Prefix, error) {
	prefix := PrefixNone
	switch pre := hf.PreTokenizer; {
	case pre == nil && hf.Normalizer != nil && sameJSON(hf.Normalizer.raw, hfPrependSpace):
		prefix = PrefixAll
	case pre == nil && hf.Normalizer != nil && sameJSON(hf.Normalizer.raw, hfReplaceSpaces):
	case pre == nil && hf.Normalizer != nil:
		return 0, errors.Errorf("normalizer %s is not supported with byte_fallback", hf.Normalizer.raw)
	case pre == nil || pre.Type != "Metaspace" || hf.Normalizer != nil:
		return 0, errors.Errorf("pre-tokenizer %s is not supported with byte_fallback", pre)
	default:
		var m metaspace
		if err := unmarshalStrict(pre.raw, &m); err != nil {
			return 0, errors.WithMessage(err, "pre-tokenizer Metaspace")
		}
		scheme := "always"
		if m.PrependScheme != nil {
			scheme = *m.PrependScheme
		} else if m.AddPrefixSpace != nil && !*m.AddPrefixSpace {
			scheme = "never"
		}
		known, ok := map[string]Prefix{"always": PrefixAll, "first": PrefixFirst, "never": PrefixNone}[scheme]
		if !ok || m.Replacement != string(underline) || m.AddPrefixSpace != nil && *m.AddPrefixSpace != (scheme != "never") {
			return 0, errors.Errorf("pre-tokenizer %s is not supported with byte_fallback", pre.raw)
		}
		prefix = known
	}
	decoder := hfDecodeStrip
	if prefix == PrefixNone {
		decoder = hfDecode
	}
	if hf.Decoder == nil || !sameJSON(hf.Decoder.raw, decoder) {
		return 0, errors.Errorf("decoder %s is not supported with byte_fallback; it must be %s", hf.Decoder, decoder)
	}
	return prefix, nil
}

// splits reports whether a Metaspace cuts text before each space.
func (hf *hfTokenizer) splits() bool {
	var m metaspace
	if hf.PreTokenizer == nil || unmarshalStrict(hf.PreTokenizer.raw, &m) != nil {
		return false
	}
	return m.Split == nil || *m.Split
}

// bos returns the special token that hf puts before a text, or "".
func (hf *hfTokenizer) bos(special map[string]int) (string, error) {
	p := hf.PostProcessor
	if p == nil {
		return "", nil
	}
	if p.Type != "TemplateProcessing" {
		return "", errors.Errorf("post-processor %s is not supported with byte_fallback", p)
	}
	var t template
	if err := unmarshalStrict(p.raw, &t); err != nil {
		return "", errors.WithMessage(err, "post-processor TemplateProcessing")
	}
	parts := t.Single
	bos := ""
	if len(parts) == 2 && parts[0].SpecialToken != nil && parts[0].Sequence == nil {
		bos = parts[0].SpecialToken.ID
		ids := t.SpecialTokens[bos].IDs
		if id, ok := special[bos]; !ok || len(ids) != 1 || ids[0] != id {
			return "", errors.Errorf("post-processor TemplateProcessing begins with %q, which is not an added token with the ids %d", bos, ids)
		}
		parts = parts[1:]
	}
	if len(parts) != 1 || parts[0].Sequence == nil || parts[0].SpecialToken != nil || parts[0].Sequence.ID != "A" {
		return "", errors.Errorf("post-processor TemplateProcessing is only supported with one special token before a text")
	}
	return bos, nil
}

// saved returns the layout of Llama 2's tokenizer.json for s.
func (s *SentencePiece) saved() (savedTokenizer, error) {
	merges, err := s.ranked()
	if err != nil {
		return savedTokenizer{}, err
	}
	m := savedBPE{Type: "BPE", FuseUnk: true, ByteFallback: true, Merges: make([]string, len(merges))}
	saved := savedTokenizer{AddedTokens: []hfAdded{}}
	for id, k := range s.kinds {
		if k == noToken {
			continue
		}
		spelling := s.spelling(id)
		m.Vocab = append(m.Vocab, vocabularyEntry{spelling, id})
		if k == specialToken {
			saved.AddedTokens = append(saved.AddedTokens, hfAdded{ID: &id, Content: spelling, Special: true})
		}
	}
	for rank, p := range merges {
		m.Merges[rank] = s.spelling(int(p.left)) + " " + s.spelling(int(p.right))
	}
	if _, ok := s.special[unknown]; ok {
		m.UnkToken = unknown
	}
	saved.Model = m
	saved.Decoder = json.RawMessage(hfDecodeStrip)
	switch s.prefix {
	case PrefixAll:
		saved.Normalizer = json.RawMessage(hfPrependSpace)
	case PrefixFirst:
		saved.PreTokenizer = json.RawMessage(hfMetaspace)
	case PrefixNone:
		saved.Normalizer = json.RawMessage(hfReplaceSpaces)
		saved.Decoder = json.RawMessage(hfDecode)
	}
	if s.bos != "" {
		name := func(id string, of int) *templateName { return &templateName{ID: id, TypeID: of} }
		before, after := templatePart{SpecialToken: name(s.bos, 0)}, templatePart{Sequence: name("A", 0)}
		saved.PostProcessor = template{
			Type:   "TemplateProcessing",
			Single: []templatePart{before, after},
			Pair:   []templatePart{before, after, {SpecialToken: name(s.bos, 1)}, {Sequence: name("B", 1)}},
			SpecialTokens: map[string]templateSpecial{
				s.bos: {ID: s.bos, IDs: []int{s.special[s.bos]}, Tokens: []string{s.bos}},
			},
		}
	}
	return saved, nil
}
