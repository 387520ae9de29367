package main

import (
	"fmt"
	"math"

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
