package samplertest

import (
	"cmp"
	"math"
	"slices"
)

// Plain draws tokens as most code does: it makes every probability, sorts the vocabulary where tokens must be ranked, and
// walks along what is left. It is what a fast sampler's time is measured beside. Its fields are those of sampler.Sampler,
// and are not checked.
type Plain struct {
	Temperature float64 // 0 is greedy
	TopK        int     // 0 keeps all
	TopP, MinP  float64 // 0 keeps all
}

// candidate is a token and its probability, times some number.
type candidate struct {
	token  int
	weight float64
}

// Draw returns the token for a number u in [0, 1).
func (p Plain) Draw(logits []float32, u float64) int {
	best := 0
	for i, x := range logits {
		if x > logits[best] {
			best = i
		}
	}
	if p.Temperature == 0 {
		return best
	}
	all, total := make([]candidate, len(logits)), 0.0
	for i, x := range logits {
		all[i] = candidate{i, math.Exp(float64(x-logits[best]) / p.Temperature)}
		total += all[i].weight
	}
	if p.TopK > 0 || p.TopP > 0 {
		slices.SortFunc(all, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.token, b.token))
		})
	}
	if p.TopK > 0 {
		all, total = all[:min(p.TopK, len(all))], 0
		for _, c := range all {
			total += c.weight
		}
	}
	if p.TopP > 0 {
		n, mass := 0, 0.0
		for n < len(all) && mass < p.TopP*total {
			mass += all[n].weight
			n++
		}
		all, total = all[:n], mass
	}
	if p.MinP > 0 {
		kept := all[:0]
		total = 0
		for _, c := range all {
			if c.weight >= p.MinP {
				kept = append(kept, c)
				total += c.weight
			}
		}
		all = kept
	}
	target := total * u
	for _, c := range all {
		if target -= c.weight; target < 0 {
			return c.token
		}
	}
	return best
}
