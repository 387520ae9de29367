package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// plain writes the kernels that add and multiply.
func (g *generator) plain() {
	g.elementwise("add", "y[i] = x[i] + z[i]", g.VADDPS)
	g.elementwise("sub", "y[i] = x[i] - z[i]", g.VSUBPS)
	g.elementwise("mul", "y[i] = x[i] * z[i]", g.VMULPS)
	g.scale()
	g.axpy()
	g.sums()
	g.scaleMul()
	g.dotRow()
	g.tripleDot()
	g.rmsNormGrad()
	g.layerNorm()
	g.adam()
	g.sgd()
	g.ropePairs()
	g.ropeHalves()
}

func (g *generator) elementwise(name, formula string, f func(ops ...Op)) {
	g.function(name+"Row", "func(n int, x, z, y *float32)", "computes "+formula+" for i < n. y may be x or z.")
	n := g.param("n").(reg.GPVirtual)
	x, z, y := g.param("x"), g.param("z"), g.param("y")
	g.overRow("row", n, func(e element) {
		a, b := e.load(x), e.load(z)
		f(b, a, a) // a - b, too: operands stand in reverse
		e.store(a, y)
	})
	g.end()
}

func (g *generator) scale() {
	g.function("scaleRow", "func(n int, x, y *float32, alpha float32)", "computes y[i] = alpha * x[i] for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, y, alpha := g.param("x"), g.param("y"), g.broadcast("alpha")
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		g.VMULPS(alpha, v, v)
		e.store(v, y)
	})
	g.end()
}

func (g *generator) axpy() {
	g.function("axpyRow", "func(n int, alpha float32, x, y *float32)", "computes y[i] += alpha * x[i] for i < n.")
	n, alpha := g.param("n").(reg.GPVirtual), g.broadcast("alpha")
	x, y := g.param("x"), g.param("y")
	g.overRow("row", n, func(e element) {
		v, old := e.load(x), e.load(y)
		g.VFMADD231PS(alpha, v, old)
		e.store(old, y)
	})
	g.end()
}

func (g *generator) scaleMul() {
	g.function("scaleMulRow", "func(n int, x, w, y *float32, alpha float32)", "computes y[i] = x[i] * alpha * w[i] for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, w, y, alpha := g.param("x"), g.param("w"), g.param("y"), g.broadcast("alpha")
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		g.VMULPS(alpha, v, v)
		f := e.load(w)
		g.VMULPS(f, v, v)
		e.store(v, y)
	})
	g.end()
}

func (g *generator) dotRow() {
	g.function("dotRow", "func(n int, x, y *float32) float32",
		"returns the sum of x[i] * y[i] over i < n, in 32 partial sums in turn.")
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	sums := g.zeros(lanes / g.width)
	g.overRow("row", n, func(e element) {
		a, b := e.load(x), e.load(y)
		g.VFMADD231PS(a, b, sums[e.vector])
	})
	g.Store(g.fold(sums), g.ReturnIndex(0))
	g.end()
}

func (g *generator) tripleDot() {
	g.function("tripleDotRow", "func(n int, x, y, z *float32) float32",
		"returns the sum of x[i] * y[i] * z[i] over i < n, in 32 partial sums in turn.")
	n := g.param("n").(reg.GPVirtual)
	x, y, z := g.param("x"), g.param("y"), g.param("z")
	sums := g.zeros(lanes / g.width)
	g.overRow("row", n, func(e element) {
		a, b := e.load(x), e.load(y)
		g.VMULPS(b, a, a)
		c := e.load(z)
		g.VFMADD231PS(c, a, sums[e.vector])
	})
	g.Store(g.fold(sums), g.ReturnIndex(0))
	g.end()
}

func (g *generator) rmsNormGrad() {
	g.function("rmsNormGradRow", "func(n int, dx, dw, dy, x, w, r *float32, inv, c float32)", `computes, for i < n,
	dx[i] = r[i] + inv*(dy[i]*w[i] - c*x[i])
	dw[i] += dy[i] * x[i] * inv
without r[i] if r is nil. dx may be r.`)
	n := g.param("n").(reg.GPVirtual)
	dx, dw, dy := g.param("dx"), g.param("dw"), g.param("dy")
	x, w, r := g.param("x"), g.param("w"), g.param("r")
	inv, c := g.broadcast("inv"), g.broadcast("c")
	row := func(label string, add bool) {
		g.overRow(label, n, func(e element) {
			d, v, f := e.load(dy), e.load(x), e.load(w)
			g.VMULPS(d, f, f)
			g.VFNMADD231PS(c, v, f)
			if add {
				before := e.load(r)
				g.VFMADD213PS(before, inv, f)
			} else {
				g.VMULPS(inv, f, f)
			}
			e.store(f, dx)
			sum := e.load(dw)
			g.VMULPS(v, d, d)
			g.VFMADD231PS(inv, d, sum)
			e.store(sum, dw)
		})
		g.end()
	}
	g.TESTQ(r, r)
	g.JZ(LabelRef("alone"))
	row("plus", true)
	g.Label("alone")
	row("row", false)
}
