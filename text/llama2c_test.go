package text

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tokBin returns the tok.bin of s.
func tokBin(t testing.TB, s *SentencePiece) string {
	t.Helper()
	var b bytes.Buffer
	if err := SaveLlama2C(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func load(t testing.TB, file string) Tokenizer {
	t.Helper()
	tok, err := Load(strings.NewReader(file))
	if err != nil {
		t.Fatalf("Load(%.200q): %v", file, err)
	}
	return tok
}

// All files of one tokenizer become its tok.bin, bit for bit, the one in which merges stand for scores as well.
func TestLlama2CFiles(t *testing.T) {
	want := readData(t, "stories260K/tok512.bin")
	for _, file := range []string{"tok512.bin", "tok512.model"} {
		s := tok512(t, file)
		if got := tokBin(t, s); got != want {
			t.Errorf("%s is saved as %d bytes that differ from tok512.bin, of %d", file, len(got), len(want))
		}
		if got := tokBin(t, load(t, save(t, s)).(*SentencePiece)); got != want {
			t.Errorf("%s by way of tokenizer.json is saved as %d bytes that differ from tok512.bin, of %d", file, len(got), len(want))
		}
	}
}

func TestLlama2CSaveLoad(t *testing.T) {
	c := smallPieces()
	c.Tokens, c.Scores = append(c.Tokens, "", "zz"), append(c.Scores, 5, 0.25) // an id of no token
	s := newPieces(t, c)
	file := tokBin(t, s)
	back := load(t, file).(*SentencePiece)
	if got := tokBin(t, back); got != file {
		t.Errorf("saved again as %q, want %q", got, file)
	}
	if got, want := back.VocabSize(), s.VocabSize(); got != want {
		t.Errorf("VocabSize() = %d, want %d", got, want)
	}
	for _, text := range []string{"", " ", "the  then zzé中\xff", "a<s>b</s><unk>"} {
		if got, want := encode(t, back, text), encode(t, s, text); !slices.Equal(got, want) {
			t.Errorf("Encode(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestLlama2CRefuses(t *testing.T) {
	whole := tokBin(t, newPieces(t, llamaPieces("ab", "a", "b")))
	for n := range whole { // no start of a file is one, but where a token ends
		tok, err := Load(strings.NewReader(whole[:n]))
		if s, ok := tok.(*SentencePiece); err == nil && (!ok || len(s.tokens) < 259 || tokBin(t, s)[4:] != whole[4:n]) {
			t.Errorf("Load of the first %d bytes = %v", n, tok)
		}
	}
	replace := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("%q holds no %q", whole, old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	last := "\x01\x00\x00\x00b"
	for name, c := range map[string]struct{ file, want string }{
		"empty":             {"\x00\x00\x00\x00", "there are 0 tokens, less than the 259"},
		"cut off":           {whole[:len(whole)-1], "token 261 is cut off"},
		"trailing":          {whole + "\x00", "token 262 is cut off"},
		"longer than said":  {"\x05" + whole[1:], "token 2 is 6 bytes long and the longest 5"},
		"much longer":       {"\xff\xff\x00\x00" + replace(last, "\xff\xff\x00\x00b")[4:], "token 261 is cut off"},
		"longer than there": {"\x04" + whole[1:], "is 5 bytes long and the longest 4"},
		"no unknown":        {replace("<unk>", "<ukn>"), `token 0 is "<ukn>"; in a file of llama2.c it is "<unk>"`},
		"no BOS":            {replace("\n<s>\n", "\n<b>\n"), `token 1 is "\n<b>\n"`},
		"no byte":           {replace("<0x41>", "<0x4A>"), `token 68 is "<0x4A>"`},
		"twice":             {replace(last, "\x01\x00\x00\x00a"), `token "a" has two ids, 260 and 261`},
		"not UTF-8":         {replace(last, "\x01\x00\x00\x00\xff"), `token "\xff" is not valid UTF-8`},
		"underline":         {replace(last, "\x03\x00\x00\x00▁"), `stands for a space`},
		"special":           {replace(last, "\x05\x00\x00\x00<unk>"), `token "<unk>" has two ids, 0 and 261`},
		"not a number":      {replace("\x00\x00\x00\xc0"+last, "\x00\x00\xc0\x7f"+last), "token 261 has score NaN"},
		"infinite":          {replace("\x00\x00\x00\xc0"+last, "\x00\x00\x80\x7f"+last), "token 261 has score +Inf"},
	} {
		if tok, err := Load(strings.NewReader(c.file)); err == nil || tok != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "tok.bin") {
			t.Errorf("%s: Load = %v, %v, want an error with %q", name, tok, err, c.want)
		}
	}
}

// What llama2.c would encode otherwise is not saved for it.
func TestSaveLlama2CRefuses(t *testing.T) {
	alter := func(f func(c *SentencePieceConfig)) *SentencePiece {
		c := llamaPieces("ab", "ba", "aba", "a", "b")
		f(&c)
		return newPieces(t, c)
	}
	merges := func(m ...Merge) func(c *SentencePieceConfig) {
		return func(c *SentencePieceConfig) { c.Scores, c.Merges = nil, m }
	}
	for name, c := range map[string]struct {
		tok  *SentencePiece
		want string
	}{
		"nil":    {nil, "NewSentencePiece did not make"},
		"zero":   {&SentencePiece{}, "NewSentencePiece did not make"},
		"prefix": {alter(func(c *SentencePieceConfig) { c.Prefix = PrefixNone }), "Prefix 2"},
		"BOS":    {alter(func(c *SentencePieceConfig) { c.BOS = "" }), `BOS ""`},
		"no EOS": {alter(func(c *SentencePieceConfig) { delete(c.Special, EOS) }), `token 2 is not the special token "</s>"`},
		"more":   {alter(func(c *SentencePieceConfig) { c.Special["<x>"] = 300 }), "4 special tokens"},
		"bytes":  {alter(func(c *SentencePieceConfig) { c.Bytes[0], c.Bytes[1] = 4, 3 }), "the token of byte 0x00 has id 4, not 3"},
		"spelt":  {alter(func(c *SentencePieceConfig) { c.Tokens[260] = "\n<s>\n" }), "the spelling of a special token"},
		"mixed":  {alter(merges(Merge{"a", "b"}, Merge{"ab", "a"}, Merge{"b", "a"}, Merge{"a", "ba"})), `merge 3 makes "aba"`},
		"missed": {alter(merges(Merge{"a", "b"}, Merge{"b", "a"}, Merge{"a", "ba"})), `no merge joins "ab" and "a"`},
	} {
		var b bytes.Buffer
		if err := SaveLlama2C(&b, c.tok); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: SaveLlama2C = %v, want an error with %q", name, err, c.want)
		}
	}
	s := alter(merges(Merge{"b", "a"}, Merge{"ab", "a"}, Merge{"a", "ba"}, Merge{"a", "b"}))
	file := tokBin(t, s)
	for id, want := range map[int]float32{259: -2, 260: 0, 261: -1, 262: -3, 263: -4} {
		_, rest, _ := strings.Cut(file, s.spelling(258)) // the last of the bytes
		for range id - 259 {
			rest = rest[8+binary.LittleEndian.Uint32([]byte(rest[4:])):]
		}
		if got := math.Float32frombits(binary.LittleEndian.Uint32([]byte(rest))); got != want {
			t.Errorf("token %d has score %g, want %g", id, got, want)
		}
	}
	if err := SaveLlama2C(brokenWriter{}, s); err == nil {
		t.Error("SaveLlama2C to a broken writer did not fail")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

// A file is loaded for what it is, whatever its name, and a folder for what is in it.
func TestReadFileKinds(t *testing.T) {
	dir := t.TempDir()
	if tok, err := ReadFile(dir); err == nil || !strings.Contains(err.Error(), "no tokenizer.json, no tokenizer.model, no tok.bin") {
		t.Errorf("ReadFile of an empty folder = %v, %v", tok, err)
	}
	c := llamaPieces("ab", "a", "b")
	for i, f := range []struct{ name, data string }{ // each goes before the earlier ones
		{"tok.bin", tokBin(t, newPieces(t, c))},
		{"tokenizer.model", modelFile(c)},
		{"tokenizer.json", save(t, newPieces(t, c))},
	} {
		data := f.data
		if i == 0 {
			data = "\n" + data // is no file
			if tok, err := Load(strings.NewReader(data)); err == nil {
				t.Errorf("Load(%.20q) = %v, want an error", data, tok)
			}
			data = f.data
		}
		for _, path := range []string{filepath.Join(dir, f.name), filepath.Join(t.TempDir(), "any")} {
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			tok, err := ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := encode(t, tok, "ab"); len(got) != 2 || got[1] != 259 {
				t.Errorf("%s: Encode(ab) = %v", f.name, got)
			}
		}
		tok, err := ReadFile(dir)
		if err != nil {
			t.Fatal(err)
		}
		if s := tok.(*SentencePiece); (s.merges != nil) != (f.name == "tokenizer.json") {
			t.Errorf("ReadFile(%s) did not load %s", dir, f.name)
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte("no tokenizer"), 0o600); err != nil {
			t.Fatal(err)
		}
		if tok, err := ReadFile(dir); err == nil || !strings.Contains(err.Error(), f.name) {
			t.Errorf("ReadFile of a folder with a broken %s = %v, %v", f.name, tok, err)
		}
	}
}
