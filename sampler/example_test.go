package sampler_test

import (
	"context"
	"encoding/json"
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

// The order of the steps is the order of the list.
func ExampleChain() {
	s := sampler.Sampler{
		Steps: sampler.Chain{
			sampler.RepetitionPenalty{Penalty: 1.3, Scope: sampler.Scope{Last: 64}},
			sampler.SuppressedTokens{4},
			sampler.TopK(3),
			sampler.Temperature(0.8),
		},
		History: sampler.NewHistory(3, 1),
	}
	probs, err := s.Probs(nil, []float32{2.3, 1.5, 0.8, 4.1, 9.2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", probs)

	saved, err := json.Marshal(s.Steps[1:])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(saved))
	// Output:
	// [0.2412 0.0576 0.0000 0.7013 0.0000]
	// [{"SuppressedTokens":[4]},{"TopK":3},{"Temperature":0.8}]
}

// The same settings mean different things to different systems: llama.cpp applies the temperature last.
func ExampleLlamaCPP() {
	logits := []float32{3, 2, 1}
	l := sampler.DefaultLlamaCPP()
	l.TopK, l.TopP, l.MinP, l.Temp = 0, 0.8, 0, 0.5
	h := sampler.DefaultHuggingFace()
	h.DoSample, h.TopK, h.TopP, h.Temperature = true, 0, 0.8, 0.5
	for _, preset := range []interface {
		Sampler() (*sampler.Sampler, error)
	}{l, h} {
		s, err := preset.Sampler()
		if err != nil {
			log.Fatal(err)
		}
		probs, err := s.Probs(nil, logits)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%T: %.4f\n", preset, probs)
	}
	// Output:
	// sampler.LlamaCPP: [0.8808 0.1192 0.0000]
	// sampler.HuggingFace: [1.0000 0.0000 0.0000]
}

func ExampleSampler_SampleReport() {
	s := sampler.Sampler{Temperature: 0.8, TopK: 3, TopP: 0.95, Seed: 2}
	r, err := s.SampleReport([]float32{2.3, -1.5, 0.8, 4.1, -0.2}, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("token %d: log-probability %.3f, before the steps %.3f\n", r.Token, r.LogProb, r.RawLogProb)
	for _, step := range r.Trace {
		fmt.Printf("%s kept %d tokens, %.1f%% of the mass\n", step.Step, step.Tokens, 100*step.Mass)
	}
	// Output:
	// token 3: log-probability -0.100, before the steps -0.198
	// Temperature kept 5 tokens, 100.0% of the mass
	// TopK kept 3 tokens, 99.5% of the mass
	// TopP kept 2 tokens, 98.6% of the mass
	// MinP kept 2 tokens, 100.0% of the mass
}

// Rows of a batch have settings of their own, and each gets the tokens that it would get alone.
func ExampleBatch() {
	b := sampler.Batch{Rows: []sampler.Sampler{
		{},
		{Temperature: 1, Seed: 1, Stream: 1},
		{Steps: sampler.Chain{sampler.PresencePenalty{Penalty: 9}, sampler.Temperature(0)}},
	}}
	logits := []float32{1.2, 3.5, 0.8, -0.5, 2.1}
	tokens := make([]int, 3)
	for range 4 {
		if err := b.Sample(tokens, [][]float32{logits, logits, logits}); err != nil {
			log.Fatal(err)
		}
		fmt.Println(tokens)
	}
	// Output:
	// [1 1 1]
	// [1 4 4]
	// [1 1 0]
	// [1 1 2]
}

func ExampleStopStrings() {
	stop := sampler.StopStrings{Strings: []string{"\nUser:"}}
	for _, piece := range []string{"Hello", "\n", "Use it.", "\nUs", "er", ": hi"} {
		text, done := stop.Write(piece)
		fmt.Printf("%q\n", text)
		if done {
			break
		}
	}
	fmt.Printf("%q\n", stop.Flush())
	// Output:
	// "Hello"
	// ""
	// "\nUse it."
	// ""
	// ""
	// ""
	// ""
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
