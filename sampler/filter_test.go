package sampler_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/samplertest"
)

func TestSteps(t *testing.T) {
	masked := float32(math.Inf(-1))
	type steps = []func(*sampler.Distribution) error
	for _, c := range []struct {
		name   string
		logits []float32
		steps  steps
		want   []int
	}{
		{"none", []float32{1, masked, 2}, nil, []int{0, 2}},
		{"greedy", []float32{1, 2, 2}, steps{temperature(0)}, []int{1}},
		{"temperature first", []float32{3, 2, 1}, steps{temperature(0.5), topP(0.8)}, []int{0}},
		{"temperature last", []float32{3, 2, 1}, steps{topP(0.8), temperature(0.5)}, []int{0, 1}},
		{"temperatures multiply", []float32{3, 2, 1}, steps{temperature(4), temperature(0.25), topP(0.8)}, []int{0, 1}},
		{"top-k of ties", []float32{5, 5, 5, 5}, steps{topK(2)}, []int{0, 1}},
		{"top-k of ties below the top", []float32{1, 5, 1, 1, 0, 1}, steps{topK(3)}, []int{0, 1, 2}},
		{"top-k beyond the vocabulary", []float32{1, masked, 2}, steps{topK(9)}, []int{0, 2}},
		{"top-k does not unmask", []float32{1, masked, 2, masked}, steps{topK(3)}, []int{0, 2}},
		{"top-k 0", []float32{1, 2}, steps{topK(0)}, []int{0, 1}},
		{"top-k twice", []float32{1, 4, 2, 3}, steps{topK(3), topK(2)}, []int{1, 3}},
		{"top-k keeps what underflows", []float32{0, 1e4, 1}, steps{topK(2)}, []int{1, 2}},
		{"top-p keeps the crossing token", []float32{5, 5, 5, 5}, steps{topP(0.51)}, []int{0, 1, 2}},
		{"top-p reached exactly", []float32{5, 5, 5, 5}, steps{topP(0.5)}, []int{0, 1}},
		{"top-p tiny", []float32{1, 5, 5}, steps{topP(1e-300)}, []int{1}},
		{"top-p almost 1", []float32{1, 2, 3}, steps{topP(justBelow1)}, []int{0, 1, 2}},
		{"top-p 0", []float32{1, 2}, steps{topP(0)}, []int{0, 1}},
		{"top-p 1", []float32{1, 2}, steps{topP(1)}, []int{0, 1}},
		{"top-p sees what top-k left", []float32{5, 5, 5, 5}, steps{topK(2), topP(0.5)}, []int{0}},
		{"min-p 1 keeps ties of the top", []float32{5, 4, 5}, steps{minP(1)}, []int{0, 2}},
		{"min-p 1 once weighed", []float32{5, 4, 5}, steps{look, minP(1)}, []int{0, 2}},
		{"min-p", []float32{0, -1, -2, -3}, steps{minP(0.1)}, []int{0, 1, 2}},
		{"min-p of masked", []float32{0, masked}, steps{minP(1e-300)}, []int{0}},
		{"min-p before a high temperature", []float32{0, -1, -2, -3}, steps{minP(0.1), temperature(100)}, []int{0, 1, 2}},
		{"min-p after a high temperature", []float32{0, -1, -2, -3}, steps{temperature(100), minP(0.1)}, []int{0, 1, 2, 3}},
		{"tiny temperature", []float32{1, 1, 0.9999999}, steps{temperature(5e-324), topP(0.9)}, []int{0, 1}},
		{"huge temperature", []float32{-3e38, 3e38}, steps{temperature(1e308), minP(0.999)}, []int{0, 1}},
	} {
		d := reset(t, c.logits, c.steps...)
		if got := kept(d); !slices.Equal(got, c.want) || d.Len() != len(c.want) {
			t.Errorf("%s: kept %v (Len %d), want %v", c.name, got, d.Len(), c.want)
		}
	}
}

// Steps in any order, with looks at the distribution between them, keep what the definitions keep.
func TestStepsInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	var d sampler.Distribution
	for trial := range 1500 {
		logits := make([]float32, 1+rng.IntN([]int{10, 700, 2500}[trial%3]))
		for i := range logits {
			logits[i] = float32(math.Round(rng.NormFloat64()*16) / 8)
			if i > 0 && rng.IntN(8) == 0 {
				logits[i] = float32(-inf)
			}
		}
		if err := d.Reset(logits); err != nil {
			t.Fatal(err)
		}
		ranked, temp := ranking(logits), 1.0
		weight := func(id int) float64 {
			return math.Exp((float64(logits[id]) - float64(logits[ranked[0]])) / temp)
		}
		mass := func() (total float64) {
			for _, id := range ranked {
				total += weight(id)
			}
			return total
		}
		trail := fmt.Sprintf("trial %d V=%d", trial, len(logits))
		for range 1 + rng.IntN(5) {
			var err error
			switch rng.IntN(6) {
			case 0:
				v := []float64{0.25, 0.8, 1, 3}[rng.IntN(4)]
				trail += fmt.Sprintf(" T(%v)", v)
				err = d.Temperature(v)
				temp *= v
			case 1:
				k := rng.IntN(2 * len(logits))
				trail += fmt.Sprintf(" K(%v)", k)
				err = d.TopK(k)
				if k > 0 {
					ranked = ranked[:min(k, len(ranked))]
				}
			case 2:
				p := []float64{0.31, 0.83, 0.987654}[rng.IntN(3)]
				trail += fmt.Sprintf(" P(%v)", p)
				err = d.TopP(p)
				acc, target := 0.0, p*mass()
				for i, id := range ranked {
					if acc += weight(id); acc >= target {
						ranked = ranked[:i+1]
						break
					}
				}
			case 3:
				p := []float64{1e-5, 0.043, 0.37}[rng.IntN(3)]
				trail += fmt.Sprintf(" M(%v)", p)
				err = d.MinP(p)
				n := len(ranked)
				for n > 0 && weight(ranked[n-1]) < p {
					n--
				}
				ranked = ranked[:n]
			case 4:
				trail += " look"
				d.Prob(rng.IntN(len(logits)))
			case 5:
				if rng.IntN(10) == 0 {
					trail += " greedy"
					err = d.Temperature(0)
					ranked = ranked[:1]
				}
			}
			if err != nil {
				t.Fatalf("%s: %v", trail, err)
			}
		}
		want := slices.Sorted(slices.Values(ranked))
		if got := kept(&d); !slices.Equal(got, want) {
			t.Fatalf("%s: kept %d tokens, want %d", trail, len(got), len(want))
		}
		total := mass()
		for id, p := range d.All() {
			if q := weight(id) / total; math.Abs(p-q) > 1e-12 {
				t.Fatalf("%s: token %d has probability %v, want %v", trail, id, p, q)
			}
		}
	}
}

// ranking returns the tokens that are not masked, the most probable first.
func ranking(logits []float32) (ids []int) {
	for i, x := range logits {
		if x > float32(-inf) {
			ids = append(ids, i)
		}
	}
	slices.SortFunc(ids, func(a, b int) int { return cmp.Or(cmp.Compare(logits[b], logits[a]), cmp.Compare(a, b)) })
	return ids
}

// Top-p of a large flat row knows of the logits that steps before it have changed.
func TestTopPOfChangedLogits(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 15))
	for _, vocab := range []int{500, 4095, 4096, 20000} {
		logits := make([]float32, vocab)
		for i := range logits {
			logits[i] = rng.Float32()*2 - 1
		}
		bias := sampler.LogitBias{3: -20, 7: 1.1, vocab - 1: -20} // 1.1 and a float32 make none
		for _, p := range []float64{0.3, 0.9, 0.99} {
			var d sampler.Distribution
			if err := d.Reset(logits); err != nil {
				t.Fatal(err)
			}
			if err := bias.Apply(&d, nil); err != nil {
				t.Fatal(err)
			}
			if err := d.TopP(p); err != nil {
				t.Fatal(err)
			}
			want := samplertest.NewReference(logits)
			for token, b := range bias {
				want.Logits[token] += b
			}
			want.TopP(p)
			for token, q := range want.Probs() {
				if got := d.Prob(token); got > q*(1+1e-9) || got < q*(1-1e-9) {
					t.Fatalf("V=%d, p=%v: token %d has probability %v, want %v", vocab, p, token, got, q)
				}
			}
		}
	}
}
