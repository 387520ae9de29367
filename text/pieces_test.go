package text

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNewSentencePieceRefuses(t *testing.T) {
	many := map[string]int{}
	for i := range maxSpecials/maxSpecial + 1 {
		many[strings.Repeat("x", maxSpecial-3)+fmt.Sprintf("%03d", i)] = 300 + i
	}
	for name, c := range map[string]struct {
		alter func(c *SentencePieceConfig)
		want  string
	}{
		"nothing":          {func(c *SentencePieceConfig) { *c = SentencePieceConfig{} }, `id 0 is of both "<0x00>" and "<0x01>"`},
		"prefix":           {func(c *SentencePieceConfig) { c.Prefix = 3 }, "there is no Prefix 3"},
		"negative prefix":  {func(c *SentencePieceConfig) { c.Prefix = -1 }, "there is no Prefix -1"},
		"BOS":              {func(c *SentencePieceConfig) { c.BOS = "<b>" }, `BOS "<b>" is not among the special tokens`},
		"both":             {func(c *SentencePieceConfig) { c.Merges = []Merge{} }, "scores and merges cannot both"},
		"few scores":       {func(c *SentencePieceConfig) { c.Scores = c.Scores[1:] }, "261 scores of 262 tokens"},
		"NaN":              {func(c *SentencePieceConfig) { c.Scores[5] = float32(math.NaN()) }, "token 5 has score NaN"},
		"infinite":         {func(c *SentencePieceConfig) { c.Scores[260] = float32(math.Inf(-1)) }, "token 260 has score -Inf"},
		"byte":             {func(c *SentencePieceConfig) { c.Bytes['a'] = -1 }, "the token of byte 0x61 cannot have id -1"},
		"byte far off":     {func(c *SentencePieceConfig) { c.Bytes['a'] = 1 << 20 }, "ids up to 1048576 are too many"},
		"one id":           {func(c *SentencePieceConfig) { c.Bytes['a'] = 259 }, `id 259 is of both "<0x61>" and "ab"`},
		"special negative": {func(c *SentencePieceConfig) { c.Special["<x>"] = -1 }, `special token "<x>" cannot have id -1`},
		"special far off":  {func(c *SentencePieceConfig) { c.Special["<x>"] = 1 << 20 }, "ids up to 1048576 are too many"},
		"special empty":    {func(c *SentencePieceConfig) { c.Special[""] = 300 }, "special token 300 is empty"},
		"special long":     {func(c *SentencePieceConfig) { c.Special[strings.Repeat("x", maxSpecial+1)] = 300 }, "special token 300 is 1025 bytes long"},
		"specials long":    {func(c *SentencePieceConfig) { c.Special, c.BOS = many, "" }, "special tokens are longer than 262144 bytes together"},
		"special no text":  {func(c *SentencePieceConfig) { c.Special["\xff"] = 300 }, "is not valid UTF-8"},
		"special a token":  {func(c *SentencePieceConfig) { c.Special["ab"] = 300 }, `token "ab" has two ids, 300 and 259`},
		"special a byte":   {func(c *SentencePieceConfig) { c.Special["<0x41>"] = 300 }, `token "<0x41>" has two ids, 68 and 300`},
		"special an id":    {func(c *SentencePieceConfig) { c.Special["<x>"] = 68 }, `id 68 is of both "<0x41>" and "<x>"`},
		"token twice":      {func(c *SentencePieceConfig) { c.Tokens[261] = "ab" }, `token "ab" has two ids, 259 and 261`},
		"token a byte":     {func(c *SentencePieceConfig) { c.Tokens[261] = "<0x41>" }, `token "<0x41>" has two ids, 68 and 261`},
		"token a special":  {func(c *SentencePieceConfig) { c.Tokens[261] = BOS }, `token "<s>" has two ids, 1 and 261`},
		"token long":       {func(c *SentencePieceConfig) { c.Tokens[261] = strings.Repeat("x", maxPiece+1) }, "token 261 is 1025 bytes long"},
		"token no text":    {func(c *SentencePieceConfig) { c.Tokens[261] = "a\xff" }, "is not valid UTF-8"},
		"token spelt":      {func(c *SentencePieceConfig) { c.Tokens[261] = "a▁" }, "stands for a space"},
		"token in a hole":  {func(c *SentencePieceConfig) { c.Tokens[0] = "x" }, `id 0 is of both "<unk>" and "x"`},
		"merge": {func(c *SentencePieceConfig) { c.Scores, c.Merges = nil, []Merge{{"a", "b"}, {"b", "a"}} },
			`merge 1 joins "b" and "a", and not all three`},
		"merge of nothing": {func(c *SentencePieceConfig) { c.Scores, c.Merges = nil, []Merge{{"", "a"}} }, `merge 0 joins "" and "a"`},
		"merge twice": {func(c *SentencePieceConfig) { c.Scores, c.Merges = nil, []Merge{{"a", "b"}, {"a", "b"}} },
			`merges 0 and 1 both join "a" and "b"`},
	} {
		config := llamaPieces("ab", "a", "b")
		c.alter(&config)
		if s, err := NewSentencePiece(config); err == nil || s != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: NewSentencePiece = %v, %v, want an error with %q", name, s, err, c.want)
		}
	}
}

// A small file must not make a large table.
func TestSentencePieceManyMerges(t *testing.T) {
	var tokens []string
	for _, letter := range []string{"a", "b", "c"} {
		for n := range maxPiece {
			tokens = append(tokens, strings.Repeat(letter, n+1))
		}
	}
	if _, err := NewSentencePiece(llamaPieces(tokens...)); err == nil || !strings.Contains(err.Error(), "more than 1048576 merges") {
		t.Errorf("NewSentencePiece = %v, want an error with more than 1048576 merges", err)
	}
}

// A tokenizer does not change with the config it was made from.
func TestSentencePieceKeepsConfig(t *testing.T) {
	c := smallPieces()
	s := newPieces(t, c)
	want := encode(t, s, "the<s>aaa")
	c.Tokens[259], c.Scores[259], c.Special["a"] = "zz", 99, 500
	if got := encode(t, s, "the<s>aaa"); !slices.Equal(got, want) {
		t.Errorf("Encode = %v after the config changed, want %v", got, want)
	}
}

func TestSentencePieceSpecial(t *testing.T) {
	s := newPieces(t, smallPieces())
	for token, want := range map[string]int{unknown: 0, BOS: 1, EOS: 2} {
		if id, ok := s.Special(token); !ok || id != want {
			t.Errorf("Special(%q) = %d, %v, want %d", token, id, ok, want)
		}
	}
	for _, token := range []string{"", "a", "<0x41>", EndOfText} {
		if id, ok := s.Special(token); ok {
			t.Errorf("Special(%q) = %d, want none", token, id)
		}
	}
	ids, err := s.EncodeOrdinary("<s>a</s><unk>")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if id < 3 {
			t.Errorf("EncodeOrdinary makes the special token %d", id)
		}
	}
	for id, want := range map[int]string{0: "<unk>", 1: "<s>", 3 + 'A': "A", 3 + 0xff: "\xff", 259: " t", 264: " the"} {
		if got, ok := s.Token(id); !ok || got != want {
			t.Errorf("Token(%d) = %q, %v, want %q", id, got, ok, want)
		}
	}
}

// The space before a text goes where a text begins, and no other space.
func TestSentencePieceDecode(t *testing.T) {
	const bos, eos, the, a, space, t1 = 1, 2, 264, 261, 277, 279 // "<s>", "</s>", " the", " a", " ", "t"
	for _, c := range []struct {
		ids              []int
		all, first, none string
	}{
		{nil, "", "", ""},
		{[]int{the, a}, "the a", "the a", " the a"},
		{[]int{bos, the, a}, "<s>the a", "<s> the a", "<s> the a"},
		{[]int{bos, eos, bos, the}, "<s></s><s>the", "<s></s><s> the", "<s></s><s> the"},
		{[]int{the, eos, a, a}, "the</s>a a", "the</s> a a", " the</s> a a"},
		{[]int{t1, the}, "t the", "t the", "t the"},
		{[]int{space, the}, " the", " the", "  the"},
		{[]int{3 + ' ', the}, " the", " the", "  the"},
		{[]int{space}, "", "", " "},
	} {
		for prefix, want := range []string{c.all, c.first, c.none} {
			config := smallPieces()
			config.Prefix = Prefix(prefix)
			s := newPieces(t, config)
			if got, err := s.Decode(c.ids); err != nil || got != want {
				t.Errorf("Prefix %d: Decode(%v) = %q, %v, want %q", prefix, c.ids, got, err, want)
			}
			d, got := NewDecoder(s), ""
			for range 2 { // after Flush another text begins
				for _, id := range c.ids {
					part, err := d.Write(id)
					if err != nil {
						t.Fatal(err)
					}
					got += part
				}
				got += d.Flush()
			}
			if got != want+want {
				t.Errorf("Prefix %d: a Decoder makes %q of %v twice, want %q", prefix, got, c.ids, want+want)
			}
		}
	}
}

func TestSentencePieceMisuse(t *testing.T) {
	c := smallPieces()
	c.Tokens, c.Scores = append(c.Tokens, "", "zz"), append(c.Scores, 0, 0)
	s := newPieces(t, c)
	hole := len(c.Tokens) - 2
	for _, id := range []int{-1, hole, len(c.Tokens), math.MaxInt, math.MinInt} {
		if text, err := s.Decode([]int{1, id}); err == nil {
			t.Errorf("Decode(%d) = %q, want an error", id, text)
		}
		if token, ok := s.Token(id); ok {
			t.Errorf("Token(%d) = %q, want none", id, token)
		}
		d := NewDecoder(s)
		if part, err := d.Write(id); err == nil {
			t.Errorf("Write(%d) = %q, want an error", id, part)
		}
		if part, err := d.Write(264); err != nil || part != "the" {
			t.Errorf("Write after an error = %q, %v, want the", part, err)
		}
	}
	for _, s := range []*SentencePiece{nil, {}} {
		for _, f := range []func(string) ([]int, error){s.Encode, s.EncodeRest, s.EncodeOrdinary} {
			if ids, err := f("a"); err == nil {
				t.Errorf("encoding without a vocabulary makes %v, want an error", ids)
			}
		}
	}
}

// Every character of valid text appears with the token of its last byte, no later, and never in part.
func TestDecoderByteFallback(t *testing.T) {
	s := newPieces(t, llamaPieces(" ", "a")) // other characters are bytes
	text := "aé中🙂 ▁a"
	d, got := NewDecoder(s), ""
	ids := encode(t, s, text)
	for i, id := range ids {
		part, err := d.Write(id)
		if err != nil {
			t.Fatal(err)
		}
		got += part
		want, err := s.Decode(ids[:i+1])
		if err != nil {
			t.Fatal(err)
		}
		for !utf8.ValidString(want) {
			want = want[:len(want)-1]
		}
		if got != want {
			t.Errorf("after %d tokens the text is %q, want %q", i+1, got, want)
		}
	}
	if got != text {
		t.Errorf("the text is %q, want %q", got, text)
	}
}

// What is read in pieces has the tokens of the whole.
func TestEncodeReaderSentencePiece(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for b.Len() < 2*chunkSize+chunkSize/2 {
		b.WriteString(randomText(rng, 1000))
		b.WriteString([]string{"<s>", "</s>", "aaa aaa", "<s> "}[rng.IntN(4)])
	}
	text := b.String()
	for prefix := PrefixAll; prefix <= PrefixNone; prefix++ {
		c := smallPieces()
		c.Prefix = prefix
		s := newPieces(t, c)
		var got []int
		parts := 0
		for ids, err := range EncodeReader(t.Context(), s, strings.NewReader(text)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ids...)
			parts++
		}
		if want := encode(t, s, text); !slices.Equal(got, want) || parts < 2 {
			t.Errorf("Prefix %d: %d pieces make %d tokens that differ from the %d of the whole", prefix, parts, len(got), len(want))
		}
	}
}

// A place to cut is near the end of ordinary text, and never where a special token ends, after which a space
// would be missing.
func TestSentencePieceCut(t *testing.T) {
	s := newPieces(t, smallPieces())
	for text, want := range map[string]int{
		"":              0,
		"a":             0,
		"aaaa":          0,
		"bt":            1,
		"bt aa":         2,
		"bt aa\xe4\xb8": 2,
		"zz":            1,
		"x<s>":          1,
		"xy<s>":         2,
		"xy<s>z":        2,
		"xy<s":          2,
		"xy<s>zz":       6,
	} {
		if got := s.Cut(text); got != want {
			t.Errorf("Cut(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestNeighbours(t *testing.T) {
	for tokens, crosses := range map[string]bool{
		"":            false,
		"a":           false,
		" a| é| ":     false,
		"ab|é中|中b|b中": false,
		"  ":          true,
		"a ":          true,
		"b|bé a":      true,
		"中 ":          true,
	} {
		var n neighbours
		has := map[[2]rune]bool{}
		for _, token := range strings.Split(tokens, "|") {
			n.add(token)
			for r := []rune(token); len(r) > 1; r = r[1:] {
				has[[2]rune{r[0], r[1]}] = true
			}
		}
		if got := n.crosses(); got != crosses {
			t.Errorf("crosses of %q = %v, want %v", tokens, got, crosses)
		}
		for _, left := range "ab é中|" {
			for _, right := range "ab é中|" {
				if got, want := n.has(left, right), has[[2]rune{left, right}]; got != want {
					t.Errorf("%q: has(%q, %q) = %v, want %v", tokens, left, right, got, want)
				}
			}
		}
	}
}
