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
	// AVX2 has no registers for all factors.
	kept := make(map[int]reg.VecVirtual)
	factor := func(i int) reg.VecVirtual {
		if x, ok := kept[i]; ok {
			return x
		}
		x := g.vector()
		g.VBROADCASTSS(Mem{Base: a, Disp: 4 * i}, x)
		return x
	}
	if g.masks {
		for i := range 9 {
			kept[i] = factor(i)
		}
	}
	g.overRow("row", n, func(e element) {
		x, d := e.load(w), e.load(dw)
		g.VMULPS(factor(0), d, d)
		g.VFMADD231PS(factor(1), x, d)
		first := e.load(m)
		g.VMULPS(factor(2), first, first)
		g.VFMADD231PS(factor(3), d, first)
		e.store(first, m)
		second := e.load(v)
		g.VMULPS(d, d, d)
		g.VMULPS(factor(4), second, second)
		g.VFMADD231PS(factor(5), d, second)
		e.store(second, v)
		g.VSQRTPS(second, second)
		root, eps := factor(6), factor(7)
		t := g.vector()
		g.VMULPS(root, second, t)
		g.VADDPS(eps, t, t)
		rate := g.vector()
		g.VMULPS(factor(8), first, rate)
		g.VDIVPS(t, rate, rate)
		shrink := g.vector()
		g.VBROADCASTSS(Mem{Base: a, Disp: 4 * 9}, shrink)
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
