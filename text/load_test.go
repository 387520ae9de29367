package text

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// save returns the tokenizer.json of tok.
func save(t testing.TB, tok Tokenizer) string {
	t.Helper()
	var b bytes.Buffer
	if err := Save(&b, tok); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSaveLoad(t *testing.T) {
	shared, err := NewBPE(BPEConfig{ // special tokens that are ordinary ones as well, and ids with holes
		Merges:  []Merge{{"a", "b"}, {"ab", "ab"}},
		Special: map[string]int{"ab": 256, "z": 'z', "Ā é <>&\"\\\n": 300},
	})
	if err != nil {
		t.Fatal(err)
	}
	chars, err := NewChars("hello, wörld\n\t\"\\<>&\u2028🙂\ufffd\x00")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, tok := range map[string]Tokenizer{"trained": trained(t), "shared": shared, "chars": chars, "bytes": Bytes{}} {
		t.Run(name, func(t *testing.T) {
			file := save(t, tok)
			back, err := Load(strings.NewReader(file))
			if err != nil {
				t.Fatalf("Load: %v\n%s", err, file)
			}
			if reflect.TypeOf(back) != reflect.TypeOf(tok) {
				t.Fatalf("Load returns a %T, want a %T", back, tok)
			}
			if again := save(t, back); again != file {
				t.Errorf("saved again:\n%s\nwant\n%s", again, file)
			}
			if got, want := back.VocabSize(), tok.VocabSize(); got != want {
				t.Errorf("VocabSize() = %d, want %d", got, want)
			}
			for range 50 {
				text := randomText(rng, 30)
				if _, ok := tok.(*Chars); ok {
					text = "wörld\nhello \ufffd🙂"
				}
				if got, want := encode(t, back, text), encode(t, tok, text); !slices.Equal(got, want) {
					t.Errorf("Encode(%q) = %v, want %v", text, got, want)
				}
			}
		})
	}
}

func TestSaveGPT2(t *testing.T) {
	b := gpt2(t)
	back, err := Load(strings.NewReader(save(t, b)))
	if err != nil {
		t.Fatal(err)
	}
	if got := back.(*BPE); !slices.Equal(got.tokens, b.tokens) || !slices.Equal(got.merges, b.merges) || !reflect.DeepEqual(got.special, b.special) {
		t.Errorf("GPT-2's tokenizer is another one after Save and Load")
	}
	// What is saved is, value for value, the file that was loaded.
	var got, want map[string]any
	if err := json.Unmarshal([]byte(save(t, b)), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(readData(t, "gpt2/tokenizer.json")), &want); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"added_tokens", "pre_tokenizer", "normalizer"} {
		if !reflect.DeepEqual(got[field], want[field]) {
			t.Errorf("%s is %v, want %v", field, got[field], want[field])
		}
	}
	for _, field := range []string{"vocab", "merges"} {
		if !reflect.DeepEqual(got["model"].(map[string]any)[field], want["model"].(map[string]any)[field]) {
			t.Errorf("%s of the model differs from the file", field)
		}
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	for range 2 { // the second replaces the first
		if err := WriteFile(path, trained(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFile(path, nil); err == nil {
		t.Error("WriteFile of no tokenizer did not fail")
	}
	back, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := save(t, back), save(t, trained(t)); got != want {
		t.Errorf("ReadFile(WriteFile(x)) is\n%s, want\n%s", got, want)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("the folder has %v, want the tokenizer alone", files)
	}
	if tok, err := ReadFile(path + "x"); err == nil || tok != nil {
		t.Errorf("ReadFile of no file = %v, %v", tok, err)
	}
}

// alter returns the tokenizer.json of the trained tokenizer or of Chars with one replacement.
func alter(t *testing.T, tok Tokenizer, old, new string) string {
	t.Helper()
	file := save(t, tok)
	if !strings.Contains(file, old) {
		t.Fatalf("%s holds no %s", file, old)
	}
	return strings.Replace(file, old, new, 1)
}

func TestLoadRefuses(t *testing.T) {
	bpe := trained(t)
	chars, err := NewChars("abc")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		tok      Tokenizer
		old, new string
		want     string
	}{
		{"normalizer", bpe, `"normalizer":null`, `"normalizer":{"type":"NFC"}`, `normalizer "NFC" is not supported`},
		{"truncation", bpe, `"truncation":null`, `"truncation":{"max_length":8}`, "truncation is not supported"},
		{"padding", bpe, `"padding":null`, `"padding":[]`, "padding is not supported"},
		{"unknown field", bpe, `"padding":null`, `"padding":null,"extra":1`, `unknown field "extra"`},
		{"unknown model field", bpe, `"dropout":null`, `"dropout":null,"extra":1`, `unknown field "extra"`},
		{"other pre-tokenizer", bpe, `"pre_tokenizer":{"type":"ByteLevel"`, `"pre_tokenizer":{"type":"Metaspace"`, "pre-tokenizer Metaspace is not supported"},
		{"no pre-tokenizer", bpe, `"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}`, `"pre_tokenizer":null`, "pre-tokenizer null is not supported"},
		{"prefix space", bpe, `"add_prefix_space":false`, `"add_prefix_space":true`, "ByteLevel with add_prefix_space is not supported"},
		{"no pattern", bpe, `"use_regex":true`, `"use_regex":false`, "ByteLevel without use_regex is not supported"},
		{"template", bpe, `"post_processor":{"type":"ByteLevel"`, `"post_processor":{"type":"TemplateProcessing"`, "post-processor TemplateProcessing is not supported"},
		{"decoder", bpe, `"decoder":{"type":"ByteLevel"`, `"decoder":{"type":"WordPiece"`, "decoder WordPiece is not supported"},
		{"model", bpe, `"type":"BPE"`, `"type":"Unigram"`, `model "Unigram" is not supported`},
		{"dropout", bpe, `"dropout":null`, `"dropout":0.1`, "dropout 0.1 is not supported"},
		{"prefix", bpe, `"continuing_subword_prefix":""`, `"continuing_subword_prefix":"##"`, `continuing_subword_prefix "##"`},
		{"suffix", bpe, `"end_of_word_suffix":""`, `"end_of_word_suffix":"</w>"`, `end_of_word_suffix "</w>"`},
		{"byte fallback", bpe, `"fuse_unk":false`, `"byte_fallback":true`, "pre-tokenizer ByteLevel is not supported with byte_fallback"},
		{"ignore merges", bpe, `"fuse_unk":false`, `"ignore_merges":true`, "ignore_merges is not supported"},
		{"lstrip", bpe, `"lstrip":false`, `"lstrip":true`, "single_word, lstrip and rstrip"},
		{"token twice", bpe, `"a":97`, `"a":97,"a":97`, `token "a" occurs twice`},
		{"id twice", bpe, `"a":97`, `"a":98`, `id 98 is of both`},
		{"id negative", bpe, `"a":97`, `"a":-1`, `token "a" cannot have id -1`},
		{"id broken", bpe, `"a":97`, `"a":9.7`, `id of token "a"`},
		{"id far off", bpe, `"a":97`, `"a":2000000000`, "ids up to 2000000000 are too many"},
		{"byte missing", bpe, `"a":97,`, ``, "byte 0x61 is not in the vocabulary"},
		{"token no bytes", bpe, `"a":97`, `"a中":97`, `holds '中', which stands for no byte`},
		{"token empty", bpe, `"a":97`, `"":97`, "token 97 is empty"},
		{"special elsewhere", bpe, `"<|end|>":`, `"<|end|>":1`, `added token "<|end|>" has id`},
		{"special twice", bpe, `"content":"<|end|>"`, `"content":"<|endoftext|>"`, `added token "<|endoftext|>" occurs twice`},
		{"merge of three", bpe, `"merges":["`, `"merges":["a b c","`, "is not a pair"},
		{"merge of one", bpe, `"merges":["`, `"merges":[["a"],"`, "is not a pair"},
		{"merge of numbers", bpe, `"merges":["`, `"merges":[1,"`, "number"},
		{"merge unknown", bpe, `"merges":["`, `"merges":["z q","`, `merge 0 joins "z" and "q"`},
		{"merges twice", bpe, `"merges":[`, `"merges":[],"merges":[`, `field "merges" occurs twice`},
		{"vocab twice", bpe, `"vocab":{`, `"vocab":{},"vocab":{`, `field "vocab" occurs twice`},
		{"vocab in capitals", bpe, `"vocab":{`, `"Vocab":{"z":1},"vocab":{`, `unknown field "Vocab"`},
		{"model twice", bpe, `"model":{`, `"model":{},"model":{`, `field "model" occurs twice`},
		{"merges of another name", bpe, `"merges":[`, `"Merges":[`, `unknown field "Merges"`},
		{"id null", bpe, `"a":97`, `"a":null`, `token "a" has no id`},
		{"id text", bpe, `"a":97`, `"a":"97"`, `id of token "a"`},
		{"id over 32 bits", bpe, `"a":97`, `"a":4294967393`, `token "a" cannot have id 4294967393`},
		{"id over 64 bits", bpe, `"a":97`, `"a":18446744073709551713`, `id of token "a"`},
		{"special without id", bpe, `"added_tokens":[`, `"added_tokens":[{"content":"<x>"},`, `added token "<x>" has no id`},
		{"special with null", bpe, `"added_tokens":[`, `"added_tokens":[{"id":null,"content":"<x>"},`, `added token "<x>" has no id`},
		{"special with no text", bpe, `"added_tokens":[`, `"added_tokens":[{"id":400},`, `special token 400 is empty`},
		{"special with a used id", bpe, `"added_tokens":[`, `"added_tokens":[{"id":97,"content":"<x>"},`, `id 97 is of both "a" and the special token "<x>"`},
		{"special with a negative id", bpe, `"added_tokens":[`, `"added_tokens":[{"id":-1,"content":"<x>"},`, `special token "<x>" cannot have id -1`},
		{"special with a huge id", bpe, `"added_tokens":[`, `"added_tokens":[{"id":999999999,"content":"<x>"},`, "ids up to 999999999 are too many"},
		{"special with two ids", bpe, `"added_tokens":[`, `"added_tokens":[{"id":400,"id":401,"content":"<x>"},`, `field "id" occurs twice`},
		{"special null", bpe, `"added_tokens":[`, `"added_tokens":[null,`, "null is not an object"},
		{"pattern with more", chars, `"pattern":{`, `"pattern":{"String":"x",`, `unknown field "String"`},
		{"version", bpe, `"version":"1.0"`, `"version":"2.0"`, `version "2.0" is not supported`},
		{"trailing data", bpe, `{"version"`, `{}{"version"`, "is not JSON"},
		{"not UTF-8", bpe, `"a":97`, "\"\xff\":97", "is not valid UTF-8"},
		{"chars without pattern", chars, `[\\s\\S]`, `\\w+`, `pre-tokenizer Split by \w+ is not supported`},
		{"chars merged", chars, `"behavior":"Isolated"`, `"behavior":"Removed"`, "is not supported for WordLevel"},
		{"chars decoder", chars, `"decoder":{"type":"Fuse"}`, `"decoder":null`, "decoder null is not supported"},
		{"chars with words", chars, `"a":0`, `"ab":0`, `token "ab" is not one character`},
		{"chars with holes", chars, `"a":0`, `"a":3`, `token "a" has id 3 in a vocabulary of 3`},
		{"chars with one id", chars, `"a":0`, `"a":1`, "id 1 is of both"},
		{"chars with unknown", chars, `"unk_token":"<unk>"`, `"unk_token":"a"`, `token "a" for what is unknown`},
		{"chars with added", chars, `"added_tokens":[]`, `"added_tokens":[{"id":1,"content":"b"}]`, "added tokens are not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := alter(t, c.tok, c.old, c.new)
			tok, err := Load(strings.NewReader(file))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load = %v, %v, want an error with %q", tok, err, c.want)
			}
		})
	}
	for _, file := range []string{"", "null", "1", "[]", "{}", `{"model":null}`, `{"model":{}}`, `{"model":{"type":"WordLevel"}}`, `{"model":{"merges":[]}}`,
		`{"model":{"type":"BPE","vocab":[],"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}}`,
		`{"model":{"type":"BPE","vocab":{},"merges":{}},"pre_tokenizer":{"type":"ByteLevel"}}`,
		`{"model":{"type":"BPE","vocab":{},"merges":null},"pre_tokenizer":{"type":"ByteLevel"}}`,
		`{"model":{"type":"BPE","vocab":{}},"pre_tokenizer":{"type":"ByteLevel"}}`,
		`{"model":{"type":"BPE","merges":[]},"pre_tokenizer":{"type":"ByteLevel"}}`} {
		if tok, err := Load(strings.NewReader(file)); err == nil {
			t.Errorf("Load(%s) = %v, want an error", file, tok)
		}
	}
}

// Older and newer files say the same in other words.
func TestLoadVariants(t *testing.T) {
	b := trained(t)
	file := save(t, b)
	pairs := pairMerges(t, file)
	for name, variant := range map[string]string{
		"no type":        strings.Replace(file, `"type":"BPE",`, "", 1),
		"no use_regex":   strings.Replace(file, `,"use_regex":true`, "", 1),
		"unk_token":      strings.Replace(file, `"unk_token":null`, `"unk_token":"<|endoftext|>"`, 1),
		"null decoder":   strings.Replace(file, `"decoder":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}`, `"decoder":null`, 1),
		"merges by two":  pairs,
		"null and false": strings.Replace(file, `"fuse_unk":false`, `"fuse_unk":false,"byte_fallback":false,"ignore_merges":false`, 1),
	} {
		if variant == file {
			t.Fatalf("%s: nothing was replaced", name)
		}
		tok, err := Load(strings.NewReader(variant))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if save(t, tok) != file {
			t.Errorf("%s: another tokenizer was loaded", name)
		}
	}
}

// pairMerges returns the tokenizer.json file with each merge as a list of two.
func pairMerges(t *testing.T, file string) string {
	var v map[string]any
	if err := json.Unmarshal([]byte(file), &v); err != nil {
		t.Fatal(err)
	}
	m := v["model"].(map[string]any)
	for i, merge := range m["merges"].([]any) {
		m["merges"].([]any)[i] = strings.Split(merge.(string), " ")
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAlphabet(t *testing.T) {
	seen := map[rune]bool{}
	for c := range 256 {
		r := byteRune(byte(c))
		if back, ok := runeByte(r); !ok || back != byte(c) || seen[r] {
			t.Errorf("byteRune(%#x) = %q, runeByte of that = %#x, %v", c, r, back, ok)
		}
		seen[r] = true
	}
	for c, want := range map[byte]rune{' ': 'Ġ', '\n': 'Ċ', 0: 'Ā', 0x7f: 'ġ', 0xa0: 'ł', 0xad: 'Ń', '!': '!', 0xff: 'ÿ'} {
		if got := byteRune(c); got != want {
			t.Errorf("byteRune(%#x) = %q, want %q", c, got, want)
		}
	}
	for _, r := range []rune{-1, ' ', 0x7f, 0xa0, 0xad, 0x144, '中', 0x10ffff} {
		if c, ok := runeByte(r); ok {
			t.Errorf("runeByte(%q) = %#x, want none", r, c)
		}
	}
}

// A small file must not make a large list, and a large file must not be read.
func TestLoadLimits(t *testing.T) {
	many := strings.Repeat("{},", maxEntries+1)
	for name, c := range map[string]struct{ file, want string }{
		"added tokens": {`{"added_tokens":[` + many[:len(many)-1] + `]}`, "an array has more than 1048576 entries"},
		"length":       {`{"version":"` + strings.Repeat(" ", maxFile) + `"}`, "more than 33554432 bytes"},
		"depth":        {strings.Repeat("[", 1<<20), "is not JSON"},
	} {
		if tok, err := Load(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Load = %v, %v, want an error with %q", name, tok, err, c.want)
		}
	}
}
