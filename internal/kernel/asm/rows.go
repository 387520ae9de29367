package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A rowLoop walks over operands of n floats each, a block of lanes floats at a time, then the vectors that are left, the
// last of them masked.
type rowLoop struct {
	g     *generator
	label string
	n     reg.GPVirtual // floats left
	at    reg.GPVirtual // offset of the block in bytes
}

// element is where body finds its vector in each operand.
type element struct {
	g      *generator
	at     reg.GPVirtual
	vector int   // of the block
	mask   *mask // nil if the vector is whole
}

// overRow calls body for each vector of n floats. The vector-th of a block takes its partial sums from it, so that element
// i of a row goes into sum i%lanes on every instruction set. n is destroyed; label tells loops of a kernel apart.
func (g *generator) overRow(label string, n reg.GPVirtual, body func(e element)) {
	at := g.GP64()
	g.XORQ(at, at)
	vecs := lanes / g.width
	g.SUBQ(Imm(lanes), n)
	g.JLT(LabelRef(label + "_tail"))
	g.Label(label + "_block")
	for v := range vecs {
		body(element{g: g, at: at, vector: v})
	}
	g.ADDQ(Imm(4*lanes), at)
	g.SUBQ(Imm(lanes), n)
	g.JGE(LabelRef(label + "_block"))
	g.Label(label + "_tail")
	g.ADDQ(Imm(lanes), n)
	for v := range vecs {
		g.JLE(LabelRef(label + "_done"))
		left := g.GP64()
		g.MOVQ(U32(uint32(g.width)), left)
		g.CMPQ(n, left)
		g.CMOVQLT(n, left)
		m := g.firstMasks(left, g.vector())[0]
		body(element{g: g, at: at, vector: v, mask: &m})
		g.SUBQ(Imm(uint64(g.width)), n)
	}
	g.Label(label + "_done")
}

func (e element) mem(base reg.Register) Mem {
	return Mem{Base: base, Index: e.at, Scale: 1, Disp: e.vector * e.g.bytes()}
}

// load returns the vector of an operand, with zeros where it has ended.
func (e element) load(base reg.Register) reg.VecVirtual {
	x := e.g.vector()
	if e.mask == nil {
		e.g.VMOVUPS(e.mem(base), x)
	} else {
		e.g.loadMasked(e.mem(base), *e.mask, x)
	}
	return x
}

// inside returns x with zeros where the row has ended.
func (e element) inside(x reg.VecVirtual) reg.VecVirtual {
	if e.mask == nil {
		return x
	}
	y := e.g.vector()
	if e.g.masks {
		e.g.VMOVAPS_Z(x, e.mask.reg, y)
	} else {
		e.g.VANDPS(e.mask.reg, x, y)
	}
	return y
}

// store writes the vector of an operand.
func (e element) store(x reg.VecVirtual, base reg.Register) {
	if e.mask == nil {
		e.g.VMOVUPS(x, e.mem(base))
	} else {
		e.g.storeMasked(x, *e.mask, e.mem(base))
	}
}

// constant is a vector in memory whose floats are all v.
func (g *generator) constant(v float32) Mem {
	bits := math.Float32bits(v)
	return g.table(fmt.Sprintf("f%08x%s", bits, g.name), slices.Repeat([]uint32{bits}, g.width)...)
}

// table is memory that holds the given numbers.
func (g *generator) table(name string, numbers ...uint32) Mem {
	if m, ok := g.constants[name]; ok {
		return m
	}
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, x := range numbers {
		g.AddDatum(4*i, U32(x))
	}
	g.constants[name] = m
	return m
}

// filled returns a vector whose floats are all v.
func (g *generator) filled(v float32) reg.VecVirtual {
	x := g.vector()
	g.VMOVUPS(g.constant(v), x)
	return x
}

// broadcast returns a vector whose floats are all the parameter.
func (g *generator) broadcast(param string) reg.VecVirtual {
	x := g.vector()
	g.VBROADCASTSS(g.paramAddr(param), x)
	return x
}

// zeros returns n vectors of zeros.
func (g *generator) zeros(n int) []reg.VecVirtual {
	list := g.vectorList(n)
	for _, x := range list {
		g.VXORPS(x, x, x)
	}
	return list
}
