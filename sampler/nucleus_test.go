package sampler

import (
	"math"
	"math/rand/v2"
	"testing"
)

// nucleusOf returns how many tokens top-p keeps of a row and their bits, weighed before, which takes no guess, or not.
func nucleusOf(t *testing.T, row []float32, p float64, look bool) (d *Distribution, hash uint64) {
	t.Helper()
	d = new(Distribution)
	if err := d.Reset(row); err != nil {
		t.Fatal(err)
	}
	if look {
		d.weigh()
	}
	if err := d.TopP(p); err != nil {
		t.Fatal(err)
	}
	for id, q := range d.All() {
		hash = hash*1099511628211 + uint64(id)
		hash = hash*1099511628211 + math.Float64bits(q)
	}
	return d, hash
}

// However wrong the guess of where the nucleus ends, the nucleus is the same, to the bit.
func TestGuessesDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for _, vocab := range []int{2 * sampled, 5000, 40000} {
		for name, logit := range map[string]func(seen bool) float64{
			"like the others":      func(bool) float64 { return rng.NormFloat64() * 3 },
			"sampled are light":    func(seen bool) float64 { return rng.NormFloat64() - map[bool]float64{true: 60}[seen] },
			"sampled are heavy":    func(seen bool) float64 { return rng.NormFloat64() + map[bool]float64{true: 3}[seen] },
			"all are equal":        func(bool) float64 { return 1 },
			"sampled are masked":   func(seen bool) float64 { return rng.NormFloat64() - map[bool]float64{true: math.Inf(1)}[seen] },
			"others are masked":    func(seen bool) float64 { return rng.NormFloat64() - map[bool]float64{false: math.Inf(1)}[seen] },
			"most weigh nothing":   func(bool) float64 { return -rng.ExpFloat64() * 400 },
			"sampled less, always": func(seen bool) float64 { return rng.Float64() - map[bool]float64{true: 0.5}[seen] },
		} {
			seen := make([]bool, vocab)
			for i := range sampled / 64 {
				lo := i * (vocab - 64) / (sampled/64 - 1)
				for j := range 64 {
					seen[lo+j] = true
				}
			}
			row := make([]float32, vocab)
			for i := range row {
				row[i] = float32(logit(seen[i]))
			}
			for _, p := range []float64{1e-9, 0.1, 0.5, 0.9, 0.99, 1 - 1e-6} {
				a, hashA := nucleusOf(t, row, p, false)
				b, hashB := nucleusOf(t, row, p, true)
				if hashA != hashB || a.Len() != b.Len() {
					t.Errorf("%s, V=%d, p=%v: %d tokens, want %d", name, vocab, p, a.Len(), b.Len())
				}
			}
		}
	}
}

// Drawing once, which keeps no weights, draws what drawing from weights does.
func TestDrawOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 9))
	for _, vocab := range []int{1, 5, 511, 512, 513, 3000} {
		row := make([]float32, vocab)
		for i := range row {
			row[i] = float32(rng.NormFloat64())
		}
		for _, prepare := range []func(d *Distribution) error{
			func(*Distribution) error { return nil },
			func(d *Distribution) error { return d.Bias(vocab/2, 3) },
			func(d *Distribution) error { return d.TopK(vocab/2 + 1) },
			func(d *Distribution) error { return d.TypicalP(0.7) },
		} {
			var a, b Distribution
			for range 50 {
				for _, d := range []*Distribution{&a, &b} {
					if err := d.Reset(row); err != nil {
						t.Fatal(err)
					}
					if err := prepare(d); err != nil {
						t.Fatal(err)
					}
				}
				u := rng.Float64()
				if got, want := a.drawOnce(u), b.draw(u); got != want {
					t.Fatalf("V=%d, u=%v: drew %d, want %d", vocab, u, got, want)
				}
			}
		}
	}
}
