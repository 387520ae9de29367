package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lanes is the number of partial sums of a reduction: element p goes into sum p%lanes, in the order of p.
const lanes = 32

// fold adds the upper half of the lanes to the lower until one is left.
func (g *generator) fold(acc []reg.VecVirtual) reg.VecVirtual {
	return g.foldWith(acc, func(a, b, to reg.Register) { g.VADDPS(a, b, to) })
}

// foldWith joins the upper half of the lanes with the lower until one is left.
func (g *generator) foldWith(acc []reg.VecVirtual, join func(a, b, to reg.Register)) reg.VecVirtual {
	for half := len(acc) / 2; half > 0; half /= 2 {
		for v := range half {
			join(acc[half+v], acc[v], acc[v])
		}
	}
	low := acc[0].AsY()
	if g.masks {
		high := g.YMM()
		g.VEXTRACTF64X4(Imm(1), acc[0], high)
		join(high, low, low)
	}
	high := g.XMM()
	g.VEXTRACTF128(Imm(1), low, high)
	s := acc[0].AsX()
	join(high, s, s)
	g.VMOVHLPS(s, s, high)
	join(high, s, s)
	g.VMOVSHDUP(s, high)
	join(high, s, s)
	return s.(reg.VecVirtual)
}
