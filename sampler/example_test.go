package sampler_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/logits-go/logits/sampler"
)

// The zero value picks the most probable token.
func ExampleSampler() {
	var s sampler.Sampler
	token, err := s.Sample([]float32{2.3, -1.5, 0.8, 4.1, -0.2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token)
	// Output: 3
}

func ExampleSampler_Sample() {
	logits := []float32{1.2, 3.5, 0.8, -0.5, 2.1}
	s := sampler.Sampler{Temperature: 1.2, TopP: 0.95, Seed: 42}
	var tokens []int
	for range 10 {
		token, err := s.Sample(logits)
		if err != nil {
			log.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	fmt.Println(tokens)

	// The state is plain data: going back to a step replays from there.
	s.Step = 6
	token, err := s.Sample(logits)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("token 6 again:", token)
	// Output:
	// [1 1 1 1 4 1 2 1 1 1]
	// token 6 again: 2
}

func ExampleSampler_Probs() {
	s := sampler.Sampler{Temperature: 1, TopK: 3, MinP: 0.1}
	probs, err := s.Probs(nil, []float32{2.3, -1.5, 0.8, 4.1, -0.2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", probs)
	// Output: [0.1419 0.0000 0.0000 0.8581 0.0000]
}

// bigrams is a model of a text in which each word has a few possible successors.
type bigrams struct {
	words  []string
	next   map[string][]string
	logits []float32
}

func (m *bigrams) Next(_ context.Context, tokens ...int) ([]float32, error) {
	m.logits = m.logits[:0]
	for _, w := range m.words {
		logit := float32(math.Inf(-1))
		for _, follower := range m.next[m.words[tokens[len(tokens)-1]]] {
			if w == follower {
				logit = 0
			}
		}
		m.logits = append(m.logits, logit)
	}
	return m.logits, nil
}

func ExampleSampler_Generate() {
	model := &bigrams{
		words: []string{".", "the", "cat", "dog", "sees", "hears"},
		next: map[string][]string{
			"the": {"cat", "dog"}, "cat": {"sees", "hears", "."}, "dog": {"sees", "hears", "."}, "sees": {"the"}, "hears": {"the"},
		},
	}
	prompt := []int{1}
	s := sampler.Sampler{Temperature: 1, Seed: 4, Stop: []int{0}}
	fmt.Print("the")
	for token, err := range s.Generate(context.Background(), model, prompt, 20) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(" ", model.words[token])
	}
	fmt.Println(".")
	// Output: the dog sees the cat sees the cat.
}

// The order of the steps matters: with temperature first, as in this package, Hugging Face and vLLM, a low
// temperature narrows the nucleus; with temperature last, as in llama.cpp, it does not.
func ExampleDistribution() {
	var d sampler.Distribution
	if err := d.Reset([]float32{3, 2, 1}); err != nil {
		log.Fatal(err)
	}
	if err := d.TopP(0.8); err != nil {
		log.Fatal(err)
	}
	if err := d.Temperature(0.5); err != nil {
		log.Fatal(err)
	}
	for token, p := range d.All() {
		fmt.Printf("token %d: %.4f\n", token, p)
	}
	token, err := d.Draw(0.9)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("at 0.9:", token)
	// Output:
	// token 0: 0.8808
	// token 1: 0.1192
	// at 0.9: 1
}
