package sampler_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/logits-go/logits/sampler"
)

// reference is the distribution of the whole chain by definition: sort, add up in float64, cut. It shares
// nothing with the package but the meaning.
func reference(s sampler.Sampler, logits []float32) []float64 {
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(logits[b], logits[a]), cmp.Compare(a, b))
	})
	if s.Temperature == 0 {
		order = order[:1]
	}
	if s.TopK > 0 {
		order = order[:min(s.TopK, len(order))]
	}
	weights := make([]float64, len(order))
	for i, id := range order {
		weights[i] = math.Exp((float64(logits[id]) - float64(logits[order[0]])) / cmp.Or(s.Temperature, 1))
	}
	total := 0.0
	for _, w := range slices.Backward(weights) {
		total += w
	}
	if s.TopP > 0 && s.TopP < 1 {
		acc := 0.0
		for i, w := range weights {
			if acc += w; acc >= s.TopP*total {
				order = order[:i+1]
				break
			}
		}
	}
	probs := make([]float64, len(logits))
	total = 0
	for i, id := range order {
		if weights[i] >= s.MinP {
			probs[id] = weights[i]
			total += weights[i]
		}
	}
	for i := range probs {
		probs[i] /= total
	}
	return probs
}

// plain samples as most code does: every probability, a sort where tokens must be ranked, a walk.
func plain(s sampler.Sampler, logits []float32) int {
	best := 0
	for i, x := range logits {
		if x > logits[best] {
			best = i
		}
	}
	if s.Temperature == 0 {
		return best
	}
	type candidate struct {
		id     int
		weight float64
	}
	all, total := make([]candidate, len(logits)), 0.0
	for i, x := range logits {
		all[i] = candidate{i, math.Exp(float64(x-logits[best]) / s.Temperature)}
		total += all[i].weight
	}
	if s.TopK > 0 || s.TopP > 0 {
		slices.SortFunc(all, func(a, b candidate) int { return cmp.Compare(b.weight, a.weight) })
	}
	if s.TopK > 0 {
		all, total = all[:s.TopK], 0
		for _, c := range all {
			total += c.weight
		}
	}
	if s.TopP > 0 {
		acc, n := 0.0, 0
		for acc < s.TopP*total {
			acc += all[n].weight
			n++
		}
		all, total = all[:n], acc
	}
	if s.MinP > 0 {
		n := 0
		total = 0
		for _, c := range all {
			if c.weight >= s.MinP {
				all[n] = c
				total += c.weight
				n++
			}
		}
		all = all[:n]
	}
	target := total * sampler.Uniform(s.Seed, s.Stream, s.Step)
	for _, c := range all {
		if target -= c.weight; target < 0 {
			return c.id
		}
	}
	return best
}

// rows of logits as they occur: untrained, noisy, and of a trained model (a few tokens hold most of the mass).
var rows = map[string]func(rng *rand.Rand) float32{
	"flat":   func(rng *rand.Rand) float32 { return rng.Float32()*2 - 1 },
	"gauss":  func(rng *rand.Rand) float32 { return float32(rng.NormFloat64() * 3) },
	"peaked": func(rng *rand.Rand) float32 { return float32(rng.ExpFloat64()*1.1 - 8) },
}

func row(kind string, vocab int) []float32 {
	rng := rand.New(rand.NewPCG(uint64(vocab), 1))
	out := make([]float32, vocab)
	for i := range out {
		out[i] = rows[kind](rng)
	}
	return out
}
