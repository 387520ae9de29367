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

// quarters returns probabilities that are multiples of 1/4, different ones after each text.
func quarters(seed uint64) func(text []int) []float32 {
	choices := [][]float64{
		{0.25, 0.25, 0.5}, {0.5, 0.25, 0.25}, {0.25, 0.5, 0.25}, {0, 0.5, 0.5}, {0.5, 0, 0.5}, {0.5, 0.5, 0}, {1, 0, 0}, {0, 0, 1},
	}
	rank := gauss(seed, len(choices), 1)
	return func(text []int) []float32 {
		best, err := sampler.Argmax(rank(text))
		if err != nil {
			panic(err)
		}
		return logs(choices[best]...)
	}
}

// Probabilities and acceptances here are multiples of 1/4, so four values for every random number stand for all of
// them. Counting what comes of each combination gives the exact distribution of the texts: it is the target's.
func TestSpeculativeDistributionIsTheTargets(t *testing.T) {
	const n = 3
	prompt := []int{2, 1}
	for seed := range uint64(12) {
		logits, draft := quarters(2*seed), quarters(2*seed+1)
		lookahead := 1 + int(seed%3)
		var stop []int
		if seed%2 == 1 {
			stop = []int{2}
		}
		want := make(map[string]float64)
		for _, h := range enumerate(logits, prompt, stop, n, func(p float64, _ int) float64 { return p }) {
			want[fmt.Sprint(h.Tokens)] += math.Exp(h.LogProb)
		}

		got := make(map[string]float64)
		var digits []int // those of the combination, in the order in which they are asked for
		paths := 0
		for more := true; more; paths++ {
			asked, used := make(map[[2]uint64]int), 0
			sp := &sampler.Speculative{Target: newToy(logits), Draft: newToy(draft), Lookahead: lookahead}
			sp.SetUniform(func(_, stream, step uint64) float64 {
				digit, ok := asked[[2]uint64{stream, step}]
				if !ok {
					if used == len(digits) {
						digits = append(digits, 0)
					}
					digit = digits[used]
					asked[[2]uint64{stream, step}] = digit
					used++
				}
				return (float64(digit) + 0.5) / 4
			})
			s := sampler.Sampler{Temperature: 1, Stop: stop}
			text, err := collect(sp.Generate(context.Background(), &s, prompt, n))
			if err != nil {
				t.Fatal(err)
			}
			got[fmt.Sprint(text)] += math.Pow(4, -float64(used))
			for more = false; !more && len(digits) > 0; {
				last := len(digits) - 1
				if digits[last]++; digits[last] < 4 {
					more = true
				} else {
					digits = digits[:last]
				}
			}
		}
		total := 0.0
		for text, p := range got {
			total += p
			if math.Abs(p-want[text]) > 1e-6 { // float32 logarithms are not exact
				t.Errorf("seed %d, %d ahead: %s has probability %v, want %v", seed, lookahead, text, p, want[text])
			}
		}
		if math.Abs(total-1) > 1e-12 || paths < 30 {
			t.Errorf("seed %d: %d combinations have probability %v", seed, paths, total)
		}
	}
}

// The second token is distributed as the target has it after the sampler's steps. This is a test of chance
// with a fixed seed.
func TestSpeculativeFollowsTheSampler(t *testing.T) {
	const vocab, draws = 12, 20000
	logits, draft := gauss(1, vocab, 2), gauss(2, vocab, 2)
	for _, s := range []sampler.Sampler{
		{Temperature: 1}, {Temperature: 1.7, TopK: 4}, {Temperature: 0.8, TopP: 0.8}, {Temperature: 2, MinP: 0.2},
	} {
		want := make([]float64, vocab)
		first, err := s.Probs(nil, logits([]int{5}))
		if err != nil {
			t.Fatal(err)
		}
		for token, p := range first {
			if p == 0 {
				continue
			}
			second, err := s.Probs(nil, logits([]int{5, token}))
			if err != nil {
				t.Fatal(err)
			}
			for i, q := range second {
				want[i] += p * q
			}
		}
		counts := make([]int, vocab)
		for i := range draws {
			s.Stream, s.Step = uint64(i), 0
			sp := &sampler.Speculative{Target: newToy(logits), Draft: newToy(draft), Lookahead: 2}
			text, err := collect(sp.Generate(context.Background(), &s, []int{5}, 2))
			if err != nil {
				t.Fatal(err)
			}
			counts[text[1]]++
		}
		chi2, cells := 0.0, 0
		for i, p := range want {
			if p*draws < 5 {
				if counts[i] > 25 || p == 0 && counts[i] > 0 {
					t.Errorf("%+v: token %d was drawn %d times, its probability is %v", s, i, counts[i], p)
				}
				continue
			}
			d := float64(counts[i]) - p*draws
			chi2 += d * d / (p * draws)
			cells++
		}
		if limit := float64(cells) + 5*math.Sqrt(2*float64(cells)); chi2 > limit {
			t.Errorf("%+v: chi-square %v of %d cells, want less than %v", s, chi2, cells, limit)
		}
	}
}

// A greedy sampler gets the text of the target alone, and the models the tokens that Generate gives.
func TestSpeculativeGreedyIsTheTargetsText(t *testing.T) {
	ctx := context.Background()
	accepted, proposed := 0, 0
	for seed := range uint64(60) {
		logits := gauss(seed, 8, 1)
		draft := func(text []int) []float32 { // agrees with the target most of the time
			row, noise := logits(text), gauss(seed+1000, 8, 0.5)(text)
			for i := range row {
				row[i] += noise[i]
			}
			return row
		}
		var s sampler.Sampler
		if seed%2 == 0 {
			s.Stop = []int{1}
		}
		n := int(seed % 13)
		alone, target, small := newToy(logits), newToy(logits), newToy(draft)
		sp := &sampler.Speculative{Target: target, Draft: small, Lookahead: int(seed % 6)}
		prompt := []int{3, 4, 5}
		for turn := range 3 { // of a chat
			s1, s2 := s, s
			want, err := collect(s1.Generate(ctx, alone, prompt, n))
			if err != nil {
				t.Fatal(err)
			}
			got, err := collect(sp.Generate(ctx, &s2, prompt, n))
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("seed %d, turn %d", seed, turn)
			if !slices.Equal(got, want) || s1.Step != s2.Step {
				t.Fatalf("%s: generated %v at step %d, want %v at %d", what, got, s2.Step, want, s1.Step)
			}
			if !slices.Equal(target.text, alone.text) {
				t.Fatalf("%s: the target holds %v, want %v", what, target.text, alone.text)
			}
			if len(small.text) > len(alone.text) || !slices.Equal(small.text, alone.text[:len(small.text)]) {
				t.Fatalf("%s: the draft holds %v, want the start of %v", what, small.text, alone.text)
			}
			if limit := alone.long; len(s.Stop) == 0 && (target.long > limit || small.long > limit) {
				t.Fatalf("%s: the models were given %d and %d tokens, Generate gives %d", what, target.long, small.long, limit)
			}
			prompt = []int{0, 7}
		}
		accepted, proposed = accepted+sp.Accepted, proposed+sp.Proposed
		if seed == 59 && sp.Calls >= *alone.calls {
			t.Errorf("%d calls of the target, %d without a draft", sp.Calls, *alone.calls)
		}
	}
	if accepted < proposed/3 || accepted == proposed {
		t.Errorf("%d of %d tokens accepted", accepted, proposed)
	}
}

// A caller may stop at any token.
func TestSpeculativeStopsWhereTheCallerDoes(t *testing.T) {
	logits := gauss(3, 6, 1)
	for stop := 1; stop <= 7; stop++ {
		target, draft := newToy(logits), newToy(logits) // which agree
		sp := &sampler.Speculative{Target: target, Draft: draft, Lookahead: 3}
		s := sampler.Sampler{Temperature: 0.5, Seed: 7}
		var got []int
		for token, err := range sp.Generate(context.Background(), &s, []int{5, 4}, 9) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, token); len(got) == stop {
				break
			}
		}
		want := append([]int{5, 4}, got[:stop-1]...)
		if !slices.Equal(target.text, want) || s.Step != uint64(stop) || sp.Proposed < sp.Accepted {
			t.Errorf("stopped after %v: the target holds %v and Step is %d", got, target.text, s.Step)
		}
	}
}

func TestSpeculativeErrors(t *testing.T) {
	ctx := context.Background()
	ok := func() *toy { return newToy(fixed(1, 2, 3)) }
	s, bad, nan := new(sampler.Sampler), &sampler.Sampler{TopP: math.NaN()}, float32(math.NaN())
	for _, c := range []struct {
		name   string
		sp     *sampler.Speculative
		s      *sampler.Sampler
		prompt []int
		n      int
		want   string
	}{
		{"no models", &sampler.Speculative{}, s, []int{1}, 1, "models <nil> and <nil>"},
		{"no sampler", &sampler.Speculative{Target: ok(), Draft: ok()}, nil, []int{1}, 1, "sampler: false"},
		{"no prompt", &sampler.Speculative{Target: ok(), Draft: ok()}, s, nil, 1, "a prompt of 0"},
		{"n", &sampler.Speculative{Target: ok(), Draft: ok()}, s, []int{1}, -1, "-1 tokens"},
		{"lookahead", &sampler.Speculative{Target: ok(), Draft: ok(), Lookahead: -1}, s, []int{1}, 1, "lookahead -1"},
		{"setting", &sampler.Speculative{Target: ok(), Draft: ok()}, bad, []int{1}, 1, "top-p is NaN"},
		{"vocabulary", &sampler.Speculative{Target: ok(), Draft: newToy(fixed(1))}, s, []int{1}, 3, "of 3, the draft one of 1"},
		{"draft NaN", &sampler.Speculative{Target: ok(), Draft: newToy(fixed(nan))}, s, []int{1}, 3, "draft: sampler: logit 0"},
		{"target NaN", &sampler.Speculative{Target: newToy(fixed(nan)), Draft: ok()}, s, []int{1}, 3, "target: sampler: logit 0"},
	} {
		got, err := collect(c.sp.Generate(ctx, c.s, c.prompt, c.n))
		if err == nil || !strings.Contains(err.Error(), c.want) || !slices.Equal(got, []int{-1}) {
			t.Errorf("%s: generated %v, %v, want %q", c.name, got, err, c.want)
		}
	}
	same := ok()
	sp := &sampler.Speculative{Target: same, Draft: same}
	if _, err := collect(sp.Generate(ctx, s, []int{1}, 3)); err == nil {
		t.Error("one model as target and draft is no error")
	}
}

// After a failure both models are back where they were, so that the caller may try again.
func TestSpeculativeFailure(t *testing.T) {
	ctx := context.Background()
	boom := errors.New("boom")
	logits := gauss(9, 6, 1)
	var s sampler.Sampler
	want, err := collect(s.Generate(ctx, newToy(logits), []int{1, 2}, 8))
	if err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= 6; at++ {
		for _, ofDraft := range []bool{false, true} {
			target, draft := newToy(logits), newToy(gauss(10, 6, 1))
			failing := target
			if ofDraft {
				failing = draft
			}
			failing.fail, failing.failAt = boom, at
			sp := &sampler.Speculative{Target: target, Draft: draft, Lookahead: 2}
			got, err := collect(sp.Generate(ctx, new(sampler.Sampler), []int{1, 2}, 8))
			if err == nil { // the call number at was not needed
				continue
			}
			got = got[:len(got)-1]
			if !errors.Is(err, boom) || !slices.Equal(got, want[:len(got)]) {
				t.Fatalf("call %d: generated %v, %v", at, got, err)
			}
			prompt := []int{1, 2}
			if len(got) > 0 {
				prompt = got[len(got)-1:]
			}
			rest, err := collect(sp.Generate(ctx, new(sampler.Sampler), prompt, 8-len(got)))
			if err != nil || !slices.Equal(append(got, rest...), want) {
				t.Errorf("call %d failed after %v: then generated %v, %v, want %v", at, got, rest, err, want)
			}
		}
	}

	// What cannot be taken back cannot be gone on from.
	sp := &sampler.Speculative{Target: &stuck{*newToy(logits)}, Draft: newToy(gauss(10, 6, 1))}
	for range 2 {
		_, err := collect(sp.Generate(ctx, new(sampler.Sampler), []int{1}, 8))
		if err == nil || !strings.Contains(err.Error(), "stuck") {
			t.Errorf("a model that does not truncate: %v", err)
		}
	}

	cancelled, cancel := context.WithCancel(ctx)
	defer cancel()
	target := newToy(logits)
	sp = &sampler.Speculative{Target: target, Draft: newToy(logits)}
	var got []int
	for token, err := range sp.Generate(cancelled, new(sampler.Sampler), []int{1, 2}, 8) {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got = append(got, token); len(got) == 2 {
			cancel()
		}
	}
	if !slices.Equal(got, append(slices.Clone(want[:2]), -1)) || !slices.Equal(target.text, []int{1, 2, want[0]}) {
		t.Errorf("cancelled after two tokens: generated %v and left the target with %v", got, target.text)
	}
}

type stuck struct{ toy }

func (*stuck) Truncate(int) error { return errors.New("stuck") }

// The small model agrees with the large one but for a word, so ten tokens take three calls of the large one.
func ExampleSpeculative() {
	words := strings.Fields("the wheels on the bus go round and round and round")
	next := func(differs int) func(text []int) []float32 {
		return func(text []int) []float32 {
			logits := make([]float32, len(words))
			if token := len(text); token != differs {
				logits[token%len(words)] = 9
			}
			return logits
		}
	}
	sp := &sampler.Speculative{Target: newToy(next(-1)), Draft: newToy(next(3)), Lookahead: 3}
	s := sampler.Sampler{Seed: 1}
	fmt.Print("the")
	for token, err := range sp.Generate(context.Background(), &s, []int{0}, 10) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(" ", words[token])
	}
	fmt.Printf("\n%d calls, %d of %d accepted\n", sp.Calls, sp.Accepted, sp.Proposed)
	// Output:
	// the wheels on the bus go round and round and round
	// 3 calls, 7 of 8 accepted
}
