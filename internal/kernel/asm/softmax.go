package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (g *generator) softmaxRow() {
	g.function("softmaxRow", "func(n int, x, y *float32, scale float32) (largest, sum float32)", `computes, for i < n,
	y[i] = e**(scale*x[i]-largest) / sum
with the largest scale*x[i] for scale > 0 and the sum of the exponentials, in 32 partial sums in turn. y may be x. If the
largest is -Inf, apart from a NaN that it may pass over, the sum is 0 and y is left alone.`)
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	count := g.GP64()
	g.MOVQ(n, count)
	top := g.largest(count, x).AsX()
	g.VMULSS(g.paramAddr("scale"), top, top)
	g.Store(top, g.Return("largest"))
	low, bits := g.GP32(), g.GP32()
	g.MOVL(U32(0xff800000), low)
	g.VMOVD(top, bits)
	g.CMPL(bits, low)
	g.JNE(LabelRef("some"))
	zero := g.XMM()
	g.VXORPS(zero, zero, zero)
	g.Store(zero, g.Return("sum"))
	g.end()

	g.Label("some")
	scale, shift := g.broadcast("scale"), g.vector()
	g.VBROADCASTSS(top, shift)
	g.loadLimits()
	sums := g.zeros(lanes / g.width)
	g.MOVQ(n, count)
	g.overRow("exp", count, func(e element) {
		v := e.load(x)
		g.VFMSUB213PS(shift, scale, v)
		v = g.exp(v)
		e.store(v, y)
		g.accumulate(e, v, sums)
	})
	sum := g.fold(sums)
	g.Store(sum, g.Return("sum"))
	inv, all := g.XMM(), g.vector()
	g.VMOVSS(g.constant(1), inv)
	g.VDIVSS(sum, inv, inv)
	g.VBROADCASTSS(inv, all)
	g.overRow("scale", n, func(e element) {
		v := e.load(y)
		g.VMULPS(all, v, v)
		e.store(v, y)
	})
	g.end()
}

func (g *generator) attentionGradRow() {
	g.function("attentionGradRow", "func(n int, p, dp *float32, scale, lse, delta float32)", `computes, for i < n,
	p[i] = e**(scale*p[i]-lse)
	dp[i] = p[i] * (dp[i]-delta) * scale`)
	n := g.param("n").(reg.GPVirtual)
	p, dp := g.param("p"), g.param("dp")
	scale, lse, delta := g.broadcast("scale"), g.broadcast("lse"), g.broadcast("delta")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(p)
		g.VFMSUB213PS(lse, scale, v)
		v = g.exp(v)
		e.store(v, p)
		d := e.load(dp)
		g.VSUBPS(delta, d, d)
		g.VMULPS(v, d, d)
		g.VMULPS(scale, d, d)
		e.store(d, dp)
	})
	g.end()
}

func (g *generator) softmaxGrad() {
	g.function("softmaxGradRow", "func(n int, y, dy, dx *float32, s float32)",
		"computes dx[i] = y[i] * (dy[i]-s) for i < n. dx may be y or dy.")
	n := g.param("n").(reg.GPVirtual)
	y, dy, dx := g.param("y"), g.param("dy"), g.param("dx")
	s := g.broadcast("s")
	g.overRow("row", n, func(e element) {
		d, v := e.load(dy), e.load(y)
		g.VSUBPS(s, d, d)
		g.VMULPS(v, d, d)
		e.store(d, dx)
	})
	g.end()
}

func (g *generator) logSoftmax() {
	g.function("logSoftmaxRow", "func(n int, x, y *float32, largest, logSum float32)",
		"computes y[i] = x[i] - largest - logSum for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	largest, logSum := g.broadcast("largest"), g.broadcast("logSum")
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		g.VSUBPS(largest, v, v)
		g.VSUBPS(logSum, v, v)
		e.store(v, y)
	})
	g.end()
}

func (g *generator) subtractExp() {
	g.function("subtractExpRow", "func(n int, x, d, y *float32, shift, alpha float32)",
		"computes y[i] = d[i] - alpha * e**(x[i]-shift) for i < n. y may be x or d.")
	n := g.param("n").(reg.GPVirtual)
	x, d, y := g.param("x"), g.param("d"), g.param("y")
	shift, alpha := g.broadcast("shift"), g.broadcast("alpha")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		g.VSUBPS(shift, v, v)
		v = g.exp(v)
		from := e.load(d)
		g.VFNMADD231PS(alpha, v, from)
		e.store(from, y)
	})
	g.end()
}
