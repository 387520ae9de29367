package layers_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
	"github.com/logits-go/logits/text"
)

const prisms = "Prisms part the light: it's white, and there're 7 colours in it. Naïve? “Très bien!” \n\n  We'll see  what they've\tseen, 1704.\n"

// learned makes a model that has learned a text for a few steps, and the tokenizer of that text.
func learned(t testing.TB, c layers.Config) (*layers.TransformerLM, *text.BPE) {
	t.Helper()
	tok, err := text.TrainBPE(t.Context(), strings.NewReader(strings.Repeat(prisms, 3)),
		text.TrainConfig{VocabSize: 300, Special: []string{text.EndOfText}})
	if err != nil {
		t.Fatal(err)
	}
	const batch, seq, steps = 4, 16, 12
	c.VocabSize, c.ContextLength = tok.VocabSize(), 128
	m := random(t, c)
	g := graph.New()
	tokens, targets := g.Tokens("tokens", batch, seq), g.Tokens("targets", batch, seq)
	cost := graph.Apply2(loss.CrossEntropy, m.Forward(tokens), targets)
	prog, err := graph.CompileTrain(cost)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := tok.Encode(strings.Repeat(prisms+text.EndOfText, 20))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := text.NewStream(text.Slice(ids), 1)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]int, batch*seq), make([]int, batch*seq)
	opt, weights := optim.AdamW{LR: optim.Constant(3e-3)}, m.Params.ValueGrads()
	var first, last float64
	for step := range steps {
		if err := stream.Next(x, y, batch, seq); err != nil {
			t.Fatal(err)
		}
		if err := prog.Run(t.Context(), graph.Feed{tokens: graph.Ints(x, batch, seq), targets: graph.Ints(y, batch, seq)}); err != nil {
			t.Fatal(err)
		}
		if last = prog.Scalar(cost); step == 0 {
			first = last
		}
		if err := opt.Step(weights); err != nil {
			t.Fatal(err)
		}
	}
	if !(last < first) {
		t.Fatalf("the loss goes from %v to %v", first, last)
	}
	return m, tok
}

// A model that was trained comes back from every format with the same bits of every logit, and its tokenizer with it.
func TestTrainedModelsComeBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		config layers.Config
		places []int
	}{
		{"llama", tinyLlama, []int{0, 1, 2, 3, 4}},
		{"tied llama", with(tinyLlama, func(c *layers.Config) { c.TieEmbeddings, c.NumKVHeads = true, 1 }), []int{0, 1, 2, 3, 4}},
		{"llama with biases", with(tinyLlama, func(c *layers.Config) { c.Bias = true }), []int{0, 1, 2, 4}},
		{"gpt2", tinyGPT2, []int{0, 1, 2}},
		{"gpt2 without dropout", with(tinyGPT2, func(c *layers.Config) { c.Dropout = 0 }), []int{2, 4}},
		{"untied gpt2", with(tinyGPT2, func(c *layers.Config) { c.TieEmbeddings, c.Dropout = false, 0 }), []int{0, 1, 2, 4}},
	} {
		m, tok := learned(t, c.config)
		var tokenizer bytes.Buffer
		if err := text.Save(&tokenizer, tok); err != nil {
			t.Fatal(err)
		}
		ids, err := tok.Encode(prisms)
		if err != nil {
			t.Fatal(err)
		}
		want := logits(t, m, ids...)
		for _, i := range c.places {
			p, e := places[i], layers.Export{Format: places[i].format}
			if filepath.Ext(p.name) == "" || p.format == layers.GGUF {
				e.Tokenizer = tokenizer.Bytes()
			}
			path := export(t, e, p.name, m)
			if got := logits(t, open(t, path), ids...); !slices.Equal(got, want) {
				t.Errorf("%s: %v: logits differ", c.name, p.format)
			}
			if filepath.Ext(p.name) != "" {
				continue
			}
			back, err := text.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := back.Encode(prisms); err != nil || !slices.Equal(got, ids) {
				t.Errorf("%s: %v: tokens %v, %v, want %v", c.name, p.format, got, err, ids)
			}
		}
	}
}
