package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The kernels of this file count the elements that a comparison chooses, and add up what belongs to them.

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
	step := func(floats int) {
		for v := range floats / g.width {
			some := g.GP64()
			mem := Mem{Base: x, Index: at, Scale: 4, Disp: v * g.bytes()}
			g.bits(g.compare(lessOrdered, 4, mem, limit), 4, some)
			g.POPCNTL(some.As32(), some.As32())
			g.ADDQ(some, total)
		}
		g.ADDQ(Imm(uint64(floats)), at)
	}
	g.Label("count_block")
	g.CMPQ(at, whole)
	g.JGE(LabelRef("count_rest"))
	step(64)
	g.JMP(LabelRef("count_block"))
	g.Label("count_rest")
	g.CMPQ(at, n)
	g.JGE(LabelRef("count_done"))
	step(16)
	g.JMP(LabelRef("count_rest"))
	g.Label("count_done")
	g.Store(total, g.ReturnIndex(0))
	g.end()
}

// sumAbove32 adds up four floats as such and their sums as doubles.
func (g *generator) sumAbove32() {
	const vecs = 4
	g.function("sumAbove32", "func(n int, x, w *float32, limit float32, sum *float64) int",
		`stores the sum of w[i] over the i < n with x[i] > limit, and returns how many there are. n must be a multiple of 64.`)
	n := g.param("n").(reg.GPVirtual)
	x, w, sum := g.param("x"), g.param("w"), g.param("sum")
	limit := g.broadcast("limit")
	acc := g.zeros(2)
	total, at := g.GP64(), g.GP64()
	g.XORQ(total, total)
	g.XORQ(at, at)
	g.Label("sumAbove32_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef("sumAbove32_done"))
	parts := make([]reg.VecVirtual, vecs)
	for v := range parts {
		some := g.GP64()
		chosen := g.compare(lessOrdered, 4, Mem{Base: x, Index: at, Scale: 4, Disp: v * g.bytes()}, limit)
		weights := Mem{Base: w, Index: at, Scale: 4, Disp: v * g.bytes()}
		parts[v] = g.vector()
		if g.masks {
			g.VMOVUPS_Z(weights, chosen, parts[v])
		} else {
			g.VANDPS(weights, chosen, parts[v])
		}
		g.bits(chosen, 4, some)
		g.POPCNTL(some.As32(), some.As32())
		g.ADDQ(some, total)
		if v%2 == 1 {
			g.VADDPS(parts[v], parts[v-1], parts[v-1])
		}
	}
	g.VADDPS(parts[2], parts[0], parts[0])
	low, high := g.widen(parts[0])
	g.VADDPD(low, acc[0], acc[0])
	g.VADDPD(high, acc[1], acc[1])
	g.ADDQ(Imm(uint64(vecs*g.width)), at)
	g.JMP(LabelRef("sumAbove32_block"))
	g.Label("sumAbove32_done")
	g.VMOVSD(g.foldDoubles(acc), Mem{Base: sum})
	g.Store(total, g.ReturnIndex(0))
	g.end()
}

// sumAbove64 adds up in the same order whatever the length of a vector.
func (g *generator) sumAbove64() {
	g.function("sumAbove64", "func(n int, x, w *float64, limit float64, sum *float64) int",
		`stores the sum of w[i] over the i < n with x[i] > limit, and returns how many there are. n must be a multiple of 8.`)
	n := g.param("n").(reg.GPVirtual)
	x, w, sum := g.param("x"), g.param("w"), g.param("sum")
	limit := g.vector()
	g.VBROADCASTSD(g.paramAddr("limit"), limit)
	const block = 32
	acc := g.zeros(2 * block / g.width)
	total, at, whole := g.GP64(), g.GP64(), g.GP64()
	g.XORQ(total, total)
	g.XORQ(at, at)
	g.MOVQ(n, whole)
	g.ANDQ(I32(-block), whole)
	step := func(doubles int) {
		for v := range 2 * doubles / g.width {
			some := g.GP64()
			chosen := g.compare(lessOrdered, 8, Mem{Base: x, Index: at, Scale: 8, Disp: v * g.bytes()}, limit)
			weights := Mem{Base: w, Index: at, Scale: 8, Disp: v * g.bytes()}
			g.bits(chosen, 8, some)
			if g.masks {
				g.VADDPD(weights, acc[v], chosen, acc[v])
			} else {
				g.VANDPD(weights, chosen, chosen)
				g.VADDPD(chosen, acc[v], acc[v])
			}
			g.POPCNTL(some.As32(), some.As32())
			g.ADDQ(some, total)
		}
		g.ADDQ(Imm(uint64(doubles)), at)
	}
	g.Label("sumAbove64_block")
	g.CMPQ(at, whole)
	g.JGE(LabelRef("sumAbove64_rest"))
	step(block)
	g.JMP(LabelRef("sumAbove64_block"))
	g.Label("sumAbove64_rest")
	g.CMPQ(at, n)
	g.JGE(LabelRef("sumAbove64_done"))
	step(8)
	g.JMP(LabelRef("sumAbove64_rest"))
	g.Label("sumAbove64_done")
	g.VMOVSD(g.foldDoubles(acc), Mem{Base: sum})
	g.Store(total, g.ReturnIndex(0))
	g.end()
}
