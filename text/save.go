package text

import (
	"bytes"
	"encoding/json"
	"io"
	"os"

	"github.com/pkg/errors"
)

// savedTokenizer is hfTokenizer as Save writes it. What is nil becomes null.
type savedTokenizer struct {
	Version       string    `json:"version"`
	Truncation    any       `json:"truncation"`
	Padding       any       `json:"padding"`
	AddedTokens   []hfAdded `json:"added_tokens"`
	Normalizer    any       `json:"normalizer"`
	PreTokenizer  any       `json:"pre_tokenizer"`
	PostProcessor any       `json:"post_processor"`
	Decoder       any       `json:"decoder"`
	Model         any       `json:"model"`
}

type savedBPE struct {
	Type                    string     `json:"type"` // BPE
	Dropout                 any        `json:"dropout"`
	UnkToken                any        `json:"unk_token"`
	ContinuingSubwordPrefix *string    `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string    `json:"end_of_word_suffix"`
	FuseUnk                 bool       `json:"fuse_unk"`
	ByteFallback            bool       `json:"byte_fallback,omitempty"`
	Vocab                   vocabulary `json:"vocab"`
	Merges                  []string   `json:"merges"`
}

type savedWordLevel struct {
	Type     string     `json:"type"` // WordLevel
	Vocab    vocabulary `json:"vocab"`
	UnkToken string     `json:"unk_token"`
}

// Save writes t as a Hugging Face tokenizer.json that [Load] and the tokenizers library read. A [*BPE] has
// the layout of GPT-2's file. [Bytes] is a BPE without merges. [*Chars] is a WordLevel model behind a
// pre-tokenizer that isolates every character; its unk_token is not in the vocabulary, which makes the
// library, too, refuse a character that it does not know, where a BPE without merges would drop it. A
// [*SentencePiece] has the layout of Llama 2's file, whose merges cannot say all that scores can: it is an
// error if two tokens have one score, and where two ways to make one token overlap, the first of the list
// comes before the leftmost. Other types are an error.
func Save(w io.Writer, t Tokenizer) error {
	if w == nil {
		return errors.New("text: writing a tokenizer: no writer")
	}
	var saved savedTokenizer
	switch t := t.(type) {
	case Bytes, *Bytes:
		plain, err := NewBPE(BPEConfig{})
		if err != nil {
			return err
		}
		saved = plain.saved()
		saved.PreTokenizer = byteLevel(false)
	case *BPE:
		if t == nil || t.tokens == nil {
			return errors.Errorf("text: cannot save a BPE that NewBPE did not make")
		}
		saved = t.saved()
	case *Chars:
		if t == nil || t.runes == nil {
			return errors.Errorf("text: cannot save Chars that NewChars did not make")
		}
		saved = t.saved()
	case *SentencePiece:
		if t == nil || t.tokens == nil {
			return errors.Errorf("text: cannot save a SentencePiece that NewSentencePiece did not make")
		}
		var err error
		if saved, err = t.saved(); err != nil {
			return errors.WithMessage(err, "text: saving a SentencePiece")
		}
	default:
		return errors.Errorf("text: cannot save a tokenizer of type %T", t)
	}
	saved.Version = "1.0"
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // for <|endoftext|> to look like itself
	return errors.Wrap(e.Encode(saved), "text: writing a tokenizer")
}

// WriteFile saves t in a file, see [Save]. The file is replaced as a whole or, where that fails, left alone.
func WriteFile(path string, t Tokenizer) error {
	err := replaceFile(path, func(f *os.File) error { return Save(f, t) })
	return errors.Wrapf(err, "text: writing %s", path)
}

// byteLevel returns the pre-tokenizer of byte-level BPE, with or without GPT-2's pattern.
func byteLevel(pattern bool) *hfPart {
	no, yes := false, true
	return &hfPart{Type: "ByteLevel", AddPrefixSpace: &no, TrimOffsets: &yes, UseRegex: &pattern}
}

func (b *BPE) saved() savedTokenizer {
	none := "" // as in GPT-2's file
	m := savedBPE{Type: "BPE", ContinuingSubwordPrefix: &none, EndOfWordSuffix: &none, Merges: make([]string, len(b.merges))}
	added := []hfAdded{}
	for id, token := range b.tokens {
		switch special, ok := b.special[token]; {
		case token == "":
		case ok && special == id: // spelt as it is
			m.Vocab = append(m.Vocab, vocabularyEntry{token, id})
			added = append(added, hfAdded{ID: &id, Content: token, Special: true})
		default:
			m.Vocab = append(m.Vocab, vocabularyEntry{spell(token), id})
		}
	}
	for rank, p := range b.merges {
		m.Merges[rank] = spell(b.tokens[p.left]) + " " + spell(b.tokens[p.right])
	}
	return savedTokenizer{
		AddedTokens: added, PreTokenizer: byteLevel(true), PostProcessor: byteLevel(true), Decoder: byteLevel(true), Model: m,
	}
}

func (c *Chars) saved() savedTokenizer {
	m := savedWordLevel{Type: "WordLevel", UnkToken: unknown} // longer than a character, so none of them
	for id, r := range c.runes {
		m.Vocab = append(m.Vocab, vocabularyEntry{string(r), id})
	}
	no := false
	return savedTokenizer{
		AddedTokens:  []hfAdded{},
		PreTokenizer: &hfPart{Type: "Split", Pattern: &hfPattern{anyCharacter}, Behavior: "Isolated", Invert: &no},
		Decoder:      &hfPart{Type: "Fuse"},
		Model:        m,
	}
}

// MarshalJSON writes the tokens as the keys of one object, in their order.
func (v vocabulary) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	buf.WriteByte('{')
	for i, entry := range v {
		if i > 0 {
			buf.WriteByte(',')
		}
		if err := e.Encode(entry.token); err != nil {
			return nil, err
		}
		buf.Truncate(buf.Len() - 1) // the newline
		buf.WriteByte(':')
		if err := e.Encode(entry.id); err != nil {
			return nil, err
		}
		buf.Truncate(buf.Len() - 1)
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}
