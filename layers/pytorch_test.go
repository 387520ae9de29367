package layers_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/text"
)

// A torchRequest asks testdata/huggingface.py for the logits of tokens, or of a text.
type torchRequest struct {
	Folder  string `json:"folder"`
	Tokens  []int  `json:"tokens,omitempty"`
	Text    string `json:"text,omitempty"`
	Float32 bool   `json:"float32,omitempty"`
}

type torchAnswer struct {
	Tokens []int     `json:"tokens"`
	Logits []float64 `json:"logits"`
}

// python returns a Python that has PyTorch, or "".
var python = sync.OnceValue(func() string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, "python3")
		if exec.Command(path, "-c", "import numpy, torch").Run() == nil {
			return path
		}
	}
	return ""
})

// torch returns what PyTorch makes of models in Hugging Face's layout, or skips the test if there is none.
func torch(t *testing.T, requests ...torchRequest) (answers []torchAnswer) {
	t.Helper()
	if python() == "" {
		t.Skip("no python3 with PyTorch")
	}
	cmd := exec.CommandContext(t.Context(), python(), "testdata/huggingface.py")
	cmd.Stdin = bytes.NewReader(marshal(t, requests))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &answers)
	}
	if err == nil && len(answers) != len(requests) {
		err = errors.Errorf("%d answers to %d requests", len(answers), len(requests))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return answers
}

// apart returns the largest difference of logits.
func apart(t *testing.T, got []float32, want []float64) (most float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d logits, want %d", len(got), len(want))
	}
	for i, v := range got {
		if d := math.Abs(float64(v) - want[i]); !(d <= most) {
			most = d // also if it is no number
		}
	}
	return most
}

// llama2.c's smallest model has PyTorch's logits for 256 tokens, all 131,072 of them.
func TestStoriesAgreeWithPyTorch(t *testing.T) {
	m := open(t, stories(t, "stories260K.bin"))
	tok, err := text.ReadFile(stories(t, "tok512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := tok.Encode(string(read(t, stories(t, "golden.txt"))))
	if err != nil {
		t.Fatal(err)
	}
	ids = append([]int{1}, ids[:255]...)
	folder := link(t, map[string]string{
		"config.json":       stories(t, "config.json"),
		"model.safetensors": stories(t, "stories260K.hf-llama.safetensors"),
	})
	got := logits(t, m, ids...)
	r := torchRequest{Folder: folder, Tokens: ids}
	single := r
	single.Float32 = true
	for i, a := range torch(t, r, single) {
		most := apart(t, got, a.Logits)
		t.Logf("%d logits are up to %.2g from those of PyTorch in %s", len(got), most, []string{"float64", "float32"}[i])
		if !(most <= 1e-4) {
			t.Errorf("logits are %v apart", most)
		}
	}
}

// What was trained here is, in Hugging Face's layout and in llama.cpp's, a model that PyTorch runs to the same logits, of
// the tokens that the tokenizer beside it makes.
func TestFilesAgreeWithPyTorch(t *testing.T) {
	untied := func(c *layers.Config) { c.TieEmbeddings = false }
	biased := func(c *layers.Config) { c.Bias = true }
	models := []struct {
		name   string
		config layers.Config
		export layers.Export
	}{
		{"llama", tinyLlama, layers.Export{Format: layers.HuggingFace}},
		{"llama in shards", tinyLlama, layers.Export{Format: layers.HuggingFace, ShardSize: 9000}},
		{"tied llama", with(tinyLlama, func(c *layers.Config) { c.TieEmbeddings, c.NormEps, c.RoPETheta = true, 1e-6, 500000 }),
			layers.Export{Format: layers.HuggingFace}},
		{"split llama", with(tinyLlama, func(c *layers.Config) { c.SplitRoPE, c.NumKVHeads = true, 1 }),
			layers.Export{Format: layers.HuggingFace}},
		{"biased llama", with(tinyLlama, biased), layers.Export{Format: layers.HuggingFace}},
		{"biased split llama", with(with(tinyLlama, biased), func(c *layers.Config) { c.SplitRoPE = true }),
			layers.Export{Format: layers.HuggingFace}},
		{"gpt2", tinyGPT2, layers.Export{Format: layers.HuggingFace}},
		{"untied gpt2", with(tinyGPT2, untied), layers.Export{Format: layers.HuggingFace}},
		{"llama in GGUF", tinyLlama, layers.Export{Format: layers.GGUF}},
		{"biased llama in GGUF", with(tinyLlama, biased), layers.Export{Format: layers.GGUF}},
		{"gpt2 in GGUF", tinyGPT2, layers.Export{Format: layers.GGUF}},
		{"untied gpt2 in GGUF", with(tinyGPT2, untied), layers.Export{Format: layers.GGUF}},
	}
	const story = prisms + text.EndOfText + " A prism's light"
	var requests []torchRequest
	var tokens [][]int
	var ours [][]float32
	for _, c := range models {
		m, tok := learned(t, c.config)
		var tokenizer bytes.Buffer
		if err := text.Save(&tokenizer, tok); err != nil {
			t.Fatal(err)
		}
		c.export.Tokenizer = tokenizer.Bytes()
		name := "hf"
		if c.export.Format == layers.GGUF {
			name = "m.gguf"
		}
		path := export(t, c.export, name, m)
		ids, err := tok.Encode(story)
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, torchRequest{Folder: path, Text: story})
		tokens, ours = append(tokens, ids), append(ours, logits(t, m, ids...))
	}
	for i, a := range torch(t, requests...) {
		if !slices.Equal(a.Tokens, tokens[i]) {
			t.Errorf("%s: tokens %v, want %v", models[i].name, tokens[i], a.Tokens)
			continue
		}
		most := apart(t, ours[i], a.Logits)
		t.Logf("%s: %d logits are up to %.2g apart", models[i].name, len(a.Logits), most)
		if !(most <= 1e-4) {
			t.Errorf("%s: logits are %v apart", models[i].name, most)
		}
	}
}
