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
