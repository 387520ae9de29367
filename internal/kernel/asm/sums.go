package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sums writes the kernels that add up a row in float64.
func (g *generator) sums() {
	g.sumRow("sumRow", "returns the sum of x[i] over i < n in float64, in 32 partial sums in turn.", func(v, sum reg.VecVirtual) {
		g.VADDPD(v, sum, sum)
	})
	g.sumRow("sumSquaresRow", "returns the sum of x[i]*x[i] over i < n in float64, in 32 partial sums in turn.", func(v, sum reg.VecVirtual) {
		g.VFMADD231PD(v, v, sum)
	})
}

func (g *generator) sumRow(name, doc string, add func(v, sum reg.VecVirtual)) {
	g.function(name, "func(n int, x *float32) float64", doc)
	n, x := g.param("n").(reg.GPVirtual), g.param("x")
	sums := g.zeros(2 * lanes / g.width)
	g.overRow("row", n, func(e element) {
		low, high := g.widen(e.load(x)) // zeros where the row has ended
		add(low, sums[2*e.vector])
		add(high, sums[2*e.vector+1])
	})
	g.Store(g.foldDoubles(sums), g.ReturnIndex(0))
	g.end()
}

// widen returns the lower and the upper half of v in float64.
func (g *generator) widen(v reg.VecVirtual) (low, high reg.VecVirtual) {
	low, high = g.vector(), g.vector()
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
	return low, high
}

// foldDoubles adds the upper half of the partial sums to the lower until one is left.
func (g *generator) foldDoubles(sums []reg.VecVirtual) reg.Register {
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
	return s
}
