package sampler_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/logits-go/logits/sampler"
)

const justBelow1 = 1 - 0x1p-53

func reset(t testing.TB, logits []float32, steps ...func(d *sampler.Distribution) error) *sampler.Distribution {
	t.Helper()
	d := new(sampler.Distribution)
	if err := d.Reset(logits); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if err := step(d); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func temperature(v float64) func(*sampler.Distribution) error {
	return func(d *sampler.Distribution) error { return d.Temperature(v) }
}

func topK(v int) func(*sampler.Distribution) error {
	return func(d *sampler.Distribution) error { return d.TopK(v) }
}

func topP(v float64) func(*sampler.Distribution) error {
	return func(d *sampler.Distribution) error { return d.TopP(v) }
}

func minP(v float64) func(*sampler.Distribution) error {
	return func(d *sampler.Distribution) error { return d.MinP(v) }
}

func look(d *sampler.Distribution) error {
	d.Prob(0)
	return nil
}

func draw(t testing.TB, d *sampler.Distribution, u float64) int {
	t.Helper()
	token, err := d.Draw(u)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func kept(d *sampler.Distribution) (ids []int) {
	for id := range d.All() {
		ids = append(ids, id)
	}
	return ids
}

// All, Prob and Probs agree, with and without a filter.
func TestViewsAgree(t *testing.T) {
	for _, vocab := range []int{5, 3000} {
		for _, k := range []int{0, 3} {
			logits := row("gauss", vocab)
			logits[1] = float32(-inf)
			d := reset(t, logits, temperature(1.5), topK(k))
			if got, want := d.Len(), min(vocab-1, cmp.Or(k, vocab)); got != want {
				t.Errorf("V=%d k=%d: Len is %d, want %d", vocab, k, got, want)
			}
			probs, total := d.Probs(nil), 0.0
			for id, p := range d.All() {
				if probs[id] != p || d.Prob(id) != p {
					t.Errorf("V=%d k=%d: token %d has All %v, Probs %v, Prob %v", vocab, k, id, p, probs[id], d.Prob(id))
				}
				total += p
				probs[id] = 0
			}
			for range d.All() {
				break // the rest is not asked for
			}
			if slices.Max(probs) != 0 || math.Abs(total-1) > 1e-12 || d.Prob(-1) != 0 || d.Prob(1) != 0 || d.Prob(vocab) != 0 {
				t.Errorf("V=%d k=%d: All leaves out probability %v and sums to %v", vocab, k, slices.Max(probs), total)
			}
		}
	}
}

// Fed N uniforms at even distances, Draw must return every token N·p times, give or take the two ends of its
// stretch: any error of the distribution above 1/N shows, without statistics.
func TestDrawStratified(t *testing.T) {
	for _, c := range []struct {
		kind  string
		vocab int
		n     int
		steps []func(*sampler.Distribution) error
	}{
		{"gauss", 7, 100000, nil},
		{"gauss", 500, 200000, nil},
		{"flat", 3000, 200000, nil},
		{"gauss", 3000, 100000, []func(*sampler.Distribution) error{temperature(0.8), topK(50), topP(0.95), minP(0.02)}},
		{"flat", 20000, 200000, []func(*sampler.Distribution) error{topP(0.9)}},
	} {
		d := reset(t, row(c.kind, c.vocab), c.steps...)
		counts := make([]int, c.vocab)
		for i := range c.n {
			counts[draw(t, d, (float64(i)+0.5)/float64(c.n))]++
		}
		for id, p := range d.Probs(nil) {
			if want := float64(c.n) * p; math.Abs(float64(counts[id])-want) > 1+1e-6 || p == 0 && counts[id] > 0 {
				t.Fatalf("%s V=%d: token %d was drawn %d times of %d, want %v", c.kind, c.vocab, id, counts[id], c.n, want)
			}
		}
	}
}

// Every token of a large vocabulary lies where its probabilities say.
func TestDrawReachesEveryToken(t *testing.T) {
	const vocab = 262144
	for _, p := range []float64{1, 0.7} {
		d := reset(t, row("flat", vocab), topP(p))
		ids, before := 0, 0.0
		for id, q := range d.All() {
			if ids++; ids%3 == 0 { // a third, to be quick
				if got := draw(t, d, before+q/2); got != id {
					t.Fatalf("p = %v: Draw in the middle of token %d returns %d", p, id, got)
				}
			}
			before += q
		}
		if p < 1 && (ids < vocab/3 || ids > 2*vocab/3) || p == 1 && ids != vocab {
			t.Errorf("p = %v keeps %d of %d tokens", p, ids, vocab)
		}
	}
}

func TestDrawNeverReturnsMasked(t *testing.T) {
	for _, vocab := range []int{3, 600, 5000} {
		for _, open := range []int{0, vocab / 2, vocab - 1} {
			logits := slices.Repeat([]float32{float32(math.Inf(-1))}, vocab)
			logits[open] = -3
			if open > 0 {
				logits[open-1] = -1e4 // not masked, but its probability is less than any float64
			}
			for i, steps := range [][]func(*sampler.Distribution) error{nil, {topK(2)}, {topP(0.5)}, {minP(0.5)}, {temperature(0)}} {
				d := reset(t, logits, steps...)
				for _, u := range []float64{0, 0.5, justBelow1} {
					if got := draw(t, d, u); got != open {
						t.Errorf("V=%d steps %d: Draw(%v) = %d, want %d", vocab, i, u, got, open)
					}
				}
			}
		}
	}
}

// Where rounding is all that is left to decide, it does not decide for a masked token.
func TestDrawAtTheEnd(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for range 100 {
		for _, vocab := range []int{100, 1500} {
			logits := make([]float32, vocab)
			for i := range logits {
				logits[i] = float32(rng.NormFloat64())
				if i > vocab-20 {
					logits[i] = float32(-inf)
				}
			}
			if got := draw(t, reset(t, logits), justBelow1); got != vocab-20 {
				t.Fatalf("V=%d: Draw(1 - 2^-53) = %d, want %d", vocab, got, vocab-20)
			}
		}
	}
}

// The comparison is strict, at the ends of blocks too: equal tokens start exactly at the multiples of 1/V.
func TestDrawBoundaries(t *testing.T) {
	for _, vocab := range []int{4, 1024, 4096} {
		d := reset(t, make([]float32, vocab))
		for i := range vocab {
			u := float64(i) / float64(vocab)
			if got := draw(t, d, u); got != i {
				t.Fatalf("V=%d: Draw(%v) = %d, want %d", vocab, u, got, i)
			}
			if got := draw(t, d, math.Nextafter(u, 0)); got != max(i-1, 0) {
				t.Fatalf("V=%d: Draw(%v - ulp) = %d, want %d", vocab, u, got, max(i-1, 0))
			}
		}
	}
}

// A token is drawn by its rank alone: shuffled logits give the shuffled distribution.
func TestPermutation(t *testing.T) {
	logits := row("gauss", 2000)
	perm := rand.New(rand.NewPCG(4, 4)).Perm(len(logits))
	shuffled := make([]float32, len(logits))
	for i, j := range perm {
		shuffled[j] = logits[i]
	}
	s := sampler.Sampler{Temperature: 0.9, TopK: 900, TopP: 0.97, MinP: 1e-4}
	want, err := s.Probs(nil, logits)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Probs(nil, shuffled)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := range perm {
		if math.Abs(got[j]-want[i]) > 1e-15 {
			t.Fatalf("token %d has probability %v, and %v when moved to %d", i, want[i], got[j], j)
		}
	}
}

func TestDistributionErrors(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		call func(d *sampler.Distribution) error
	}{
		{"Temperature(-1)", temperature(-1)},
		{"Temperature(NaN)", temperature(nan)},
		{"Temperature(Inf)", temperature(inf)},
		{"temperatures underflow", func(d *sampler.Distribution) error {
			return firstError(d.Temperature(1e-200), d.Temperature(1e-200))
		}},
		{"temperatures overflow", func(d *sampler.Distribution) error {
			return firstError(d.Temperature(1e200), d.Temperature(1e200))
		}},
		{"TopK(-1)", topK(-1)},
		{"TopP(-0.1)", topP(-0.1)},
		{"TopP(1.1)", topP(1.1)},
		{"TopP(NaN)", topP(nan)},
		{"MinP(-0.1)", minP(-0.1)},
		{"MinP(1.1)", minP(1.1)},
		{"MinP(NaN)", minP(nan)},
		{"Draw(1)", func(d *sampler.Distribution) error { _, err := d.Draw(1); return err }},
		{"Draw(-0.1)", func(d *sampler.Distribution) error { _, err := d.Draw(-0.1); return err }},
		{"Draw(NaN)", func(d *sampler.Distribution) error { _, err := d.Draw(nan); return err }},
	} {
		if err := c.call(reset(t, []float32{1, 2})); err == nil {
			t.Errorf("%s succeeds", c.name)
		}
	}

	// An empty distribution refuses everything, and one that failed to reset is empty.
	failed := reset(t, []float32{1, 2}, topK(1))
	if err := failed.Reset([]float32{1, float32(nan)}); err == nil {
		t.Error("Reset with NaN succeeds")
	}
	for name, d := range map[string]*sampler.Distribution{"zero": {}, "failed": failed} {
		_, drawErr := d.Draw(0)
		for i, err := range []error{
			d.Temperature(1), d.TopK(1), d.TopP(0.5), d.MinP(0.5), drawErr, new(sampler.Sampler).Apply(d),
		} {
			if err == nil {
				t.Errorf("%s distribution: call %d succeeds", name, i)
			}
		}
		if n := d.Len() + len(d.Probs(nil)) + len(kept(d)); n != 0 || d.Prob(0) != 0 {
			t.Errorf("%s distribution is not empty: %d, %v", name, n, d.Prob(0))
		}
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
