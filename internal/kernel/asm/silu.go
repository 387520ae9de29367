package main

import "github.com/mmcloughlin/avo/reg"

// sigmoid returns 1 / (1 + e**-x).
func (g *generator) sigmoid(x reg.VecVirtual) reg.VecVirtual {
	v, s := g.vector(), g.vector()
	g.VXORPS(v, v, v)
	g.VSUBPS(x, v, v)
	v = g.exp(v)
	g.VMOVUPS(g.constant(1), s)
	g.VADDPS(s, v, v)
	g.VDIVPS(v, s, s)
	return s
}

func (g *generator) silu() {
	g.function("siluRow", "func(n int, x, y *float32)",
		"computes y[i] = x[i] * sigmoid(x[i]) for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		s := g.sigmoid(v)
		g.VMULPS(v, s, s)
		e.store(s, y)
	})
	g.end()
}

func (g *generator) siluGrad() {
	g.function("siluGradRow", "func(n int, x, dy, dx *float32)", `computes, with s = sigmoid(x[i]) for i < n,
	dx[i] = dy[i] * s * (1 + x[i]*(1-s))
dx may be x or dy.`)
	n := g.param("n").(reg.GPVirtual)
	x, dy, dx := g.param("x"), g.param("dy"), g.param("dx")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		s := g.sigmoid(v)
		d, one := e.load(dy), g.filled(1)
		g.VMULPS(s, d, d)
		g.VSUBPS(s, one, s)
		g.VFMADD213PS(one, v, s) // x·(1-s) + 1
		g.VMULPS(s, d, d)
		e.store(d, dx)
	})
	g.end()
}

func (g *generator) swiglu() {
	g.function("swiglu", "func(n int, gate, up, y *float32)",
		"computes y[i] = gate[i] * sigmoid(gate[i]) * up[i] for i < n. y may be gate or up.")
	n := g.param("n").(reg.GPVirtual)
	gate, up, y := g.param("gate"), g.param("up"), g.param("y")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(gate)
		s := g.sigmoid(v)
		g.VMULPS(v, s, s)
		u := e.load(up)
		g.VMULPS(u, s, s)
		e.store(s, y)
	})
	g.end()
}

func (g *generator) swigluBackward() {
	g.function("swigluBackward", "func(n int, gate, up, dy, dgate, dup *float32)", `computes, with s = sigmoid(gate[i]) for i < n,
	dgate[i] = dy[i] * up[i] * s * (1 + gate[i]*(1-s))
	dup[i] = dy[i] * gate[i] * s
A gradient may lie over what it is made of.`)
	n := g.param("n").(reg.GPVirtual)
	gate, up, dy := g.param("gate"), g.param("up"), g.param("dy")
	dgate, dup := g.param("dgate"), g.param("dup")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(gate)
		s := g.sigmoid(v)
		d, u := e.load(dy), e.load(up)
		g.VMULPS(u, d, u)
		g.VMULPS(s, u, u) // dy·up·s
		g.VMULPS(v, d, d)
		g.VMULPS(s, d, d) // dy·gate·s
		one := g.filled(1)
		g.VSUBPS(s, one, s)
		g.VFMADD213PS(one, v, s) // gate·(1-s) + 1
		g.VMULPS(s, u, u)
		e.store(u, dgate)
		e.store(d, dup)
	})
	g.end()
}
