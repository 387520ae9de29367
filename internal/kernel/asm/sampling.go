package main

import (
	"fmt"

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
	g.roughWeights()
	g.count()
	g.sumAbove32()
	g.sumAbove64()
	g.keep()
	g.between(4)
	g.between(8)
	g.list(false)
	g.list(true)
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
	g.Label("above_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef("above_none"))
	mem := func(v int) Mem { return Mem{Base: x, Index: at, Scale: 4, Disp: v * g.bytes()} }
	masks := make([]reg.Register, vecs)
	for v := range masks {
		masks[v] = g.compare(notGreaterOrEqual, 4, mem(v), limit)
	}
	g.testAny(masks)
	g.JNE(LabelRef("above_found"))
	g.ADDQ(Imm(searchStep), at)
	g.JMP(LabelRef("above_block"))

	g.Label("above_found")
	any := g.GP64()
	for v, m := range masks {
		g.bits(m, 4, any)
		g.TESTL(any.As32(), any.As32())
		if v+1 < len(masks) {
			g.JNE(LabelRef("above_at"))
			g.ADDQ(Imm(uint64(g.width)), at)
		}
	}
	g.Label("above_at")
	first := g.GP64()
	g.BSFL(any.As32(), first.As32())
	g.ADDQ(first, at)
	g.Store(at, g.ReturnIndex(0))
	g.end()

	g.Label("above_none")
	g.Store(n, g.ReturnIndex(0))
	g.end()
}
