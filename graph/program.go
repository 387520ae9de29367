package graph

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/op"
)

// A Program is a graph ready to run. It keeps the memory of its values between runs. A program runs on the goroutine
// of its caller, one run at a time; several programs, even of one graph, may run at the same time.
type Program struct {
	g     *Graph
	steps []*step
	slots []gorgonia.Value // every value of the program

	inputs  []feedSlot
	params  []paramSlot
	outputs map[Node]int // slots
	cost    int          // slot of the cost, or -1
	grads   []gradSlot

	past    *op.Sequences // what earlier runs were given, in a generating graph
	tokens  int           // that a run continues each sequence by, then
	runs    uint64        // runs completed
	began   uint64        // of them, before the last Run or Accumulate
	memory  int           // bytes
	ready   bool          // the last run succeeded
	busy    atomic.Bool
	profile []measure // by step; nil unless runs are measured
}

var _ gorgonia.VM = (*Program)(nil)

// A step runs one op.
type step struct {
	node    *gorgonia.Node
	fused   *op.Op      // an op of ours, or
	stock   gorgonia.Op // one of Gorgonia's own
	in, out []int       // slots
	call    op.Call
	plus    bool      // the last operand is added to the first result
	then    *follower // what takes over rows of the first result, or nil
}

// A follower is a step that works on rows as the step before hands them over.
type follower struct {
	step
	rows func(lo, hi int)
}

func newFollower(s *step) *follower {
	f := &follower{step: *s}
	f.rows = func(lo, hi int) { f.fused.RunRows(&f.call, lo, hi) }
	return f
}

// ready gives the call of a step its operands.
func (s *step) ready(p *Program) {
	for i, slot := range s.in {
		s.call.In[i] = p.slots[slot]
	}
	s.call.Run, s.call.Sequences = p.runs, p.past
}

// run executes a step.
func (s *step) run(p *Program) error {
	s.ready(p)
	switch {
	case s.fused == nil:
		return s.runStock(p)
	case s.then != nil:
		s.then.ready(p)
		s.fused.RunThen(&s.call, s.plus, s.then.rows)
		return nil
	case s.plus:
		return s.fused.RunPlus(&s.call)
	}
	return s.fused.Run(&s.call)
}

// runStock executes a step of an op of Gorgonia's own.
func (s *step) runStock(p *Program) error {
	v, err := s.stock.Do(s.call.In...)
	if err != nil {
		return errors.Wrap(err, s.stock.String())
	}
	if !v.Shape().Eq(s.node.Shape()) {
		return errors.Errorf("%v yields %v, want %v", s.stock, v.Shape(), s.node.Shape())
	}
	p.slots[s.out[0]] = v
	return nil
}

type feedSlot struct {
	node  *gorgonia.Node
	dtype tensor.Dtype // of node, which makes a copy of its shape for whoever asks
	shape tensor.Shape
	slot  int
	fed   bool
}

// check returns an error unless v can be the value of the input.
func (in *feedSlot) check(v gorgonia.Value) error {
	if err := op.CheckValue(v, in.dtype, in.shape); err != nil {
		return errors.WithMessagef(err, "input %s %v", in.node.Name(), in.shape)
	}
	d, ok := v.(*tensor.Dense)
	switch {
	case !ok:
	case !slices.Equal(d.Shape(), in.shape): // for Gorgonia a vector is equal to a matrix of one row
		return errors.Errorf("input %s: value is %v %v, want %v %v", in.node.Name(), in.dtype, d.Shape(), in.dtype, in.shape)
	case d.IsMasked():
		return errors.Errorf("input %s: value %v has a mask, which would be ignored", in.node.Name(), in.shape)
	}
	return nil
}

type paramSlot struct {
	param *Param
	slot  int
}

type gradSlot struct {
	param *Param
	slot  int
	mean  []float64 // what Accumulate adds up
}

// A Feed gives values to the inputs of a graph.
type Feed map[Node]tensor.Tensor

// Ints returns a tensor of the given shape over ids, for feeding tokens. It shares ids, so that a program can be fed
// again by writing there. Feeding it is an error unless the shape holds as many ids.
func Ints(ids []int, shape ...int) tensor.Tensor { return over(ids, shape) }

// Floats returns a tensor of the given shape over data, which it shares. Feeding it is an error unless the shape holds
// as many numbers.
func Floats[F float32 | float64](data []F, shape ...int) tensor.Tensor { return over(data, shape) }

// over returns a tensor over data, or nil if the shape does not fit.
func over[T any](data []T, shape []int) tensor.Tensor {
	if len(shape) == 0 || checkShape(shape) != nil || tensor.Shape(shape).TotalSize() != len(data) {
		return (*tensor.Dense)(nil)
	}
	return tensor.New(tensor.WithShape(slices.Clone(shape)...), tensor.WithBacking(data))
}

// Compile readies a graph to compute outputs. It reports the first error met while building them.
func Compile(outputs ...Node) (*Program, error) { return compile(Node{}, outputs) }

// CompileTrain readies a graph to compute outputs and cost, a scalar, and the gradient of cost for every parameter that
// it depends on. After a run [Param.Grad] returns them.
func CompileTrain(cost Node, outputs ...Node) (*Program, error) {
	if cost == (Node{}) {
		return nil, errors.New("graph: Compile: the cost is no node of a graph")
	}
	return compile(cost, append([]Node{cost}, outputs...))
}

// Run computes the outputs for feed, which must hold a value for each input the outputs depend on and nothing else. A
// training program also sets the gradients of the parameters. When ctx ends the run stops between two operations, and
// leaves neither outputs nor gradients.
func (p *Program) Run(ctx context.Context, feed Feed) error {
	return p.exclusively(func() error {
		p.began = p.runs
		if err := p.feed(feed); err != nil {
			return err
		}
		return p.run(ctx)
	})
}

// RunAll runs the program on the values that gorgonia.Let has given to the inputs. With Reset it makes a Program a
// [gorgonia.VM].
func (p *Program) RunAll() error {
	return p.exclusively(func() error {
		for _, in := range p.inputs {
			if err := in.check(in.node.Value()); err != nil {
				return err
			}
			p.slots[in.slot] = in.node.Value()
		}
		return p.run(context.Background())
	})
}

// Reset makes the next run of a program of a generating graph begin new sequences. It does nothing to other programs,
// which are always ready to run again.
func (p *Program) Reset() {
	if p.past != nil {
		clear(p.past.Offsets)
	}
}

// Close does nothing: a Program holds nothing but memory.
func (p *Program) Close() error { return nil }

// exclusively runs f unless another run is under way.
func (p *Program) exclusively(f func() error) error {
	if !p.busy.CompareAndSwap(false, true) {
		return errors.New("graph: Run: the program is running already; compile one for each goroutine")
	}
	defer p.busy.Store(false)
	if p.g == nil {
		return errors.New("graph: Run: the Program is the zero value, which Compile has not made")
	}
	return errors.WithMessage(f(), "graph: Run")
}

// feed takes the values of the inputs.
func (p *Program) feed(feed Feed) error {
	for i := range p.inputs {
		p.inputs[i].fed = false
	}
	count := 0
	for n, v := range feed {
		if n.g != p.g || n.n == nil {
			return errors.New("a fed node belongs to another graph")
		}
		in := p.input(n.n)
		if in == nil {
			return errors.Errorf("node %v is no input of the program", n.n.Name())
		}
		d, ok := v.(*tensor.Dense)
		if !ok {
			return errors.Errorf("input %s: value is %T, want *tensor.Dense", n.n.Name(), v)
		}
		if err := in.check(d); err != nil {
			return err
		}
		in.fed = true
		p.slots[in.slot] = d
		count++
	}
	if count < len(p.inputs) {
		for _, in := range p.inputs {
			if in.fed {
				continue
			}
			// A node made with Gorgonia may have brought its value.
			v := in.node.Value()
			if v == nil {
				return errors.Errorf("input %s %v has no value", in.node.Name(), in.node.Shape())
			}
			if err := in.check(v); err != nil {
				return err
			}
			p.slots[in.slot] = v
		}
	}
	return nil
}

func (p *Program) input(n *gorgonia.Node) *feedSlot {
	for i := range p.inputs {
		if p.inputs[i].node == n {
			return &p.inputs[i]
		}
	}
	return nil
}

// run executes the steps.
func (p *Program) run(ctx context.Context) (err error) {
	if ctx == nil {
		return errors.New("no context")
	}
	p.ready = false
	for _, g := range p.grads {
		g.param.grad = nil
	}
	at := 0
	defer func() {
		if r := recover(); r != nil {
			err = p.where(at, errors.Errorf("panic: %v", r))
		}
	}()
	for at = range p.steps {
		if err := ctx.Err(); err != nil {
			return errors.WithStack(err)
		}
		s := p.steps[at]
		var start time.Time
		if p.profile != nil {
			start = time.Now()
		}
		if err := s.run(p); err != nil {
			return p.where(at, err)
		}
		if p.profile != nil {
			p.profile[at].add(p, s, start)
		}
	}
	for _, g := range p.grads {
		g.param.grad = p.slots[g.slot]
	}
	if p.tokens > 0 {
		for i := range p.past.Offsets {
			p.past.Offsets[i] += p.tokens
		}
	}
	p.runs++
	p.ready = true
	return nil
}

// where adds to err the layer that a step belongs to.
func (p *Program) where(at int, err error) error {
	s := p.steps[at]
	if path := p.g.paths[s.node.ID()]; path != "" {
		return errors.WithMessagef(err, "%s: %v %v", path, s.node.Op(), s.node.Shape())
	}
	return errors.WithMessagef(err, "%v %v", s.node.Op(), s.node.Shape())
}

// Value returns what the last run computed for an output. The next run overwrites it.
func (p *Program) Value(output Node) (gorgonia.Value, error) {
	slot, ok := p.outputs[output]
	switch {
	case !ok:
		return nil, errors.Errorf("graph: Value: node %v is no output of the program", output.name())
	case !p.ready:
		return nil, errors.New("graph: Value: the program has not run, or its last run failed")
	}
	return p.slots[slot], nil
}

// Scalar returns the value of an output that is a single number, or NaN if there is none.
func (p *Program) Scalar(output Node) float64 {
	v, err := p.Value(output)
	if err != nil {
		return math.NaN()
	}
	return scalar(v)
}

func scalar(v gorgonia.Value) float64 {
	switch x := v.(type) {
	case *gorgonia.F32:
		return float64(*x)
	case *gorgonia.F64:
		return float64(*x)
	}
	return math.NaN()
}

// Runs returns how many runs have succeeded, and SetRuns sets it, so that training that goes on from a checkpoint
// drops the elements it would have dropped.
func (p *Program) Runs() uint64 { return p.runs }

// SetRuns sets the number of runs that have succeeded.
func (p *Program) SetRuns(n uint64) { p.runs = n }

// Memory returns how many bytes the program keeps for values between runs, parameters and fed inputs apart.
func (p *Program) Memory() int { return p.memory }
