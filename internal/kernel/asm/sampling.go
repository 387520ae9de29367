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
	if g.masks {
		g.list()
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

// list writes only with AVX-512, which has an instruction for it.
func (g *generator) list() {
	g.function("list", "func(n int, x *float32, limit float32, first int32, ids *int32) int",
		`writes first+i to ids for each i < n with x[i] > limit, in order, and returns how many there are. n must be a
multiple of 16, and there must be room for 16 ids more than it writes.`)
	n := g.param("n").(reg.GPVirtual)
	x, ids := g.param("x"), g.param("ids").(reg.GPVirtual)
	limit := g.broadcast("limit")
	index := g.ZMM()
	g.VPBROADCASTD(g.Load(g.Param("first"), g.GP32()), index)
	g.VPADDD(g.count32(), index, index)
	start := g.GP64()
	g.MOVQ(ids, start)
	at := g.GP64()
	g.XORQ(at, at)
	g.Label("list_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef("list_done"))
	k, out, some := g.K(), g.ZMM(), g.GP64()
	g.VCMPPS(Imm(lessOrdered), Mem{Base: x, Index: at, Scale: 4}, limit, k)
	g.KMOVW(k, some.As32())
	g.VPCOMPRESSD(index, k, out)
	g.VMOVDQU32(out, Mem{Base: ids})
	g.POPCNTL(some.As32(), some.As32())
	g.LEAQ(Mem{Base: ids, Index: some, Scale: 4}, ids)
	g.VPADDD(g.constantBits(16), index, index)
	g.ADDQ(Imm(16), at)
	g.JMP(LabelRef("list_block"))
	g.Label("list_done")
	g.SUBQ(start, ids)
	g.SHRQ(Imm(2), ids)
	g.Store(ids, g.ReturnIndex(0))
	g.end()
}

// count32 is a vector in memory of 0, 1, 2, ...
func (g *generator) count32() Mem {
	m := g.StaticGlobal("count" + g.name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range g.width {
		g.AddDatum(4*i, U32(i))
	}
	return m
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

// powers is a table in memory of 2**(i/64).
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
	limit, scale := g.vector(), g.vector()
	g.VBROADCASTSD(g.paramAddr("limit"), limit)
	g.VBROADCASTSD(g.paramAddr("scale"), scale)
	acc := g.YMM()
	g.VMOVUPD(Mem{Base: sums}, acc)

	var table []reg.VecVirtual
	base := g.GP64()
	if g.masks {
		for i := range 8 {
			t := g.ZMM()
			m := g.powers()
			m.Disp += 64 * i
			g.VMOVUPD(m, t)
			table = append(table, t)
		}
	} else {
		g.LEAQ(g.powers(), base)
	}

	at := g.GP64()
	g.XORQ(at, at)
	label := "weigh" + suffix
	g.Label(label + "_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef(label + "_done"))
	from := Mem{Base: x, Index: at, Scale: uint8(size)}
	z := g.vector()
	if size == 4 {
		g.VCVTPS2PD(from, z)
		g.VSUBPD(limit, z, z)
	} else {
		g.VMOVUPD(from, z)
		g.VSUBPD(limit, z, z)
	}
	g.VMULPD(scale, z, z)
	bits, whole := g.vector(), g.vector()
	g.VMULPD(g.double(64/math.Ln2), z, bits)
	g.VADDPD(g.double(expRound), bits, bits)
	g.VSUBPD(g.double(expRound), bits, whole)
	r, part := g.vector(), g.vector()
	g.VMULPD(g.double(expLn2Hi), whole, part)
	g.VSUBPD(part, z, r)
	g.VMULPD(g.double(expLn2Lo), whole, part)
	g.VSUBPD(part, r, r)
	r2, even, odd := g.vector(), g.vector(), g.vector()
	g.VMULPD(r, r, r2)
	g.VMULPD(g.double(1.0/6), r, even)
	g.VADDPD(g.double(1.0/2), even, even)
	g.VMULPD(g.double(1.0/120), r, odd)
	g.VADDPD(g.double(1.0/24), odd, odd)
	g.VMULPD(r2, odd, odd)
	g.VADDPD(odd, even, even)
	g.VMULPD(r2, even, even)
	g.VADDPD(even, r, r) // e**r - 1

	s := g.vector()
	exponent := g.vector()
	g.VPSRLQ(Imm(6), bits, exponent)
	g.VPSLLQ(Imm(52), exponent, exponent)
	if g.masks {
		// Four lookups in sixteenths of the table by the low four bits, of which the next two choose.
		found := make([]reg.VecVirtual, 4)
		for i := range found {
			found[i] = g.ZMM()
			g.VMOVDQA64(bits, found[i])
			g.VPERMI2PD(table[2*i+1], table[2*i], found[i])
		}
		k := g.K()
		g.VPTESTMQ(g.constant64(16), bits, k)
		g.VBLENDMPD(found[1], found[0], k, found[0])
		g.VBLENDMPD(found[3], found[2], k, found[2])
		g.VPTESTMQ(g.constant64(32), bits, k)
		g.VBLENDMPD(found[2], found[0], k, s)
	} else {
		index, all := g.YMM(), g.YMM()
		g.VPAND(g.constant64(63), bits, index)
		g.VPCMPEQQ(all, all, all)
		g.VXORPD(s, s, s)
		g.VGATHERQPD(all, Mem{Base: base, Index: index, Scale: 8}, s)
	}
	g.VPADDQ(exponent, s, s)
	g.VMULPD(s, r, r)
	if g.masks {
		k := g.K()
		g.VCMPPD(Imm(greaterEqualSignal), g.double(expFlush), z, k)
		g.VADDPD_Z(r, s, k, s)
		g.VMOVUPD(s, Mem{Base: y, Index: at, Scale: 8})
		high := g.YMM()
		g.VADDPD(s.AsY(), acc, acc)
		g.VEXTRACTF64X4(Imm(1), s, high)
		g.VADDPD(high, acc, acc)
	} else {
		g.VADDPD(r, s, s)
		g.VCMPPD(Imm(greaterEqualSignal), g.double(expFlush), z, z)
		g.VANDPD(z, s, s)
		g.VMOVUPD(s, Mem{Base: y, Index: at, Scale: 8})
		g.VADDPD(s, acc, acc)
	}
	g.ADDQ(Imm(uint64(lanes)), at)
	g.JMP(LabelRef(label + "_block"))
	g.Label(label + "_done")
	g.VMOVUPD(acc, Mem{Base: sums})
	g.end()
}

// The constants of weigh.
const (
	expRound = 0x1.8p52 // adding it leaves the nearest integer in the low bits
	expLn2Hi = 6.93147180369123816490e-01 / 64
	expLn2Lo = 1.90821492927058770002e-10 / 64
	expFlush = -708
)

// exp2Table holds the bits of 2**(i/64).
var exp2Table = [64]uint64{
	0x3ff0000000000000, 0x3ff02c9a3e778061, 0x3ff059b0d3158574, 0x3ff0874518759bc8, 0x3ff0b5586cf9890f, 0x3ff0e3ec32d3d1a2,
	0x3ff11301d0125b51, 0x3ff1429aaea92de0, 0x3ff172b83c7d517b, 0x3ff1a35beb6fcb75, 0x3ff1d4873168b9aa, 0x3ff2063b88628cd6,
	0x3ff2387a6e756238, 0x3ff26b4565e27cdd, 0x3ff29e9df51fdee1, 0x3ff2d285a6e4030b, 0x3ff306fe0a31b715, 0x3ff33c08b26416ff,
	0x3ff371a7373aa9cb, 0x3ff3a7db34e59ff7, 0x3ff3dea64c123422, 0x3ff4160a21f72e2a, 0x3ff44e086061892d, 0x3ff486a2b5c13cd0,
	0x3ff4bfdad5362a27, 0x3ff4f9b2769d2ca7, 0x3ff5342b569d4f82, 0x3ff56f4736b527da, 0x3ff5ab07dd485429, 0x3ff5e76f15ad2148,
	0x3ff6247eb03a5585, 0x3ff6623882552225, 0x3ff6a09e667f3bcd, 0x3ff6dfb23c651a2f, 0x3ff71f75e8ec5f74, 0x3ff75feb564267c9,
	0x3ff7a11473eb0187, 0x3ff7e2f336cf4e62, 0x3ff82589994cce13, 0x3ff868d99b4492ed, 0x3ff8ace5422aa0db, 0x3ff8f1ae99157736,
	0x3ff93737b0cdc5e5, 0x3ff97d829fde4e50, 0x3ff9c49182a3f090, 0x3ffa0c667b5de565, 0x3ffa5503b23e255d, 0x3ffa9e6b5579fdbf,
	0x3ffae89f995ad3ad, 0x3ffb33a2b84f15fb, 0x3ffb7f76f2fb5e47, 0x3ffbcc1e904bc1d2, 0x3ffc199bdd85529c, 0x3ffc67f12e57d14b,
	0x3ffcb720dcef9069, 0x3ffd072d4a07897c, 0x3ffd5818dcfba487, 0x3ffda9e603db3285, 0x3ffdfc97337b9b5f, 0x3ffe502ee78b3ff6,
	0x3ffea4afa2a490da, 0x3ffefa1bee615a27, 0x3fff50765b6e4540, 0x3fffa7c1819e90d8,
}
