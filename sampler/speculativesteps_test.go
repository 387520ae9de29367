package sampler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// remembering returns chains whose steps look at the text, toss and learn. The last step is a temperature.
func remembering(temperature float64) map[string]sampler.Chain {
	output := sampler.Scope{Of: sampler.OutputOnly}
	last := sampler.Temperature(temperature)
	return map[string]sampler.Chain{
		"repetition": {sampler.RepetitionPenalty{Penalty: 4, Scope: sampler.Scope{Last: 2}}, last},
		"frequency":  {sampler.FrequencyPenalty{Penalty: 1, Scope: output}, sampler.PresencePenalty{Penalty: 1}, last},
		"n-grams":    {sampler.NoRepeatNGram{N: 2}, sampler.DRY{Multiplier: 1, AllowedLength: 1}, last},
		"forced":     {sampler.ForcedTokens{At: 1, Tokens: []int{3}}, sampler.MinLength{Length: 5, Stop: []int{2}}, last},
		"xtc":        {sampler.XTC{Probability: 0.5, Threshold: 0.2}, last},
		"mirostat":   {&sampler.Mirostat{Tau: 1.2, Eta: 0.7}, sampler.FrequencyPenalty{Penalty: 0.5}, last},
		"mirostat 1": {&sampler.Mirostat1{Tau: 1.5, Eta: 0.7}, last},
		"adaptive-p": {sampler.MinP(0.05), &sampler.AdaptiveP{Target: 0.4, Decay: 0.5}, last},
	}
}

func asJSON(t *testing.T, s *sampler.Sampler) string {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func clone(t *testing.T, s *sampler.Sampler) *sampler.Sampler {
	t.Helper()
	c, err := s.Clone()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Whatever the steps remember, a greedy sampler gets the text of the target alone, and is left as it would be there,
// wherever a caller stops.
func TestSpeculativeStepsOfGreedyText(t *testing.T) {
	ctx := context.Background()
	for name, chain := range remembering(0) {
		accepted, proposed := 0, 0
		for seed := range uint64(40) {
			logits := gauss(seed, 5, 1)
			draft := func(text []int) []float32 {
				row, noise := logits(text), gauss(seed+1000, 5, 0.4)(text)
				for i := range row {
					row[i] += noise[i]
				}
				return row
			}
			s := &sampler.Sampler{Steps: chain, Seed: seed}
			if seed%2 == 0 {
				s.Stop = []int{2}
			}
			s1, s2 := clone(t, s), clone(t, s)
			n, most := int(seed%17), int(seed%19)
			alone, target, small := newToy(logits), newToy(logits), newToy(draft)
			sp := &sampler.Speculative{Target: target, Draft: small, Lookahead: int(seed % 6)}
			for turn, prompt := range [][]int{{3, 4, 0}, {0, 1}} {
				var texts [2][]int
				for i, seq := range []func(func(int, error) bool){s1.Generate(ctx, alone, prompt, n), sp.Generate(ctx, s2, prompt, n)} {
					for token, err := range seq {
						if err != nil {
							// Nothing may be left to draw from.
							texts[i] = append(texts[i], -1)
							if !strings.Contains(err.Error(), "no token") {
								t.Fatal(err)
							}
							break
						}
						if texts[i] = append(texts[i], token); len(texts[i]) == most {
							break
						}
					}
				}
				what := fmt.Sprintf("%s, seed %d, turn %d", name, seed, turn)
				if !slices.Equal(texts[0], texts[1]) || !slices.Equal(alone.text, target.text) {
					t.Fatalf("%s: generated %v, want %v", what, texts[1], texts[0])
				}
				if got, want := asJSON(t, s2), asJSON(t, s1); got != want {
					t.Fatalf("%s: the sampler is %s, want %s", what, got, want)
				}
			}
			accepted, proposed = accepted+sp.Accepted, proposed+sp.Proposed
		}
		if accepted < proposed/4 || accepted == proposed {
			t.Errorf("%s: %d of %d tokens accepted", name, accepted, proposed)
		}
	}
}

// addTexts adds to sums the probability of each text of n tokens that s draws from a model after a prompt.
func addTexts(
	t *testing.T, sums map[string]float64, s *sampler.Sampler, logits func([]int) []float32, text []int, n int, p float64,
) {
	t.Helper()
	if n == 0 {
		sums[fmt.Sprint(text)] += p
		return
	}
	var d sampler.Distribution
	if err := d.Reset(logits(text)); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(&d); err != nil {
		t.Fatal(err)
	}
	for token, q := range d.All() {
		if q == 0 {
			continue
		}
		next := clone(t, s)
		if err := next.Accept(&d, token); err != nil {
			t.Fatal(err)
		}
		addTexts(t, sums, next, logits, append(slices.Clip(text), token), n-1, p*q)
	}
}

// Texts are distributed as the target has them alone, whatever the steps remember. This is a test of chance with a fixed
// seed.
func TestSpeculativeStepsOfSampledText(t *testing.T) {
	const vocab, n, draws = 4, 3, 6000
	logits, draft := gauss(1, vocab, 1), gauss(2, vocab, 1)
	prompt := []int{0, 3}
	for name, chain := range remembering(1.3) {
		want, counts := make(map[string]float64), make(map[string]int)
		accepted := 0
		for i := range draws {
			s := &sampler.Sampler{Steps: chain, Stream: uint64(i)}
			s1, s2 := clone(t, s), clone(t, s)
			if name == "xtc" || i == 0 { // the only step that tosses
				s1.History = sampler.NewHistory(prompt...)
				p := 1.0
				if name != "xtc" {
					p = draws
				}
				addTexts(t, want, s1, logits, prompt, n, p)
			}
			sp := &sampler.Speculative{Target: newToy(logits), Draft: newToy(draft), Lookahead: 2}
			text, err := collect(sp.Generate(context.Background(), s2, prompt, n))
			if err != nil {
				t.Fatal(err)
			}
			counts[fmt.Sprint(slices.Concat(prompt, text))]++
			accepted += sp.Accepted
		}
		chi2, cells := 0.0, 0
		for text, count := range counts {
			if want[text] == 0 {
				t.Errorf("%s: %s was drawn %d times, it has no probability", name, text, count)
			}
		}
		for text, expected := range want {
			if expected < 5 {
				continue
			}
			d := float64(counts[text]) - expected
			chi2 += d * d / expected
			cells++
		}
		if limit := float64(cells) + 5*math.Sqrt(2*float64(cells)); chi2 > limit {
			t.Errorf("%s: chi-square %v of %d cells, want less than %v", name, chi2, cells, limit)
		}
		if cells < 4 || accepted == 0 {
			t.Errorf("%s: %d cells, %d tokens accepted", name, cells, accepted)
		}
	}
}

// What happens to a row of the target after others have been drawn leaves the sampler and the models at those.
func TestSpeculativeStepsFail(t *testing.T) {
	ctx := context.Background()
	never := sampler.Chain{sampler.SuppressedTokens{0}, &sampler.Mirostat{Tau: 5, Eta: 0.5}, sampler.Temperature(0)}
	logits := func(text []int) []float32 {
		if len(text) == 5 {
			return []float32{0, float32(-inf), float32(-inf)} // which is nothing without token 0
		}
		return []float32{0, 1, float32(len(text) % 2)}
	}
	draft := func([]int) []float32 { return []float32{0, 2, 1} }
	for lookahead := range 6 {
		target := newToy(logits)
		sp := &sampler.Speculative{Target: target, Draft: newToy(draft), Lookahead: lookahead}
		s := &sampler.Sampler{Steps: never}
		alone := clone(t, s)
		want, _ := collect(alone.Generate(ctx, newToy(logits), []int{1, 2}, 9))
		got, err := collect(sp.Generate(ctx, s, []int{1, 2}, 9))
		if err == nil || !strings.Contains(err.Error(), "token 3") || !slices.Equal(got, want) || len(got) != 4 {
			t.Errorf("%d ahead: generated %v, %v, want %v", lookahead, got, err, want)
		}
		if a, b := asJSON(t, s), asJSON(t, alone); a != b {
			t.Errorf("%d ahead: the sampler is %s, want %s", lookahead, a, b)
		}
		if !slices.Equal(target.text, append([]int{1, 2}, want[:2]...)) {
			t.Errorf("%d ahead: the target holds %v", lookahead, target.text)
		}
	}

	sp := &sampler.Speculative{Target: newToy(logits), Draft: newToy(draft)}
	for name, s := range map[string]*sampler.Sampler{
		"no Clone":             {Steps: sampler.Chain{new(foreign)}},
		"beside Steps":         {Steps: sampler.Chain{}, TopK: 3},
		"without Steps to see": {History: sampler.NewHistory(1)},
		"is nil":               {Steps: sampler.Chain{nil}},
	} {
		if _, err := collect(sp.Generate(ctx, s, []int{1}, 3)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
