package text

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyText draws a text: of bytes, of characters, or of parts that tokenizers treat in ways of their own.
func anyText() *rapid.Generator[string] {
	parts := []string{"the", " cat", "'s", "aaaa", "ab", " ", "  ", "\n", "\t", "é", "中", "\u2581", "<|end|>", "<|endoftext|>", "<s>",
		"</s>", "12", "!", "\xff", "\xe4\xb8", "\u0000", "🙂", "\u00a0", "<|"}
	return rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.Map(rapid.SliceOf(rapid.SampledFrom(parts)), func(s []string) string { return strings.Join(s, "") }),
	)
}

// Every text comes back from its tokens, whole and token by token; the tokens are in the vocabulary, and are the same when
// the text is read in pieces and when the tokenizer has been saved and loaded.
func TestTokenizerProperties(t *testing.T) {
	pieces := newPieces(t, smallPieces())
	for _, tok := range []Cutter{Bytes{}, trained(t), pieces} {
		var saved bytes.Buffer
		if err := Save(&saved, tok); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(&saved)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			text := anyText().Draw(t, "text")
			ids, err := tok.Encode(text)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := tok.Decode(ids); err != nil || back != text {
				t.Fatalf("%T: %q comes back as %q, %v", tok, text, back, err)
			}
			d, shown := NewDecoder(tok), ""
			for _, id := range ids {
				if id < 0 || id >= tok.VocabSize() {
					t.Fatalf("%T: id %d in a vocabulary of %d", tok, id, tok.VocabSize())
				}
				part, err := d.Write(id)
				if err != nil {
					t.Fatal(err)
				}
				shown += part
			}
			if shown += d.Flush(); shown != text {
				t.Fatalf("%T: a Decoder shows %q of %q", tok, shown, text)
			}
			if again, err := loaded.Encode(text); err != nil || !slices.Equal(again, ids) {
				t.Fatalf("%T: after Save and Load the ids are %v, %v, want %v", tok, again, err, ids)
			}
			var read []int
			for piece, err := range EncodeReader(context.Background(), tok, inPieces(text)) {
				if err != nil {
					t.Fatal(err)
				}
				read = append(read, piece...)
			}
			if !slices.Equal(read, ids) {
				t.Fatalf("%T: read in pieces %q has ids %v, want %v", tok, text, read, ids)
			}
		})
	}
}

// inPieces reads a text in pieces of one to five bytes.
func inPieces(text string) *uneven { return &uneven{text, rand.New(rand.NewPCG(1, 2))} }

type uneven struct {
	text string
	rng  *rand.Rand
}

func (u *uneven) Read(p []byte) (int, error) {
	if u.text == "" {
		return 0, io.EOF
	}
	n := copy(p, u.text[:min(len(u.text), 1+u.rng.IntN(5))])
	u.text = u.text[n:]
	return n, nil
}

// Ids that a model may draw, whatever they are, make one text, whole and token by token.
func TestDecodeProperties(t *testing.T) {
	for _, tok := range []Tokenizer{Bytes{}, trained(t), newPieces(t, smallPieces())} {
		rapid.Check(t, func(t *rapid.T) {
			ids := rapid.SliceOf(rapid.IntRange(0, tok.VocabSize()-1).Filter(func(id int) bool { _, ok := tok.Token(id); return ok })).Draw(t, "ids")
			whole, err := tok.Decode(ids)
			if err != nil {
				t.Fatal(err)
			}
			d, shown := NewDecoder(tok), ""
			for _, id := range ids {
				part, err := d.Write(id)
				if err != nil {
					t.Fatal(err)
				}
				shown += part
			}
			if shown += d.Flush(); shown != whole {
				t.Fatalf("%T: a Decoder shows %q of %v, Decode %q", tok, shown, ids, whole)
			}
		})
	}
}
