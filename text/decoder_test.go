package text

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecoder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tok := range []Tokenizer{Bytes{}, trained(t)} {
		for range 200 {
			text := randomText(rng, 20)
			valid := rng.IntN(2) == 0
			if valid {
				text = strings.ToValidUTF8(text, "?")
			}
			d, all := NewDecoder(tok), ""
			for _, id := range encode(t, tok, text) {
				part, err := d.Write(id)
				if err != nil {
					t.Fatal(err)
				}
				if valid && !utf8.ValidString(part) {
					t.Errorf("decoding %q, Write(%d) = %q has part of a character", text, id, part)
				}
				all += part
			}
			if all += d.Flush(); all != text {
				t.Errorf("%q came out as %q", text, all)
			}
			if rest := d.Flush(); rest != "" {
				t.Errorf("the second Flush = %q", rest)
			}
		}
	}
}

// Every character of valid text must appear with its last byte, no later.
func TestDecoderPrompt(t *testing.T) {
	d, whole := NewDecoder(Bytes{}), ""
	text := "aé中🙂"
	for i := range len(text) {
		part, err := d.Write(int(text[i]))
		if err != nil {
			t.Fatal(err)
		}
		whole += part
		want := text[:i+1]
		for !utf8.ValidString(want) {
			want = want[:len(want)-1]
		}
		if whole != want {
			t.Errorf("after %d bytes the text is %q, want %q", i+1, whole, want)
		}
	}
}

func TestDecoderErrors(t *testing.T) {
	d := NewDecoder(Bytes{})
	if _, err := d.Write(0xc3); err != nil {
		t.Fatal(err)
	}
	if part, err := d.Write(256); err == nil {
		t.Errorf("Write(256) = %q, want an error", part)
	}
	if part, err := d.Write(0xa9); err != nil || part != "é" {
		t.Errorf("Write after an error = %q, %v, want é", part, err)
	}
	if _, err := new(Decoder).Write(0); err == nil {
		t.Error("Write to a Decoder without a tokenizer did not fail")
	}
}
