package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logits-go/logits/graph"
)

// All weights of the model have nanoGPT's standard deviations, and norms have theirs.
func TestInitNanoGPT(t *testing.T) {
	m, err := newNanoGPT(65, 3)
	if err != nil {
		t.Fatal(err)
	}
	initNanoGPT(m.params, 4, rand.New(rand.NewPCG(1, 2)))
	for name, want := range map[string]float64{
		"token_embeddings.weight":          0.02,
		"position_embeddings.weight":       0.02,
		"layers.0.attn.q_proj.weight":      0.02,
		"layers.3.attn.output_proj.weight": 0.02 / math.Sqrt(8),
		"layers.1.ffn.w1.weight":           0.02,
		"layers.2.ffn.w2.weight":           0.02 / math.Sqrt(8),
	} {
		if got := rms(m.params.Get(name)); math.Abs(got-want) > 0.05*want {
			t.Errorf("%s has standard deviation %.4f, want %.4f", name, got, want)
		}
	}
	if got := rms(m.params.Get("ln_final.weight")); got != 1 {
		t.Errorf("ln_final.weight has a root mean square of %v", got)
	}
}

func rms(p *graph.Param) float64 {
	var sum float64
	w := p.Value().Data().([]float32)
	for _, x := range w {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(len(w)))
}

// Few steps on a text of few patterns lower the loss.
func TestTrainRecipe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte(strings.Repeat("to be or not to be; ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := trainRecipe(t.Context(), settings{recipe: file, steps: 10}, "1")
	if err != nil {
		t.Fatal(err)
	}
	if chars := math.Log(8); !(r.Loss > 0 && r.Loss < chars && r.Seconds > 0) { // a guess among t, o, b, e, r, n, ; and the space
		t.Errorf("%+v, want a loss under %.3f", r, chars)
	}
}
