package graph

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// fusion is what a compiler knows of steps that become one.
//
// A sum with the result of an op that can add something to it needs no step: the op runs where the sum would, and adds.
// That may round otherwise: a bias is added after the sum, and so is all but the first part of a long product.
// An op whose rows follow from those of the step before needs none either: that step hands its rows over as they come,
// while they are in a cache.
type fusion struct {
	sums     map[*gorgonia.Node]*gorgonia.Node // for sums, the summand that adds the other one
	summands map[*gorgonia.Node]bool
	waiting  map[*gorgonia.Node]*step // summands that run where their sums would
	wanted   map[result]bool          // results that somebody reads
}

// result is one of the results of the op of a node.
type result struct {
	node  *gorgonia.Node
	index int
}

// planFusion looks for sums in nodes, which are in order. Roots are what the program is for. A product that adds rounds
// otherwise than a sum after it, so a node that computes a value again does what its origin does: the readers of both
// count, which are those that the value has without a Checkpoint.
func planFusion(nodes, roots []*gorgonia.Node, origins map[*gorgonia.Node]*gorgonia.Node) fusion {
	f := fusion{
		sums: make(map[*gorgonia.Node]*gorgonia.Node), summands: make(map[*gorgonia.Node]bool),
		waiting: make(map[*gorgonia.Node]*step), wanted: make(map[result]bool),
	}
	origin := func(n *gorgonia.Node) *gorgonia.Node {
		if first := origins[n]; first != nil {
			return first
		}
		return n
	}
	kept := make(map[*gorgonia.Node]bool)
	for _, n := range roots {
		kept[origin(n)] = true
	}
	readers := make(map[*gorgonia.Node][]*gorgonia.Node)
	for _, n := range nodes {
		for _, in := range children(n) {
			readers[origin(in)] = append(readers[origin(in)], origin(n))
		}
		if p, ok := n.Op().(*op.Part); ok {
			_, i := p.Of()
			f.wanted[result{children(n)[0], i}] = true
		}
	}
	for _, n := range nodes {
		o, ok := n.Op().(*op.Op)
		if !ok || !o.Sum() {
			continue
		}
		in := children(n)
		for _, i := range []int{1, 0} { // the later operand, if both could do it
			if origin(in[0]).ID() > origin(in[1]).ID() {
				i = 1 - i
			}
			if in[0] != in[1] && addsTo(origin(in[i]), origin(n), readers, kept) {
				f.sums[n], f.summands[in[i]] = in[i], true
				break
			}
		}
	}
	return f
}

// addsTo reports whether n can run where its sum with something does: nobody else reads it, and nobody reads its other
// results before the end.
func addsTo(n, sum *gorgonia.Node, readers map[*gorgonia.Node][]*gorgonia.Node, kept map[*gorgonia.Node]bool) bool {
	o, ok := n.Op().(*op.Op)
	if !ok || !o.Plus() || kept[n] {
		return false
	}
	for _, r := range readers[n] {
		if _, part := r.Op().(*op.Part); r != sum && (!part || len(readers[r]) > 0) {
			return false
		}
	}
	return true
}

// emitSum puts a summand, with the other operand of a sum, where the sum is.
func (c *compiler) emitSum(sum, summand *gorgonia.Node, in []int) {
	s := c.waiting[summand]
	other := in[0]
	if other == s.out[0] {
		other = in[1]
	}
	s.in = append(s.in, other)
	s.call.In = append(s.call.In, nil)
	s.plus = true
	c.slot[sum] = s.out[0]
	c.emit(s)
}

// follow lets a step take over rows from the last step of the program, if it needs nothing that comes later, and reports
// whether it does.
func (c *compiler) follow(s *step) bool {
	at := len(c.p.steps) - 1
	if at < 0 || !s.fused.Rowwise() {
		return false
	}
	before := c.p.steps[at]
	if before.fused == nil || !before.fused.Streams() || before.then != nil || s.in[0] != before.out[0] {
		return false
	}
	for _, slot := range s.in[1:] {
		if slices.Contains(before.out, slot) {
			return false
		}
	}
	before.then = newFollower(s)
	c.place(&before.then.step, at)
	return true
}
