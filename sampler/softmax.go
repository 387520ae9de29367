package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// Argmax returns the token with the largest logit, the lowest such token if several share it.
// It refuses the rows that [LogitsError] names, as everything in this package does.
func Argmax[F float32 | float64](logits []F) (int, error) {
	best, top := -1, F(math.Inf(-1))
	for i := above(logits, 0, top); i < len(logits); i = above(logits, i+1, top) {
		best, top = i, logits[i]
		if top != top || math.IsInf(float64(top), 1) {
			return -1, badLogit(i, float64(top), len(logits))
		}
	}
	if best < 0 {
		return -1, badLogit(-1, math.Inf(-1), len(logits))
	}
	return best, nil
}

// Softmax returns the probabilities exp(logits[i]) / Σ exp(logits[j]), stored in dst if it has room for
// them. They are computed in float64 after subtracting the largest logit, so no finite logits overflow.
// A logit of -Inf has probability 0. dst may be logits.
func Softmax[F float32 | float64](dst []float64, logits []F) ([]float64, error) {
	best, err := Argmax(logits)
	if err != nil {
		return nil, err
	}
	dst = slices.Grow(dst[:0], len(logits))[:len(logits)]
	top, total := float64(logits[best]), 0.0
	for lo := 0; lo < len(logits); lo += block {
		hi := min(lo+block, len(logits))
		total += exps(dst[lo:hi], logits[lo:hi], top, 1)
	}
	for i := range dst {
		dst[i] /= total
	}
	return dst, nil
}

// LogSoftmax returns the natural logarithms of the probabilities of [Softmax], stored in dst if it has room
// for them. They stay finite where the probability itself underflows; a logit of -Inf gives -Inf.
// dst may be logits.
func LogSoftmax[F float32 | float64](dst []float64, logits []F) ([]float64, error) {
	top, logTotal, err := logSumExp(logits)
	if err != nil {
		return nil, err
	}
	dst = slices.Grow(dst[:0], len(logits))[:len(logits)]
	for i, x := range logits {
		dst[i] = (float64(x) - top) - logTotal
	}
	return dst, nil
}

// LogProb returns the natural logarithm of the probability that logits give to token: the score of a token
// before temperature and filters. Its negation is the token's cross-entropy in nats.
func LogProb[F float32 | float64](logits []F, token int) (float64, error) {
	top, logTotal, err := logSumExp(logits)
	if err != nil {
		return 0, err
	}
	if token < 0 || token >= len(logits) {
		return 0, errors.Errorf("sampler: token %d is not in [0, %d)", token, len(logits))
	}
	return (float64(logits[token]) - top) - logTotal, nil
}

// logSumExp returns the largest logit and log Σ exp(logits[i] - largest). The two are not added, since a
// large first would drown the second.
func logSumExp[F float32 | float64](logits []F) (top, logTotal float64, err error) {
	best, err := Argmax(logits)
	if err != nil {
		return 0, 0, err
	}
	top = float64(logits[best])
	var buf [block]float64
	total := 0.0
	for lo := 0; lo < len(logits); lo += block {
		hi := min(lo+block, len(logits))
		total += exps(buf[:], logits[lo:hi], top, 1)
	}
	return top, math.Log(total), nil
}

// Multinomial returns the first token i with weights[0] + ... + weights[i] > u·Σ weights, which draws a token
// with probability proportional to its weight if u is uniform in [0, 1). The weights need not sum to 1; a
// token of weight 0 is never returned. Weights that are negative or not finite, or that sum to 0 or to
// infinity, are an error.
func Multinomial(weights []float64, u float64) (int, error) {
	if err := checkUniform(u); err != nil {
		return -1, err
	}
	total := 0.0
	for i, w := range weights {
		if !(w >= 0 && w <= math.MaxFloat64) {
			return -1, errors.Errorf("sampler: weight %d is %v", i, w)
		}
		total += w
	}
	if !(total > 0 && total <= math.MaxFloat64) {
		return -1, errors.Errorf("sampler: %d weights sum to %v", len(weights), total)
	}
	return walk(weights, u*total), nil
}

// walk returns the first i with w[0] + ... + w[i] > target, or the last i with w[i] > 0 where rounding has
// left the sum short of the target. w must hold a positive weight.
func walk(w []float64, target float64) int {
	acc, last := 0.0, 0
	for i, v := range w {
		if v > 0 {
			acc += v
			last = i
			if acc > target {
				break
			}
		}
	}
	return last
}
