package sampler_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

func TestContrastiveIsTheFormula(t *testing.T) {
	for _, alpha := range []float64{0, 0.1, 0.5, 1} {
		for _, temperature := range []float64{0, 0.5, 1, 3} {
			expert, amateur := newToy(gauss(1, 40, 2)), newToy(gauss(2, 40, 2))
			c := &sampler.Contrastive{Expert: expert, Amateur: amateur, Alpha: alpha, Temperature: temperature}
			for _, tokens := range [][]int{{3, 4}, {5}} {
				logits, err := c.Next(context.Background(), tokens...)
				if err != nil {
					t.Fatal(err)
				}
				e, _ := sampler.Softmax(nil, expert.logits(expert.text))
				tau := temperature
				if tau == 0 {
					tau = 1
				}
				a, err := (&sampler.Sampler{Temperature: tau}).Probs(nil, amateur.logits(amateur.text))
				if err != nil {
					t.Fatal(err)
				}
				top, best := slices.Max(e), -inf
				for i := range e {
					if e[i] >= alpha*top {
						best = max(best, math.Log(e[i]/a[i]))
					}
				}
				for i := range e {
					want := math.Log(e[i]/a[i]) - best
					if e[i] < alpha*top {
						want = -inf
					}
					if got := float64(logits[i]); got != want && !(math.Abs(got-want) <= 1e-6*(1+math.Abs(want))) {
						t.Errorf("alpha %v, temperature %v: logit %d is %v, want %v", alpha, temperature, i, got, want)
					}
				}
			}
			if !slices.Equal(expert.text, []int{3, 4, 5}) || !slices.Equal(amateur.text, expert.text) {
				t.Errorf("the models were given %v and %v", expert.text, amateur.text)
			}
		}
	}
}

func TestContrastiveMasks(t *testing.T) {
	ninf := float32(-inf)
	for _, temperature := range []float64{0, 0.5} {
		c := &sampler.Contrastive{
			Expert:      newToy(fixed(0, ninf, 0, ninf)),
			Amateur:     newToy(fixed(1, 1, ninf, ninf)),
			Temperature: temperature,
		}
		logits, err := c.Next(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := []float32{0, ninf, ninf, ninf}; !slices.Equal(logits, want) {
			t.Errorf("temperature %v: logits %v, want %v", temperature, logits, want)
		}
	}
}

func TestContrastiveErrors(t *testing.T) {
	ok := func() *toy { return newToy(fixed(1, 2)) }
	one := ok()
	for _, c := range []struct {
		c    sampler.Contrastive
		want string
	}{
		{sampler.Contrastive{}, "models <nil> and <nil>"},
		{sampler.Contrastive{Expert: ok(), Amateur: ok(), Alpha: math.NaN()}, "alpha is NaN"},
		{sampler.Contrastive{Expert: ok(), Amateur: ok(), Alpha: 1.5}, "alpha is 1.5"},
		{sampler.Contrastive{Expert: ok(), Amateur: ok(), Temperature: math.NaN()}, "temperature is NaN"},
		{sampler.Contrastive{Expert: ok(), Amateur: ok(), Temperature: -1}, "temperature is -1"},
		{sampler.Contrastive{Expert: one, Amateur: one}, "both models are one"},
		{sampler.Contrastive{Expert: ok(), Amateur: newToy(fixed(1, 2, 3))}, "vocabularies of 2 and 3"},
	} {
		if _, err := c.c.Next(context.Background(), 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.c, err, c.want)
		}
	}
}

// The small model likes the token 0 of every text, and so does the large one, a little less. What it adds is 2.
func ExampleContrastive() {
	c := &sampler.Contrastive{
		Expert:  newToy(fixed(logs(0.5, 0.1, 0.39, 0.01)...)),
		Amateur: newToy(fixed(logs(0.8, 0.1, 0.0999, 0.0001)...)),
		Alpha:   0.1,
	}
	logits, err := c.Next(context.Background(), 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", logits)
	// Output: [-1.83 -1.36 0.00 -Inf]
}

// An embedder is a toy whose vectors are those of its tokens.
type embedder struct {
	*toy
	vectors [][]float32
}

func (m *embedder) NextHidden(ctx context.Context, tokens ...int) ([]float32, [][]float32, error) {
	logits, err := m.Next(ctx, tokens...)
	var hidden [][]float32
	for _, token := range tokens {
		hidden = append(hidden, m.vectors[token])
	}
	return logits, hidden, err
}

func TestContrastiveSearchIsTheFormula(t *testing.T) {
	vectors := make([][]float32, 9)
	for i := range vectors {
		vectors[i] = gauss(uint64(i), 5, 1)(nil)
	}
	cos := func(a, b int) float64 {
		ab, aa, bb := 0.0, 0.0, 0.0
		for i, x := range vectors[a] {
			y := float64(vectors[b][i])
			ab, aa, bb = ab+float64(x)*y, aa+float64(x)*float64(x), bb+y*y
		}
		return ab / math.Sqrt(aa*bb)
	}
	for seed := range uint64(20) {
		logits := gauss(seed, 9, 2)
		for _, c := range []sampler.ContrastiveSearch{
			{}, {TopK: 1, Alpha: 0.5}, {Alpha: 0.6}, {TopK: 9, Alpha: 1}, {TopK: 20, Alpha: 0.3},
		} {
			m := &embedder{newToy(logits), vectors}
			got, err := collect(c.Generate(context.Background(), m, []int{3, 4}, 5))
			if err != nil {
				t.Fatal(err)
			}
			text := []int{3, 4}
			for range 5 {
				probs, _ := sampler.Softmax(nil, logits(text))
				order := make([]int, 9)
				for i := range order {
					order[i] = i
				}
				slices.SortFunc(order, func(a, b int) int { return -slices.Compare(probs[a:a+1], probs[b:b+1]) })
				k := c.TopK
				if k == 0 {
					k = 4
				}
				best, top := -1, -inf
				for _, v := range order[:min(k, 9)] {
					nearest := -inf
					for _, x := range text {
						nearest = max(nearest, cos(v, x))
					}
					if score := (1-c.Alpha)*probs[v] - c.Alpha*nearest; score > top {
						best, top = v, score
					}
				}
				text = append(text, best)
			}
			if !slices.Equal(got, text[2:]) || !slices.Equal(m.text, text[:6]) {
				t.Errorf("seed %d, %+v: generated %v and left %v, want %v", seed, c, got, m.text, text[2:])
			}
		}
	}
}

func TestContrastiveSearchErrors(t *testing.T) {
	ctx := context.Background()
	nan := float32(math.NaN())
	ok := func() *embedder { return &embedder{newToy(fixed(1, 2)), [][]float32{{1, 2}, {0, 0}}} }
	var greedy sampler.ContrastiveSearch
	failing := &embedder{newToy(fixed(0)), [][]float32{{1}}}
	failing.fail, failing.failAt = errors.New("boom"), 2
	for _, c := range []struct {
		c      sampler.ContrastiveSearch
		m      sampler.Encoder
		prompt []int
		want   string
	}{
		{greedy, nil, []int{1}, "model <nil>"},
		{greedy, ok(), nil, "a prompt of 0"},
		{sampler.ContrastiveSearch{Alpha: math.NaN()}, ok(), []int{1}, "alpha NaN"},
		{sampler.ContrastiveSearch{Alpha: 1.1}, ok(), []int{1}, "alpha 1.1"},
		{sampler.ContrastiveSearch{TopK: -1}, ok(), []int{1}, "top-k -1"},
		{greedy, &embedder{newToy(fixed(nan)), [][]float32{{1}}}, []int{0}, "logit 0 is NaN"},
		{greedy, &embedder{newToy(fixed(0)), [][]float32{{nan}}}, []int{0}, "has length NaN"},
		{greedy, &embedder{newToy(fixed(0, 0)), [][]float32{{1}, {1, 2}}}, []int{0}, "a vector of 2 elements"},
		{greedy, failing, []int{0}, "token 0: boom"},
	} {
		if got, err := collect(c.c.Generate(ctx, c.m, c.prompt, 3)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: generated %v, %v, want %q", c.c, got, err, c.want)
		}
	}
	if got, err := collect(greedy.Generate(ctx, ok(), []int{1}, 0)); err != nil || len(got) != 0 {
		t.Errorf("no tokens: generated %v, %v", got, err)
	}
	same := &embedder{newToy(fixed(0, 3, 3, 3)), [][]float32{{1}, {1}, {1}, {1}}}
	if got, err := collect(greedy.Generate(ctx, same, []int{0}, 2)); err != nil || !slices.Equal(got, []int{1, 1}) {
		t.Errorf("tokens of the same score: generated %v, %v, want the first", got, err)
	}
	half := sampler.ContrastiveSearch{Alpha: 0.5}
	if got, err := collect(half.Generate(ctx, ok(), []int{1}, 3)); err != nil || len(got) != 3 {
		t.Errorf("a vector of zeros: generated %v, %v", got, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := collect(greedy.Generate(cancelled, ok(), []int{1}, 3)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

// The model would say "very" for ever.
func ExampleContrastiveSearch() {
	words := []string{"very", "much", "so", "."}
	vectors := [][]float32{{1, 0, 0}, {0.8, 0.6, 0}, {0, 1, 0}, {0, 0, 1}}
	for _, alpha := range []float64{0, 0.6} {
		model := &embedder{newToy(fixed(logs(0.4, 0.3, 0.2, 0.1)...)), vectors}
		c := sampler.ContrastiveSearch{Alpha: alpha, Stop: []int{3}}
		fmt.Print("very")
		for token, err := range c.Generate(context.Background(), model, []int{0}, 4) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Print(" ", words[token])
		}
		fmt.Println()
	}
	// Output:
	// very very very very very
	// very so
}
