package graph

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/internal/op"
)

// compile readies the graph of outputs; if cost is one of them, for training.
func compile(cost Node, outputs []Node) (p *Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, errors.Errorf("graph: Compile: %v", r)
		}
	}()
	var g *Graph
	for _, o := range outputs {
		if o.g != nil {
			g = o.g
			break
		}
	}
	switch {
	case len(outputs) == 0:
		return nil, errors.New("graph: Compile: no outputs")
	case g == nil:
		return nil, errors.New("graph: Compile: output 0 is no node of a graph")
	case g.err != nil:
		return nil, errors.WithMessage(g.err, "graph")
	}
	for i, o := range outputs {
		switch {
		case o.g == nil || o.n == nil:
			return nil, errors.Errorf("graph: Compile: output %d is no node of a graph", i)
		case o.g != g:
			return nil, errors.Errorf("graph: Compile: output %d belongs to another graph", i)
		}
	}
	if _, err := kernel.Path(); err != nil {
		return nil, errors.WithMessage(err, "graph: Compile")
	}
	c := compiler{
		p:     &Program{g: g, outputs: make(map[Node]int), cost: -1},
		slot:  make(map[*gorgonia.Node]int),
		train: cost != Node{},
	}
	if err := c.compile(cost, outputs); err != nil {
		return nil, errors.WithMessage(err, "graph: Compile")
	}
	return c.p, nil
}

// A compiler turns nodes into the steps and slots of a program.
type compiler struct {
	p       *Program
	train   bool
	slot    map[*gorgonia.Node]int
	buffers []*buffer      // by slot; nil where the value lies elsewhere
	shapes  []tensor.Shape // by slot
}

func (c *compiler) compile(cost Node, outputs []Node) error {
	p, g := c.p, c.p.g
	var roots []*gorgonia.Node
	for _, o := range outputs {
		roots = append(roots, o.n)
	}
	var trained []*Param
	var dw []*gorgonia.Node
	if c.train {
		var wrt []*gorgonia.Node
		for _, param := range g.order {
			wrt = append(wrt, g.params[param])
		}
		grads, err := g.gradients(cost.n, wrt)
		if err != nil {
			return err
		}
		for i, param := range g.order {
			d := grads[wrt[i]]
			if d == nil {
				continue
			}
			if d, err = own(d, dw); err != nil {
				return err
			}
			trained, dw = append(trained, param), append(dw, d)
		}
		if len(trained) == 0 {
			return errors.New("the cost depends on no parameter")
		}
	}
	for _, n := range reachable(append(roots, dw...)...) {
		if err := c.node(n); err != nil {
			return err
		}
	}
	for _, o := range outputs {
		p.outputs[o] = c.keep(o.n)
	}
	for i, d := range dw {
		p.grads = append(p.grads, gradSlot{param: trained[i], slot: c.keep(d)})
	}
	if c.train {
		p.cost = c.slot[cost.n]
	}
	c.memory()
	return nil
}

// node adds a node whose operands are there already.
func (c *compiler) node(n *gorgonia.Node) error {
	p := c.p
	in := make([]int, 0, 4)
	for _, child := range children(n) {
		in = append(in, c.slot[child])
	}
	switch o := n.Op().(type) {
	case nil:
		return c.leaf(n)
	case *op.Part:
		// The results of an op lie in neighbouring slots.
		_, i := o.Of()
		c.slot[n] = in[0] + i
		return nil
	case *op.Op:
		if o.TrainOnly() && !c.train {
			c.slot[n] = in[0]
			return nil
		}
		if b := c.buffers[in[0]]; o.Alias() && b != nil {
			c.slot[n] = c.add(nil, b, n.Shape())
			return nil
		}
		at := len(p.steps)
		s := step{node: n, fused: o, in: in}
		for i := range o.Results() {
			_, shape := o.Result(i)
			b := &buffer{size: shape.TotalSize(), first: at, last: at}
			s.out = append(s.out, c.add(nil, b, shape))
		}
		s.call.In = make([]gorgonia.Value, len(in))
		s.call.State = o.NewState()
		c.read(in, at)
		c.slot[n] = s.out[0]
		p.steps = append(p.steps, s)
		return nil
	default:
		if o.Arity() == 0 {
			v, err := o.Do()
			if err != nil {
				return errors.Wrap(err, o.String())
			}
			c.slot[n] = c.add(v, nil, n.Shape())
			return nil
		}
		// An op of Gorgonia's own may return memory of its operands, so these live as long as the program.
		c.read(in, forever)
		slot := c.add(nil, nil, n.Shape())
		c.slot[n] = slot
		p.steps = append(p.steps, step{node: n, stock: o, in: in, out: []int{slot}, call: op.Call{In: make([]gorgonia.Value, len(in))}})
		return nil
	}
}

// own returns a node with the value of d whose memory is shared with no other gradient, since whoever clips gradients
// writes to them.
func own(d *gorgonia.Node, others []*gorgonia.Node) (*gorgonia.Node, error) {
	switch o := d.Op().(type) {
	case *op.Part:
		if !slices.Contains(others, d) {
			return d, nil
		}
	case *op.Op:
		if !o.Alias() && !slices.Contains(others, d) {
			return d, nil
		}
	}
	return op.Scale(d, 1)
}

// leaf adds a parameter or an input.
func (c *compiler) leaf(n *gorgonia.Node) error {
	for param, node := range c.p.g.params {
		if node == n {
			c.slot[n] = c.add(param.header(), nil, n.Shape())
			return nil
		}
	}
	slot := c.add(nil, nil, n.Shape())
	c.slot[n] = slot
	c.p.inputs = append(c.p.inputs, feedSlot{node: n, slot: slot})
	return nil
}

// add adds a slot: for a value, for one in a buffer, or for one that differs from run to run.
func (c *compiler) add(v gorgonia.Value, b *buffer, shape tensor.Shape) (slot int) {
	c.p.slots = append(c.p.slots, v)
	c.buffers = append(c.buffers, b)
	c.shapes = append(c.shapes, shape)
	return len(c.p.slots) - 1
}

// read notes that a step reads slots.
func (c *compiler) read(slots []int, step int) {
	for _, s := range slots {
		if b := c.buffers[s]; b != nil {
			b.last = max(b.last, step)
		}
	}
}

// keep makes the value of n outlive the run and returns its slot.
func (c *compiler) keep(n *gorgonia.Node) int {
	c.read([]int{c.slot[n]}, forever)
	return c.slot[n]
}

// memory lets ops write over operands that nobody reads later, and gives all buffers their place.
func (c *compiler) memory() {
	p := c.p
	for at, s := range p.steps {
		if s.fused == nil || !s.fused.InPlace() || c.buffers[s.in[0]] == nil {
			continue
		}
		in, out := c.buffers[s.in[0]].root(), c.buffers[s.out[0]]
		if in.last == at && in.size == out.size {
			out.into = in
			in.last = out.last
		}
	}
	var roots []*buffer
	seen := make(map[*buffer]bool)
	for _, b := range c.buffers {
		if b != nil && !seen[b.root()] {
			seen[b.root()] = true
			roots = append(roots, b.root())
		}
	}
	size := place(roots)
	mem := newArena(p.g.dtype, size)
	p.memory = size * int(p.g.dtype.Size())
	for i, b := range c.buffers {
		if b != nil {
			p.slots[i] = mem.value(b.root().offset, c.shapes[i])
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		for _, slot := range s.out {
			s.call.Out = append(s.call.Out, p.slots[slot])
		}
		for _, v := range s.call.State {
			p.memory += int(v.MemSize())
		}
	}
}
