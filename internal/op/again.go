package op

import "gorgonia.org/gorgonia"

// Again applies the op of n to in, the operands of n or nodes of the same values, and returns the new node. Inputs,
// constants and ops with a memory of earlier runs are not applied twice: it returns n for these.
func Again(n *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
	switch o := n.Op().(type) {
	case nil:
		return n, nil
	case *Part:
		if _, ok := in[0].Op().(*Op); !ok {
			return n, nil
		}
		return part(in[0], o.index)
	case *Op:
		if o.state != nil {
			return n, nil
		}
		again := *o
		again.in = nil
		m, err := apply(&again, in...)
		if err == nil {
			again.tape.follow = o.tape // drop what o drops
		}
		return m, err
	default:
		if o.Arity() == 0 {
			return n, nil
		}
		return gorgonia.ApplyOp(o, in...)
	}
}
