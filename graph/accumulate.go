package graph

import (
	"context"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Accumulate runs the program once for each feed and leaves the parameters with the mean of the gradients, as one run
// on a batch of all feeds would where each feed counts as many targets. It returns the mean cost. Outputs keep the
// values of the last feed. After an error there are no gradients.
func (p *Program) Accumulate(ctx context.Context, feeds ...Feed) (cost float64, err error) {
	if p.cost < 0 {
		return 0, errors.New("graph: Accumulate: the program does not train")
	}
	if len(feeds) == 0 {
		return 0, errors.New("graph: Accumulate: no feeds")
	}
	began := p.runs
	for i, feed := range feeds {
		err := p.Run(ctx, feed)
		p.began = began
		if err != nil {
			return 0, errors.WithMessagef(err, "graph: Accumulate: feed %d", i)
		}
		cost += scalar(p.slots[p.cost]) / float64(len(feeds))
		if len(feeds) > 1 {
			for k := range p.grads {
				p.grads[k].add(p, i == 0)
			}
		}
	}
	if len(feeds) > 1 {
		for k := range p.grads {
			p.grads[k].finish(p, len(feeds))
		}
	}
	return cost, nil
}

// add adds the gradient of the last run to the sum, in float64 so that the mean does not depend on its size.
func (g *gradSlot) add(p *Program, first bool) {
	d := p.slots[g.slot].(*tensor.Dense)
	if g.mean == nil {
		g.mean = make([]float64, d.Shape().TotalSize())
	}
	if first {
		clear(g.mean)
	}
	if d.Dtype() == tensor.Float64 {
		for i, v := range d.Float64s() {
			g.mean[i] += v
		}
		return
	}
	for i, v := range d.Float32s() {
		g.mean[i] += float64(v)
	}
}

// finish writes the mean of n gradients where the gradient of a run stands.
func (g *gradSlot) finish(p *Program, n int) {
	d := p.slots[g.slot].(*tensor.Dense)
	if d.Dtype() == tensor.Float64 {
		out := d.Float64s()
		for i := range out {
			out[i] = g.mean[i] / float64(n)
		}
		return
	}
	out := d.Float32s()
	for i := range out {
		out[i] = float32(g.mean[i] / float64(n))
	}
}
