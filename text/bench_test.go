package text

import (
	"strings"
	"testing"
)

func BenchmarkEncode(b *testing.B) {
	tok, text := gpt2(b), readData(b, "text/tinyshakespeare.txt")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tok.Encode(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodeCold is BenchmarkEncode with no word in the cache.
func BenchmarkEncodeCold(b *testing.B) {
	tok, text := gpt2(b), readData(b, "text/tinyshakespeare.txt")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.scratch.New = nil
		for tok.scratch.Get() != nil {
		}
		if _, err := tok.Encode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeShort(b *testing.B) {
	tok, text := gpt2(b), "The quick brown fox jumps over the lazy dog."
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tok.Encode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeOneWord(b *testing.B) {
	tok := gpt2(b)
	letters := strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, readData(b, "text/tinyshakespeare.txt"))
	word := strings.Repeat(letters, 2)[:1<<20]
	b.SetBytes(int64(len(word)))
	for b.Loop() {
		if _, err := tok.Encode(word); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeSentencePiece(b *testing.B) {
	tok, text := tok512(b, "tok512.model"), readData(b, "text/tinyshakespeare.txt")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tok.Encode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeSentencePieceOneWord(b *testing.B) {
	c, rng := onePiece()
	tok, text := newPieces(b, c), string(letters(rng, 1<<20))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := tok.Encode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	tok, text := gpt2(b), readData(b, "text/tinyshakespeare.txt")
	ids := encode(b, tok, text)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := tok.Decode(ids); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrain(b *testing.B) {
	text := readData(b, "text/tinyshakespeare.txt")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := TrainBPE(b.Context(), strings.NewReader(text), TrainConfig{VocabSize: 8192, Special: []string{EndOfText}}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	file := readData(b, "gpt2/tokenizer.json")
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := Load(strings.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	const batch, seq = 32, 256
	s, err := NewStream(make(Slice, 1<<20), 1)
	if err != nil {
		b.Fatal(err)
	}
	x, y := make([]int, batch*seq), make([]int, batch*seq)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Next(x, y, batch, seq); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*batch*seq)/b.Elapsed().Seconds(), "tokens/s")
}
