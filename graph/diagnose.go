package graph

import (
	"context"
	"fmt"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A NonFiniteError names the node that a NaN or an infinity comes from: the first whose value holds one while none of its
// operands does.
type NonFiniteError struct {
	Node     string       // an operation, such as Linear or Linear+Add where two run as one, or the name of a parameter or an input
	Layer    string       // the path of its layer, or ""
	Shape    tensor.Shape // of the value
	Gradient bool         // the node is of the backward pass

	Feed  int     // which of the feeds it is
	Count int     // how many elements are NaN or infinite
	First int     // the place of the first NaN, or infinity if there is no NaN, in row-major order
	Value float64 // what is there
}

// Error returns where the node is and how much of its value is wrong:
//
//	layers.0.ffn.w2: gradient: LinearDX (4, 16): 2 of 64 elements are NaN or infinite, first NaN at 17
func (e *NonFiniteError) Error() string {
	s := fmt.Sprintf("%s %v: %d of %d elements are NaN or infinite, first %v at %d",
		e.Node, e.Shape, e.Count, e.Shape.TotalSize(), e.Value, e.First)
	if e.Gradient {
		s = "gradient: " + s
	}
	if e.Layer != "" && e.Layer != e.Node {
		s = e.Layer + ": " + s
	}
	return s
}

// Diagnose tells why the last [Program.Run] or [Program.Accumulate], of the given feeds, failed or had a cost or a gradient
// that is NaN or infinite: with all parameters as they were it runs them again, dropout included, and returns a
// [NonFiniteError]. It returns nil if all costs, gradients and other outputs are finite; infinities on the way to them,
// such as those of masks, are not faults.
//
// Operations that run as one are run one by one, and all values are looked at, so this takes several times as long as the
// runs. Nothing has to be prepared, and runs take no longer for it. Afterwards there are no outputs and gradients.
func (p *Program) Diagnose(ctx context.Context, feeds ...Feed) error {
	if len(feeds) == 0 {
		return errors.New("graph: Diagnose: no feeds")
	}
	runs := p.runs
	defer func() { p.runs = runs }()
	for i, feed := range feeds {
		var found *NonFiniteError
		p.runs = p.began + uint64(i)
		err := p.exclusively(func() error {
			err := p.feed(feed)
			if err == nil {
				found, err = p.watch(ctx)
			}
			return err
		})
		if err != nil {
			return errors.WithMessagef(err, "graph: Diagnose: feed %d", i)
		}
		if found != nil {
			found.Feed = i
			return errors.WithMessage(found, "graph: Diagnose")
		}
	}
	return nil
}

// A watcher notes the nodes that may be the first to go wrong.
type watcher struct {
	p       *Program
	forward map[*gorgonia.Node]bool

	first *NonFiniteError // holds NaN or infinities, and no operand does
	nan   *NonFiniteError // holds NaN, and no operand does
	input *NonFiniteError // is an input and holds infinities
}

// watch runs the steps one by one and returns the first node that goes wrong, or nil if the outputs are finite.
func (p *Program) watch(ctx context.Context) (found *NonFiniteError, err error) {
	if ctx == nil {
		return nil, errors.New("no context")
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
	w := watcher{p: p, forward: make(map[*gorgonia.Node]bool)}
	var roots []*gorgonia.Node
	for o := range p.outputs {
		roots = append(roots, o.n)
	}
	for _, n := range reachable(roots...) {
		w.forward[n] = true
	}
	w.leaves()
	for at = range p.steps {
		if err := ctx.Err(); err != nil {
			return nil, errors.WithStack(err)
		}
		for s := p.steps[at]; s != nil; s = s.next() {
			if err := w.step(s); err != nil {
				// A loss refuses logits that are NaN.
				if found := w.found(); found != nil {
					return found, nil
				}
				return nil, p.where(at, err)
			}
		}
	}
	if w.finite() {
		return nil, nil
	}
	if found = w.found(); found == nil {
		err = errors.New("an output is NaN or infinite, and no node but a constant explains it")
	}
	return found, err
}

// found returns the likeliest node.
func (w *watcher) found() *NonFiniteError {
	switch {
	case w.first != nil:
		return w.first
	case w.nan != nil:
		return w.nan
	}
	return w.input
}

// leaves looks at parameters and inputs.
func (w *watcher) leaves() {
	for _, s := range w.p.params {
		if e := nonFinite(w.p.slots[s.slot]); e != nil {
			e.Node, e.Layer = s.param.name, s.param.path()
			w.note(e, numeric)
		}
	}
	for _, s := range w.p.inputs {
		if e := nonFinite(w.p.slots[s.slot]); e != nil {
			e.Node = s.node.Name()
			if e.isNaN() {
				w.note(e, numeric)
			} else if w.input == nil { // perhaps a mask
				w.input = e
			}
		}
	}
}

// step runs a step without its follower and looks at its values.
func (w *watcher) step(s *step) error {
	before := numeric
	for _, slot := range s.in { // before the result may lie over them
		before = max(before, classOf(w.p.slots[slot]))
	}
	if err := s.runAlone(w.p); err != nil {
		return err
	}
	for _, slot := range s.out {
		if e := nonFinite(w.p.slots[slot]); e != nil {
			e.Node, e.Layer = s.name(), w.p.g.paths[s.node.ID()]
			e.Gradient = !w.forward[s.node] && w.p.g.origins[s.node] == nil
			w.note(e, before)
		}
	}
	return nil
}

// note notes a node whose operands are of the given class.
func (w *watcher) note(e *NonFiniteError, operands class) {
	if w.first == nil && operands == numeric {
		w.first = e
	}
	if w.nan == nil && operands < nan && e.isNaN() {
		w.nan = e
	}
}

// finite reports whether all that the program is for is finite.
func (w *watcher) finite() bool {
	for _, slot := range w.p.outputs {
		if classOf(w.p.slots[slot]) != numeric {
			return false
		}
	}
	for _, g := range w.p.grads {
		if classOf(w.p.slots[g.slot]) != numeric {
			return false
		}
	}
	return true
}

// runAlone executes a step without what follows it.
func (s *step) runAlone(p *Program) error {
	s.ready(p)
	switch {
	case s.fused == nil:
		return s.runStock(p)
	case s.plus:
		return s.fused.RunPlus(&s.call)
	}
	return s.fused.Run(&s.call)
}

// name returns what a step does, without what follows it.
func (s *step) name() string {
	name := fmt.Sprint(s.node.Op())
	if s.plus {
		name += "+Add"
	}
	return name
}

// class is the worst that a value holds.
type class int

const (
	numeric class = iota
	infinite
	nan
)

func classOf(v gorgonia.Value) class {
	switch e := nonFinite(v); {
	case e == nil:
		return numeric
	case e.isNaN():
		return nan
	}
	return infinite
}

func (e *NonFiniteError) isNaN() bool { return math.IsNaN(e.Value) }

// nonFinite returns what is wrong with a value, or nil. Its Value is NaN if any element is.
func nonFinite(v gorgonia.Value) *NonFiniteError {
	switch v := v.(type) {
	case *gorgonia.F32:
		return scan([]float32{float32(*v)}, v)
	case *gorgonia.F64:
		return scan([]float64{float64(*v)}, v)
	case *tensor.Dense:
		switch v.Dtype() {
		case tensor.Float32:
			return scan(v.Float32s(), v)
		case tensor.Float64:
			return scan(v.Float64s(), v)
		}
	}
	return nil
}

func scan[F float32 | float64](x []F, v gorgonia.Value) *NonFiniteError {
	var e *NonFiniteError
	for i, f := range x {
		if f-f == 0 {
			continue
		}
		if e == nil {
			e = &NonFiniteError{Shape: v.Shape().Clone(), First: i, Value: float64(f)}
		} else if f != f && !e.isNaN() {
			e.First, e.Value = i, float64(f)
		}
		e.Count++
	}
	return e
}
