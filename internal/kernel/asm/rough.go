package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// roughBlock is how many floats roughSums adds up.
const roughBlock = 512

// The series of 2**(f/8), to the degree of 3, of whose next term the part that f**2 can express is in that.
const (
	eighth = math.Ln2 / 8
	rough1 = eighth
	rough2 = eighth*eighth/2 + 0.8284*eighth*eighth*eighth*eighth/96
	rough3 = eighth * eighth * eighth / 6
)

func (g *generator) roughSums() {
	g.function("roughSums", "func(n int, x *float32, y *float64, high, low, magic, least float32)", fmt.Sprintf(
		`computes sums y of 2**(m/8) for blocks of %d x, where magic+m is max(x[i], least)*(high+low) + magic before it is
rounded. Four floats are added up as such. n must be a multiple of %d.`, roughBlock, roughBlock))
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	e := g.rougher()
	to := g.GP64()
	g.MOVQ(y, to)
	from, left := g.GP64(), g.GP64()
	g.MOVQ(x, from)
	acc := []reg.VecVirtual{g.vector(), g.vector()}

	g.Label("rough_block")
	g.CMPQ(n, Imm(0))
	g.JLE(LabelRef("rough_done"))
	for _, a := range acc {
		g.VXORPD(a, a, a)
	}
	g.MOVQ(U32(roughBlock), left)
	g.Label("rough_turn")
	const vecs = 4
	parts := make([]reg.VecVirtual, vecs)
	for i := range parts {
		parts[i] = g.roughVector(e, Mem{Base: from, Disp: i * g.bytes()})
		if i%2 == 1 {
			g.VADDPS(parts[i], parts[i-1], parts[i-1])
		}
	}
	g.VADDPS(parts[2], parts[0], parts[0])
	first, second := g.widen(parts[0])
	g.VADDPD(first, acc[0], acc[0])
	g.VADDPD(second, acc[1], acc[1])
	g.ADDQ(U32(vecs*g.bytes()), from)
	g.SUBQ(U32(vecs*g.width), left)
	g.JNE(LabelRef("rough_turn"))

	g.VMOVSD(g.foldDoubles(acc), Mem{Base: to})
	g.ADDQ(Imm(8), to)
	g.SUBQ(I32(roughBlock), n)
	g.JMP(LabelRef("rough_block"))
	g.Label("rough_done")
	g.end()
}

// roughWeights writes what roughSums adds up.
func (g *generator) roughWeights() {
	const block = 64
	g.function("roughWeights", "func(n int, x, y *float32, high, low, magic, least float32)", fmt.Sprintf(
		`computes y[i] = 2**(m/8) for i < n, where magic+m is max(x[i], least)*(high+low) + magic before it is rounded. n must be
a multiple of %d.`, block))
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	e := g.rougher()
	at := g.GP64()
	g.XORQ(at, at)
	g.Label("roughWeights_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef("roughWeights_done"))
	const vecs = 2
	for v := range vecs {
		w := g.roughVector(e, Mem{Base: x, Index: at, Scale: 4, Disp: v * g.bytes()})
		g.VMOVUPS(w, Mem{Base: y, Index: at, Scale: 4, Disp: v * g.bytes()})
	}
	g.ADDQ(Imm(uint64(vecs*g.width)), at)
	g.JMP(LabelRef("roughWeights_block"))
	g.Label("roughWeights_done")
	g.end()
}

// rougher is what roughVector works with.
type rougher struct {
	high, low, magic, least, table reg.VecVirtual
	c1, c2, c3                     Op
}

// rougher loads the parameters of that name and the constants.
func (g *generator) rougher() *rougher {
	e := &rougher{high: g.broadcast("high"), low: g.broadcast("low"), magic: g.broadcast("magic"), least: g.broadcast("least"),
		table: g.vector(), c1: g.inRegister32(rough1), c2: g.inRegister32(rough2), c3: g.inRegister32(rough3)}
	g.VMOVUPS(g.roughPowers(), e.table)
	return e
}

// roughVector returns the weights of the logits at mem.
func (g *generator) roughVector(e *rougher, mem Mem) reg.VecVirtual {
	v, t, f := g.vector(), g.vector(), g.vector()
	g.VMAXPS(mem, e.least, v)
	g.VMOVAPS(v, t)
	g.VFMADD213PS(e.magic, e.high, t)
	g.VSUBPS(e.magic, t, f)
	s := g.vector()
	g.VPERMPS(e.table, t, s)
	g.VPSLLD(Imm(20), t, t)
	g.VPADDD(t, s, s)
	g.VMOVAPS(v, t)
	g.VFMSUB213PS(f, e.high, t)
	g.VFMADD231PS(e.low, v, t)
	p := g.vector()
	g.loadFloats(e.c3, p)
	g.VFMADD213PS(e.c2, t, p)
	g.VFMADD213PS(e.c1, t, p)
	g.VMULPS(s, t, t)
	g.VFMADD231PS(p, t, s)
	return s
}

// roughPowers is a table in memory of 2**(i/8), of whose bits i<<20 has been taken away. i goes on from 0 after 7.
func (g *generator) roughPowers() Mem {
	bits := make([]uint32, g.width)
	for i := range bits {
		bits[i] = math.Float32bits(float32(math.Exp2(float64(i%8)/8))) - uint32(i%8)<<20
	}
	return g.table("roughPowers"+g.name, bits...)
}

// inRegister32 is inRegister of floats.
func (g *generator) inRegister32(v float32) Op {
	if !g.masks {
		return g.constant(v)
	}
	return g.filled(v)
}

func (g *generator) loadFloats(v Op, to reg.VecVirtual) {
	if r, ok := v.(reg.Register); ok {
		g.VMOVAPS(r, to)
		return
	}
	g.VMOVUPS(v, to)
}
