package sampler_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/logits-go/logits/sampler"
)

// anyLogits draws a row that defines a distribution: with logits that are equal, far apart, or masked.
func anyLogits() *rapid.Generator[[]float32] {
	logit := rapid.OneOf(
		rapid.Float32Range(-10, 10),
		rapid.SampledFrom([]float32{0, 1, 1, -3e38, 3e38, 1e-30, 88, -88, float32(math.Inf(-1))}),
	)
	return rapid.SliceOfN(logit, 1, 40).Filter(func(row []float32) bool {
		_, err := sampler.Argmax(row)
		return err == nil
	})
}

// left returns the probabilities that steps leave of a row.
func left(t *rapid.T, row []float32, steps ...sampler.Step) []float64 {
	var d sampler.Distribution
	if err := d.Reset(row); err != nil {
		t.Fatal(err)
	}
	h := sampler.NewHistory(0)
	h.Toss = 0.5
	if err := sampler.Chain(steps).Apply(&d, &h); err != nil {
		t.Fatalf("%v: %v", steps, err)
	}
	return d.Probs(nil)
}

// support returns how many tokens have a probability.
func support(probs []float64) (n int) {
	for _, p := range probs {
		if p > 0 {
			n++
		}
	}
	return n
}

// Any chain of filters leaves some of the tokens, none that was masked, with probabilities that sum to 1 and keep their
// order, and draws none of the others.
func TestFilterProperties(t *testing.T) {
	unit := rapid.Float64Range(0, 1)
	step := rapid.OneOf(
		rapid.Map(rapid.Float64Range(0.01, 10), func(v float64) sampler.Step { return sampler.Temperature(v) }),
		rapid.Map(rapid.IntRange(0, 50), func(v int) sampler.Step { return sampler.TopK(v) }),
		rapid.Map(rapid.IntRange(0, 50), func(v int) sampler.Step { return sampler.TopKTies(v) }),
		rapid.Map(unit, func(v float64) sampler.Step { return sampler.TopP(v) }),
		rapid.Map(unit, func(v float64) sampler.Step { return sampler.MinP(v) }),
		rapid.Map(unit, func(v float64) sampler.Step { return sampler.TypicalP(v) }),
		rapid.Map(unit, func(v float64) sampler.Step { return sampler.TopH(v) }),
		rapid.Map(rapid.Float64Range(0, 0.99), func(v float64) sampler.Step { return sampler.Epsilon(v) }),
		rapid.Map(rapid.Float64Range(0, 0.99), func(v float64) sampler.Step { return sampler.Eta(v) }),
		rapid.Map(rapid.Float64Range(0, 5), func(v float64) sampler.Step { return sampler.TopNSigma(v) }),
		rapid.Map(rapid.Float64Range(0, 0.5), func(v float64) sampler.Step { return sampler.XTC{Probability: 1, Threshold: v} }),
		rapid.Just[sampler.Step](sampler.PLess{}),
	)
	rapid.Check(t, func(t *rapid.T) {
		row := anyLogits().Draw(t, "logits")
		steps := rapid.SliceOfN(step, 0, 5).Draw(t, "steps")
		before, after := left(t, row), left(t, row, steps...)
		sum := 0.0
		for i, p := range after {
			if !(p >= 0 && p <= 1+1e-12) || p > 0 && math.IsInf(float64(row[i]), -1) {
				t.Fatalf("token %d of logit %v has probability %v", i, row[i], p)
			}
			for j, q := range after {
				if p > 0 && q > 0 && before[i] > before[j] && p < q {
					t.Fatalf("tokens %d and %d change places: %v, %v were %v, %v", i, j, p, q, before[i], before[j])
				}
			}
			sum += p
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Fatalf("probabilities sum to %v", sum)
		}
		if support(after) == 0 {
			t.Fatal("no token is left")
		}
		s := sampler.Sampler{Steps: steps, Seed: rapid.Uint64().Draw(t, "seed")}
		if s.Steps == nil {
			s.Steps = sampler.Chain{}
		}
		if token, err := s.Sample(row); err != nil || len(steps) > 0 && !hasXTC(steps) && !(after[token] > 0) {
			t.Fatalf("token %d is drawn, %v, of %v", token, err, after)
		}
	})
}

// hasXTC reports whether a chain tosses, and may leave other tokens each time.
func hasXTC(steps []sampler.Step) bool {
	for _, s := range steps {
		if _, ok := s.(sampler.XTC); ok {
			return true
		}
	}
	return false
}

// What a filter keeps, it keeps of the tokens there are; the more a setting allows, the more stay, all of the others among
// them.
func TestFiltersAreMonotone(t *testing.T) {
	unit := rapid.Float64Range(1e-6, 1)
	filters := map[string]struct {
		setting *rapid.Generator[float64]
		step    func(v float64) sampler.Step // that keeps more, the larger v is
	}{
		"TopK":      {rapid.Float64Range(1, 45), func(v float64) sampler.Step { return sampler.TopK(int(v)) }},
		"TopKTies":  {rapid.Float64Range(1, 45), func(v float64) sampler.Step { return sampler.TopKTies(int(v)) }},
		"TopP":      {unit, func(v float64) sampler.Step { return sampler.TopP(v) }},
		"MinP":      {unit, func(v float64) sampler.Step { return sampler.MinP(1 - v) }},
		"TypicalP":  {unit, func(v float64) sampler.Step { return sampler.TypicalP(v) }},
		"TopH":      {unit, func(v float64) sampler.Step { return sampler.TopH(v) }},
		"Epsilon":   {unit, func(v float64) sampler.Step { return sampler.Epsilon((1 - v) * 0.99) }},
		"Eta":       {unit, func(v float64) sampler.Step { return sampler.Eta((1 - v) * 0.99) }},
		"TopNSigma": {rapid.Float64Range(1e-6, 6), func(v float64) sampler.Step { return sampler.TopNSigma(v) }},
	}
	for name, f := range filters {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				row := anyLogits().Draw(t, "logits")
				a, b := f.setting.Draw(t, "a"), f.setting.Draw(t, "b")
				all, few, more := left(t, row), left(t, row, f.step(min(a, b))), left(t, row, f.step(max(a, b)))
				for i := range row {
					if few[i] > 0 && more[i] == 0 && all[i] > 1e-300 {
						t.Fatalf("token %d stays with %v and not with %v", i, f.step(min(a, b)), f.step(max(a, b)))
					}
				}
				if support(few) > support(more) {
					t.Fatalf("%v keeps %d tokens, %v only %d", f.step(min(a, b)), support(few), f.step(max(a, b)), support(more))
				}
			})
		})
	}
}

// A higher temperature makes a distribution flatter: its entropy does not fall.
func TestTemperatureProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SliceOfN(rapid.Float32Range(-10, 10), 1, 40).Draw(t, "logits")
		a, b := rapid.Float64Range(0.05, 20).Draw(t, "a"), rapid.Float64Range(0.05, 20).Draw(t, "b")
		entropy := func(temperature float64) float64 {
			var d sampler.Distribution
			if err := d.Reset(row); err != nil {
				t.Fatal(err)
			}
			if err := d.Temperature(temperature); err != nil {
				t.Fatal(err)
			}
			return d.Entropy()
		}
		if low, high := entropy(min(a, b)), entropy(max(a, b)); low > high+1e-9 {
			t.Fatalf("entropy %v at %v and %v at %v", low, min(a, b), high, max(a, b))
		}
	})
}
