package main

import "github.com/mmcloughlin/avo/reg"

// layerNorm writes the loops of LayerNorm and its gradient.
func (g *generator) layerNorm() {
	g.function("centeredSquaresRow", "func(n int, x *float32, mean float32) float32",
		"returns the sum of (x[i]-mean)² over i < n, in 32 partial sums in turn.")
	n := g.param("n").(reg.GPVirtual)
	x, mean := g.param("x"), g.broadcast("mean")
	sums := g.zeros(lanes / g.width)
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		g.VSUBPS(mean, v, v)
		g.VMULPS(v, v, v)
		g.accumulate(e, v, sums)
	})
	g.Store(g.fold(sums), g.ReturnIndex(0))
	g.end()

	g.function("layerNormRow", "func(n int, x, w, b, y *float32, mean, inv float32)",
		"computes y[i] = (x[i]-mean)*inv*w[i] + b[i] for i < n. y may be x.")
	n = g.param("n").(reg.GPVirtual)
	x = g.param("x")
	w, b, y := g.param("w"), g.param("b"), g.param("y")
	mean = g.broadcast("mean")
	inv := g.broadcast("inv")
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		g.VSUBPS(mean, v, v)
		g.VMULPS(inv, v, v)
		f, shift := e.load(w), e.load(b)
		g.VFMADD213PS(shift, f, v)
		e.store(v, y)
	})
	g.end()

	g.function("layerNormSums", "func(n int, dy, w, x *float32, mean float32) (sum, product float32)",
		"returns the sums of dy[i]*w[i] and of dy[i]*w[i]*(x[i]-mean) over i < n, each in 32 partial sums in turn.")
	n = g.param("n").(reg.GPVirtual)
	dy := g.param("dy")
	w, x, mean = g.param("w"), g.param("x"), g.broadcast("mean")
	sums = g.zeros(lanes / g.width)
	products := g.zeros(lanes / g.width)
	g.overRow("row", n, func(e element) {
		d, f, v := e.load(dy), e.load(w), e.load(x)
		g.VMULPS(d, f, f)
		g.VADDPS(f, sums[e.vector], sums[e.vector])
		g.VSUBPS(mean, v, v)
		g.VFMADD231PS(v, f, products[e.vector])
	})
	g.Store(g.fold(sums), g.Return("sum"))
	g.Store(g.fold(products), g.Return("product"))
	g.end()

	g.function("layerNormGradRow", "func(n int, dx, dw, db, dy, x, w *float32, mean, inv, a, c float32)", `computes, with v = (x[i]-mean)*inv for i < n,
	dx[i] = inv*(dy[i]*w[i] - a - v*c)
	dw[i] += dy[i] * v
	db[i] += dy[i]`)
	n = g.param("n").(reg.GPVirtual)
	dx, dw, db := g.param("dx"), g.param("dw"), g.param("db")
	dy, x, w = g.param("dy"), g.param("x"), g.param("w")
	mean, inv = g.broadcast("mean"), g.broadcast("inv")
	a, c := g.broadcast("a"), g.broadcast("c")
	g.overRow("row", n, func(e element) {
		d, v, f := e.load(dy), e.load(x), e.load(w)
		g.VSUBPS(mean, v, v)
		g.VMULPS(inv, v, v)
		g.VFMSUB213PS(a, d, f)
		g.VFNMADD231PS(c, v, f)
		g.VMULPS(inv, f, f)
		e.store(f, dx)
		sum := e.load(dw)
		g.VFMADD231PS(v, d, sum)
		e.store(sum, dw)
		sum = e.load(db)
		g.VADDPS(d, sum, sum)
		e.store(sum, db)
	})
	g.end()
}
