package sampler_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/sampler"
)

func TestOracle(t *testing.T) {
	for _, name := range []string{"flat", "huge", "masked", "peaky", "ties"} {
		c := oracle.Load(t, "sampler_"+name)
		logits := c.Get(t, "in.logits").Float32s()
		cases := 0
		for key, want := range c.With("out.") {
			set := struct {
				Temperature float64 `json:"temperature"`
				TopK        int     `json:"top_k"`
				TopP        float64 `json:"top_p"`
				MinP        float64 `json:"min_p"`
			}{Temperature: 1}
			dec := json.NewDecoder(strings.NewReader(c.Meta["out."+key]))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&set); err != nil {
				t.Fatal(err)
			}
			s := sampler.Sampler{Temperature: set.Temperature, TopK: set.TopK, TopP: set.TopP, MinP: set.MinP}
			got, err := s.Probs(nil, logits)
			if err != nil {
				t.Errorf("%s %+v: %v", name, set, err)
				continue
			}
			oracle.Check(t, fmt.Sprintf("%s %+v", name, set), got, want.Floats, 1e-11)
			cases++
		}
		if cases != 10 {
			t.Errorf("%s: %d cases, want 10", name, cases)
		}
	}
}

// The kept sets and probabilities of random rows, half of them full of ties, are those of the definition.
func TestProbsAreTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var s sampler.Sampler
	var probs []float64
	for trial := range 3000 {
		logits := make([]float32, 1+rng.IntN([]int{4, 40, 1200, 3000}[trial%4]))
		for i := range logits {
			logits[i] = float32(rng.NormFloat64() * 4)
			if trial%2 == 0 {
				logits[i] = float32(int(logits[i]))
			}
		}
		s.Temperature = []float64{0, 0.5, 1, 2.5}[rng.IntN(4)]
		s.TopK = []int{0, 1, 7, 64, 700, 5000}[rng.IntN(6)]
		s.TopP = []float64{0, 1e-9, 0.3, 0.9, 0.999, 1}[rng.IntN(6)]
		s.MinP = []float64{0, 1e-4, 0.05, 1}[rng.IntN(4)]
		want := reference(s, logits)
		var err error
		if probs, err = s.Probs(probs, logits); err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("trial %d, V=%d, T=%v k=%d p=%v min-p=%v", trial, len(logits), s.Temperature, s.TopK, s.TopP, s.MinP)
		for i := range want {
			if (probs[i] == 0) != (want[i] == 0) {
				t.Fatalf("%s: token %d has probability %v, want %v", what, i, probs[i], want[i])
			}
		}
		oracle.Check(t, what, probs, want, 1e-13)
		if t.Failed() {
			return
		}
	}
}

// A float32 cumulative sum over sorted probabilities goes astray in large vocabularies: of these rows it would
// keep 131072 tokens instead of fewer than 100000 at p = 0.9999.
func TestNucleusOfLargeVocabulary(t *testing.T) {
	const vocab = 131072
	var d sampler.Distribution
	for kind := range rows {
		logits := row(kind, vocab)
		probs := reference(sampler.Sampler{Temperature: 1}, logits)
		order := slices.Clone(probs)
		slices.Sort(order)
		for _, p := range []float64{0.1, 0.9, 0.999, 0.9999} {
			// Summed from the small end, the tail may hold at most 1-p.
			tail, want := 0.0, vocab
			for i, q := range order {
				if tail += q; tail > 1-p {
					want = vocab - i
					break
				}
			}
			if err := d.Reset(logits); err != nil {
				t.Fatal(err)
			}
			if err := d.TopP(p); err != nil {
				t.Fatal(err)
			}
			if got := d.Len(); got != want {
				t.Errorf("%s, p = %v: the nucleus has %d tokens, want %d", kind, p, got, want)
			}
		}
	}
}
