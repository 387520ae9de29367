package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A Part is the node of a result other than the first.
type Part struct {
	of    *Op
	id    uint64
	index int
}

// Of returns the op whose result p is, and which of its results.
func (p *Part) Of() (*Op, int) { return p.of, p.index }

// part returns the i-th result of n, whose op must be an *Op.
func part(n *gorgonia.Node, i int) (*gorgonia.Node, error) {
	if i == 0 {
		return n, nil
	}
	o, ok := n.Op().(*Op)
	if !ok {
		return nil, errors.Errorf("%v has one result", n)
	}
	p := &Part{of: o, index: i}
	return add(p, &p.id, n)
}

// parts returns the first k results of n.
func parts(n *gorgonia.Node, k int) (gorgonia.Nodes, error) {
	ns := make(gorgonia.Nodes, k)
	for i := range ns {
		var err error
		if ns[i], err = part(n, i); err != nil {
			return nil, err
		}
	}
	return ns, nil
}

// Arity, and the methods below, make a Part a gorgonia.SDOp without gradient.
func (p *Part) Arity() int    { return 1 }
func (p *Part) Type() hm.Type { return hm.NewFnType(p.of.out[0].typ(), p.of.out[p.index].typ()) }

// InferShape returns the shape of the result.
func (p *Part) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return p.of.out[p.index].shape.Clone(), nil
}

// Do returns what the last run of the op by one of Gorgonia's machines left.
func (p *Part) Do(...gorgonia.Value) (gorgonia.Value, error) {
	if p.of.tape.out == nil {
		return nil, errors.Errorf("%v has not run", p)
	}
	return p.of.tape.out[p.index], nil
}

func (p *Part) ReturnsPtr() bool      { return false }
func (p *Part) CallsExtern() bool     { return false }
func (p *Part) OverwritesInput() int  { return -1 }
func (p *Part) String() string        { return fmt.Sprintf("%s[%d]", p.of.name, p.index) }
func (p *Part) WriteHash(h hash.Hash) { fmt.Fprintf(h, "logits.%v#%d", p, p.id) }
func (p *Part) Hashcode() uint32      { return hashcode(p) }
func (p *Part) DiffWRT(n int) []bool  { return make([]bool, n) }

// SymDiff reports that the result has no gradient.
func (p *Part) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, errors.Errorf("%v has no gradient", p)
}

var _ gorgonia.SDOp = (*Part)(nil)
