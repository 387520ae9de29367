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
	Read     bool // by another step, or by whoever runs the program
}

// Places returns all results of all steps of p that hold numbers.
func Places(p *Program) (list []Place) {
	forward := make(map[*gorgonia.Node]bool)
	for o := range p.outputs {
		for _, n := range reachable(o.n) {
			forward[n] = true
		}
	}
	read := make(map[int]bool)
	for _, slot := range p.outputs {
		read[slot] = true
	}
	for _, g := range p.grads {
		read[g.slot] = true
	}
	for _, first := range p.steps {
		for s := first; s != nil; s = s.next() {
			for _, slot := range s.in {
				read[slot] = true
			}
		}
	}
	for i := range p.steps {
		for s := p.steps[i]; s != nil; s = s.next() {
			for r, slot := range s.out {
				if v := p.slots[slot]; v != nil && (s.fused != nil || isNumber(v)) {
					list = append(list, Place{
						i, r, s != p.steps[i], s.name(), p.g.paths[s.node.ID()], v.Shape().Clone(),
						!forward[s.node] && p.g.origins[s.node] == nil, read[slot],
					})
				}
			}
		}
	}
	return list
}

// isNumber reports whether v holds numbers of a model.
func isNumber(v gorgonia.Value) bool {
	return v.Dtype() == tensor.Float32 || v.Dtype() == tensor.Float64
}

// Poison makes a place hold a bad number in every run until restore is called.
func Poison(p *Program, at Place, bad float64) (restore func()) { return poisonAt(p, at, bad, false) }

// PoisonAll makes a place hold nothing but bad numbers.
func PoisonAll(p *Program, at Place, bad float64) (restore func()) { return poisonAt(p, at, bad, true) }

func poisonAt(p *Program, at Place, bad float64, all bool) (restore func()) {
	steps := p.steps
	p.steps = append([]*step{}, steps...)
	s := *steps[at.step]
	if at.Follower {
		first, next := s, s.then.step
		first.then = nil
		rest := append([]*step{&first, poisoned(p, &next, at.result, bad, all)}, steps[at.step+1:]...)
		p.steps = append(p.steps[:at.step], rest...)
	} else {
		// What follows runs by itself, or it would have read the value already.
		rest := steps[at.step+1:]
		if s.then != nil {
			next := s.then.step
			rest = append([]*step{&next}, rest...)
			s.then = nil
		}
		p.steps = append(p.steps[:at.step], append([]*step{poisoned(p, &s, at.result, bad, all)}, rest...)...)
	}
	return func() { p.steps = steps }
}

func poisoned(p *Program, s *step, result int, bad float64, all bool) *step {
	return &step{node: s.node, stock: poison{p: p, s: s, result: result, bad: bad, all: all}, in: s.in, out: s.out, call: s.call, plus: s.plus}
}

// poison is an op that runs another one and spoils its result.
type poison struct {
	gorgonia.Op
	p      *Program
	s      *step
	result int
	bad    float64
	all    bool // the whole result, or the element in its middle
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
			spoil(v.Float64s(), o.bad, o.all)
		} else {
			spoil(v.Float32s(), float32(o.bad), o.all)
		}
	}
	return o.p.slots[o.s.out[0]], nil
}

func spoil[F float32 | float64](x []F, bad F, all bool) {
	if x[len(x)/2] = bad; !all {
		return
	}
	for i := range x {
		x[i] = bad
	}
}
