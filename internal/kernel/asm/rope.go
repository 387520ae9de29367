package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (g *generator) ropePairs() {
	g.function("ropePairs", "func(n, heads int, x, y, cos, sin *float32, back int)", `turns, for h < heads and even i < n, pairs of neighbours
	y[h*n+i] = x[h*n+i]*cos[i] + x[h*n+i+1]*sin[i]
	y[h*n+i+1] = x[h*n+i+1]*cos[i+1] + x[h*n+i]*sin[i+1]
or with - for + if back is not 0. y may be x.`)
	n, count := g.param("n").(reg.GPVirtual), g.GP64()
	heads := g.param("heads")
	x, y, cos, sin := g.param("x"), g.param("y"), g.param("cos"), g.param("sin")
	stride := g.GP64()
	g.MOVQ(n, stride)
	g.SHLQ(Imm(2), stride)
	back := g.param("back")
	turn := func(label string, sub bool) {
		g.Label(label)
		g.MOVQ(n, count)
		g.overRow(label+"_row", count, func(e element) {
			v := e.load(x)
			swapped := g.vector()
			g.VPERMILPS(Imm(0xb1), v, swapped)
			c, s := e.load(cos), e.load(sin)
			g.VMULPS(s, swapped, swapped)
			if sub {
				g.VFMSUB213PS(swapped, c, v)
			} else {
				g.VFMADD213PS(swapped, c, v)
			}
			e.store(v, y)
		})
		g.ADDQ(stride, x)
		g.ADDQ(stride, y)
		g.DECQ(heads)
		g.JNZ(LabelRef(label))
		g.end()
	}
	g.TESTQ(back, back)
	g.JNZ(LabelRef("backward"))
	turn("forward", false)
	turn("backward", true)
}

func (g *generator) ropeHalves() {
	g.function("ropeHalves", "func(half, heads int, x, y, cos, sin *float32, back int)", `turns, for h < heads and i < half, pairs that are half a head apart: with n = 2*half
	y[h*n+i] = x[h*n+i]*cos[i] - x[h*n+half+i]*sin[half+i]
	y[h*n+half+i] = x[h*n+half+i]*cos[i] + x[h*n+i]*sin[half+i]
or with + for - and - for + if back is not 0. y may be x.`)
	half, count := g.param("half").(reg.GPVirtual), g.GP64()
	heads := g.param("heads")
	x, y, cos, sin := g.param("x"), g.param("y"), g.param("cos"), g.param("sin")
	stride := g.GP64()
	g.MOVQ(half, stride)
	g.SHLQ(Imm(2), stride)
	g.ADDQ(stride, sin)
	upperX, upperY := g.GP64(), g.GP64()
	g.LEAQ(Mem{Base: x, Index: stride, Scale: 1}, upperX)
	g.LEAQ(Mem{Base: y, Index: stride, Scale: 1}, upperY)
	g.SHLQ(Imm(1), stride)
	turn := func(label string, first, second func(ops ...Op)) {
		g.Label(label)
		g.MOVQ(half, count)
		g.overRow(label+"_row", count, func(e element) {
			a, b := e.load(x), e.load(upperX)
			c, s := e.load(cos), e.load(sin)
			as, bs := g.vector(), g.vector()
			g.VMULPS(s, a, as)
			g.VMULPS(s, b, bs)
			first(bs, c, a)
			second(as, c, b)
			e.store(a, y)
			e.store(b, upperY)
		})
		for _, p := range []reg.Register{x, y, upperX, upperY} {
			g.ADDQ(stride, p)
		}
		g.DECQ(heads)
		g.JNZ(LabelRef(label))
		g.end()
	}
	g.CMPQ(g.paramAddr("back"), Imm(0))
	g.JNE(LabelRef("backward"))
	turn("forward", g.VFMSUB213PS, g.VFMADD213PS)
	turn("backward", g.VFMADD213PS, g.VFMSUB213PS)
}
