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
	g.swiglu()
	g.swigluBackward()
	g.gelu()
	g.geluBackward()
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
	g.function("expRow", "func(n int, x, y *float32, shift, alpha float32)",
		"computes y[i] = alpha * e**(x[i]-shift) for i < n. y may be x.")
	n := g.param("n").(reg.GPVirtual)
	x, y := g.param("x"), g.param("y")
	shift, alpha := g.broadcast("shift"), g.broadcast("alpha")
	g.loadLimits()
	g.overRow("exp", n, func(e element) {
		v := e.load(x)
		g.VSUBPS(shift, v, v)
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
		"returns the largest x[i] for i < n, -Inf if there is none. With a NaN it is any of them.")
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

func (g *generator) softmaxRow() {
	g.function("softmaxRow", "func(n int, x, y *float32, scale float32) (largest, sum float32)", `computes, for i < n,
	y[i] = e**(scale*x[i]-largest) / sum
with the largest scale*x[i] for scale > 0 and the sum of the exponentials, in 32 partial sums in turn. y may be x. If the
largest is -Inf, the sum is 0 and y is left alone.`)
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

// sigmoid returns 1 / (1 + e**-x).
func (g *generator) sigmoid(x reg.VecVirtual) reg.VecVirtual {
	v, s := g.vector(), g.vector()
	g.VXORPS(v, v, v)
	g.VSUBPS(x, v, v)
	v = g.exp(v)
	g.VMOVUPS(g.constant(1), s)
	g.VADDPS(s, v, v)
	g.VDIVPS(v, s, s)
	return s
}

func (g *generator) swiglu() {
	g.function("swiglu", "func(n int, gate, up, y *float32)",
		"computes y[i] = gate[i] * sigmoid(gate[i]) * up[i] for i < n. y may be gate or up.")
	n := g.param("n").(reg.GPVirtual)
	gate, up, y := g.param("gate"), g.param("up"), g.param("y")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(gate)
		s := g.sigmoid(v)
		g.VMULPS(v, s, s)
		u := e.load(up)
		g.VMULPS(u, s, s)
		e.store(s, y)
	})
	g.end()
}

func (g *generator) swigluBackward() {
	g.function("swigluBackward", "func(n int, gate, up, dy, dgate, dup *float32)", `computes, with s = sigmoid(gate[i]) for i < n,
	dgate[i] = dy[i] * up[i] * s * (1 + gate[i]*(1-s))
	dup[i] = dy[i] * gate[i] * s
A gradient may lie over what it is made of.`)
	n := g.param("n").(reg.GPVirtual)
	gate, up, dy := g.param("gate"), g.param("up"), g.param("dy")
	dgate, dup := g.param("dgate"), g.param("dup")
	g.loadLimits()
	g.overRow("row", n, func(e element) {
		v := e.load(gate)
		s := g.sigmoid(v)
		d, u := e.load(dy), e.load(up)
		g.VMULPS(u, d, u)
		g.VMULPS(s, u, u) // dy·up·s
		g.VMULPS(v, d, d)
		g.VMULPS(s, d, d) // dy·gate·s
		one := g.filled(1)
		g.VSUBPS(s, one, s)
		g.VFMADD213PS(one, v, s) // gate·(1-s) + 1
		g.VMULPS(s, u, u)
		e.store(u, dgate)
		e.store(d, dup)
	})
	g.end()
}
