package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// Checkpoint returns f(x) and has the backward pass compute the values inside f again, https://arxiv.org/abs/1604.06174.
// Until then only x is kept of them, so a stack of n blocks, each in a Checkpoint, keeps n values and the inside of one
// block instead of the inside of all. That costs a second forward pass through them, a third of the time of a step at
// most. Loss and gradients have the bits they have without it. A Checkpoint inside f has no effect of its own, and none
// has one in programs that do not train.
func Checkpoint(f func(x Node) Node, x Node) (y Node) {
	g := x.g
	switch {
	case f == nil && g != nil:
		return g.Wrap(nil, errors.New("Checkpoint: the function is nil"))
	case f == nil:
		return Node{}
	case g == nil || g.recording:
		return f(x)
	}
	g.recording = true
	defer func() {
		g.recording = false
		if r := recover(); r != nil {
			y = g.Wrap(nil, errors.Errorf("Checkpoint of x %v: %v", x.Shape(), r))
		}
	}()
	before := len(g.g.AllNodes())
	y = f(x)
	g.checkpoints++
	for _, n := range g.g.AllNodes()[before:] {
		g.regions[n] = g.checkpoints
	}
	return y
}

// recomputation makes the nodes that compute the values inside Checkpoints, their regions, again.
type recomputation struct {
	g     *Graph
	nodes []*gorgonia.Node // of the forward pass, in order
	again map[*gorgonia.Node]*gorgonia.Node
	done  map[int]bool // regions
}

// of returns the node whose value the backward pass finds in place of n's: n itself unless a Checkpoint has it.
func (c *recomputation) of(n *gorgonia.Node) *gorgonia.Node {
	if m := c.again[n]; m != nil {
		return m
	}
	return n
}

// enter adds the region of n, if it is in one, to the graph a second time. The backward pass comes to n then, so the
// new nodes run after the gradients of all that follows the region.
func (c *recomputation) enter(n *gorgonia.Node) error {
	r := c.g.regions[n]
	if r == 0 || c.done[r] {
		return nil
	}
	c.done[r] = true
	for _, n := range c.nodes {
		if c.g.regions[n] != r {
			continue
		}
		var in gorgonia.Nodes
		for _, child := range children(n) {
			in = append(in, c.of(child))
		}
		m, err := op.Again(n, in)
		if err != nil {
			return errors.WithMessage(err, "computing again")
		}
		c.again[n] = m
		if m != n {
			c.g.origins[m] = n
		}
		if path, ok := c.g.paths[n.ID()]; ok && m != n {
			c.g.paths[m.ID()] = path
		}
	}
	return nil
}
