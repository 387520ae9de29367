package sampler

import (
	"math"
	"slices"
	"testing"
)

// keptBy returns the tokens that step keeps of logits.
func keptBy(t *testing.T, logits []float32, step Step) (ids []int) {
	t.Helper()
	var d Distribution
	if err := d.Reset(logits); err != nil {
		t.Fatal(err)
	}
	if err := step.Apply(&d, &History{}); err != nil {
		t.Fatalf("%T%v: %v", step, step, err)
	}
	for id := range d.All() {
		ids = append(ids, id)
	}
	return ids
}

// Each comparison of each filter, where both sides are equal and where they are next to it.
func TestTies(t *testing.T) {
	four := []float32{5, 5, 5, 5}
	masked := float32(math.Inf(-1))
	above, below := math.Nextafter(0.5, 1), math.Nextafter(0.5, 0)
	quarter, less, more := 0.25, math.Nextafter(0.25, 0), math.Nextafter(0.25, 1)
	type ids = []int
	for _, c := range []struct {
		name   string
		logits []float32
		step   Step
		want   ids
	}{
		{"top-k", four, TopK(2), ids{0, 1}},
		{"top-k with ties", four, TopKTies(2), ids{0, 1, 2, 3}},
		{"top-k with ties below the top", []float32{1, 5, 1, 1, 0, 1}, TopKTies(3), ids{0, 1, 2, 3, 5}},
		{"top-k with ties at the cut alone", []float32{3, 5, 4, 4, 0, 1}, TopKTies(2), ids{1, 2, 3}},
		{"top-k with ties, all", four, TopKTies(0), ids{0, 1, 2, 3}},
		{"top-k with ties of masked", []float32{1, masked, masked}, TopKTies(2), ids{0}},
		{"top-p reached", four, TopP(0.5), ids{0, 1}},
		{"top-p just missed", four, TopP(above), ids{0, 1, 2}},
		{"top-p just reached", four, TopP(below), ids{0, 1}},
		{"min-p of the top", []float32{5, 4, 5}, MinP(1), ids{0, 2}},
		{"epsilon reached", four, Epsilon(quarter), ids{0, 1, 2, 3}},
		{"epsilon above all", []float32{5, 4, 5, 4}, Epsilon(0.9), ids{0, 2}},
		{"eta above all", []float32{5, 5, -5}, Eta(0.99), ids{0, 1}},
		{"surprise reached", four, &Mirostat{Tau: 1}, ids{0, 1, 2, 3}},
		{"surprise above all", []float32{5, 4, 5, 4}, &Mirostat{}, ids{0}},
		{"p-less reached", four, PLess{}, ids{0, 1, 2, 3}},
		{"typical-p reached", four, TypicalP(0.5), ids{0, 1}},
		{"typical-p just missed", four, TypicalP(above), ids{0, 1, 2}},
		{"typical-p with ties", four, TypicalRule{P: 0.5, Ties: true}, ids{0, 1, 2, 3}},
		{"typical-p to exceed", four, TypicalRule{P: 0.5, Exceed: true}, ids{0, 1, 2}},
		{"typical-p to exceed just less", four, TypicalRule{P: below, Exceed: true}, ids{0, 1}},
		{"typical-p to exceed 0", four, TypicalRule{Exceed: true}, ids{0}},
		{"typical-p at least 1", four, TypicalRule{P: 0.25, MinKeep: 1}, ids{0}},
		{"typical-p at least 3", four, TypicalRule{P: 0.25, MinKeep: 3}, ids{0, 1, 2}},
		{"typical-p at least 9", four, TypicalRule{P: 0.25, MinKeep: 9}, ids{0, 1, 2, 3}},
		{"top-n-sigma reached", []float32{0, 2}, TopNSigma(2), ids{0, 1}},
		{"top-n-sigma just missed", []float32{0, 2}, TopNSigma(math.Nextafter(2, 0)), ids{1}},
		{"top-n-sigma of equal ones", []float32{3, 3, 3, masked}, TopNSigma(0.5), ids{0, 1, 2}},
		{"top-h reached", four, TopH(0.5), ids{0, 1}},
		{"top-h just missed", four, TopH(below), ids{0}},
		{"top-h of none", four, TopH(1e-9), ids{0}},
		{"xtc reached", four, XTC{Probability: 1, Threshold: quarter}, ids{3}},
		{"xtc just reached", four, XTC{Probability: 1, Threshold: less}, ids{3}},
		{"xtc just missed", four, XTC{Probability: 1, Threshold: more}, ids{0, 1, 2, 3}},
		{"xtc of one", []float32{0, 9}, XTC{Probability: 1, Threshold: 0.4}, ids{0, 1}},
		{"xtc of two", []float32{0, 9, 9}, XTC{Probability: 1, Threshold: 0.4}, ids{0, 2}},
		{"xtc with the half", []float32{9, 9, masked}, XTC{Probability: 1, Threshold: 0.5}, ids{1}},
		{"xtc of all, masked", []float32{1, masked, 2, 0}, XTC{Probability: 1}, ids{3}},
		{"xtc leaves enough", four, XTC{Probability: 1, Threshold: 0.1, MinKeep: 1}, ids{3}},
		{"xtc would leave too few", four, XTC{Probability: 1, Threshold: 0.1, MinKeep: 2}, ids{0, 1, 2, 3}},
		{"xtc leaves just enough", []float32{9, 9, 0}, XTC{Probability: 1, Threshold: 0.3, MinKeep: 2}, ids{1, 2}},
		{"xtc by a chance of 0", four, XTC{Threshold: 0.1}, ids{0, 1, 2, 3}},
		{"at least 3 of top-p", four, AtLeast{3, TopP(0.5)}, ids{0, 1, 2}},
		{"at least 2 of top-p", four, AtLeast{2, TopP(0.5)}, ids{0, 1}},
		{"at least 1 of min-p", []float32{1, 9, 3, 2}, AtLeast{1, MinP(0.5)}, ids{1}},
		{"at least 3 of min-p", []float32{1, 9, 3, 2}, AtLeast{3, MinP(0.5)}, ids{1, 2, 3}},
		{"at least 9 of min-p", []float32{1, 9, masked, 2}, AtLeast{9, MinP(0.5)}, ids{0, 1, 3}},
	} {
		if got := keptBy(t, c.logits, c.step); !slices.Equal(got, c.want) {
			t.Errorf("%s: %T%+v keeps %v, want %v", c.name, c.step, c.step, got, c.want)
		}
	}
}

// A weight below the largest that equals its bound is kept, and one that is next below is not.
func TestTiesOfWeights(t *testing.T) {
	found := 0
	for i := range 200 {
		logits := []float32{0, float32(i) / 128, -9}
		var d Distribution
		if err := d.Reset(logits); err != nil {
			t.Fatal(err)
		}
		d.weigh()
		w, p := d.weights[0], d.Prob(0)
		if w == 1 {
			continue
		}
		if got := keptBy(t, logits, MinP(w)); !slices.Equal(got, []int{0, 1}) {
			t.Fatalf("min-p of the weight %v keeps %v", w, got)
		}
		if got := keptBy(t, logits, MinP(math.Nextafter(w, 1))); !slices.Equal(got, []int{1}) {
			t.Fatalf("min-p of more than the weight %v keeps %v", w, got)
		}
		if float64(p*d.total) != w || float64(math.Nextafter(p, 1)*d.total) == w {
			continue
		}
		found++
		if got := keptBy(t, logits, Epsilon(p)); !slices.Equal(got, []int{0, 1}) {
			t.Fatalf("epsilon of the probability %v keeps %v", p, got)
		}
		if got := keptBy(t, logits, Epsilon(math.Nextafter(p, 1))); !slices.Equal(got, []int{1}) {
			t.Fatalf("epsilon of more than the probability %v keeps %v", p, got)
		}
		if got := keptBy(t, logits, XTC{Probability: 1, Threshold: min(p, 0.5)}); p < 0.5 && !slices.Equal(got,
			[]int{0, 2}) {
			t.Fatalf("xtc of the probability %v keeps %v", p, got)
		}
		if got := keptBy(t, logits, XTC{Probability: 1, Threshold: min(math.Nextafter(p, 1), 0.5)}); p < 0.5 &&
			len(got) != 3 {
			t.Fatalf("xtc of more than the probability %v keeps %v", p, got)
		}
	}
	if found < 20 {
		t.Errorf("%d cases, want more", found)
	}
}

// Mirostat 1 keeps int(k) tokens, at least one, and all where the law says nothing.
func TestZipfCount(t *testing.T) {
	for _, c := range []struct {
		name   string
		logits []float32
		m      int
		mu     float64
		want   int
	}{
		{"one token", []float32{1}, 100, 5, 0},
		{"equal tokens", make([]float32, 8), 100, 5, 0}, // s is 0: (2^5/7)^∞
		{"equal tokens and little surprise", make([]float32, 8), 100, 1, 1},
		{"no surprise", []float32{3, 2, 1, 0}, 100, -9, 1},
		{"s of 1", []float32{0, -float32(math.Ln2)}, 2, 0.3, 1},
	} {
		var d Distribution
		if err := d.Reset(c.logits); err != nil {
			t.Fatal(err)
		}
		if got := d.zipfCount(c.m, c.mu); got != c.want {
			t.Errorf("%s: %d tokens, want %d", c.name, got, c.want)
		}
	}
}

// Logits beyond float32 are ranked and weighed by what they are.
func TestEditsBeyondFloat32(t *testing.T) {
	for _, c := range []struct {
		name string
		step Step
		want []int
	}{
		{"top-k", TopK(1), []int{2}},
		{"top-k 2", TopK(2), []int{1, 2}},
		{"top-k with ties", TopKTies(2), []int{1, 2}},
		{"top-p", TopP(0.9), []int{2}},
		{"min-p", MinP(0.1), []int{2}},
		{"greedy", Temperature(0), []int{2}},
		{"top-n-sigma", TopNSigma(0.8), []int{2}},
		{"typical-p", TypicalP(0.9), []int{2}},
		{"allowed", AllowedTokens{3, 1, 1}, []int{1, 3}},
		{"suppressed", SuppressedTokens{2, 0}, []int{1, 3, 4}},
	} {
		for _, look := range []bool{false, true} {
			var d Distribution
			if err := d.Reset([]float32{0, 1, 2, 3, float32(math.Inf(-1)), 1}[:5]); err != nil {
				t.Fatal(err)
			}
			if err := (LogitBias{1: 1e300, 2: 2e300, 0: -1e300, 4: 3}).Apply(&d, nil); err != nil {
				t.Fatal(err)
			}
			if look {
				if d.Prob(2) != 1 || d.Rank(1) != 2 || d.Rank(0) != 4 || d.Len() != 4 || d.Rank(4) != 0 {
					t.Fatalf("probability %v, ranks %d, %d and %d of %d", d.Prob(2), d.Rank(1), d.Rank(0),
						d.Rank(4), d.Len())
				}
			}
			if err := c.step.Apply(&d, nil); err != nil {
				t.Fatal(err)
			}
			var got []int
			for id := range d.All() {
				got = append(got, id)
			}
			if c.name == "suppressed" {
				c.want = []int{1, 3}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: keeps %v, want %v", c.name, got, c.want)
			}
		}
	}
}

// The first of equal logits is the lowest token, also where they have become equal, and float32 does not decide.
func TestTiesOfEdits(t *testing.T) {
	next := math.Nextafter32(2, 3)
	for _, c := range []struct {
		name   string
		logits []float32
		steps  Chain
		want   int
	}{
		{"raised to the top", []float32{1, 3}, Chain{LogitBias{0: 2}}, 0},
		{"raised to the top by a higher token", []float32{3, 1}, Chain{LogitBias{1: 2}}, 0},
		{"lowered to the next", []float32{1, 3, 4, 3}, Chain{LogitBias{2: -1}}, 1},
		{"equal between two float32", []float32{9, 2, 2, 2}, Chain{LogitBias{2: 1e-9, 3: 1e-9}, SuppressedTokens{0}}, 2},
		{"next to a float32", []float32{9, 2, next, 2}, Chain{LogitBias{1: 1e-9, 3: 1e-9}, SuppressedTokens{0}}, 2},
		{"just above a float32", []float32{9, 2, 2, 2}, Chain{LogitBias{3: 1e-9}, SuppressedTokens{0}}, 3},
		{"of a list", []float32{9, 2, 3, 2}, Chain{TopK(4), TopP(0.9999), LogitBias{0: -20, 2: -1}}, 1},
	} {
		if got := keptBy(t, c.logits, append(c.steps, Temperature(0))); !slices.Equal(got, []int{c.want}) {
			t.Errorf("%s: greedy takes %v, want %d", c.name, got, c.want)
		}
		if got := keptBy(t, c.logits, append(c.steps, TopK(1))); !slices.Equal(got, []int{c.want}) {
			t.Errorf("%s: top-k takes %v, want %d", c.name, got, c.want)
		}
	}

	// The threshold of top-k is an edited logit when the float32 above it comes.
	logits := make([]float32, 100)
	for i := range logits {
		logits[i] = float32(i) - 100
	}
	logits[64], logits[70] = 2, next
	for i := 71; i < 100; i++ {
		logits[i] = -200
	}
	if got := keptBy(t, logits, Chain{LogitBias{64: 1e-9}, TopK(1)}); !slices.Equal(got, []int{70}) {
		t.Errorf("top-k takes %v, want 70", got)
	}
}
