package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// exponentials writes the kernels with an exponential.
func (g *generator) exponentials() {
	g.expRow()
	g.maxRow()
	g.expSum()
	g.softmaxRow()
	g.attentionGradRow()
	g.softmaxGrad()
	g.logSoftmax()
	g.subtractExp()
	g.silu()
	g.siluGrad()
	g.swiglu()
	g.swigluBackward()
	g.gelu()
	g.geluBackward()
	g.geluTanh()
	g.geluTanhGrad()
	g.softCap()
	g.softCapGrad()
}

// The polynomial of exp, after range reduction by ln 2 in two parts.
const (
	log2e = 1.44269504088896341
	ln2Hi = 0.693147180559945309
	ln2Lo = -1.904654323148236e-09
	exp2  = 0.4999999403953552
	exp3  = 0.1666652113199234
	exp4  = 0.04166838899254799
	exp5  = 0.00836874544620514
	exp6  = 0.0013814539415761828

	// Beyond these e**x is infinite or 0.
	expMax = 89
	expMin = -104.5
)

// exp returns e**x, and destroys x. NaN stays NaN. It takes e**r of what remains of x after n whole ln 2, within half of
// one of 0, from a polynomial, and raises its exponent by n: AVX2 in two steps, of which the first is exact, so that
// there is one rounding as with AVX-512.
func (g *generator) exp(x reg.VecVirtual) reg.VecVirtual {
	g.VMINPS(x, g.limits[0], x) // the second source is the result if there is a NaN
	g.VMAXPS(x, g.limits[1], x)
	n := g.vector()
	g.VMULPS(g.constant(log2e), x, n)
	if g.masks {
		g.VRNDSCALEPS(Imm(8), n, n)
	} else {
		g.VROUNDPS(Imm(8), n, n)
	}
	g.VFNMADD231PS(g.constant(ln2Hi), n, x)
	g.VFNMADD231PS(g.constant(ln2Lo), n, x)
	p, square := g.filled(exp6), g.vector()
	g.VFMADD213PS(g.constant(exp5), x, p)
	g.VFMADD213PS(g.constant(exp4), x, p)
	g.VFMADD213PS(g.constant(exp3), x, p)
	g.VFMADD213PS(g.constant(exp2), x, p)
	g.VMULPS(x, x, square)
	g.VFMADD213PS(x, square, p)
	g.VADDPS(g.constant(1), p, p)
	if g.masks {
		g.VSCALEFPS(n, p, p)
		return p
	}
	half := g.vector()
	g.VCVTPS2DQ(n, n)
	g.VPSRAD(Imm(1), n, half)
	g.VPSUBD(half, n, n)
	for _, k := range []reg.VecVirtual{half, n} {
		g.VPSLLD(Imm(23), k, k)
		g.VPADDD(g.constant(1), k, k) // the bits of 1 are its exponent
		g.VMULPS(k, p, p)
	}
	return p
}

// loadLimits keeps what exp clamps its argument to.
func (g *generator) loadLimits() {
	g.limits = [2]reg.VecVirtual{g.filled(expMax), g.filled(expMin)}
}

func (g *generator) expRow() {
	g.function("expRow", "func(n int, x, y *float32, scale, shift, alpha float32)",
		"computes y[i] = alpha * e**(scale*x[i]-shift) for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	scale, shift, alpha := g.broadcast("scale"), g.broadcast("shift"), g.broadcast("alpha")
	g.loadLimits()
	g.overRow("exp", n, func(e element) {
		v := e.load(x)
		g.VFMSUB213PS(shift, scale, v)
		v = g.exp(v)
		g.VMULPS(alpha, v, v)
		e.store(v, y)
	})
	g.end()
}

// largest writes the loop that finds the largest float of x.
func (g *generator) largest(n reg.GPVirtual, x reg.Register) reg.VecVirtual {
	most := g.vectorList(lanes / g.width)
	for _, m := range most {
		g.VMOVUPS(g.infinity(), m)
	}
	g.overRow("max", n, func(e element) {
		v := e.load(x)
		m := most[e.vector]
		switch {
		case e.mask == nil:
			g.VMAXPS(v, m, m)
		case g.masks:
			g.VMAXPS(v, m, e.mask.reg, m)
		default:
			w := g.vector()
			g.VMAXPS(v, m, w)
			g.VBLENDVPS(e.mask.reg, w, m, m)
		}
	})
	return g.foldWith(most, func(a, b, to reg.Register) { g.VMAXPS(a, b, to) })
}

func (g *generator) maxRow() {
	g.function("maxRow", "func(n int, x *float32) float32",
		"returns the largest x[i] for i < n, -Inf if there is none. It passes over a NaN or returns it.")
	n := g.param("n").(reg.GPVirtual)
	g.Store(g.largest(n, g.param("x")).AsX(), g.ReturnIndex(0))
	g.end()
}

func (g *generator) expSum() {
	g.function("expSum", "func(n int, x *float32, shift float32) float32",
		"returns the sum of e**(x[i]-shift) over i < n, in 32 partial sums in turn.")
	n := g.param("n").(reg.GPVirtual)
	x := g.param("x")
	shift := g.broadcast("shift")
	g.loadLimits()
	sums := g.zeros(lanes / g.width)
	g.overRow("sum", n, func(e element) {
		v := e.load(x)
		g.VSUBPS(shift, v, v)
		g.accumulate(e, g.exp(v), sums)
	})
	g.Store(g.fold(sums), g.ReturnIndex(0))
	g.end()
}

// accumulate adds v to the sums, as far as the row goes.
func (g *generator) accumulate(e element, v reg.VecVirtual, sums []reg.VecVirtual) {
	s := sums[e.vector]
	switch {
	case e.mask == nil:
		g.VADDPS(v, s, s)
	case g.masks:
		g.VADDPS(v, s, e.mask.reg, s)
	default:
		g.VANDPS(e.mask.reg, v, v)
		g.VADDPS(v, s, s)
	}
}
