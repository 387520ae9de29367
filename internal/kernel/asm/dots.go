package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dotLanes is the number of partial sums of a product of rows: term p goes into sum p%dotLanes, in the order of p.
const dotLanes = 16

// dots writes the kernel that multiplies m rows of x with rows of b.
//
// Every product of two rows is summed up in the same order, whatever m is, wherever the rows stand, and with both
// instruction sets.
func (g *generator) dots(m int) {
	g.function(fmt.Sprintf("dots%d", m), "func(k int, x *float32, ldx int, b *float32, ldb, rows int, y *float32, ldy, add int)",
		fmt.Sprintf(`computes, with %s, for i < %d and j < rows:
	s := sum over p < k of x[i*ldx+p] * b[j*ldb+p]
	if add != 0 { s += y[i*ldy+j] }
	y[i*ldy+j] = s
Terms go into 16 partial sums in turn, of which then the upper half is added to the lower until one is left. The strides
are in bytes here; k and rows are at least 1.`, g.doc, m))
	d := &dotting{generator: g, m: m}
	d.k, d.x, d.ldx = g.param("k"), g.param("x"), g.param("ldx")
	d.b, d.ldb = g.param("b"), g.param("ldb")
	d.y = g.param("y")
	d.count = g.GP64()
	rows := g.GP64()
	g.Load(g.Param("rows"), rows)
	n := g.dotRows
	if m == 1 {
		n *= 2
	}
	if m > 3 {
		d.ldx3 = g.GP64()
		g.LEAQ(Mem{Base: d.ldx, Index: d.ldx, Scale: 2}, d.ldx3)
	}
	if n > 3 {
		d.ldb3 = g.GP64()
		g.LEAQ(Mem{Base: d.ldb, Index: d.ldb, Scale: 2}, d.ldb3)
	}
	g.Label("some")
	g.CMPQ(rows, Imm(uint64(n)))
	g.JLT(LabelRef("one"))
	d.rows(n, "some")
	g.SUBQ(Imm(uint64(n)), rows)
	g.JMP(LabelRef("some"))
	g.Label("one")
	g.TESTQ(rows, rows)
	g.JZ(LabelRef("done"))
	d.rows(1, "one")
	g.DECQ(rows)
	g.JMP(LabelRef("one"))
	g.Label("done")
	g.end()
}

// dotting is a kernel of dots under construction.
type dotting struct {
	*generator
	m                             int
	k, x, ldx, ldx3, b, ldb, ldb3 reg.Register
	y                             reg.Register
	count                         reg.GPVirtual
}

// place is where row i begins, as seen from bases that lie four rows apart.
func place(bases []reg.Register, ld, ld3 reg.Register, i, disp int) Mem {
	m := Mem{Base: bases[i/4], Disp: disp}
	switch i % 4 {
	case 1, 2:
		m.Index, m.Scale = ld, uint8(i%4)
	case 3:
		m.Index, m.Scale = ld3, 1
	}
	return m
}

// rows writes the part that multiplies n rows at b, and moves b and y behind them. Its labels begin with label.
func (d *dotting) rows(n int, label string) {
	vecs := dotLanes / d.width
	acc := make([][][]reg.VecVirtual, d.m) // of each row of x and each of b
	for i := range acc {
		for range n {
			sums := d.vectorList(vecs)
			for _, s := range sums {
				d.VXORPS(s, s, s)
			}
			acc[i] = append(acc[i], sums)
		}
	}
	xs, bs := []reg.Register{d.GP64()}, []reg.Register{d.GP64()}
	d.MOVQ(d.x, xs[0])
	d.MOVQ(d.b, bs[0])
	if n > 4 {
		bs = append(bs, d.GP64())
		d.LEAQ(Mem{Base: bs[0], Index: d.ldb, Scale: 4}, bs[1])
	}
	var ahead reg.Register // what comes next, line by line, so that the processor sees a stream
	if n > 1 {
		ahead = d.GP64()
		d.LEAQ(Mem{Base: bs[0], Index: d.ldb, Scale: uint8(n)}, ahead)
	}
	d.MOVQ(d.k, d.count)
	advance := func(size int) {
		for _, p := range append(xs[:1:1], bs...) {
			d.ADDQ(Imm(uint64(size)), p)
		}
	}
	d.SUBQ(Imm(dotLanes), d.count)
	d.JLT(LabelRef(label + "_tail"))
	d.Label(label + "_lanes")
	for v := range vecs {
		parts := d.vectorList(d.m)
		for i, part := range parts {
			d.VMOVUPS(place(xs, d.ldx, d.ldx3, i, v*d.bytes()), part)
		}
		for j := range n {
			row := d.vector()
			d.VMOVUPS(place(bs, d.ldb, d.ldb3, j, v*d.bytes()), row)
			if ahead != nil && (v*n+j)%vecs == 0 {
				d.PREFETCHT0(Mem{Base: ahead, Disp: 64 * (v*n + j) / vecs})
			}
			for i, part := range parts {
				d.VFMADD231PS(row, part, acc[i][j][v])
			}
		}
	}
	advance(4 * dotLanes)
	if ahead != nil {
		d.ADDQ(U32(uint32(4*dotLanes*n)), ahead)
	}
	d.SUBQ(Imm(dotLanes), d.count)
	d.JGE(LabelRef(label + "_lanes"))

	d.Label(label + "_tail")
	d.ADDQ(Imm(dotLanes), d.count)
	for v := range vecs {
		d.JLE(LabelRef(label + "_summed"))
		left := d.GP64()
		d.MOVQ(U32(uint32(d.width)), left)
		d.CMPQ(d.count, left)
		d.CMOVQLT(d.count, left)
		m := d.firstMasks(left, d.vector())[0]
		for j := range n { // one part at a time, since the mask takes a register too
			row := d.vector()
			d.loadMasked(place(bs, d.ldb, d.ldb3, j, 0), m, row)
			for i := range d.m {
				part := d.vector()
				d.loadMasked(place(xs, d.ldx, d.ldx3, i, 0), m, part)
				d.VFMADD231PS(row, part, acc[i][j][v])
			}
		}
		if v+1 < vecs {
			advance(d.bytes())
			d.SUBQ(Imm(uint64(d.width)), d.count)
		}
	}
	d.Label(label + "_summed")
	d.store(acc, n, label)
	for range n / 4 {
		d.LEAQ(Mem{Base: d.b, Index: d.ldb, Scale: 4}, d.b)
	}
	for range n % 4 {
		d.ADDQ(d.ldb, d.b)
	}
	d.ADDQ(Imm(uint64(4*n)), d.y)
}

// store adds up the partial sums and writes them to y.
func (d *dotting) store(acc [][][]reg.VecVirtual, n int, label string) {
	at, ldy := d.GP64(), d.GP64()
	d.MOVQ(d.y, at)
	d.Load(d.Param("ldy"), ldy)
	sums := make([][]reg.VecVirtual, len(acc)) // of each row of x, in vectors of up to four
	for i := range acc {
		for j := 0; j < n; j += 4 {
			sums[i] = append(sums[i], d.total(acc[i][j:min(j+4, n)]))
		}
	}
	width := min(n, 4)
	d.CMPQ(d.paramAddr("add"), Imm(0))
	d.JEQ(LabelRef(label + "_store"))
	for _, row := range sums {
		for q, s := range row {
			old := Mem{Base: at, Disp: 16 * q}
			switch width {
			case 1:
				d.VADDSS(old, s, s)
			case 2:
				two := d.XMM()
				d.VMOVSD(old, two)
				d.VADDPS(two, s, s)
			default:
				d.VADDPS(old, s, s)
			}
		}
		d.ADDQ(ldy, at)
	}
	d.MOVQ(d.y, at)
	d.Label(label + "_store")
	for _, row := range sums {
		for q, s := range row {
			to := Mem{Base: at, Disp: 16 * q}
			switch width {
			case 1:
				d.VMOVSS(s, to)
			case 2:
				d.VMOVSD(s, to)
			default:
				d.VMOVUPS(s, to)
			}
		}
		d.ADDQ(ldy, at)
	}
}

// total adds up each of one, two or four groups of lanes, upper half to lower, and puts the sums side by side.
func (d *dotting) total(acc [][]reg.VecVirtual) reg.VecVirtual {
	quarters := make([]reg.Register, len(acc)) // four lanes each
	for j, a := range acc {
		low := a[0].AsY()
		if d.masks {
			high := d.YMM()
			d.VEXTRACTF64X4(Imm(1), a[0], high)
			d.VADDPS(high, low, low)
		} else {
			d.VADDPS(a[1], a[0], a[0])
		}
		high := d.XMM()
		if d.masks { // has more registers
			d.VEXTRACTF32X4(Imm(1), low, high)
		} else {
			d.VEXTRACTF128(Imm(1), low, high)
		}
		d.VADDPS(high, a[0].AsX(), a[0].AsX())
		quarters[j] = a[0].AsX()
	}
	// pair returns lanes 0+2 and 1+3 of a and then of b.
	pair := func(a, b reg.Register) reg.VecVirtual {
		low, high := d.XMM(), d.XMM()
		d.VUNPCKLPD(b, a, low)
		d.VUNPCKHPD(b, a, high)
		d.VADDPS(high, low, low)
		return low
	}
	switch len(acc) {
	case 1:
		s, high := quarters[0], d.XMM()
		d.VMOVHLPS(s, s, high)
		d.VADDPS(high, s, s)
		d.VMOVSHDUP(s, high)
		d.VADDPS(high, s, s)
		return s.(reg.VecVirtual)
	case 2:
		s := pair(quarters[0], quarters[1])
		even, odd := d.XMM(), d.XMM()
		d.VSHUFPS(Imm(0x88), s, s, even)
		d.VSHUFPS(Imm(0xdd), s, s, odd)
		d.VADDPS(odd, even, even)
		return even
	}
	a, b := pair(quarters[0], quarters[1]), pair(quarters[2], quarters[3])
	even, odd := d.XMM(), d.XMM()
	d.VSHUFPS(Imm(0x88), b, a, even)
	d.VSHUFPS(Imm(0xdd), b, a, odd)
	d.VADDPS(odd, even, even)
	return even
}
