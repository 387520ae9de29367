package main

import "github.com/mmcloughlin/avo/reg"

// e**z²·erfc(z) for z >= 0 is t times a polynomial in t = 1/(1 + scale·z), within 2.1e-8 of its value: a minimax fit.
const erfcScale = 0.37

var erfcx = []float32{
	0.2088086389210756, 0.20751510234103898, 0.2056547380933419, 0.10883801711905562, 0.30539938996090016,
	-0.2775240691531846, 0.4800481271597395, -0.2999866742343843, 0.061246709075332244,
}

const (
	sqrtHalf   = 0.7071067811865476
	invSqrtTau = 0.3989422804014327 // 1/√(2π)
	geluLimit  = 100                // Φ is 0 or 1 far before, in either form
)

// normal returns Φ(x), the normal distribution function, and e**(-x²/2). It clamps x, which NaN survives.
func (g *generator) normal(x reg.VecVirtual) (cdf, bell reg.VecVirtual) {
	g.clamp(x, geluLimit)
	bell = g.vector()
	g.VMULPS(x, x, bell)
	g.VMULPS(g.constant(-0.5), bell, bell)
	bell = g.exp(bell)
	// t = 1/(1 + scale·|x|/√2)
	t, one, p := g.vector(), g.filled(1), g.filled(erfcx[len(erfcx)-1])
	g.VXORPS(t, t, t)
	g.VSUBPS(x, t, t)
	g.VMAXPS(x, t, t)
	g.VFMADD132PS(g.constant(erfcScale*sqrtHalf), one, t)
	g.VDIVPS(t, one, t)
	for i := len(erfcx) - 2; i >= 0; i-- {
		g.VFMADD213PS(g.constant(erfcx[i]), t, p)
	}
	g.VMULPS(t, p, p)
	g.VMULPS(g.constant(0.5), p, p)
	g.VMULPS(bell, p, p) // Φ(-|x|)
	upper := g.vector()
	g.VSUBPS(p, one, upper)
	cdf = g.vector()
	if g.masks {
		k := g.K()
		g.VPMOVD2M(x, k) // the signs
		g.VBLENDMPS(p, upper, k, cdf)
	} else {
		g.VBLENDVPS(x, p, upper, cdf)
	}
	return cdf, bell
}

// clamp limits x to [-limit, limit]. NaN stays NaN, being the second source.
func (g *generator) clamp(x reg.VecVirtual, limit float32) {
	end := g.filled(limit)
	g.VMINPS(x, end, x)
	g.VMOVUPS(g.constant(-limit), end)
	g.VMAXPS(x, end, x)
}

func (g *generator) gelu() {
	g.function("geluRow", "func(n int, x, y *float32)", "computes y[i] = x[i] * Φ(x[i]) for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		cdf, _ := g.normal(e.load(x))
		v := e.load(x)
		g.VMULPS(v, cdf, cdf)
		e.store(cdf, y)
	})
	g.end()
}

func (g *generator) geluBackward() {
	g.function("geluGradRow", "func(n int, x, dy, dx *float32)",
		"computes dx[i] = dy[i] * (Φ(x[i]) + x[i]*φ(x[i])) for i < n. dx may be x or dy.")
	n := g.param("n").(reg.GPVirtual)
	x, dy, dx := g.param("x"), g.param("dy"), g.param("dx")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		cdf, bell := g.normal(v)
		g.VMULPS(g.constant(invSqrtTau), bell, bell)
		g.VFMADD231PS(v, bell, cdf)
		d := e.load(dy)
		g.VMULPS(d, cdf, cdf)
		e.store(cdf, dx)
	})
	g.end()
}

// The tanh form of GELU is x·sigmoid(2u) with u = √(2/π)·(x + 0.044715 x³).
const (
	geluSlope = 1.5957691216057308 // 2·√(2/π)
	geluCubic = 0.044715
)

// tanhSigmoid returns sigmoid(2u) and x². It clamps x, which NaN survives, so that x² is finite.
func (g *generator) tanhSigmoid(x reg.VecVirtual) (s, square reg.VecVirtual) {
	g.clamp(x, geluLimit)
	square = g.vector()
	g.VMULPS(x, x, square)
	u := g.filled(geluSlope * geluCubic)
	g.VFMADD213PS(g.constant(geluSlope), square, u)
	g.VMULPS(x, u, u)
	return g.sigmoid(u), square
}

func (g *generator) geluTanh() {
	g.function("geluTanhRow", "func(n int, x, y *float32)",
		"computes y[i] = x[i] * sigmoid(2u) with u = √(2/π)*(x[i] + 0.044715*x[i]**3) for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		s, _ := g.tanhSigmoid(e.load(x))
		v := e.load(x)
		g.VMULPS(v, s, s)
		e.store(s, y)
	})
	g.end()
}

func (g *generator) geluTanhGrad() {
	g.function("geluTanhGradRow", "func(n int, x, dy, dx *float32)", `computes, with s = sigmoid(2u) as in geluTanhRow for i < n,
	dx[i] = dy[i] * (s + s*(1-s)*x[i]*2*√(2/π)*(1 + 3*0.044715*x[i]**2))
dx may be x or dy.`)
	n := g.param("n").(reg.GPVirtual)
	x, dy, dx := g.param("x"), g.param("dy"), g.param("dx")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(x)
		s, square := g.tanhSigmoid(v)
		slope := g.filled(3 * geluSlope * geluCubic)
		g.VFMADD213PS(g.constant(geluSlope), square, slope)
		g.VMULPS(v, slope, slope)
		rest := g.filled(1)
		g.VSUBPS(s, rest, rest)
		g.VMULPS(rest, slope, slope)
		g.VFMADD213PS(s, s, slope) // slope·s + s
		d := e.load(dy)
		g.VMULPS(d, slope, slope)
		e.store(slope, dx)
	})
	g.end()
}
