package text

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// gpt2Cases are what OpenAI's tiktoken (1.0.22 for JavaScript) makes of difficult texts.
var gpt2Cases = []struct {
	name, text string
	ids        []int
}{
	{"empty", "", []int{}},
	{"one word", "hello", []int{31373}},
	{"sentence", "Hello, world! It's 2024.", []int{15496, 11, 995, 0, 632, 338, 48609, 13}},
	{"contractions", "I'm you're he's we've they'll I'd don't", []int{40, 1101, 345, 821, 339, 338, 356, 1053, 484, 1183, 314, 1549, 836, 470}},
	{"upper case contraction", "IT'S WE'LL 'S'T", []int{2043, 6, 50, 12887, 6, 3069, 705, 50, 6, 51}},
	{"quotes run", "''s '''ve 'x 're", []int{7061, 82, 705, 7061, 303, 705, 87, 705, 260}},
	{"spaces then word", "   three spaces", []int{220, 220, 1115, 9029}},
	{"trailing spaces", "end   ", []int{437, 220, 220, 220}},
	{"only spaces", "      ", []int{220, 220, 220, 220, 220, 220}},
	{"newlines", "a\n\nb\n \n c\r\n\td\t\t", []int{64, 198, 198, 65, 198, 220, 198, 269, 201, 198, 197, 67, 197, 197}},
	{"non-breaking space", "a\u00a0b \u00a0 c", []int{64, 1849, 65, 5624, 269}},
	{"ideographic space", "\u4e2d\u3000\u3000\u6587 \u3000\u5b57", []int{40792, 5099, 222, 5099, 222, 23877, 229, 220, 5099, 222, 27764, 245}},
	{"accents", "na\u00efve caf\u00e9 \u00c5ngstr\u00f6m e\u0301", []int{2616, 38776, 40304, 6184, 227, 782, 2536, 9101, 76, 304, 136, 223}},
	{"Chinese", "\u673a\u5668\u5b66\u4e60\u5f88\u6709\u8da3\u3002", []int{17312, 118, 161, 247, 101, 27764, 99, 20046, 254, 36181, 230, 17312, 231, 164, 114, 96, 16764}},
	{"emoji", "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1eb\U0001f1f7\U0001f642", []int{41840, 102, 447, 235, 41840, 102, 447, 235, 41840, 100, 447, 235, 41840, 99, 12520, 229, 104, 8582, 229, 115, 8582, 25081}},
	{"numbers", "1234567 \u0663\u0664\u0665 \u2167 \u00b2 \u00bd 3.14", []int{10163, 2231, 3134, 18923, 96, 149, 97, 149, 98, 2343, 227, 100, 1587, 110, 25208, 513, 13, 1415}},
	{"controls", "\u0000\u0001\u007f\u001c\u001d\u0085x", []int{188, 189, 221, 216, 217, 126, 227, 87}},
	{"replacement", "\ufffd\ufffd a\ufeffb", []int{6353, 257, 171, 119, 123, 65}},
	{"code", "for i := range x { s += a[i]*b[i] }\n", []int{1640, 1312, 19039, 2837, 2124, 1391, 264, 15853, 257, 58, 72, 60, 9, 65, 58, 72, 60, 1782, 198}},
	{"long run", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", []int{24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794, 24794}},
	{"special inside", "one<|endoftext|>two <|endoftext|> <|endoftext|", []int{505, 50256, 11545, 220, 50256, 1279, 91, 437, 1659, 5239, 91}},
	{"marks and symbols", "\u0939\u093f\u0928\u094d\u0926\u0940 \u0645\u0631\u062d\u0628\u0627 x\u00b2+y\u00b2=z\u00b2 \u2190\u2192 \u00a7", []int{11976, 117, 11976, 123, 11976, 101, 24231, 235, 11976, 99, 24231, 222, 47048, 26897, 148, 255, 39848, 12919, 2124, 31185, 10, 88, 31185, 28, 89, 31185, 17804, 238, 39310, 8460}},
}

func TestGPT2(t *testing.T) {
	b := gpt2(t)
	if got, want := b.VocabSize(), 50257; got != want {
		t.Errorf("VocabSize() = %d, want %d", got, want)
	}
	for _, c := range gpt2Cases {
		t.Run(c.name, func(t *testing.T) {
			if got := encode(t, b, c.text); !slices.Equal(got, c.ids) {
				t.Errorf("Encode(%q) = %v, want %v", c.text, got, c.ids)
			}
			if got := refEncode(b, c.text); !slices.Equal(got, c.ids) {
				t.Errorf("refEncode(%q) = %v, want %v", c.text, got, c.ids)
			}
			if got, err := b.Decode(c.ids); err != nil || got != c.text {
				t.Errorf("Decode(%v) = %q, %v, want %q", c.ids, got, err, c.text)
			}
		})
	}
}

func TestGPT2Shakespeare(t *testing.T) {
	b, text := gpt2(t), readData(t, "text/tinyshakespeare.txt")
	ids := encode(t, b, text)
	if got, want := len(ids), 338025; got != want {
		t.Errorf("len(Encode(tinyshakespeare)) = %d, want %d", got, want)
	}
	var words []byte // as tiktoken's ids lie in memory
	for _, id := range ids {
		words = binary.LittleEndian.AppendUint32(words, uint32(id))
	}
	const tiktoken = "0c00ab83dc7f46665805762aa7688fb7852f03f28c4a5d84061871e85ea7c815"
	if got := fmt.Sprintf("%x", sha256.Sum256(words)); got != tiktoken {
		t.Errorf("the ids of tinyshakespeare have the hash %s, want %s, that of tiktoken's", got, tiktoken)
	}
	if got, err := b.Decode(ids); err != nil || got != text {
		t.Errorf("Decode(Encode(tinyshakespeare)) differs, error %v", err)
	}
}

func TestEncodeMatchesReference(t *testing.T) {
	b, rng := trained(t), rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		text := randomText(rng, rng.IntN(60))
		if i%100 == 0 { // long enough to use the cache
			text = strings.Repeat(randomText(rng, 200), 2) + randomText(rng, cacheText)
		}
		got, want := encode(t, b, text), refEncode(b, text)
		if !slices.Equal(got, want) {
			t.Fatalf("Encode(%.200q) = %v, want %v", text, got, want)
		}
		if back, err := b.Decode(got); err != nil || back != text {
			t.Fatalf("Decode(Encode(%q)) = %q, %v", text, back, err)
		}
	}
}

// Words on both sides of the limits of the cache and of the heap must come out as from the reference.
func TestEncodeWordLengths(t *testing.T) {
	b, rng := trained(t), rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 2*shortWord+3; n++ {
		word := make([]byte, n)
		for i := range word {
			word[i] = "aabthe"[rng.IntN(6)]
		}
		// Twice, to find the second in the cache, in a text long enough to have one.
		text := strings.Repeat(string(word)+" ", max(2, cacheText/(n+1)+1))
		want := refEncode(b, string(word)+" "+string(word)+" ")
		got := encode(t, b, text)
		if got = got[:min(len(got), len(want)-1)]; !slices.Equal(got, want[:len(want)-1]) {
			t.Fatalf("Encode of %q twice = %v, want %v", word, got, want)
		}
	}
}

func TestPretokenMatchesReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		text := randomText(rng, rng.IntN(20))
		var got []string
		for rest := text; rest != ""; {
			n := pretoken(rest)
			got = append(got, rest[:n])
			rest = rest[n:]
		}
		if want := refPretokens(text); !slices.Equal(got, want) {
			t.Fatalf("pre-tokens of %q are %q, want %q", text, got, want)
		}
	}
}

// What Cut promises: a text can be encoded in two pieces, whatever comes after the cut.
func TestCut(t *testing.T) {
	b, err := NewBPE(BPEConfig{Special: map[string]int{EndOfText: 256, "a b": 257, "b <|": 258, " \n": 259}})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for _, b := range []*BPE{trained(t), b} {
		cuts := 0
		for range 2000 {
			head, tail := randomText(rng, 1+rng.IntN(12)), randomText(rng, rng.IntN(6))
			n := b.Cut(head)
			if n > 0 {
				cuts++
			}
			got := append(encode(t, b, head[:n]), encode(t, b, head[n:]+tail)...)
			if want := encode(t, b, head+tail); !slices.Equal(got, want) {
				t.Fatalf("Cut(%q) = %d, with %q to follow: in pieces %v, whole %v", head, n, tail, got, want)
			}
		}
		if cuts < 500 {
			t.Errorf("only %d of 2000 texts could be cut", cuts)
		}
	}
}

func TestEncodeOrdinary(t *testing.T) {
	b := trained(t)
	text := "a" + EndOfText
	ids, err := b.EncodeOrdinary(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		for token, special := range b.special {
			if id == special {
				t.Errorf("EncodeOrdinary(%q) = %v, of which %d is %q", text, ids, id, token)
			}
		}
	}
	if back, err := b.Decode(ids); err != nil || back != text {
		t.Errorf("Decode(%v) = %q, %v, want %q", ids, back, err, text)
	}
}

func TestSpecialsLongestFirst(t *testing.T) {
	b, err := NewBPE(BPEConfig{Special: map[string]int{"<a": 256, "<a>": 257, "<a><a>": 258, "a><b": 259}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want []int
	}{
		{"<a", []int{256}},
		{"<a>", []int{257}},
		{"<a><a>", []int{258}},
		{"<a><a><a>", []int{258, 257}},
		{"<a><a", []int{257, 256}},
		{"<a><b", []int{257, '<', 'b'}}, // the leftmost wins over the longer
		{"a><b<", []int{259, '<'}},
	} {
		if got := encode(t, b, c.text); !slices.Equal(got, c.want) {
			t.Errorf("Encode(%q) = %v, want %v", c.text, got, c.want)
		}
	}
}

func TestNewBPEErrors(t *testing.T) {
	bytes := strings.Split(byteStrings, "")
	for i := range bytes {
		bytes[i] = byteStrings[i : i+1]
	}
	for _, c := range []struct {
		name   string
		config BPEConfig
		want   string
	}{
		{"byte missing", BPEConfig{Tokens: bytes[:255]}, "byte 0xff is not in the vocabulary"},
		{"token twice", BPEConfig{Tokens: append(slices.Clone(bytes), "a")}, `token "a" has two ids, 97 and 256`},
		{"merge of nothing", BPEConfig{Merges: []Merge{{"", "a"}}}, `two ids`},
		{"merge before its parts", BPEConfig{Merges: []Merge{{"ab", "c"}}}, `merge 0 joins "ab" and "c"`},
		{"merge without result", BPEConfig{Tokens: bytes, Merges: []Merge{{"a", "b"}}}, `merge 0 joins "a" and "b"`},
		{"merge twice", BPEConfig{Merges: []Merge{{"a", "b"}, {"a", "b"}}}, "merges 0 and 1 both join"},
		{"special empty", BPEConfig{Special: map[string]int{"": 256}}, "special token 256 is empty"},
		{"special not UTF-8", BPEConfig{Special: map[string]int{"\xff": 256}}, "is not valid UTF-8"},
		{"special too long", BPEConfig{Special: map[string]int{strings.Repeat("x", 2000): 256}}, "is 2000 bytes long"},
		{"special negative", BPEConfig{Special: map[string]int{"<x>": -1}}, "cannot have id -1"},
		{"special far off", BPEConfig{Special: map[string]int{"<x>": 1 << 30}}, "are too many for 257 tokens"},
		{"special on a token", BPEConfig{Special: map[string]int{"<x>": 97}}, `id 97 is of both "a" and the special token "<x>"`},
		{"specials on one id", BPEConfig{Special: map[string]int{"<x>": 256, "<y>": 256}}, `id 256 is of both "<x>"`},
		{"special with two ids", BPEConfig{Special: map[string]int{"a": 256}}, `the token spelt so has id 97`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := NewBPE(c.config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("NewBPE error is %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestBPEOutsideVocabulary(t *testing.T) {
	b, err := NewBPE(BPEConfig{Special: map[string]int{"<x>": 300}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := b.VocabSize(), 301; got != want {
		t.Errorf("VocabSize() = %d, want %d", got, want)
	}
	for _, id := range []int{-1, 256, 299, 301, math.MaxInt} {
		if token, ok := b.Token(id); ok {
			t.Errorf("Token(%d) = %q, want none", id, token)
		}
		if text, err := b.Decode([]int{id}); err == nil {
			t.Errorf("Decode([%d]) = %q, want an error", id, text)
		}
	}
	if _, ok := b.Special("<y>"); ok {
		t.Errorf("Special(<y>) found a token")
	}
	if id, ok := b.Special("<x>"); id != 300 || !ok {
		t.Errorf("Special(<x>) = %d, %v, want 300, true", id, ok)
	}
}

func TestEncodeConcurrently(t *testing.T) {
	text := strings.Repeat(randomText(rand.New(rand.NewPCG(9, 10)), 500), 20)
	for _, tok := range []Tokenizer{trained(t), newPieces(t, smallPieces())} {
		want := encode(t, tok, text)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					if got, err := tok.Encode(text); err != nil || !slices.Equal(got, want) {
						t.Errorf("Encode of a %T differs between goroutines, error %v", tok, err)
					}
				}
			})
		}
		wg.Wait()
	}
}

// A word of a megabyte must not take time that grows with its square: this test would not end.
func TestHostileWords(t *testing.T) {
	b, rng := trained(t), rand.New(rand.NewPCG(11, 12))
	letters := make([]byte, 1<<20)
	for i := range letters {
		letters[i] = "aabthe"[rng.IntN(6)]
	}
	for name, text := range map[string]string{
		"one letter": strings.Repeat("a", 1<<20),
		"letters":    string(letters),
		"spaces":     strings.Repeat(" ", 1<<20),
		"no UTF-8":   strings.Repeat("\xff", 1<<20),
		"half marks": strings.Repeat("<|endoftext|", 1<<16),
	} {
		ids := encode(t, b, text)
		if back, err := b.Decode(ids); err != nil || back != text {
			t.Errorf("%s: Decode(Encode(x)) is not x, error %v", name, err)
		}
	}
}

// What was not made by its constructor must not panic.
func TestZeroValues(t *testing.T) {
	for _, tok := range []Tokenizer{new(BPE), new(Chars)} {
		if ids, err := tok.Encode("a"); err == nil {
			t.Errorf("%T: Encode = %v, want an error", tok, ids)
		}
		if text, err := tok.Decode([]int{0}); err == nil {
			t.Errorf("%T: Decode = %q, want an error", tok, text)
		}
		if err := Save(io.Discard, tok); err == nil {
			t.Errorf("%T: Save did not fail", tok)
		}
	}
	if _, err := TrainBPE(t.Context(), nil, TrainConfig{}); err == nil {
		t.Error("TrainBPE of no reader did not fail")
	}
	if _, err := EncodeFile(t.Context(), "x", nil, nil); err == nil {
		t.Error("EncodeFile of nothing did not fail")
	}
	if _, err := WriteTokens("x", 1, nil); err == nil {
		t.Error("WriteTokens of nothing did not fail")
	}
}
