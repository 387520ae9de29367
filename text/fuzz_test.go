package text

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// FuzzBPERoundTrip checks on any text that decoding gives it back, whole and token by token, that the ids are
// those of the reference, and that Cut may cut.
func FuzzBPERoundTrip(f *testing.F) {
	for _, c := range gpt2Cases {
		f.Add(c.text)
	}
	f.Add("the cat's <|end|>\xff\xe4\xb8 <|endoftext|")
	b := trained(f)
	f.Fuzz(func(t *testing.T, text string) {
		ids := encode(t, b, text)
		if back, err := b.Decode(ids); err != nil || back != text {
			t.Fatalf("Decode(Encode(%q)) = %q, %v", text, back, err)
		}
		d, back := NewDecoder(b), ""
		for _, id := range ids {
			part, err := d.Write(id)
			if err != nil {
				t.Fatal(err)
			}
			back += part
		}
		if back += d.Flush(); back != text {
			t.Fatalf("a Decoder makes %q of %q", back, text)
		}
		if len(text) > 1000 {
			return // the reference is slow
		}
		if want := refEncode(b, text); !slices.Equal(ids, want) {
			t.Fatalf("Encode(%q) = %v, want %v", text, ids, want)
		}
		n := b.Cut(text)
		if parts := append(encode(t, b, text[:n]), encode(t, b, text[n:])...); !slices.Equal(parts, ids) {
			t.Fatalf("Encode(%q) cut at %d = %v, want %v", text, n, parts, ids)
		}
	})
}

// FuzzSentencePiece checks on any text that the tokens are those of the reference, by scores and by merges, and
// that the text comes back.
func FuzzSentencePiece(f *testing.F) {
	for _, text := range difficult {
		f.Add(text, uint64(0))
	}
	for i, text := range []string{"the then  aaaa é中", strings.Repeat("a ab", 40), "<s>a</s> b<s>"} {
		f.Add(text, uint64(i))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		c := smallPieces()
		c.Prefix = Prefix(seed % 3)
		if seed > 2 {
			c = randomPieces(rand.New(rand.NewPCG(seed, 0)))
		}
		s := newPieces(t, c)
		checkRoundTrip(t, s, text)
		if len(text) > 1000 {
			return // the reference is slow
		}
		if got, want := encode(t, s, text), refPieces(c, text, true); !slices.Equal(got, want) {
			t.Fatalf("Encode(%q) = %v, want %v", text, got, want)
		}
	})
}

// FuzzTrain checks the merges learnt from any text against the reference.
func FuzzTrain(f *testing.F) {
	f.Add("low low lower widest newest", 10)
	f.Add("aaaa aaaaa aaa<|endoftext|>abab", 20)
	f.Fuzz(func(t *testing.T, text string, n int) {
		if len(text) > 500 || n < 0 || n > 50 {
			return
		}
		b, err := TrainBPE(t.Context(), strings.NewReader(text), TrainConfig{VocabSize: 257 + n, Special: []string{EndOfText}})
		if err != nil {
			t.Fatalf("TrainBPE(%q): %v", text, err)
		}
		if got, want := b.Merges(), refTrain(text, n, EndOfText); !slices.Equal(got, want) {
			t.Fatalf("TrainBPE(%q) merges %q, want %q", text, got, want)
		}
	})
}

// FuzzLoad checks that no file makes Load panic, and that what loads can be used, saved and loaded again.
func FuzzLoad(f *testing.F) {
	chars, err := NewChars("ab\n中")
	if err != nil {
		f.Fatal(err)
	}
	for _, tok := range []Tokenizer{Bytes{}, chars, trained(f)} {
		f.Add([]byte(save(f, tok)))
	}
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]},"pre_tokenizer":{"type":"ByteLevel"}}`))
	for prefix := PrefixAll; prefix <= PrefixNone; prefix++ {
		c := llamaPieces("ab", "a", "b", " ")
		c.Prefix = prefix
		f.Add([]byte(save(f, newPieces(f, c))))
	}
	c := llamaPieces("ab", "a", "b", " ")
	f.Add([]byte(modelFile(c)))
	f.Add([]byte(tokBin(f, newPieces(f, c))))
	f.Fuzz(func(t *testing.T, file []byte) {
		tok, err := Load(bytes.NewReader(file))
		if err != nil {
			return
		}
		if s, ok := tok.(*SentencePiece); ok {
			checkRoundTrip(t, s, "ab  <s>\n中▁\xff"+string(file[:min(len(file), 100)]))
			if err := Save(io.Discard, s); err != nil {
				return // of scores that merges cannot say
			}
		}
		saved := save(t, tok)
		again, err := Load(strings.NewReader(saved))
		if err != nil {
			t.Fatalf("Load(Save(x)): %v", err)
		}
		if got := save(t, again); got != saved {
			t.Fatalf("saved again:\n%s, want\n%s", got, saved)
		}
		text := "ab <|endoftext|>\n中"
		ids, err := tok.Encode(text)
		if err != nil {
			return // a character that is not in the vocabulary
		}
		if back, err := tok.Decode(ids); err != nil || back != text {
			t.Fatalf("Decode(Encode(%q)) = %q, %v", text, back, err)
		}
	})
}

// FuzzStreamState checks that no state makes a Stream panic or read outside its tokens.
func FuzzStreamState(f *testing.F) {
	s, err := NewStream(count(100), 1)
	if err != nil {
		f.Fatal(err)
	}
	state, err := s.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Add(state[:20])
	f.Fuzz(func(t *testing.T, state []byte) {
		s, err := NewStream(count(100), 1)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.UnmarshalBinary(state)
		var x, y [8]int
		if err := s.Next(x[:], y[:], 2, 4); err != nil {
			t.Fatalf("Next after UnmarshalBinary(%q): %v", state, err)
		}
	})
}

// FuzzTokBin checks that no tok.bin of llama2.c makes Load panic, and that what it takes encodes without loss and comes back
// the same from what SaveLlama2C writes.
func FuzzTokBin(f *testing.F) {
	var b bytes.Buffer
	c := smallPieces()
	if err := SaveLlama2C(&b, newPieces(f, c)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()-3])
	f.Add(b.Bytes()[:4])
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := parseLlama2c(data)
		if err != nil {
			return
		}
		s := tok.(*SentencePiece)
		const text = "the cats<s> aab é中\xff"
		if back, err := s.Decode(encode(t, s, text)); err != nil || back != text {
			t.Fatalf("%q comes back as %q, %v", text, back, err)
		}
		var b bytes.Buffer
		if SaveLlama2C(&b, s) != nil {
			return // scores may say what llama2.c cannot do
		}
		again, err := parseLlama2c(b.Bytes())
		if err != nil {
			t.Fatalf("what SaveLlama2C writes: %v", err)
		}
		if got, want := encode(t, again, text), encode(t, s, text); !slices.Equal(got, want) {
			t.Fatalf("ids %v when it was written and read, want %v", got, want)
		}
	})
}
