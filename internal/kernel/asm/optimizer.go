package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (g *generator) adam() {
	g.function("adamRow", "func(n int, w, dw, m, v, a *float32)", `computes, with the numbers of a in the order that adamFactors gives them, for i < n,
	g := factor*dw[i] + penalty*w[i]
	m[i] = beta1*m[i] + rest1*g
	v[i] = beta2*v[i] + rest2*g*g
	w[i] = shrink*w[i] - rate*m[i]/(√v[i]*root+eps)`)
	n := g.param("n").(reg.GPVirtual)
	w, dw, m, v, a := g.param("w"), g.param("dw"), g.param("m"), g.param("v"), g.param("a")
	// AVX2 has no register for the last factor.
	var factors [9]reg.VecVirtual
	for i := range factors {
		factors[i] = g.vector()
		g.VBROADCASTSS(Mem{Base: a, Disp: 4 * i}, factors[i])
	}
	g.overRow("row", n, func(e element) {
		x, d := e.load(w), e.load(dw)
		g.VMULPS(factors[0], d, d)
		g.VFMADD231PS(factors[1], x, d)
		first := e.load(m)
		g.VMULPS(factors[2], first, first)
		g.VFMADD231PS(factors[3], d, first)
		e.store(first, m)
		second := e.load(v)
		g.VMULPS(d, d, d)
		g.VMULPS(factors[4], second, second)
		g.VFMADD231PS(factors[5], d, second)
		e.store(second, v)
		g.VSQRTPS(second, second)
		t := g.vector()
		g.VMULPS(factors[6], second, t)
		g.VADDPS(factors[7], t, t)
		rate := g.vector()
		g.VMULPS(factors[8], first, rate)
		g.VDIVPS(t, rate, rate)
		shrink := g.vector()
		g.VBROADCASTSS(Mem{Base: a, Disp: 4 * len(factors)}, shrink)
		g.VFMSUB213PS(rate, shrink, x)
		e.store(x, w)
	})
	g.end()
}

func (g *generator) sgd() {
	g.function("sgdRow", "func(n int, w, dw, v, a *float32, kind int)", `computes, with the numbers of a in the order that sgdFactors gives them, for i < n,
	g := factor*dw[i] + penalty*w[i]
	v[i] = momentum*v[i] + rest*g
	w[i] -= rate*v[i]
and in place of the last line w[i] -= rate*(g+momentum*v[i]) if kind is 2. If it is 0, there is no v, and w[i] -= rate*g.`)
	n, kind := g.param("n").(reg.GPVirtual), g.param("kind")
	w, dw, v, a := g.param("w"), g.param("dw"), g.param("v"), g.param("a")
	var factors [5]reg.VecVirtual
	for i := range factors {
		factors[i] = g.vector()
		g.VBROADCASTSS(Mem{Base: a, Disp: 4 * i}, factors[i])
	}
	factor, penalty, momentum, rest, rate := factors[0], factors[1], factors[2], factors[3], factors[4]
	// step writes the loop of one kind, which moves weights by what direction makes of their gradients.
	step := func(label string, direction func(e element, d reg.VecVirtual) reg.VecVirtual) {
		g.overRow(label, n, func(e element) {
			x, d := e.load(w), e.load(dw)
			g.VMULPS(factor, d, d)
			g.VFMADD231PS(penalty, x, d)
			g.VFNMADD231PS(rate, direction(e, d), x)
			e.store(x, w)
		})
		g.end()
	}
	velocity := func(e element, d reg.VecVirtual) reg.VecVirtual {
		speed := e.load(v)
		g.VMULPS(momentum, speed, speed)
		g.VFMADD231PS(rest, d, speed)
		e.store(speed, v)
		return speed
	}
	g.CMPQ(kind, Imm(1))
	g.JLT(LabelRef("still"))
	g.JEQ(LabelRef("moving"))
	step("ahead", func(e element, d reg.VecVirtual) reg.VecVirtual {
		g.VFMADD231PS(momentum, velocity(e, d), d)
		return d
	})
	g.Label("moving")
	step("momentum", velocity)
	g.Label("still")
	step("row", func(_ element, d reg.VecVirtual) reg.VecVirtual { return d })
}
