package text

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSentencePieceMatchesReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		c := smallPieces()
		c.Prefix = Prefix(i % 3)
		if i >= 30 {
			c = randomPieces(rng)
		}
		s := newPieces(t, c)
		for range 10 {
			text := randomText(rng, 30)
			if i%2 == 1 { // one long word
				text = ""
				for range rng.IntN(300) {
					text += []string{"a", "a", "b", " ", "é", "<s>"}[rng.IntN(6-rng.IntN(2))]
				}
			}
			if got, want := encode(t, s, text), refPieces(c, text, true); !slices.Equal(got, want) {
				t.Fatalf("Encode(%q) = %v, want %v, by tokens %q of scores %v or merges %q", text, got, want, c.Tokens[259:], c.Scores, c.Merges)
			}
			if got, err := s.EncodeRest(text); err != nil || !slices.Equal(got, refPieces(c, text, false)) {
				t.Fatalf("EncodeRest(%q) = %v, %v, want %v", text, got, err, refPieces(c, text, false))
			}
			checkRoundTrip(t, s, text)
		}
	}
}

// checkRoundTrip checks that text comes back, at once and token by token, special tokens recognised or not,
// and that it can be cut.
func checkRoundTrip(t *testing.T, s *SentencePiece, text string) {
	t.Helper()
	ordinary, err := s.EncodeOrdinary(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, ids := range [][]int{encode(t, s, text), ordinary} {
		if back, err := s.Decode(ids); err != nil || back != text {
			t.Fatalf("Decode(Encode(%q)) = %q, %v", text, back, err)
		}
		d, back := NewDecoder(s), ""
		for _, id := range ids {
			part, err := d.Write(id)
			if err != nil {
				t.Fatal(err)
			}
			if utf8.ValidString(text) && !utf8.ValidString(part) {
				t.Fatalf("decoding %q, Write(%d) = %q has part of a character", text, id, part)
			}
			back += part
		}
		if back += d.Flush(); back != text {
			t.Fatalf("a Decoder makes %q of %q", back, text)
		}
	}
	n := s.Cut(text)
	if n == 0 {
		return // nothing is cut off
	}
	rest, err := s.EncodeRest(text[n:])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := append(encode(t, s, text[:n]), rest...), encode(t, s, text); !slices.Equal(got, want) {
		t.Fatalf("Encode(%q) cut at %d = %v, want %v", text, n, got, want)
	}
}

// tok512Cases are what sentencepiece makes of texts with tok512.model (compiled to wasm, npm's
// @agnai/sentencepiece-js 1.1.1) and, for the texts with spaces that it would remove, what Hugging Face's
// tokenizers (npm's 0.2.0) make of them with the tokenizer.json that Save writes. The hashes are those of the
// latter.
var tok512Cases = []struct {
	name, text string
	ids        []int
}{
	{"empty", "", []int{}},
	{"letter", "a", []int{261}},
	{"other scripts", "é中🙂", []int{410, 485, 231, 187, 176, 243, 162, 156, 133}},
	{"spaces", "  a  b", []int{410, 410, 261, 410, 268}},
	{"only spaces", "   ", []int{410, 410, 410, 410}},
	{"lines", "Hello\nworld", []int{346, 306, 414, 13, 424, 304, 341}},
}

func TestTok512(t *testing.T) {
	for _, file := range []string{"tok512.bin", "tok512.model"} {
		s := tok512(t, file)
		if got, want := s.VocabSize(), 512; got != want {
			t.Errorf("%s: VocabSize() = %d, want %d", file, got, want)
		}
		for _, c := range tok512Cases {
			if got := encode(t, s, c.text); !slices.Equal(got, c.ids) {
				t.Errorf("%s: Encode(%q) = %v, want %v", file, c.text, got, c.ids)
			}
			checkRoundTrip(t, s, c.text)
		}
		for name, want := range map[string]struct {
			tokens int
			hash   string // of the ids as 32-bit words
		}{
			"stories260K/golden.txt":    {566, "58a0e4a1dbdf9820f0ce33dc9bdc1b433e2c3462233e26058264d0efd724b5d2"},
			"text/tinyshakespeare.txt":  {693363, "d3ee453758b95ff0770e700775c509cc69cd54395d319e048100dc65c8971d2e"},
			"text/tinystories-944k.txt": {477172, "447c90f2c36ea757d6bf2e9d353c8aa283b38e907acaece007905ed6f29bd84d"},
		} {
			text := readData(t, name)
			ids := encode(t, s, text)
			var words []byte
			for _, id := range ids {
				words = binary.LittleEndian.AppendUint32(words, uint32(id))
			}
			if hash := fmt.Sprintf("%x", sha256.Sum256(words)); len(ids) != want.tokens || hash != want.hash {
				t.Errorf("%s: %d ids of %s with the hash %s, want %d, %s", file, len(ids), name, hash, want.tokens, want.hash)
			}
			if back, err := s.Decode(ids); err != nil || back != text {
				t.Errorf("%s: Decode(Encode(%s)) differs, error %v", file, name, err)
			}
		}
	}
}

// Words of every length take the same way through one algorithm or the other.
func TestSentencePieceWordLengths(t *testing.T) {
	c, rng := onePiece()
	s := newPieces(t, c)
	for n := range 3 * shortWord {
		text := string(letters(rng, n))
		if got, want := encode(t, s, text), refPieces(c, text, true); !slices.Equal(got, want) {
			t.Fatalf("Encode(%q) = %v, want %v", text, got, want)
		}
	}
}

// A word of a megabyte must not take time that grows with its square: this test would not end.
func TestSentencePieceHostileWords(t *testing.T) {
	c, rng := onePiece()
	s := newPieces(t, c)
	for name, text := range map[string]string{
		"one letter":  strings.Repeat("a", 1<<20),
		"letters":     string(letters(rng, 1<<20)),
		"spaces":      strings.Repeat(" ", 1<<20),
		"no UTF-8":    strings.Repeat("\xff", 1<<20),
		"underlines":  strings.Repeat("▁", 1<<18),
		"half tokens": strings.Repeat("<s", 1<<19),
	} {
		ids := encode(t, s, text)
		if back, err := s.Decode(ids); err != nil || back != text {
			t.Errorf("%s: Decode(Encode(x)) is not x, error %v", name, err)
		}
		if n := s.Cut(text); name != "one letter" && name != "letters" && n == 0 {
			t.Errorf("%s: there is no place to cut", name)
		}
	}
}
