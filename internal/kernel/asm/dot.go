package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lanes is the number of partial sums of a dot product: element p goes into sum p%lanes, in the order of p.
const lanes = 32

// dot writes the kernel that multiplies rows of a matrix with a vector.
func (g *generator) dot() {
	g.function("dot", "func(k int, x, b *float32, ldb, rows int, y *float32, incy, add int)", `computes, for j < rows:
	s := sum over p < k of x[p] * b[j*ldb+p]
	if add != 0 { s += y[j*incy] }
	y[j*incy] = s
Terms go into 32 partial sums in turn, of which then the upper half is added to the lower until one is left. The strides
are in bytes here; k and rows are at least 1.`)
	k, x := g.param("k"), g.param("x")
	b, ldb, rows := g.param("b"), g.param("ldb"), g.param("rows")
	y, incy := g.param("y"), g.param("incy")
	done, count := LabelRef("done"), g.GP64()

	g.Label("some")
	g.CMPQ(rows, Imm(uint64(g.dots)))
	g.JLT(LabelRef("one"))
	g.dotRows(g.dots, k, x, b, ldb, y, incy, count, "some")
	g.SUBQ(Imm(uint64(g.dots)), rows)
	g.JMP(LabelRef("some"))
	g.Label("one")
	g.TESTQ(rows, rows)
	g.JZ(done)
	g.dotRows(1, k, x, b, ldb, y, incy, count, "one")
	g.DECQ(rows)
	g.JMP(LabelRef("one"))
	g.Label("done")
	g.end()
}

// dotRows writes the part that multiplies n rows at b with x, and moves b and y behind them. Its labels begin with label.
func (g *generator) dotRows(n int, k, x, b, ldb, y, incy reg.Register, count reg.GPVirtual, label string) {
	vecs := lanes / g.width
	acc := make([][]reg.VecVirtual, n)
	row := make([]reg.Register, n)
	for i := range acc {
		acc[i] = g.vectorList(vecs)
		for _, s := range acc[i] {
			g.VXORPS(s, s, s)
		}
		row[i] = g.GP64()
		if i == 0 {
			g.MOVQ(b, row[i])
		} else {
			g.LEAQ(Mem{Base: row[i-1], Index: ldb, Scale: 1}, row[i])
		}
	}
	xp := g.GP64()
	g.MOVQ(x, xp)
	g.MOVQ(k, count)
	advance := func(size int) {
		g.ADDQ(Imm(uint64(size)), xp)
		for i := range row {
			g.ADDQ(Imm(uint64(size)), row[i])
		}
	}

	g.SUBQ(Imm(lanes), count)
	g.JLT(LabelRef(label + "_tail"))
	g.Label(label + "_lanes")
	xs := g.vectorList(vecs)
	for v, part := range xs {
		g.VMOVUPS(Mem{Base: xp, Disp: v * g.bytes()}, part)
		for i := range acc {
			g.VFMADD231PS(Mem{Base: row[i], Disp: v * g.bytes()}, part, acc[i][v])
		}
	}
	advance(4 * lanes)
	g.SUBQ(Imm(lanes), count)
	g.JGE(LabelRef(label + "_lanes"))

	g.Label(label + "_tail")
	g.ADDQ(Imm(lanes), count)
	for v := range vecs {
		g.JLE(LabelRef(label + "_summed"))
		left := g.GP64()
		g.MOVQ(U32(uint32(g.width)), left)
		g.CMPQ(count, left)
		g.CMOVQLT(count, left)
		m := g.firstMasks(left, g.vector())[0]
		part := g.vector()
		g.loadMasked(Mem{Base: xp}, m, part)
		for i := range acc {
			other := g.vector()
			g.loadMasked(Mem{Base: row[i]}, m, other)
			g.VFMADD231PS(other, part, acc[i][v])
		}
		advance(g.bytes())
		g.SUBQ(Imm(uint64(g.width)), count)
	}
	g.Label(label + "_summed")

	for i := range acc {
		g.ADDQ(ldb, b)
		s := g.fold(acc[i])
		g.CMPQ(g.paramAddr("add"), Imm(0))
		store := label + "_store" + string(rune('0'+i))
		g.JEQ(LabelRef(store))
		g.VADDSS(Mem{Base: y}, s, s)
		g.Label(store)
		g.VMOVSS(s, Mem{Base: y})
		g.ADDQ(incy, y)
	}
}

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
