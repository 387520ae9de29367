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
func compile(cost Node, outputs []Node) (*Program, error) { return compileWith(nil, cost, outputs) }

// compileWith is compile for ops that remember what those of another program do, if states are not nil.
func compileWith(states [][]gorgonia.Value, cost Node, outputs []Node) (p *Program, err error) {
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
	switch {
	case cost == Node{}:
	case g.int8 != nil:
		return nil, errors.New("graph: Compile: a graph with Int8 generates and cannot be trained")
	case g.maxSeq > 0:
		return nil, errors.New("graph: Compile: a graph that generates cannot be trained")
	}
	if _, err := kernel.Path(); err != nil {
		return nil, errors.WithMessage(err, "graph: Compile")
	}
	c := compiler{
		p:     &Program{g: g, outputs: make(map[Node]int), cost: -1},
		slot:  make(map[*gorgonia.Node]int),
		train: cost != Node{},
		given: states != nil, states: states,
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
	at      []int          // by slot, where in its buffer the value begins
	shapes  []tensor.Shape // by slot
	given   bool           // states are there, those that no op has yet
	states  [][]gorgonia.Value
	fusion
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
	nodes := reachable(append(roots, dw...)...)
	c.fusion = planFusion(nodes, append(roots, dw...), g.origins)
	for _, n := range nodes {
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
	return p.continues()
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
			c.slot[n] = c.add(nil, b, c.at[in[0]], n.Shape())
			return nil
		}
		if summand := c.sums[n]; summand != nil {
			c.emitSum(n, summand, in)
			return nil
		}
		s := c.newStep(n, o, in)
		c.slot[n] = s.out[0]
		if c.summands[n] {
			c.waiting[n] = s // until its sum comes
			return nil
		}
		if c.follow(s) {
			return nil
		}
		c.emit(s)
		return nil
	default:
		if o.Arity() == 0 {
			v, err := o.Do()
			if err != nil {
				return errors.Wrap(err, o.String())
			}
			c.slot[n] = c.add(v, nil, 0, n.Shape())
			return nil
		}
		// An op of Gorgonia's own may return memory of its operands, so these live as long as the program.
		c.read(in, forever)
		slot := c.add(nil, nil, 0, n.Shape())
		c.slot[n] = slot
		p.steps = append(p.steps, &step{node: n, stock: o, in: in, out: []int{slot}, call: op.Call{In: make([]gorgonia.Value, len(in))}})
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
			slot := c.add(param.header(), nil, 0, n.Shape())
			c.slot[n] = slot
			c.p.params = append(c.p.params, paramSlot{param, slot})
			return nil
		}
	}
	slot := c.add(nil, nil, 0, n.Shape())
	c.slot[n] = slot
	c.p.inputs = append(c.p.inputs, feedSlot{node: n, dtype: n.Dtype(), shape: n.Shape(), slot: slot})
	return nil
}

// add adds a slot: for a value, for one that begins at a place in a buffer, or for one that differs from run to run.
func (c *compiler) add(v gorgonia.Value, b *buffer, at int, shape tensor.Shape) (slot int) {
	c.p.slots = append(c.p.slots, v)
	c.buffers = append(c.buffers, b)
	c.at = append(c.at, at)
	c.shapes = append(c.shapes, shape)
	return len(c.p.slots) - 1
}

// newStep returns a step that runs the op of n on slots, with room for its results.
func (c *compiler) newStep(n *gorgonia.Node, o *op.Op, in []int) *step {
	s := &step{node: n, fused: o, in: in}
	var joined *buffer
	for i := range o.Results() {
		_, shape := o.Result(i)
		size := shape.TotalSize()
		switch {
		case o.Lazy(i) && !c.wanted[result{n, i}]:
			s.out = append(s.out, c.add(nil, nil, 0, shape))
		case o.Joined() && joined != nil:
			s.out = append(s.out, c.add(nil, joined, joined.size, shape))
			joined.size += size
		default:
			joined = &buffer{size: size}
			s.out = append(s.out, c.add(nil, joined, 0, shape))
		}
	}
	s.call.In = make([]gorgonia.Value, len(in))
	if o.Remembers() {
		s.call.State = c.state(o)
	}
	s.call.Packed = true // kernel.Make leaves a gap between allocations, see Pack
	return s
}

// state returns what the next op to remember something does.
func (c *compiler) state(o *op.Op) []gorgonia.Value {
	if !c.given {
		return o.NewState()
	}
	if len(c.states) == 0 {
		return nil
	}
	first := c.states[0]
	c.states = c.states[1:]
	return first
}

// emit puts a step at the end of the program.
func (c *compiler) emit(s *step) {
	at := len(c.p.steps)
	c.p.steps = append(c.p.steps, s)
	c.place(s, at)
}

// place notes that a step runs at a place in the program.
func (c *compiler) place(s *step, at int) {
	c.read(s.in, at)
	for _, slot := range s.out {
		if b := c.buffers[slot]; b != nil {
			b.first, b.last = at, max(b.last, at)
		}
	}
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
		c.overwrite(s, at)
		if s.then != nil {
			c.overwrite(&s.then.step, at)
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
			p.slots[i] = mem.value(b.root().offset+c.at[i], c.shapes[i])
		}
	}
	for _, s := range p.steps {
		p.results(s)
		if s.then != nil {
			p.results(&s.then.step)
		}
	}
}

// results gives a step the memory of its results.
func (p *Program) results(s *step) {
	for _, slot := range s.out {
		s.call.Out = append(s.call.Out, p.slots[slot])
	}
	for _, v := range s.call.State {
		p.memory += int(v.MemSize())
	}
}

// overwrite lets a step write its first result over the operand that the op allows, if nobody reads that later.
func (c *compiler) overwrite(s *step, at int) {
	operand := 0
	switch {
	case s.fused == nil:
		return
	case s.plus:
		operand = len(s.in) - 1
	case !s.fused.InPlace():
		return
	}
	if c.buffers[s.in[operand]] == nil {
		return
	}
	in, out := c.buffers[s.in[operand]].root(), c.buffers[s.out[0]]
	if in.last != at || in.size != out.size {
		return
	}
	for i, slot := range s.in {
		if i != operand && c.lies(slot, in) {
			return // the op may read it when it has written there
		}
	}
	if next := s.next(); next != nil {
		for _, slot := range next.in {
			if c.lies(slot, in) {
				return // the follower reads it when rows have been written over it
			}
		}
	}
	out.into = in
	in.last = out.last
}

// lies reports whether the value of a slot lies in a buffer.
func (c *compiler) lies(slot int, in *buffer) bool {
	b := c.buffers[slot]
	return b != nil && b.root() == in
}
