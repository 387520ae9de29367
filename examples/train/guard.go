package main

import (
	"context"
	"math"
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// errLoss is what a loss that is NaN or infinite is until there is a better explanation.
var errLoss = errors.New("the loss is NaN or infinite")

// finite returns an error if a loss is NaN or infinite.
func finite(loss float64) error {
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return errLoss
	}
	return nil
}

// refused explains why a step was not taken. If the reason is a NaN or an infinity, and fewer steps have been left out
// than may be, training goes on without it: weights and optimizer are as before.
func (t *training) refused(ctx context.Context, reason error) error {
	var node *graph.NonFiniteError
	diagnosis := t.trainer.Diagnose(ctx, t.feeds...)
	if !errors.As(diagnosis, &node) {
		return errors.WithMessagef(reason, "step %d", t.step)
	}
	if t.skipped >= t.s.skip {
		return errors.WithMessagef(diagnosis, "step %d has not changed the weights: %v", t.step, reason)
	}
	t.skipped++
	t.log.skip(t.step, node.Error())
	return nil
}

// Losses are compared with so many before them, at least.
const (
	spikeWindow = 100
	spikeLeast  = 20
)

// spike returns how many standard deviations the last loss lies above the median of those before it, where the standard
// deviation is estimated by the median of the distances from the median, which spikes themselves do not change.
func spike(losses []float64) float64 {
	n := len(losses) - 1
	if n < spikeLeast {
		return 0
	}
	last, window := losses[n], slices.Clone(losses[max(0, n-spikeWindow):n])
	center := median(window)
	for i, x := range window {
		window[i] = math.Abs(x - center)
	}
	deviation := 1.4826 * median(window) // as of a normal distribution
	return (last - center) / max(deviation, 1e-6*math.Abs(center), 1e-12)
}

// median sorts x and returns the number in the middle.
func median(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}
