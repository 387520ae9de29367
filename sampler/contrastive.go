package sampler

import (
	"context"
	"math"
	"slices"

	"github.com/pkg/errors"
)

// Contrastive is a Model made of two: contrastive decoding (Li et al., "Contrastive decoding: open-ended text generation
// as optimization", 2022), which prefers what Expert, a large model, finds more probable than Amateur, a small one. With
// e and a the probabilities of a token, its logit is
//
//	log e - log a, if e is at least Alpha times the largest e
//	-Inf, otherwise
//
// where Temperature applies to a. The second line is the plausibility constraint: without it the tokens that
// neither model believes in would have their say. The row that Next returns holds the logits less the largest of them.
//
// A token that either model masks is masked; the formula would give one that only Amateur masks +Inf. If that leaves
// none, no distribution is left and a Sampler reports a [LogitsError].
//
// Both models must be fresh, or hold what the prompt continues, and have the same vocabulary. After an error of one of
// them they may no longer hold the same tokens, so every later call returns that error.
type Contrastive struct {
	Expert      Model
	Amateur     Model   // another Model than Expert
	Alpha       float64 // in [0, 1]; the paper has 0.1, and 0 switches the constraint off
	Temperature float64 // of Amateur; the paper has 0.5 for GPT-2; 0 is 1

	pair pair
}

// Next appends tokens to the texts of both models and returns the logits (vocab) of the token to follow. The next call
// overwrites them.
func (c *Contrastive) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	if !(c.Alpha >= 0 && c.Alpha <= 1) {
		return nil, errors.Errorf("sampler: contrastive: alpha is %v, want 0 to 1", c.Alpha)
	}
	if c.Temperature != 0 && !(c.Temperature >= 1e-9 && c.Temperature <= 1e9) {
		return nil, errors.Errorf("sampler: contrastive: the temperature is %v, want 1e-9 to 1e9, or 0", c.Temperature)
	}
	e, a, err := c.pair.next(ctx, c.Expert, c.Amateur, tokens, tokens)
	if err != nil {
		return nil, errors.WithMessage(err, "sampler: contrastive")
	}
	if c.Temperature > 0 && c.Temperature != 1 {
		for i := range a {
			a[i] /= c.Temperature
		}
		if a, err = LogSoftmax(a, a); err != nil {
			return nil, errors.WithMessage(err, "sampler: contrastive")
		}
	}
	least := slices.Max(e) + math.Log(c.Alpha)
	for i := range e {
		if e[i] < least || masked(e[i]) || masked(a[i]) {
			e[i] = math.Inf(-1)
			continue
		}
		e[i] -= a[i]
	}
	return c.pair.row(e), nil
}
