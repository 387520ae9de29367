package gguf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/internal/weights"
)

// some returns a file of every kind of setting and three tensors.
func some(t testing.TB) ([]byte, []Setting) {
	t.Helper()
	settings := []Setting{
		{"general.architecture", "llama"},
		{"a.whole", uint32(7)},
		{"a.real", float32(1e-5)},
		{"a.yes", true},
		{"a.no", false},
		{"a.words", []string{"x", "", "ü"}},
		{"a.kinds", []int32{1, -3}},
		{"a.scores", []float32{0.5, -1}},
	}
	numbers := make([]float32, 64)
	for i := range numbers {
		numbers[i] = float32(i)
	}
	var tensors []Source
	for _, d := range []weights.DType{weights.F32, weights.F16, weights.Q8_0} {
		tensors = append(tensors, Source{"of." + string(d), d, []int{2, 32}, func() []byte { return weights.Append(nil, d, numbers) }})
	}
	var buf bytes.Buffer
	if err := Write(&buf, settings, tensors); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), settings
}

// What Write has written comes back.
func TestRoundTrip(t *testing.T) {
	data, want := some(t)
	settings, tensors, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(settings) != len(want) || len(tensors) != 3 {
		t.Errorf("%d settings and %d tensors, want %d and 3", len(settings), len(tensors), len(want))
	}
	for _, s := range want {
		if !reflect.DeepEqual(settings[s.Key], s.Value) {
			t.Errorf("%s is %v, want %v", s.Key, settings[s.Key], s.Value)
		}
	}
	for _, x := range tensors {
		got := make([]float32, 64)
		weights.Read(got, x, 0)
		for i, v := range got {
			if math.Abs(float64(v)-float64(i)) > 0.26 || !slices.Equal(x.Shape, []int{2, 32}) || x.Name != "of."+string(x.DType) {
				t.Fatalf("%s %v: number %d is %v", x.Name, x.Shape, i, v)
			}
		}
	}
}

// The bytes are those of the format's definition.
func TestBytes(t *testing.T) {
	var buf bytes.Buffer
	err := Write(&buf, []Setting{{"k", "v"}}, []Source{
		{"t", weights.F32, []int{1, 3}, func() []byte { return weights.Append(nil, weights.F32, []float32{1, 2, 3}) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "GGUF\x03\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" + // counts
		"\x01\x00\x00\x00\x00\x00\x00\x00k" + "\x08\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00v" + // setting
		"\x01\x00\x00\x00\x00\x00\x00\x00t" + "\x02\x00\x00\x00" + // tensor, with its axes and its type
		"\x03\x00\x00\x00\x00\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00"
	want += strings.Repeat("\x00", 96-len(want)) + "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40" + strings.Repeat("\x00", 20)
	if buf.String() != want {
		t.Errorf("%q, want %q", buf.String(), want)
	}
}

// build makes a file of parts: strings are written with their lengths, and numbers in their sizes.
func build(parts ...any) []byte {
	b := []byte("GGUF\x03\x00\x00\x00")
	for _, p := range parts {
		if s, ok := p.(string); ok {
			b = appendString(b, s)
			continue
		}
		b, _ = binary.Append(b, binary.LittleEndian, p)
	}
	return b
}

// Files that are wrong in any way are refused, with an error that says how, and without much memory.
func TestHostileFiles(t *testing.T) {
	type u8 = uint8
	type u32 = uint32
	type u64 = uint64
	tensor := func(axes u32, rest ...any) []byte {
		file := build(append([]any{u64(1), u64(0), "t", axes}, rest...)...)
		return append(file, make([]byte, 200)...)
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "4 bytes"},
		{"another format", []byte("GGML\x03\x00\x00\x00"), "no GGUF"},
		{"version 2", []byte("GGUF\x02\x00\x00\x00"), "version 2"},
		{"big-endian", []byte("GGUF\x00\x00\x00\x03"), "version"},
		{"many tensors", build(u64(1)<<60, u64(0)), "of something"},
		{"many settings", build(u64(0), u64(1)<<60), "of something"},
		{"a long key", build(u64(0), u64(1), u64(1)<<62, u32(0), u64(0)), "of something"},
		{"a key twice", build(u64(0), u64(2), "k", u32(7), u8(1), "k", u32(7), u8(1), u64(0)), "twice"},
		{"an unknown type", build(u64(0), u64(1), "k", u32(13), u64(0)), "type 13"},
		{"a bool of 2", build(u64(0), u64(1), "k", u32(7), u8(2), u64(0)), "bool 2"},
		{"an array of arrays", build(u64(0), u64(1), "k", u32(9), u32(9), u64(1), u64(0)), "array of type 9"},
		{"a long array", build(u64(0), u64(1), "k", u32(9), u32(4), u64(1)<<61), "of something"},
		{"many strings", build(u64(0), u64(1), "k", u32(9), u32(8), u64(1)<<61), "of something"},
		{"no alignment", build(u64(0), u64(1), "general.alignment", u32(4), u32(0)), "alignment 0"},
		{"large alignment", build(u64(0), u64(1), "general.alignment", u32(4), u32(1<<31)), "alignment"},
		{"alignment in words", build(u64(0), u64(1), "general.alignment", u32(8), "32"), "alignment 32"},
		{"no axes", tensor(0), "0 axes"},
		{"many axes", tensor(1 << 31), "axes"},
		{"an empty axis", tensor(1, u64(0), u32(0), u64(0)), "axis of 0"},
		{"a long axis", tensor(1, u64(1)<<63, u32(0), u64(0)), "axis of"},
		{"an overflowing shape", tensor(4, u64(1)<<32, u64(1)<<32, u64(4), u64(4), u32(0), u64(0)), "axis of"},
		{"a type of ggml", tensor(1, u64(32), u32(2), u64(0)), "ggml type 2"},
		{"half a block", tensor(1, u64(16), u32(8), u64(0)), "no whole blocks"},
		{"an offset", tensor(1, u64(4), u32(0), u64(32)), "begins at 32"},
		{"a large offset", tensor(1, u64(4), u32(0), u64(1)<<63), "begins at"},
		{"data to spare", tensor(1, u64(4), u32(0), u64(0)), "in"},
		{"data missing", tensor(1, u64(100), u32(0), u64(0)), "in"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Parse(c.file)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<16 {
			t.Errorf("%s: %d bytes of memory for a file of %d", c.name, used, len(c.file))
		}
	}
	whole, _ := some(t)
	for n := range whole {
		if _, _, err := Parse(whole[:n]); err == nil {
			t.Fatalf("Parse accepts the first %d of %d bytes", n, len(whole))
		}
	}
}

func FuzzParse(f *testing.F) {
	whole, _ := some(f)
	f.Add(whole)
	f.Fuzz(func(t *testing.T, data []byte) {
		_, tensors, err := Parse(data)
		if err != nil {
			return
		}
		for _, x := range tensors {
			if want := x.DType.Bytes(x.Len()); len(x.Data) != want {
				t.Errorf("%s has %d bytes, want %d", x.Name, len(x.Data), want)
			}
		}
	})
}

// A tokenizer keeps its tokens under their ids, with what they are and how they merge.
func TestTokenizer(t *testing.T) {
	const bpe = `{"added_tokens":[{"id":3,"content":"<|endoftext|>","special":true},{"id":4,"content":"<x>"}],"normalizer":null,
		"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},
		"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"<|endoftext|>":3},"merges":[%s]}}`
	for _, merges := range []string{`"a b"`, `["a","b"]`} {
		settings, err := Tokenizer(fmt.Appendf(nil, bpe, merges), 6)
		if err != nil {
			t.Fatal(err)
		}
		want := []Setting{
			{"tokenizer.ggml.model", "gpt2"},
			{"tokenizer.ggml.pre", "gpt-2"},
			{"tokenizer.ggml.tokens", []string{"a", "b", "ab", "<|endoftext|>", "<x>", "[PAD5]"}},
			{"tokenizer.ggml.token_type", []int32{1, 1, 1, 3, 4, 5}},
			{"tokenizer.ggml.merges", []string{"a b"}},
			{"tokenizer.ggml.add_bos_token", false},
			{"tokenizer.ggml.bos_token_id", uint32(3)},
			{"tokenizer.ggml.eos_token_id", uint32(3)},
		}
		if !reflect.DeepEqual(settings, want) {
			t.Errorf("%v, want %v", settings, want)
		}
	}
	whole := fmt.Sprintf(bpe, `"a b"`)
	for _, c := range []struct{ old, new, want string }{
		{"{", "", "tokenizer"},
		{`"type":"BPE"`, `"type":"Unigram"`, "Unigram"},
		{`"type":"BPE"`, `"type":"BPE","byte_fallback":true`, "normalizer"},
		{`ByteLevel`, `Metaspace`, "Metaspace"},
		{`"normalizer":null`, `"normalizer":{"type":"NFC"}`, "NFC"},
		{`"add_prefix_space":false`, `"add_prefix_space":true`, "space"},
		{`"use_regex":true`, `"use_regex":false`, "across words"},
		{`"ab":2`, `"ab":1`, "have id 1"},
		{`"ab":2`, `"ab":6`, "has id 6"},
		{`"ab":2`, `"ab":-1`, "has id -1"},
		{`"id":4`, `"id":6`, "has id 6"},
		{`"a b"`, `3`, "merge 3"},
		{`"a b"`, `["a","b","a"]`, "no two tokens"},
	} {
		_, err := Tokenizer([]byte(strings.Replace(whole, c.old, c.new, 1)), 6)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.new, err, c.want)
		}
	}
}

// A tokenizer in the manner of Llama 2 has scores that order its tokens as the merges do.
func TestPieces(t *testing.T) {
	const whole = `{"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":1,"content":"<s>","special":true},{"id":2,"content":"</s>","special":true}],
		"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
		"pre_tokenizer":null,
		"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]},
		"model":{"type":"BPE","unk_token":"<unk>","byte_fallback":true,
			"vocab":{"<unk>":0,"<s>":1,"</s>":2,"<0x0A>":3,"▁":4,"a":5,"b":6,"▁a":7,"ab":8,"▁ab":9},
			"merges":["a b","▁ a","▁a b","▁ ab"]}}`
	settings, err := Tokenizer([]byte(whole), 11)
	if err != nil {
		t.Fatal(err)
	}
	want := []Setting{
		{"tokenizer.ggml.model", "llama"},
		{"tokenizer.ggml.pre", "default"},
		{"tokenizer.ggml.tokens", []string{"<unk>", "<s>", "</s>", "<0x0A>", "▁", "a", "b", "▁a", "ab", "▁ab", "[PAD10]"}},
		{"tokenizer.ggml.scores", []float32{0, 0, 0, 0, -5, -5, -5, -2, -1, -3, 0}},
		{"tokenizer.ggml.token_type", []int32{2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 5}},
		{"tokenizer.ggml.add_space_prefix", true},
		{"tokenizer.ggml.add_bos_token", true},
		{"tokenizer.ggml.add_eos_token", false},
		{"tokenizer.ggml.bos_token_id", uint32(1)},
		{"tokenizer.ggml.eos_token_id", uint32(2)},
		{"tokenizer.ggml.unknown_token_id", uint32(0)},
	}
	if !reflect.DeepEqual(settings, want) {
		t.Errorf("%v, want %v", settings, want)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"▁a b","▁ ab"`, `"▁a b","a b","▁ ab"`, `merges of "ab"`},
		{`"▁ ab"`, `"b a"`, "makes no token"},
		{`"prepend":"▁"`, `"prepend":"x"`, "Prepend"},
		{`"String":" "`, `"String":"x"`, "Replace"},
		{`"type":"Replace"`, `"type":"NFKC"`, "NFKC"},
		{`"pre_tokenizer":null`, `"pre_tokenizer":{"type":"Whitespace"}`, "Whitespace"},
		{`"pre_tokenizer":null`, `"pre_tokenizer":{"type":"Metaspace","prepend_scheme":"first"}`, "Metaspace"},
		{`"type":"TemplateProcessing"`, `"type":"BertProcessing"`, "BertProcessing"},
		{`{"Sequence":{"id":"A","type_id":0}}`, `{"SpecialToken":{"id":"</s>"}}`, "post-processor"},
	} {
		_, err := Tokenizer([]byte(strings.Replace(whole, c.old, c.new, 1)), 11)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.new, err, c.want)
		}
	}
	for _, c := range []struct {
		scheme string
		want   bool
	}{{"first", true}, {"always", true}, {"never", false}} {
		from, to := strings.Index(whole, `"normalizer"`), strings.Index(whole, `"post_processor"`)
		s := whole[:from] + `"pre_tokenizer":{"type":"Metaspace","prepend_scheme":"` + c.scheme + `"},` + whole[to:]
		settings, err := Tokenizer([]byte(s), 11)
		if err != nil || settings[5].Value != c.want {
			t.Errorf("%s: %v, %v, want %v", c.scheme, settings, err, c.want)
		}
	}
}
