package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// constant64 is a vector in memory whose 64-bit words are all v.
func (g *generator) constant64(v uint64) Mem {
	name := fmt.Sprintf("d%016x%s", v, g.name)
	if m, ok := g.constants[name]; ok {
		return m
	}
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range g.width / 2 {
		g.AddDatum(8*i, U64(v))
	}
	g.constants[name] = m
	return m
}

func (g *generator) double(v float64) Mem { return g.constant64(math.Float64bits(v)) }

// inRegister is v in all words of a register if there are registers to spare, or else of memory.
func (g *generator) inRegister(v float64) Op {
	if !g.masks {
		return g.double(v)
	}
	x := g.ZMM()
	g.VMOVUPD(g.double(v), x)
	return x
}

// powers is a table in memory of 2**(i/16), of whose bits i<<48 has been taken away.
func (g *generator) powers() Mem {
	name := "powers" + g.name
	if m, ok := g.constants[name]; ok {
		return m
	}
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, bits := range exp2Table {
		g.AddDatum(8*i, U64(bits))
	}
	g.constants[name] = m
	return m
}

// weigh writes the kernel for logits of a number of bytes.
func (g *generator) weigh(suffix string, size int) {
	lanes := g.width / 2
	g.function("weigh"+suffix, fmt.Sprintf("func(n int, x *float%s, y *float64, limit, scale float64, sums *[4]float64)", suffix),
		fmt.Sprintf(`computes y[i] = e**((x[i]-limit)*scale), or 0 where the exponent is below -708, and adds y[i] to sums[i%%4],
for i < n. n must be a multiple of %d.`, lanes))
	n := g.param("n").(reg.GPVirtual)
	x, y, sums := g.param("x"), g.param("y"), g.param("sums")
	e := weigher{limit: g.vector(), scale: g.vector(), acc: g.YMM()}
	g.VBROADCASTSD(g.paramAddr("limit"), e.limit)
	g.VBROADCASTSD(g.paramAddr("scale"), e.scale)
	g.VMOVUPD(Mem{Base: sums}, e.acc)
	if g.masks {
		for i := range e.table {
			e.table[i] = g.ZMM()
			m := g.powers()
			m.Disp += 64 * i
			g.VMOVUPD(m, e.table[i])
		}
	} else {
		e.base = g.GP64()
		g.LEAQ(g.powers(), e.base)
	}
	e.sixteenths, e.round, e.flush = g.inRegister(16/math.Ln2), g.inRegister(expRound), g.inRegister(expFlush)
	e.ln2Hi, e.ln2Lo = g.inRegister(expLn2Hi), g.inRegister(expLn2Lo)
	e.c4, e.c2, e.c6 = g.inRegister(1.0/24), g.inRegister(1.0/2), g.inRegister(1.0/720)
	e.c3, e.c5 = g.inRegister(weigh3), g.inRegister(weigh5)

	at := g.GP64()
	g.XORQ(at, at)
	label := "weigh" + suffix
	step := func(v int) {
		e.x = Mem{Base: x, Index: at, Scale: uint8(size), Disp: v * lanes * size}
		e.y = Mem{Base: y, Index: at, Scale: 8, Disp: v * lanes * 8}
		g.weighVector(&e, size)
	}
	whole := g.GP64()
	g.MOVQ(n, whole)
	g.ANDQ(I32(-2*lanes), whole)
	g.Label(label + "_block")
	g.CMPQ(at, whole)
	g.JGE(LabelRef(label + "_rest"))
	step(0)
	step(1)
	g.ADDQ(Imm(uint64(2*lanes)), at)
	g.JMP(LabelRef(label + "_block"))
	g.Label(label + "_rest")
	g.CMPQ(at, n)
	g.JGE(LabelRef(label + "_done"))
	step(0)
	g.Label(label + "_done")
	g.VMOVUPD(e.acc, Mem{Base: sums})
	g.end()
}

// weigher is what weighVector works with.
type weigher struct {
	limit, scale, acc        reg.VecVirtual
	table                    [2]reg.VecVirtual // with AVX-512
	base                     reg.GPVirtual     // of the table without
	x, y                     Mem
	sixteenths, round, flush Op
	ln2Hi, ln2Lo             Op
	c2, c3, c4, c5, c6       Op
}

// weighVector is a turn of weigh.
func (g *generator) weighVector(e *weigher, size int) {
	z := g.vector()
	if size == 4 {
		g.VCVTPS2PD(e.x, z)
	} else {
		g.VMOVUPD(e.x, z)
	}
	g.VSUBPD(e.limit, z, z)
	g.VMULPD(e.scale, z, z)
	var keep reg.Register
	if g.masks {
		keep = g.K()
		g.VCMPPD(Imm(greaterEqualSignal), e.flush, z, keep)
	} else {
		keep = g.YMM()
		g.VCMPPD(Imm(greaterEqualSignal), e.flush, z, keep)
	}
	bits, whole := g.vector(), g.vector()
	g.VMOVAPD(z, bits)
	g.VFMADD213PD(e.round, g.operand(e.sixteenths), bits)
	g.VSUBPD(e.round, bits, whole)
	r := z
	g.VFNMADD231PD(e.ln2Hi, whole, r)
	g.VFNMADD231PD(e.ln2Lo, whole, r)
	r2, p, q := g.vector(), g.vector(), g.vector()
	g.VMULPD(r, r, r2)
	g.load(e.c3, p)
	g.VFMADD213PD(e.c2, r, p)
	g.load(e.c5, q)
	g.VFMADD213PD(e.c4, r, q)
	g.VFMADD231PD(e.c6, r2, q)
	g.VFMADD231PD(q, r2, p)
	g.VFMADD213PD(r, r2, p) // e**r - 1

	s, exponent := g.vector(), g.vector()
	g.VPSLLQ(Imm(48), bits, exponent)
	if g.masks {
		g.VMOVAPD(bits, s)
		g.VPERMI2PD(e.table[1], e.table[0], s)
	} else {
		index, all := g.YMM(), g.YMM()
		g.VPAND(g.constant64(15), bits, index)
		g.VPCMPEQQ(all, all, all)
		g.VXORPD(s, s, s)
		g.VGATHERQPD(all, Mem{Base: e.base, Index: index, Scale: 8}, s)
	}
	g.VPADDQ(exponent, s, s)
	if g.masks {
		g.VFMADD213PD_Z(s, s, keep, p)
		g.VMOVUPD(p, e.y)
		high := g.YMM()
		g.VADDPD(p.AsY(), e.acc, e.acc)
		g.VEXTRACTF64X4(Imm(1), p, high)
		g.VADDPD(high, e.acc, e.acc)
		return
	}
	g.VFMADD213PD(s, s, p)
	g.VANDPD(keep, p, p)
	g.VMOVUPD(p, e.y)
	g.VADDPD(p, e.acc, e.acc)
}

// operand is a register with the words of v.
func (g *generator) operand(v Op) reg.Register {
	if r, ok := v.(reg.Register); ok {
		return r
	}
	r := g.vector()
	g.VMOVUPD(v, r)
	return r
}

// load copies v, which is in a register or in memory.
func (g *generator) load(v Op, to reg.VecVirtual) {
	if r, ok := v.(reg.Register); ok {
		g.VMOVAPD(r, to)
		return
	}
	g.VMOVUPD(v, to)
}

// The constants of weigh.
const (
	expRound = 0x1.8p52 // adding it leaves the nearest integer in the low bits
	expLn2Hi = 6.93147180369123816490e-01 / 16
	expLn2Lo = 1.90821492927058770002e-10 / 16
	expFlush = -708
	weigh3   = 1.0/6 - 2.24875e-11 // less the part that the term of degree 7 has in it
	weigh5   = 1.0/120 + 1.385885895e-7
)

// exp2Table holds the bits of 2**(i/16), less i<<48: the low bits of a number of sixteenths, shifted by 48, are to be added.
var exp2Table = [16]uint64{
	0x3ff0000000000000, 0x3fefb5586cf9890f, 0x3fef72b83c7d517b, 0x3fef387a6e756238, 0x3fef06fe0a31b715, 0x3feedea64c123422,
	0x3feebfdad5362a27, 0x3feeab07dd485429, 0x3feea09e667f3bcd, 0x3feea11473eb0187, 0x3feeace5422aa0db, 0x3feec49182a3f090,
	0x3feee89f995ad3ad, 0x3fef199bdd85529c, 0x3fef5818dcfba487, 0x3fefa4afa2a490da,
}
