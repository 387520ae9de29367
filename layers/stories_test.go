package layers_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/gguf"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

// stories returns the path of a file of llama2.c's smallest model, which is not part of the repository, or skips the
// test.
func stories(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("../../shared/data/stories260K", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no test data: ", err)
	}
	return path
}

// open opens a model or fails the test.
func open(t testing.TB, path string, opts ...graph.Option) *layers.TransformerLM {
	t.Helper()
	m, err := layers.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// link makes a folder of files elsewhere under new names.
func link(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// storiesModels returns the model as each format holds it.
func storiesModels(t *testing.T) map[string]*layers.TransformerLM {
	t.Helper()
	bin := open(t, stories(t, "stories260K.bin"))
	ps := graph.NewParams(1)
	native, err := layers.NewTransformerLM(ps.Root(), bin.Config)
	if err != nil {
		t.Fatal(err)
	}
	// This file has the output layer although it is the embedding.
	_, err = ps.Load(stories(t, "stories260K.cs336.safetensors"), func(name string) string {
		return strings.Replace(name, "lm_head.weight", "", 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*layers.TransformerLM{"bin": bin, "cs336": native, "hugging face": open(t, link(t, map[string]string{
		"config.json":       stories(t, "config.json"),
		"model.safetensors": stories(t, "stories260K.hf-llama.safetensors"),
	}))}
}

// logits returns what m makes of tokens.
func logits(t testing.TB, m *layers.TransformerLM, tokens ...int) []float32 {
	t.Helper()
	g := graph.New()
	in := g.Tokens("tokens", 1, len(tokens))
	out := m.Forward(in)
	prog, err := graph.Compile(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := prog.Run(t.Context(), graph.Feed{in: graph.Ints(tokens, 1, len(tokens))}); err != nil {
		t.Fatal(err)
	}
	v, err := prog.Value(out)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(v.Data().([]float32))
}

// greedy is the text of llama2.c in https://github.com/karpathy/llama2.c/blob/master/doc/stories260K.md, of 256 tokens at
// temperature 0.
const greedy = `Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."
Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
Lily didn't want to help her mom, so she said, "I'm sorry, mom. I didn't know what to do." Her mom said, "Don't worry, Lily. We can help you.`

// One model in three formats has the same weights, the same logits, and tells the story that llama2.c tells.
func TestStories(t *testing.T) {
	models := storiesModels(t)
	tokens := []int{1, 403, 407, 261, 378, 80, 9, 500}
	want := logits(t, models["bin"], tokens...)
	for name, m := range models {
		if c := models["bin"].Config; m.Config != c {
			t.Errorf("%s: %+v, want %+v", name, m.Config, c)
		}
		if !slices.Equal(logits(t, m, tokens...), want) {
			t.Errorf("%s: logits differ", name)
		}
		dec, err := graph.NewDecoder(m.Forward, m.Config.ContextLength)
		if err != nil {
			t.Fatal(err)
		}
		var s sampler.Sampler
		vocab := storiesVocabulary(t)
		var story strings.Builder
		for token, err := range s.Generate(t.Context(), dec, []int{1}, 256) {
			if err != nil {
				t.Fatal(err)
			}
			story.WriteString(vocab[token])
		}
		if got := strings.TrimPrefix(story.String(), " "); got != greedy {
			t.Errorf("%s: the story is %q, want %q", name, got, greedy)
		}
	}
}

// storiesVocabulary returns the texts of the tokens.
func storiesVocabulary(t *testing.T) (vocab []string) {
	t.Helper()
	data, err := os.ReadFile(stories(t, "tok512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for data = data[4:]; len(data) > 0; {
		n := binary.LittleEndian.Uint32(data[4:]) // behind a score
		token := string(data[8 : 8+n])
		data = data[8+n:]
		if b, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(token, "<0x"), ">"), 16, 8); err == nil && len(token) == 6 {
			token = string([]byte{byte(b)})
		}
		vocab = append(vocab, token)
	}
	return vocab
}

// Files of the model that Export writes hold the bytes of those it was read from.
func TestStoriesExport(t *testing.T) {
	m := open(t, stories(t, "stories260K.bin"))
	dir := t.TempDir()
	bin := filepath.Join(dir, "m.bin")
	if err := (layers.Export{Format: layers.Llama2C}).Write(bin, m); err != nil {
		t.Fatal(err)
	}
	got, want := read(t, bin), read(t, stories(t, "stories260K.bin"))
	// llama2.c computed the cosines and sines at the end in float32.
	head := len(want) - 4*2*m.Config.ContextLength*4
	if len(got) != len(want) || !slices.Equal(got[:head], want[:head]) {
		t.Error("the weights in stories260K.bin differ")
	}
	for i := head; i < len(want); i += 4 {
		g := math.Float32frombits(binary.LittleEndian.Uint32(got[i:]))
		w := math.Float32frombits(binary.LittleEndian.Uint32(want[i:]))
		if math.Abs(float64(g-w)) > 1e-4 {
			t.Fatalf("cosine or sine %d is %v, want %v", (i-head)/4, g, w)
		}
	}
	if err := (layers.Export{Format: layers.HuggingFace}).Write(filepath.Join(dir, "hf"), m); err != nil {
		t.Fatal(err)
	}
	got, want = read(t, filepath.Join(dir, "hf/model.safetensors")), read(t, stories(t, "stories260K.hf-llama.safetensors"))
	if !slices.Equal(got[binary.LittleEndian.Uint64(got)+8:], want[binary.LittleEndian.Uint64(want)+8:]) {
		t.Error("the weights in stories260K.hf-llama.safetensors differ")
	}
	var settings, original map[string]any
	if err := json.Unmarshal(read(t, filepath.Join(dir, "hf/config.json")), &settings); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(read(t, stories(t, "config.json")), &original); err != nil {
		t.Fatal(err)
	}
	for key, want := range original {
		// There is no tokenizer that would say which tokens begin and end texts.
		if got := settings[key]; !strings.HasSuffix(key, "os_token_id") && !strings.EqualFold(string(marshal(t, got)), string(marshal(t, want))) {
			t.Errorf("config.json: %s is %v, want %v", key, got, want)
		}
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The tokenizer of the model goes along to llama.cpp, whose scores have the order of llama2.c's.
func TestStoriesTokenizer(t *testing.T) {
	m := open(t, stories(t, "stories260K.bin"))
	tok, err := text.ReadFile(stories(t, "tok512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	var tokenizer bytes.Buffer
	if err := text.Save(&tokenizer, tok); err != nil {
		t.Fatal(err)
	}
	e := layers.Export{Format: layers.GGUF, Tokenizer: tokenizer.Bytes()}
	settings, _, err := gguf.Parse(read(t, export(t, e, "m.gguf", m)))
	if err != nil {
		t.Fatal(err)
	}
	tokens, scores := settings["tokenizer.ggml.tokens"].([]string), settings["tokenizer.ggml.scores"].([]float32)
	data, id, kinds := read(t, stories(t, "tok512.bin"))[4:], 0, settings["tokenizer.ggml.token_type"].([]int32)
	var last, lastOurs float32
	for ; len(data) > 0; id++ {
		n := binary.LittleEndian.Uint32(data[4:])
		score, token := math.Float32frombits(binary.LittleEndian.Uint32(data)), string(data[8:8+n])
		data = data[8+n:]
		if kinds[id] != 1 {
			continue
		}
		if got := strings.ReplaceAll(tokens[id], "▁", " "); got != token {
			t.Fatalf("token %d is %q, want %q", id, got, token)
		}
		// Tokens stand in the order of their scores, and after them characters, of which nothing is made.
		if utf8.RuneCountInString(token) > 1 && last != 0 && (scores[id] < lastOurs) != (score < last) {
			t.Errorf("%q has score %v after %v, and %v after %v in llama2.c", token, scores[id], lastOurs, score, last)
		}
		last, lastOurs = score, scores[id]
	}
	if id != len(tokens) {
		t.Errorf("%d tokens, want %d", len(tokens), id)
	}
	for key, want := range map[string]any{"model": "llama", "bos_token_id": uint32(1), "eos_token_id": uint32(2), "add_bos_token": true, "add_space_prefix": true} {
		if got := settings["tokenizer.ggml."+key]; got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
}

// The golden text beside the model is not what the model writes: it is how a text of TinyStories begins, with an empty line
// between two stories, and llama2.c's sampler could not have drawn it.
func TestStoriesGolden(t *testing.T) {
	golden := string(read(t, stories(t, "golden.txt")))
	tales := string(read(t, stories(t, "../text/tinystories-944k.txt")))
	first, second, _ := strings.Cut(golden, "\n\nOnce")
	if !strings.HasPrefix(tales, first+"\nOnce"+second) {
		t.Error("the golden text is not how the stories begin")
	}
	m := open(t, stories(t, "stories260K.bin"))
	tok, err := text.ReadFile(stories(t, "tok512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := tok.Encode(golden)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := tok.Decode(ids); err != nil || back != golden {
		t.Errorf("the golden text comes back as %q, %v", back, err)
	}
	ids = append([]int{1}, ids[:m.Config.ContextLength-1]...)
	all, vocab, never := logits(t, m, ids...), m.Config.VocabSize, 0
	nucleus := sampler.Sampler{Temperature: 1, TopP: 0.9} // unless llama2.c is told otherwise
	for i, next := range ids[1:] {
		probs, err := nucleus.Probs(nil, all[i*vocab:(i+1)*vocab])
		if err != nil {
			t.Fatal(err)
		}
		if probs[next] == 0 {
			never++
		}
	}
	if t.Logf("%d of %d tokens are outside the nucleus", never, len(ids)-1); never == 0 {
		t.Error("the golden text could be drawn from the model")
	}
}
