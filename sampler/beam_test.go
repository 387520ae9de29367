package sampler_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// enumerate returns every text of up to n tokens, the best first.
func enumerate(
	logits func([]int) []float32, prompt []int, stop []int, n int, score func(logProb float64, length int) float64,
) []sampler.Hypothesis {
	var all []sampler.Hypothesis
	var walk func(tokens []int, logProb float64)
	walk = func(tokens []int, logProb float64) {
		next, err := sampler.LogSoftmax(nil, logits(slices.Concat(prompt, tokens)))
		if err != nil {
			panic(err)
		}
		for token, x := range next {
			h := sampler.Hypothesis{Tokens: append(slices.Clone(tokens), token), Stop: -1, LogProb: logProb + x}
			h.Score = score(h.LogProb, len(h.Tokens))
			switch {
			case math.IsInf(x, -1):
			case slices.Contains(stop, token):
				h.Tokens, h.Stop = tokens, token
				all = append(all, h)
			case len(h.Tokens) == n:
				all = append(all, h)
			default:
				walk(h.Tokens, h.LogProb)
			}
		}
	}
	walk(nil, 0)
	slices.SortStableFunc(all, func(a, b sampler.Hypothesis) int { return cmp.Compare(b.Score, a.Score) })
	return all
}

// With a beam for every text the search is exhaustive: it finds all texts, in the order of their scores.
func TestBeamSearchIsExact(t *testing.T) {
	prompt := []int{2, 0}
	for seed := range uint64(20) {
		logits := gauss(seed, 4, 1.5)
		if seed%2 == 1 {
			logits = func(text []int) []float32 { // with a token that cannot follow
				row := gauss(seed, 4, 1.5)(text)
				row[len(text)%3] = float32(-inf)
				return row
			}
		}
		for _, b := range []sampler.Beam{
			{}, {LengthPenalty: 1}, {LengthPenalty: -2}, {GNMTPenalty: 0.6}, {Stop: []int{0, 2}, LengthPenalty: 0.3},
		} {
			if b.Stop == nil {
				b.Stop = []int{3}
			}
			want := enumerate(logits, prompt, b.Stop, 4, scorer(b))
			b.Width = 256
			got, err := sampler.BeamSearch(context.Background(), b, newToy(logits), prompt, 4)
			if err != nil {
				t.Fatal(err)
			}
			sameHypotheses(t, fmt.Sprintf("seed %d, %+v", seed, b), got, want)
		}
	}
}

func scorer(b sampler.Beam) func(float64, int) float64 {
	return func(logProb float64, length int) float64 {
		if b.GNMTPenalty != 0 {
			return logProb / (math.Pow(5+float64(length), b.GNMTPenalty) / math.Pow(6, b.GNMTPenalty))
		}
		return logProb / math.Pow(float64(length), b.LengthPenalty)
	}
}

func sameHypotheses(t *testing.T, what string, got, want []sampler.Hypothesis) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d hypotheses, want %d", what, len(got), len(want))
	}
	for i, h := range got {
		w := want[i]
		if !slices.Equal(h.Tokens, w.Tokens) || h.Stop != w.Stop ||
			math.Abs(h.LogProb-w.LogProb) > 1e-12 || math.Abs(h.Score-w.Score) > 1e-12 {
			t.Fatalf("%s: hypothesis %d is %+v, want %+v", what, i, h, w)
		}
	}
}

// Narrow searches are those of a reference that sorts everything and never stops early, as is the bound that lets
// StopCertain stop.
func TestBeamSearchIsTheDefinition(t *testing.T) {
	for seed := range uint64(200) {
		b := sampler.Beam{
			Width:         []int{1, 2, 3, 6}[seed%4],
			Stop:          [][]int{{4}, {0, 3}, nil}[seed%3],
			LengthPenalty: []float64{0, 1, -1, 0.5, 3}[seed%5],
		}
		if seed%7 == 0 {
			b.LengthPenalty, b.GNMTPenalty = 0, 1
		}
		logits := gauss(seed, 6, 1)
		if seed%5 == 0 {
			logits = fixed(1, 1, 0, 0, 1, 1) // ties everywhere
		}
		model := newToy(logits)
		got, err := sampler.BeamSearch(context.Background(), b, model, []int{1}, 7)
		if err != nil {
			t.Fatal(err)
		}
		sameHypotheses(t, fmt.Sprintf("seed %d, %+v", seed, b), got, referenceBeams(b, logits, []int{1}, 7))
	}
}

// referenceBeams is a beam search of one group that runs to the end.
func referenceBeams(b sampler.Beam, logits func([]int) []float32, prompt []int, n int) []sampler.Hypothesis {
	type text struct {
		tokens  []int
		logProb float64
	}
	beams := []text{{}}
	var found []sampler.Hypothesis
	for step := 1; step <= n; step++ {
		var cands []text
		for _, beam := range beams {
			next, err := sampler.LogSoftmax(nil, logits(slices.Concat(prompt, beam.tokens)))
			if err != nil {
				panic(err)
			}
			for token, x := range next {
				cands = append(cands, text{append(slices.Clone(beam.tokens), token), beam.logProb + x})
			}
		}
		slices.SortStableFunc(cands, func(x, y text) int { return cmp.Compare(y.logProb, x.logProb) })
		beams = nil
		for i, c := range cands {
			last := c.tokens[step-1]
			if slices.Contains(b.Stop, last) {
				if i < b.Width {
					score := scorer(b)(c.logProb, step)
					found = append(found, sampler.Hypothesis{Tokens: c.tokens[:step-1], Stop: last, LogProb: c.logProb, Score: score})
				}
			} else if len(beams) < b.Width {
				beams = append(beams, c)
			}
		}
	}
	for _, c := range beams {
		found = append(found, sampler.Hypothesis{Tokens: c.tokens, Stop: -1, LogProb: c.logProb, Score: scorer(b)(c.logProb, n)})
	}
	slices.SortStableFunc(found, func(x, y sampler.Hypothesis) int { return cmp.Compare(y.Score, x.Score) })
	return found[:min(b.Width, len(found))]
}

func TestBeamSearchOfOneIsGreedy(t *testing.T) {
	for seed := range uint64(20) {
		s := sampler.Sampler{Stop: []int{0}}
		want, err := collect(s.Generate(context.Background(), newToy(gauss(seed, 7, 2)), []int{1}, 6))
		if err != nil {
			t.Fatal(err)
		}
		b := sampler.Beam{Stop: s.Stop, EarlyStop: sampler.StopFull}
		got, err := sampler.BeamSearch(context.Background(), b, newToy(gauss(seed, 7, 2)), []int{1}, 6)
		if err != nil || len(got) != 1 || !slices.Equal(got[0].Tokens, want) {
			t.Errorf("seed %d: found %v, %v, want %v", seed, got, err, want)
		}
	}
}

// The rules to stop by differ in how long they look and in what they find.
func TestBeamSearchStops(t *testing.T) {
	// The text ends after one token with probability 0.6, and a longer one becomes nearly certain.
	late := func(text []int) []float32 {
		if len(text) < 3 {
			return logs(0.6, 0.4, 0)
		}
		return logs(0.001, 0, 0.999)
	}
	// The text goes on with probability 0.6, then 0.9.
	soon := func(text []int) []float32 {
		if len(text) < 2 {
			return logs(0.4, 0.6)
		}
		return logs(0.1, 0.9)
	}
	const n = 20
	for _, c := range []struct {
		logits func([]int) []float32
		b      sampler.Beam
		calls  int
		want   []int
	}{
		{late, sampler.Beam{LengthPenalty: 1, EarlyStop: sampler.StopFull}, 1, nil},
		{late, sampler.Beam{LengthPenalty: 1, EarlyStop: sampler.StopLikely}, 1, nil},
		{late, sampler.Beam{LengthPenalty: 1}, n, append([]int{1, 1}, slices.Repeat([]int{2}, n-2)...)},
		{late, sampler.Beam{}, 1, nil},
		{soon, sampler.Beam{Width: 2, LengthPenalty: 1, EarlyStop: sampler.StopFull}, 2, nil},
		{soon, sampler.Beam{Width: 2, LengthPenalty: 1, EarlyStop: sampler.StopLikely}, n, slices.Repeat([]int{1}, n)},
	} {
		c.b.Stop = []int{0}
		model := newToy(c.logits)
		got, err := sampler.BeamSearch(context.Background(), c.b, model, []int{1}, n)
		if err != nil {
			t.Fatal(err)
		}
		if *model.calls != c.calls || !slices.Equal(got[0].Tokens, c.want) {
			t.Errorf("%+v: found %v after %d calls, want %v after %d", c.b, got, *model.calls, c.want, c.calls)
		}
	}
}

// Groups that pay for each other's tokens choose others.
func TestBeamSearchGroups(t *testing.T) {
	logits := fixed(logs(0.4, 0.3, 0.2, 0.1)...)
	find := func(b sampler.Beam) (texts []string) {
		found, err := sampler.BeamSearch(context.Background(), b, newToy(logits), []int{1}, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range found {
			want := 0.0
			for _, token := range h.Tokens {
				want += math.Log([]float64{0.4, 0.3, 0.2, 0.1}[token])
			}
			if math.Abs(h.LogProb-want) > 1e-6 || h.Score != h.LogProb {
				t.Errorf("%+v: %+v, want log-probability %v", b, h, want)
			}
			texts = append(texts, fmt.Sprint(h.Tokens))
		}
		return texts
	}
	for _, c := range []struct {
		b    sampler.Beam
		want []string
	}{
		{sampler.Beam{Width: 3}, []string{"[0 0]", "[0 1]", "[1 0]"}},
		{sampler.Beam{Width: 3, Groups: 3}, []string{"[0 0]", "[0 0]", "[0 0]"}},
		{sampler.Beam{Width: 3, Groups: 3, Diversity: 0.2}, []string{"[0 0]", "[0 0]", "[1 1]"}},
		{sampler.Beam{Width: 3, Groups: 3, Diversity: 100}, []string{"[0 0]", "[1 1]", "[2 2]"}},
		// The first group takes 0 twice and then 0 and 1, so the second is left with 1 and 2, then with 2.
		{sampler.Beam{Width: 4, Groups: 2, Diversity: 100}, []string{"[0 0]", "[0 1]", "[2 2]", "[2 3]"}},
	} {
		if got := find(c.b); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: found %v, want %v", c.b, got, c.want)
		}
	}
	// Groups that do not see each other are searches of their own.
	for seed := range uint64(10) {
		b := sampler.Beam{Width: 6, Groups: 2, Stop: []int{0}}
		found, err := sampler.BeamSearch(context.Background(), b, newToy(gauss(seed, 5, 1)), []int{1}, 5)
		if err != nil {
			t.Fatal(err)
		}
		b = sampler.Beam{Width: 3, Stop: []int{0}}
		alone, err := sampler.BeamSearch(context.Background(), b, newToy(gauss(seed, 5, 1)), []int{1}, 5)
		if err != nil || len(found) != 2*len(alone) {
			t.Fatalf("seed %d: %d hypotheses in two groups, %d in one, %v", seed, len(found), len(alone), err)
		}
		for i := range found {
			if !reflect.DeepEqual(found[i], alone[i/2]) {
				t.Errorf("seed %d: hypothesis %d is %v, want %v", seed, i, found[i], alone[i/2])
			}
		}
	}
}

func TestBeamSearchErrors(t *testing.T) {
	ctx := context.Background()
	nan := math.NaN()
	for _, b := range []sampler.Beam{
		{Width: -1}, {Groups: -1}, {Width: 3, Groups: 2}, {Groups: 2}, {Diversity: 1}, {Width: 2, Groups: 2, Diversity: nan},
		{Width: 2, Groups: 2, Diversity: -1}, {Width: 2, Groups: 2, Diversity: inf}, {LengthPenalty: nan}, {LengthPenalty: 17},
		{GNMTPenalty: -inf}, {LengthPenalty: 1, GNMTPenalty: 1}, {EarlyStop: 3}, {EarlyStop: -1},
	} {
		if _, err := sampler.BeamSearch(ctx, b, newToy(fixed(1, 2)), []int{1}, 1); err == nil {
			t.Errorf("%+v is no error", b)
		}
	}
	_, err := sampler.BeamSearch(ctx, sampler.Beam{}, newToy(fixed(1)), nil, 1)
	if err == nil || !strings.Contains(err.Error(), "a prompt of 0") {
		t.Errorf("an empty prompt: %v", err)
	}
	if _, err := sampler.BeamSearch(ctx, sampler.Beam{}, newToy(fixed(1)), []int{1}, 0); err == nil {
		t.Error("a search for 0 tokens is no error")
	}

	boom := errors.New("boom")
	for at := 1; at <= 5; at++ {
		m := newToy(gauss(1, 5, 1))
		m.fail, m.failAt = boom, at
		if _, err := sampler.BeamSearch(ctx, sampler.Beam{Width: 2}, m, []int{1}, 3); !errors.Is(err, boom) {
			t.Errorf("a model that fails at call %d: %v", at, err)
		}
	}
	nans := newToy(func(text []int) []float32 { return []float32{0, float32(math.Log(float64(3 - len(text))))} })
	var bad *sampler.LogitsError
	_, err = sampler.BeamSearch(ctx, sampler.Beam{}, nans, []int{1}, 9)
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "token 2") {
		t.Errorf("a logit of NaN at token 3: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	stopping := newToy(func(text []int) []float32 {
		if len(text) == 3 {
			cancel()
		}
		return []float32{1, 2}
	})
	_, err = sampler.BeamSearch(cancelled, sampler.Beam{Width: 2}, stopping, []int{1}, 9)
	if !errors.Is(err, context.Canceled) || stopping.long > 3 {
		t.Errorf("cancelled after 3 tokens: %v, %d tokens", err, stopping.long)
	}
}

// Greedy search takes the likelier first word and is left with an unlikely second one. A search with two beams finds
// the text that is likelier as a whole.
func ExampleBeamSearch() {
	words := []string{"the", "nice", "dog", "has"}
	follow := func(text []int) []float32 {
		switch words[text[len(text)-1]] {
		case "the":
			return logs(0, 0.6, 0.4, 0)
		case "nice":
			return logs(0, 0.3, 0.4, 0.3)
		default:
			return logs(0, 0.1, 0, 0.9)
		}
	}
	for _, width := range []int{1, 2} {
		found, err := sampler.BeamSearch(context.Background(), sampler.Beam{Width: width}, newToy(follow), []int{0}, 2)
		if err != nil {
			log.Fatal(err)
		}
		first, second := words[found[0].Tokens[0]], words[found[0].Tokens[1]]
		fmt.Printf("width %d: the %s %s, probability %.2f\n", width, first, second, math.Exp(found[0].LogProb))
	}
	// Output:
	// width 1: the nice dog, probability 0.24
	// width 2: the dog has, probability 0.36
}

// A search goes on as long as any of its beams, not only the last, can beat what it has found.
func TestBeamSearchWaitsForTheBest(t *testing.T) {
	logits := func(text []int) []float32 { // token 0 stops
		switch {
		case len(text) == 1:
			return logs(0.5, 0.4, 0.1)
		case text[len(text)-1] == 2:
			return logs(0.9, 0.1, 0)
		case len(text) == 2:
			return logs(0.05, 0.9, 0.05)
		}
		return logs(0.9, 0.1, 0)
	}
	got, err := sampler.BeamSearch(context.Background(), sampler.Beam{Width: 2, Stop: []int{0}}, newToy(logits), []int{1}, 5)
	if err != nil || len(got) != 2 || len(got[0].Tokens) != 0 || !slices.Equal(got[1].Tokens, []int{1, 1}) {
		t.Errorf("found %+v, %v, want the empty text and [1 1]", got, err)
	}
}

// Of hypotheses of the same score that of the earlier group comes first.
func TestBeamSearchOrdersGroups(t *testing.T) {
	b := sampler.Beam{Width: 2, Groups: 2, Diversity: 1}
	got, err := sampler.BeamSearch(context.Background(), b, newToy(fixed(0, 0)), []int{1}, 1)
	if err != nil || len(got) != 2 || got[0].Tokens[0] != 0 || got[1].Tokens[0] != 1 {
		t.Errorf("found %+v, %v, want [0] and [1]", got, err)
	}
}
