package graph

import (
	"slices"

	"github.com/pkg/errors"
	gonum "gonum.org/v1/gonum/graph"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/op"
)

// children returns the operands of n, in order.
func children(n *gorgonia.Node) gorgonia.Nodes {
	var ns gorgonia.Nodes
	for _, c := range gonum.NodesOf(n.Graph().From(n.ID())) {
		ns = append(ns, c.(*gorgonia.Node))
	}
	return ns
}

// reachable returns the nodes that roots depend on, and the roots, operands first. Gorgonia numbers nodes as they are
// made, so their order is that of their ids.
func reachable(roots ...*gorgonia.Node) []*gorgonia.Node {
	seen := make(map[*gorgonia.Node]bool)
	var list []*gorgonia.Node
	for stack := slices.Clone(roots); len(stack) > 0; {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		list = append(list, n)
		stack = append(stack, children(n)...)
	}
	slices.SortFunc(list, func(a, b *gorgonia.Node) int { return int(a.ID() - b.ID()) })
	return list
}

// gradients adds the gradients of cost for the nodes wrt to the graph, by reverse-mode differentiation. The gradient of
// a node that cost does not depend on is nil. Unlike gorgonia.Grad it may be called again for another cost.
func (g *Graph) gradients(cost *gorgonia.Node, wrt []*gorgonia.Node) (_ map[*gorgonia.Node]*gorgonia.Node, err error) {
	if !cost.Shape().IsScalar() || cost.Dtype() != g.dtype {
		return nil, errors.Errorf("cost is %v %v, want a scalar of %v", cost.Dtype(), cost.Shape(), g.dtype)
	}
	nodes := reachable(cost)
	// needed holds the nodes that the cost depends on and that depend on wrt.
	needed := make(map[*gorgonia.Node]bool)
	for _, n := range nodes {
		if slices.Contains(wrt, n) {
			needed[n] = true
			continue
		}
		in := children(n)
		d, ok := n.Op().(gorgonia.SDOp)
		for i, c := range in {
			switch {
			case !needed[c]:
			case !ok:
				return nil, errors.Errorf("%v has no gradient", n.Op())
			case d.DiffWRT(len(in))[i]:
				needed[n] = true
			}
		}
	}
	one := gorgonia.Value(gorgonia.NewF32(1))
	if g.dtype == tensor.Float64 {
		one = gorgonia.NewF64(1)
	}
	grads := map[*gorgonia.Node]*gorgonia.Node{cost: g.g.Constant(one)}
	again := recomputation{g: g, nodes: nodes, again: make(map[*gorgonia.Node]*gorgonia.Node), done: make(map[int]bool)}
	for _, n := range slices.Backward(nodes) {
		dy := grads[n]
		if !needed[n] || dy == nil || n.Op() == nil {
			continue
		}
		if err := again.enter(n); err != nil {
			return nil, err
		}
		path, before := g.paths[n.ID()], len(g.g.AllNodes())
		in, d := children(n), n.Op().(gorgonia.SDOp)
		values := make(gorgonia.Nodes, len(in))
		for i, c := range in {
			values[i] = again.of(c)
		}
		dx, err := d.SymDiff(values, again.of(n), dy)
		if err == nil && len(dx) != len(in) {
			err = errors.Errorf("%v has %d gradients for %d operands", n.Op(), len(dx), len(in))
		}
		if err != nil {
			if path != "" {
				err = errors.WithMessage(err, path)
			}
			return nil, err
		}
		for i, c := range in {
			switch {
			case !needed[c] || dx[i] == nil || !d.DiffWRT(len(in))[i]:
			case grads[c] == nil:
				grads[c] = dx[i]
			default:
				if grads[c], err = op.Add(grads[c], dx[i]); err != nil {
					return nil, errors.WithMessagef(err, "gradient of %v", c)
				}
			}
		}
		for _, made := range g.g.AllNodes()[before:] {
			g.paths[made.ID()] = path
		}
	}
	return grads, nil
}
