package text

import "github.com/pkg/errors"

// A Decoder turns ids into text one at a time, as they are generated. It holds back the bytes of a character
// until all have come, so that what it returns can be shown at once. What it has returned, put together, is
// what [Tokenizer.Decode] returns for the same ids: bytes that cannot become a character pass unchanged.
//
// The first token written is the start of a text, from which a [SentencePiece] takes a space away. Where a
// generation goes on after a prompt, the ids of the prompt are written first.
//
// A Decoder is for one goroutine.
type Decoder struct {
	tokenizer Tokenizer
	partial   []byte // the start of a character
	inside    bool   // of a stretch of text, for a stretcher
}

// A stretcher is a Tokenizer whose tokens are other text where a stretch of text begins.
type stretcher interface {
	// piece returns the text of a token, which stands inside a stretch of text or begins one, and whether the
	// next token stands inside it. The id is in the vocabulary.
	piece(id int, inside bool) (string, bool)
}

// NewDecoder returns a Decoder for the ids of t.
func NewDecoder(t Tokenizer) *Decoder {
	return &Decoder{tokenizer: t}
}

// Write adds a token and returns the text that is now complete, which may be "". It is an error if id is not
// in the vocabulary; the Decoder is then as it was.
func (d *Decoder) Write(id int) (string, error) {
	if d.tokenizer == nil {
		return "", errors.Errorf("text: a Decoder without a tokenizer cannot decode %d", id)
	}
	token, ok := d.tokenizer.Token(id)
	if !ok {
		return "", errors.Errorf("text: id %d is not in the vocabulary of %d", id, d.tokenizer.VocabSize())
	}
	if s, ok := d.tokenizer.(stretcher); ok {
		token, d.inside = s.piece(id, d.inside)
	}
	if len(d.partial) > 0 {
		token = string(d.partial) + token
	}
	n := len(token) - partialRune(token)
	d.partial = append(d.partial[:0], token[n:]...)
	return token[:n], nil
}

// Flush returns the bytes held back, which are part of a character, and forgets them. It is called after the
// last token; the next one is the start of another text.
func (d *Decoder) Flush() string {
	rest := string(d.partial)
	d.partial, d.inside = d.partial[:0], false
	return rest
}
