package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// plain writes the kernels that add and multiply.
func (g *generator) plain() {
	g.elementwise("add", "y[i] = x[i] + z[i]", g.VADDPS)
	g.elementwise("mul", "y[i] = x[i] * z[i]", g.VMULPS)
	g.scale()
	g.axpy()
	g.sumRow()
	g.sumSquares()
	g.scaleMul()
	g.dotRow()
	g.tripleDot()
	g.rmsNormGrad()
	g.adam()
	g.ropePairs()
	g.layerNorm()
}

func (g *generator) elementwise(name, formula string, f func(ops ...Op)) {
	g.function(name+"Row", "func(n int, x, z, y *float32)", "computes "+formula+" for i < n. y may be x or z.")
	n := g.param("n").(reg.GPVirtual)
	x, z, y := g.param("x"), g.param("z"), g.param("y")
	g.overRow("row", n, func(e element) {
		a, b := e.load(x), e.load(z)
		f(b, a, a)
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

func (g *generator) sumRow() {
	g.function("sumRow", "func(n int, x *float32) float32", "returns the sum of x[i] over i < n, in 32 partial sums in turn.")
	n, x := g.param("n").(reg.GPVirtual), g.param("x")
	sums := g.zeros(lanes / g.width)
	g.overRow("row", n, func(e element) {
		g.VADDPS(e.load(x), sums[e.vector], sums[e.vector]) // zeros where the row has ended
	})
	g.Store(g.fold(sums), g.ReturnIndex(0))
	g.end()
}

func (g *generator) sumSquares() {
	g.function("sumSquaresRow", "func(n int, x *float32) float64",
		"returns the sum of x[i]*x[i] over i < n in float64, in 32 partial sums in turn.")
	n, x := g.param("n").(reg.GPVirtual), g.param("x")
	sums := g.zeros(2 * lanes / g.width)
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		low, high := g.vector(), g.vector()
		if g.masks {
			half := g.YMM()
			g.VEXTRACTF64X4(Imm(1), v, half)
			g.VCVTPS2PD(v.AsY(), low)
			g.VCVTPS2PD(half, high)
		} else {
			half := g.XMM()
			g.VEXTRACTF128(Imm(1), v, half)
			g.VCVTPS2PD(v.AsX(), low)
			g.VCVTPS2PD(half, high)
		}
		g.VFMADD231PD(low, low, sums[2*e.vector])
		g.VFMADD231PD(high, high, sums[2*e.vector+1])
	})
	for half := len(sums) / 2; half > 0; half /= 2 {
		for v := range half {
			g.VADDPD(sums[half+v], sums[v], sums[v])
		}
	}
	low := sums[0].AsY()
	if g.masks {
		high := g.YMM()
		g.VEXTRACTF64X4(Imm(1), sums[0], high)
		g.VADDPD(high, low, low)
	}
	high := g.XMM()
	g.VEXTRACTF128(Imm(1), low, high)
	s := sums[0].AsX()
	g.VADDPD(high, s, s)
	g.VPERMILPD(Imm(1), s, high)
	g.VADDSD(high, s, s)
	g.Store(s, g.ReturnIndex(0))
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
