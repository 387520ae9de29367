package constrain

import (
	"github.com/pkg/errors"
)

// A program is a nondeterministic machine of bytes whose rules may call each other, and so themselves.
type program struct {
	insts []inst
	rules []int32 // where each rule begins; all end at ret
	start int32
}

// An inst is a state of a program.
type inst struct {
	edges []edge // opRead: to where bytes lead
	outs  []int32
	op    op
}

type op uint8

const (
	opRet   op = iota // the end of a rule
	opRead            // reads a byte
	opSplit           // goes on at any of outs
	opCall            // runs rule outs[0] and goes on at outs[1]
)

type edge struct {
	lo, hi byte
	to     int32
}

const (
	ret      = 0 // the one opRet
	dead     = 1 // from which nothing leads on
	maxInsts = 1 << 18
)

// A builder makes a program from its end to its beginning: a fragment, given where to go on after it, returns where it
// begins.
type builder struct {
	program
	err error
}

type fragment func(next int32) int32

func newBuilder() *builder {
	return &builder{program: program{insts: []inst{{op: opRet}, {op: opSplit}}}}
}

func (b *builder) add(i inst) int32 {
	if len(b.insts) == maxInsts {
		if b.err == nil {
			b.err = errors.Errorf("constrain: the form needs more than %d states", maxInsts)
		}
		return dead
	}
	b.insts = append(b.insts, i)
	return int32(len(b.insts) - 1)
}

// read reads one byte of lo to hi.
func (b *builder) read(lo, hi byte) fragment {
	return func(next int32) int32 { return b.add(inst{op: opRead, edges: []edge{{lo, hi, next}}}) }
}

// oneOf reads one of the bytes of s.
func (b *builder) oneOf(s string) fragment {
	return func(next int32) int32 {
		i := inst{op: opRead}
		for j := range len(s) {
			i.edges = append(i.edges, edge{s[j], s[j], next})
		}
		return b.add(i)
	}
}

// literal reads s.
func (b *builder) literal(s string) fragment {
	return func(next int32) int32 {
		for i := len(s) - 1; i >= 0; i-- {
			next = b.read(s[i], s[i])(next)
		}
		return next
	}
}

// seq is one fragment after the other.
func seq(parts ...fragment) fragment {
	return func(next int32) int32 {
		for i := len(parts) - 1; i >= 0; i-- {
			next = parts[i](next)
		}
		return next
	}
}

// alt is any one of the fragments.
func (b *builder) alt(parts ...fragment) fragment {
	return func(next int32) int32 {
		i := inst{op: opSplit}
		for _, f := range parts {
			i.outs = append(i.outs, f(next))
		}
		return b.add(i)
	}
}

// star is f any number of times.
func (b *builder) star(f fragment) fragment {
	return func(next int32) int32 {
		at := b.add(inst{op: opSplit})
		if at != dead {
			b.insts[at].outs = []int32{f(at), next}
		}
		return at
	}
}

// repeat is f at least least and at most most times; a negative most is any number.
func (b *builder) repeat(f fragment, least, most int) fragment {
	return func(next int32) int32 {
		if most < 0 {
			next = b.star(f)(next)
		} else {
			end := next
			for range most - least {
				if b.err != nil {
					return dead
				}
				next = b.add(inst{op: opSplit, outs: []int32{f(next), end}})
			}
		}
		for range least {
			if b.err != nil {
				return dead
			}
			next = f(next)
		}
		return next
	}
}

// rule adds a rule that is yet to be defined.
func (b *builder) rule() int32 {
	b.rules = append(b.rules, dead)
	return int32(len(b.rules) - 1)
}

func (b *builder) define(rule int32, f fragment) { b.rules[rule] = f(ret) }

// call is the rule.
func (b *builder) call(rule int32) fragment {
	return func(next int32) int32 { return b.add(inst{op: opCall, outs: []int32{rule, next}}) }
}

// finish returns for each instruction whether it can get to the end of its rule when bytes of the set may be read.
// Instructions in known can, whatever they are.
func (p *program) finish(bytes *[256]bool, known []bool) []bool {
	// One pass over the instructions that can be reached backwards from the ends.
	from := make([][]int32, len(p.insts)) // where outs lead to an instruction, or a rule does
	for i := range p.insts {
		for _, to := range p.targets(i, bytes) {
			from[to] = append(from[to], int32(i))
		}
	}
	can := make([]bool, len(p.insts))
	var work []int32
	mark := func(i int32) {
		if !can[i] {
			can[i] = true
			work = append(work, i)
		}
	}
	mark(ret)
	for i, k := range known {
		if k {
			mark(int32(i))
		}
	}
	for len(work) > 0 {
		at := work[len(work)-1]
		work = work[:len(work)-1]
		for _, i := range from[at] {
			if in := &p.insts[i]; in.op != opCall || can[p.rules[in.outs[0]]] && can[in.outs[1]] {
				mark(i)
			}
		}
	}
	return can
}

// targets returns where instruction i may lead when bytes of the set may be read.
func (p *program) targets(i int, bytes *[256]bool) (to []int32) {
	in := &p.insts[i]
	switch in.op {
	case opSplit:
		return in.outs
	case opCall:
		return []int32{p.rules[in.outs[0]], in.outs[1]}
	case opRead:
		for _, e := range in.edges {
			for c := int(e.lo); c <= int(e.hi); c++ {
				if bytes[c] {
					to = append(to, e.to)
					break
				}
			}
		}
	}
	return to
}
