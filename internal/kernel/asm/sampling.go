package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sampling writes the kernels that samplers use. Their float64 arithmetic rounds after each operation, so that it gives
// the bits of the same loop in Go.
func (g *generator) sampling() {
	g.above()
	g.weigh("32", 4)
	g.weigh("64", 8)
	g.roughSums()
	if g.masks {
		g.count()
		g.sumAbove()
		g.atMost()
		g.list(false)
		g.list(true)
	}
}

// Predicates of comparisons: limit < x, and limit >= x being false or a NaN among them.
const (
	lessOrdered        = 17
	notGreaterOrEqual  = 25
	greaterEqualSignal = 13
)

// searchStep is how many floats above looks at in a turn.
const searchStep = 64

func (g *generator) above() {
	g.function("above", "func(n int, x *float32, limit float32) int", fmt.Sprintf(
		`returns the first i < n with x[i] > limit or x[i] NaN, or n if there is none. n must be a multiple of %d.`, searchStep))
	n := g.param("n").(reg.GPVirtual)
	x := g.param("x")
	limit := g.broadcast("limit")
	at := g.GP64()
	g.XORQ(at, at)
	vecs := searchStep / g.width
	any := g.GP32()
	g.Label("above_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef("above_none"))
	mem := func(v int) Mem { return Mem{Base: x, Index: at, Scale: 4, Disp: v * g.bytes()} }
	masks := make([]reg.Register, vecs)
	if g.masks {
		for v := range masks {
			k := g.K()
			g.VCMPPS(Imm(notGreaterOrEqual), mem(v), limit, k)
			masks[v] = k
		}
		a, b := g.K(), g.K()
		g.KORW(masks[0], masks[1], a)
		g.KORW(masks[2], masks[3], b)
		g.KORTESTW(a, b)
	} else {
		for v := range masks {
			y := g.YMM()
			g.VCMPPS(Imm(notGreaterOrEqual), mem(v), limit, y)
			masks[v] = y
		}
		sum := g.YMM()
		g.VORPS(masks[0], masks[1], sum)
		for _, m := range masks[2:] {
			g.VORPS(m, sum, sum)
		}
		g.VMOVMSKPS(sum, any)
		g.TESTL(any, any)
	}
	g.JNE(LabelRef("above_found"))
	g.ADDQ(Imm(searchStep), at)
	g.JMP(LabelRef("above_block"))

	g.Label("above_found")
	for v, m := range masks {
		if g.masks {
			g.KMOVW(m, any)
		} else {
			g.VMOVMSKPS(m, any)
		}
		g.TESTL(any, any)
		if v+1 < len(masks) {
			g.JNE(LabelRef("above_at"))
			g.ADDQ(Imm(uint64(g.width)), at)
		}
	}
	g.Label("above_at")
	first := g.GP64()
	g.BSFL(any, first.As32())
	g.ADDQ(first, at)
	g.Store(at, g.ReturnIndex(0))
	g.end()

	g.Label("above_none")
	g.Store(n, g.ReturnIndex(0))
	g.end()
}

// count counts only with AVX-512, for which a comparison gives bits.
func (g *generator) count() {
	g.function("count", "func(n int, x *float32, limit float32) int",
		"returns how many x[i] > limit there are for i < n. n must be a multiple of 16.")
	n := g.param("n").(reg.GPVirtual)
	x := g.param("x")
	limit := g.broadcast("limit")
	total, at := g.GP64(), g.GP64()
	g.XORQ(total, total)
	g.XORQ(at, at)
	whole := g.GP64()
	g.MOVQ(n, whole)
	g.ANDQ(I32(-64), whole)
	step := func(v int) {
		k, some := g.K(), g.GP64()
		g.VCMPPS(Imm(lessOrdered), Mem{Base: x, Index: at, Scale: 4, Disp: 64 * v}, limit, k)
		g.KMOVW(k, some.As32())
		g.POPCNTL(some.As32(), some.As32())
		g.ADDQ(some, total)
	}
	g.Label("count_block")
	g.CMPQ(at, whole)
	g.JGE(LabelRef("count_rest"))
	for v := range 4 {
		step(v)
	}
	g.ADDQ(Imm(64), at)
	g.JMP(LabelRef("count_block"))
	g.Label("count_rest")
	g.CMPQ(at, n)
	g.JGE(LabelRef("count_done"))
	step(0)
	g.ADDQ(Imm(16), at)
	g.JMP(LabelRef("count_rest"))
	g.Label("count_done")
	g.Store(total, g.ReturnIndex(0))
	g.end()
}

// sumAbove adds up only with AVX-512.
func (g *generator) sumAbove() {
	g.function("sumAbove", "func(n int, x, w *float64, limit float64, sum *float64) int",
		`stores the sum of w[i] over the i < n with x[i] > limit, and returns how many there are. n must be a multiple of 8.`)
	n := g.param("n").(reg.GPVirtual)
	x, w, sum := g.param("x"), g.param("w"), g.param("sum")
	limit := g.ZMM()
	g.VBROADCASTSD(g.paramAddr("limit"), limit)
	acc := g.zeros(4)
	total, at, whole := g.GP64(), g.GP64(), g.GP64()
	g.XORQ(total, total)
	g.XORQ(at, at)
	g.MOVQ(n, whole)
	g.ANDQ(I32(-8*len(acc)), whole)
	step := func(v int) {
		k, some := g.K(), g.GP64()
		g.VCMPPD(Imm(lessOrdered), Mem{Base: x, Index: at, Scale: 8, Disp: 64 * v}, limit, k)
		g.VADDPD(Mem{Base: w, Index: at, Scale: 8, Disp: 64 * v}, acc[v], k, acc[v])
		g.KMOVW(k, some.As32())
		g.POPCNTL(some.As32(), some.As32())
		g.ADDQ(some, total)
	}
	g.Label("sumAbove_block")
	g.CMPQ(at, whole)
	g.JGE(LabelRef("sumAbove_rest"))
	for v := range acc {
		step(v)
	}
	g.ADDQ(Imm(uint64(8*len(acc))), at)
	g.JMP(LabelRef("sumAbove_block"))
	g.Label("sumAbove_rest")
	g.CMPQ(at, n)
	g.JGE(LabelRef("sumAbove_done"))
	step(0)
	g.ADDQ(Imm(8), at)
	g.JMP(LabelRef("sumAbove_rest"))
	g.Label("sumAbove_done")
	g.VMOVSD(g.foldDoubles(acc), Mem{Base: sum})
	g.Store(total, g.ReturnIndex(0))
	g.end()
}

// atMost writes only with AVX-512.
func (g *generator) atMost() {
	g.function("atMost", "func(n int, x, w *float64, limit float64, outX, outW *float64) int",
		`writes x[i] and w[i] to outX and outW for each i < n with x[i] <= limit, in order, and returns how many there are.
n must be a multiple of 8, and there must be room for 8 more than it writes.`)
	n := g.param("n").(reg.GPVirtual)
	x, w := g.param("x"), g.param("w")
	outX, outW := g.param("outX").(reg.GPVirtual), g.param("outW").(reg.GPVirtual)
	limit := g.ZMM()
	g.VBROADCASTSD(g.paramAddr("limit"), limit)
	at, start := g.GP64(), g.GP64()
	g.XORQ(at, at)
	g.MOVQ(outX, start)
	g.Label("atMost_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef("atMost_done"))
	k, some := g.K(), g.GP64()
	a, b := g.ZMM(), g.ZMM()
	g.VMOVUPD(Mem{Base: x, Index: at, Scale: 8}, a)
	g.VMOVUPD(Mem{Base: w, Index: at, Scale: 8}, b)
	g.VCMPPD(Imm(greaterEqualSignal), a, limit, k)
	g.VCOMPRESSPD(a, k, a)
	g.VCOMPRESSPD(b, k, b)
	g.VMOVUPD(a, Mem{Base: outX})
	g.VMOVUPD(b, Mem{Base: outW})
	g.KMOVW(k, some.As32())
	g.POPCNTL(some.As32(), some.As32())
	g.LEAQ(Mem{Base: outX, Index: some, Scale: 8}, outX)
	g.LEAQ(Mem{Base: outW, Index: some, Scale: 8}, outW)
	g.ADDQ(Imm(8), at)
	g.JMP(LabelRef("atMost_block"))
	g.Label("atMost_done")
	g.SUBQ(start, outX)
	g.SHRQ(Imm(3), outX)
	g.Store(outX, g.ReturnIndex(0))
	g.end()
}

// list writes only with AVX-512, which has an instruction for it. With values it writes down these too, of which there are
// many: then it does not look first whether there are any.
func (g *generator) list(values bool) {
	label := "list"
	if values {
		label = "listValues"
		g.function(label, "func(n int, x *float32, limit float32, first int32, ids *int32, y *float64) int",
			`writes first+i to ids and x[i] to y for each i < n with x[i] > limit, in order, and returns how many there are.
n must be a multiple of 16, and there must be room for 16 more than it writes.`)
	} else {
		g.function(label, "func(n int, x *float32, limit float32, first int32, ids *int32) int",
			`writes first+i to ids for each i < n with x[i] > limit, in order, and returns how many there are. n must be a
multiple of 16, and there must be room for 16 ids more than it writes.`)
	}
	n := g.param("n").(reg.GPVirtual)
	x, ids := g.param("x"), g.param("ids").(reg.GPVirtual)
	var y reg.GPVirtual
	if values {
		y = g.param("y").(reg.GPVirtual)
	}
	limit := g.broadcast("limit")
	index := g.ZMM()
	g.VPBROADCASTD(g.Load(g.Param("first"), g.GP32()), index)
	g.VPADDD(g.count32(), index, index)
	start := g.GP64()
	g.MOVQ(ids, start)
	at := g.GP64()
	g.XORQ(at, at)
	mem := func(v int) Mem { return Mem{Base: x, Index: at, Scale: 4, Disp: 64 * v} }
	write := func(k reg.Register, v int) {
		out, some := g.ZMM(), g.GP64()
		g.VPCOMPRESSD(index, k, out)
		g.VMOVDQU32(out, Mem{Base: ids})
		g.KMOVW(k, some.As32())
		g.POPCNTL(some.As32(), some.As32())
		g.LEAQ(Mem{Base: ids, Index: some, Scale: 4}, ids)
		g.VPADDD(g.constantBits(16), index, index)
		if values {
			f := g.ZMM()
			g.VMOVUPS(mem(v), f)
			g.VCOMPRESSPS(f, k, f)
			low, high := g.widen(f)
			g.VMOVUPD(low, Mem{Base: y})
			g.VMOVUPD(high, Mem{Base: y, Disp: 64})
			g.LEAQ(Mem{Base: y, Index: some, Scale: 8}, y)
		}
	}
	const vecs = 4
	if !values {
		whole := g.GP64()
		g.MOVQ(n, whole)
		g.ANDQ(I32(-16*vecs), whole)
		g.Label(label + "_block")
		g.CMPQ(at, whole)
		g.JGE(LabelRef(label + "_rest"))
		ks := make([]reg.Register, vecs)
		for v := range ks {
			k := g.K()
			g.VCMPPS(Imm(lessOrdered), mem(v), limit, k)
			ks[v] = k
		}
		a, b := g.K(), g.K()
		g.KORW(ks[0], ks[1], a)
		g.KORW(ks[2], ks[3], b)
		g.KORTESTW(a, b)
		g.JNE(LabelRef(label + "_some"))
		g.VPADDD(g.constantBits(16*vecs), index, index)
		g.ADDQ(Imm(16*vecs), at)
		g.JMP(LabelRef(label + "_block"))
		g.Label(label + "_some")
		for v, k := range ks {
			write(k, v)
		}
		g.ADDQ(Imm(16*vecs), at)
		g.JMP(LabelRef(label + "_block"))
	}
	g.Label(label + "_rest")
	g.CMPQ(at, n)
	g.JGE(LabelRef(label + "_done"))
	k := g.K()
	g.VCMPPS(Imm(lessOrdered), mem(0), limit, k)
	write(k, 0)
	g.ADDQ(Imm(16), at)
	g.JMP(LabelRef(label + "_rest"))
	g.Label(label + "_done")
	g.SUBQ(start, ids)
	g.SHRQ(Imm(2), ids)
	g.Store(ids, g.ReturnIndex(0))
	g.end()
}

// count32 is a vector in memory of 0, 1, 2, ...
func (g *generator) count32() Mem {
	count := make([]uint32, g.width)
	for i := range count {
		count[i] = uint32(i)
	}
	return g.table("count"+g.name, count...)
}

// constantBits is a vector in memory whose 32-bit integers are all v.
func (g *generator) constantBits(v uint32) Mem { return g.constant(math.Float32frombits(v)) }

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
	high, low := g.broadcast("high"), g.broadcast("low")
	magic, least := g.broadcast("magic"), g.broadcast("least")
	table := g.vector()
	g.VMOVUPS(g.roughPowers(), table)
	c1, c2, c3 := g.inRegister32(rough1), g.inRegister32(rough2), g.inRegister32(rough3)
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
		v, t, f := g.vector(), g.vector(), g.vector()
		g.VMAXPS(Mem{Base: from, Disp: i * g.bytes()}, least, v)
		g.VMOVAPS(v, t)
		g.VFMADD213PS(magic, high, t)
		g.VSUBPS(magic, t, f)
		s := g.vector()
		g.VPERMPS(table, t, s)
		g.VPSLLD(Imm(20), t, t)
		g.VPADDD(t, s, s)
		g.VMOVAPS(v, t)
		g.VFMSUB213PS(f, high, t)
		g.VFMADD231PS(low, v, t)
		p := g.vector()
		g.loadFloats(c3, p)
		g.VFMADD213PS(c2, t, p)
		g.VFMADD213PS(c1, t, p)
		g.VMULPS(s, t, t)
		g.VFMADD231PS(p, t, s)
		parts[i] = s
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
