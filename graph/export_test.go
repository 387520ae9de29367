package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A Place is a result of a step of a program.
type Place struct {
	step     int
	result   int
	Follower bool // of the step before, which it runs with
	Node     string
	Layer    string
	Shape    tensor.Shape
	Gradient bool
}

// Places returns all results of all steps of p that hold numbers.
func Places(p *Program) (list []Place) {
	forward := make(map[*gorgonia.Node]bool)
	for o := range p.outputs {
		for _, n := range reachable(o.n) {
			forward[n] = true
		}
	}
	for i := range p.steps {
		for s := p.steps[i]; s != nil; s = s.next() {
			for r, slot := range s.out {
				if v := p.slots[slot]; s.fused != nil && v != nil {
					list = append(list, Place{
						i, r, s != p.steps[i], s.name(), p.g.paths[s.node.ID()], v.Shape().Clone(),
						!forward[s.node] && p.g.origins[s.node] == nil,
					})
				}
			}
		}
	}
	return list
}

// Poison makes a place hold a bad number in every run until restore is called.
func Poison(p *Program, at Place, bad float64) (restore func()) {
	steps := p.steps
	p.steps = append([]*step{}, steps...)
	s := *steps[at.step]
	if at.Follower {
		first, next := s, s.then.step
		first.then = nil
		rest := append([]*step{&first, poisoned(p, &next, at.result, bad)}, steps[at.step+1:]...)
		p.steps = append(p.steps[:at.step], rest...)
	} else {
		// What follows runs by itself, or it would have read the value already.
		rest := steps[at.step+1:]
		if s.then != nil {
			next := s.then.step
			rest = append([]*step{&next}, rest...)
			s.then = nil
		}
		p.steps = append(p.steps[:at.step], append([]*step{poisoned(p, &s, at.result, bad)}, rest...)...)
	}
	return func() { p.steps = steps }
}

func poisoned(p *Program, s *step, result int, bad float64) *step {
	return &step{node: s.node, stock: poison{p: p, s: s, result: result, bad: bad}, in: s.in, out: s.out, call: s.call, plus: s.plus}
}

// poison is an op that runs another one and spoils its result.
type poison struct {
	gorgonia.Op
	p      *Program
	s      *step
	result int
	bad    float64
}

func (o poison) String() string { return "poison" }

func (o poison) Do(...gorgonia.Value) (gorgonia.Value, error) {
	if err := o.s.runAlone(o.p); err != nil {
		return nil, err
	}
	switch v := o.p.slots[o.s.out[o.result]].(type) {
	case *gorgonia.F32:
		*v = gorgonia.F32(o.bad)
	case *gorgonia.F64:
		*v = gorgonia.F64(o.bad)
	case *tensor.Dense:
		if v.Dtype() == tensor.Float64 {
			v.Float64s()[len(v.Float64s())/2] = o.bad
		} else {
			v.Float32s()[len(v.Float32s())/2] = float32(o.bad)
		}
	}
	return o.p.slots[o.s.out[0]], nil
}
