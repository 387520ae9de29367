package main

import (
	"math"

	"github.com/mmcloughlin/avo/reg"
)

// tanh(u)/u - 1 is u² times a polynomial in u² while |u| <= tanhNear, from Cephes; farther from 0 tanh is 1 - 2/(e**2u + 1).
var tanhPolynomial = []float32{-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3}

const tanhNear = 0.625

// tanh returns the hyperbolic tangent of u, which survives. NaN stays NaN.
func (g *generator) tanh(u reg.VecVirtual) reg.VecVirtual {
	far, one := g.vector(), g.filled(1)
	g.VADDPS(u, u, far)
	far = g.exp(far)
	g.VADDPS(one, far, far)
	g.VDIVPS(far, g.filled(2), far)
	g.VSUBPS(far, one, far)
	square, near := g.vector(), g.filled(tanhPolynomial[len(tanhPolynomial)-1])
	g.VMULPS(u, u, square)
	for i := len(tanhPolynomial) - 2; i >= 0; i-- {
		g.VFMADD213PS(g.constant(tanhPolynomial[i]), square, near)
	}
	g.VMULPS(square, near, near)
	g.VFMADD213PS(u, u, near) // near·u + u
	g.VSUBPS(g.constant(tanhNear*tanhNear), square, square)
	return g.choose(square, near, far)
}

// choose returns negative where the sign bit of by is set, and positive elsewhere.
func (g *generator) choose(by, negative, positive reg.VecVirtual) reg.VecVirtual {
	v := g.vector()
	if g.masks {
		k := g.K()
		g.VPMOVD2M(by, k)
		g.VBLENDMPS(negative, positive, k, v)
		return v
	}
	g.VBLENDVPS(by, negative, positive, v)
	return v
}

func (g *generator) softCap() {
	g.function("softCapRow", "func(n int, x, y *float32, limit, inverse float32)",
		"computes y[i] = limit * tanh(x[i]*inverse) for i < n, but infinities stay. inverse is 1/limit. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	limit, inverse := g.broadcast("limit"), g.broadcast("inverse")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		u := e.load(x)
		g.VMULPS(inverse, u, u)
		t := g.tanh(u)
		g.VMULPS(limit, t, t)
		v, size := e.load(x), g.vector()
		g.VXORPS(size, size, size)
		g.VSUBPS(v, size, size)
		g.VMAXPS(v, size, size)
		beyond := g.filled(math.MaxFloat32)
		g.VSUBPS(size, beyond, beyond)
		e.store(g.choose(beyond, v, t), y)
	})
	g.end()
}

func (g *generator) softCapGrad() {
	g.function("softCapGradRow", "func(n int, y, dx *float32, inverse float32)",
		"computes dx[i] *= max(0, 1 - (y[i]*inverse)**2) for i < n, y being what softCapRow made.")
	n := g.param("n").(reg.GPVirtual)
	y, dx := g.param("y"), g.param("dx")
	inverse := g.broadcast("inverse")
	g.overRow("row", n, func(e element) {
		t := e.load(y)
		g.VMULPS(inverse, t, t)
		slope, zero := g.filled(1), g.vector()
		g.VFNMADD231PS(t, t, slope)
		g.VXORPS(zero, zero, zero)
		g.VMAXPS(slope, zero, slope) // a NaN is the second source
		d := e.load(dx)
		g.VMULPS(slope, d, d)
		e.store(d, dx)
	})
	g.end()
}
