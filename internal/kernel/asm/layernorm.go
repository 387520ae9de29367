package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// layerNorm writes the kernels of rows with a mean and a variance.
func (g *generator) layerNorm() {
	g.deviation()
	g.layerNormRow()
	g.layerNormDots()
	g.layerNormGrad()
}

func (g *generator) deviation() {
	g.function("deviationRow", "func(n int, x *float32, mean float32) float32",
		"returns the sum of (x[i]-mean)*(x[i]-mean) over i < n, in 32 partial sums in turn.")
	n, x, mean := g.param("n").(reg.GPVirtual), g.param("x"), g.broadcast("mean")
	sums := g.zeros(lanes / g.width)
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		g.VSUBPS(mean, v, v)
		v = e.inside(v)
		g.VFMADD231PS(v, v, sums[e.vector])
	})
	g.Store(g.fold(sums), g.ReturnIndex(0))
	g.end()
}

func (g *generator) layerNormRow() {
	g.function("layerNormRow", "func(n int, x, w, b, y *float32, mean, inv float32)",
		"computes y[i] = (x[i]-mean) * inv * w[i] + b[i] for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, w, b, y := g.param("x"), g.param("w"), g.param("b"), g.param("y")
	mean, inv := g.broadcast("mean"), g.broadcast("inv")
	g.overRow("row", n, func(e element) {
		v, f, s := e.load(x), e.load(w), e.load(b)
		g.VSUBPS(mean, v, v)
		g.VMULPS(inv, v, v)
		g.VFMADD213PS(s, f, v)
		e.store(v, y)
	})
	g.end()
}

func (g *generator) layerNormDots() {
	g.function("layerNormDots", "func(n int, dy, x, w *float32, mean float32) (a, c float32)", `returns, over i < n, in 32 partial sums in turn, the sums
	a of dy[i] * w[i]
	c of dy[i] * w[i] * (x[i]-mean)`)
	n := g.param("n").(reg.GPVirtual)
	dy, x, w, mean := g.param("dy"), g.param("x"), g.param("w"), g.broadcast("mean")
	as, cs := g.zeros(lanes/g.width), g.zeros(lanes/g.width)
	g.overRow("row", n, func(e element) {
		d, v, f := e.load(dy), e.load(x), e.load(w)
		g.VMULPS(f, d, d)
		g.VADDPS(d, as[e.vector], as[e.vector])
		g.VSUBPS(mean, v, v)
		v = e.inside(v)
		g.VFMADD231PS(v, d, cs[e.vector])
	})
	g.Store(g.fold(as), g.Return("a"))
	g.Store(g.fold(cs), g.Return("c"))
	g.end()
}

func (g *generator) layerNormGrad() {
	g.function("layerNormGradRow", "func(n int, dx, dw, db, dy, x, w, r *float32, mean, inv, a, c float32)", `computes, for i < n,
	t := (x[i]-mean) * inv
	dx[i] = r[i] + inv*(dy[i]*w[i] - a - c*t)
	dw[i] += dy[i] * t
	db[i] += dy[i]
without r[i] if r is nil. dx may be r.`)
	n := g.param("n").(reg.GPVirtual)
	dx, dw, db, dy := g.param("dx"), g.param("dw"), g.param("db"), g.param("dy")
	x, w, r := g.param("x"), g.param("w"), g.param("r")
	mean, inv, a, c := g.broadcast("mean"), g.broadcast("inv"), g.broadcast("a"), g.broadcast("c")
	row := func(label string, add bool) {
		g.overRow(label, n, func(e element) {
			d, t, f := e.load(dy), e.load(x), e.load(w)
			g.VSUBPS(mean, t, t)
			g.VMULPS(inv, t, t)
			g.VFMSUB213PS(a, d, f)
			g.VFNMADD231PS(c, t, f)
			if add {
				before := e.load(r)
				g.VFMADD213PS(before, inv, f)
			} else {
				g.VMULPS(inv, f, f)
			}
			e.store(f, dx)
			sum := e.load(dw)
			g.VFMADD231PS(d, t, sum)
			e.store(sum, dw)
			sum = e.load(db)
			g.VADDPS(d, sum, sum)
			e.store(sum, db)
		})
		g.end()
	}
	g.TESTQ(r, r)
	g.JZ(LabelRef("alone"))
	row("plus", true)
	g.Label("alone")
	row("row", false)
}
