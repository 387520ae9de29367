package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const panelSignature = "func(k int, x *float32, ldx, n int, dst *float32, ldd int)"

// copyPanel writes the kernel that packs columns of a matrix.
func (g *generator) copyPanel() {
	g.function("copyPanel", panelSignature, `copies rows of n <= one vector, filled up with zeros:
	dst[p*ldd+j] = x[p*ldx+j]
for p < k and j < n. The strides are in bytes here; k and n are at least 1.`)
	k, x, ldx, n := g.param("k"), g.param("x"), g.param("ldx"), g.GP64()
	g.Load(g.Param("n"), n)
	dst, ldd := g.param("dst"), g.param("ldd")
	row := g.vector()
	m := g.firstMasks(n, g.vector())[0]
	g.Label("row")
	g.loadMasked(Mem{Base: x}, m, row)
	g.VMOVUPS(row, Mem{Base: dst})
	g.ADDQ(ldx, x)
	g.ADDQ(ldd, dst)
	g.DECQ(k)
	g.JNZ(LabelRef("row"))
	g.end()
}

// transposePanel writes the kernel that packs rows of a matrix as columns, one vector's square at a time.
func (g *generator) transposePanel() {
	g.function("transposePanel", panelSignature, `transposes n <= one vector of rows, filled up with zeros:
	dst[p*ldd+i] = x[i*ldx+p]
for p < k and i < n. It writes whole vectors for k rounded up to whole vectors. The strides are in bytes here; k and n are
at least 1.`)
	k, x, ldx, n := g.param("k"), g.param("x"), g.param("ldx"), g.param("n")
	dst, ldd := g.param("dst"), g.param("ldd")
	width := Imm(uint64(g.width))

	g.Label("square")
	rows := g.vectorList(g.width)
	for _, r := range rows {
		g.VXORPS(r, r, r)
	}
	at, left := g.GP64(), g.GP64()
	g.MOVQ(x, at)
	g.MOVQ(n, left)
	g.CMPQ(k, width)
	g.JLT(LabelRef("partial"))
	for i, r := range rows {
		g.VMOVUPS(Mem{Base: at}, r)
		if i+1 < len(rows) {
			g.DECQ(left)
			g.JZ(LabelRef("loaded"))
			g.ADDQ(ldx, at)
		}
	}
	g.JMP(LabelRef("loaded"))
	g.Label("partial")
	columns := g.GP64()
	g.MOVQ(k, columns)
	m := g.firstMasks(columns, g.vector())[0]
	for i, r := range rows {
		g.loadMasked(Mem{Base: at}, m, r)
		if i+1 < len(rows) {
			g.DECQ(left)
			g.JZ(LabelRef("loaded"))
			g.ADDQ(ldx, at)
		}
	}
	g.Label("loaded")
	var turned []reg.VecVirtual
	if g.masks {
		turned = g.transpose16(rows)
	} else {
		turned = g.transpose8(rows)
	}
	for _, t := range turned {
		g.VMOVUPS(t, Mem{Base: dst})
		g.ADDQ(ldd, dst)
	}
	g.ADDQ(Imm(uint64(g.bytes())), x)
	g.SUBQ(width, k)
	g.JGT(LabelRef("square"))
	g.end()
}

// quads transposes the 4 by 4 squares that rows form in each 128-bit lane:
// lane l of element 4*r+j of the result holds column 4*l+j of rows 4*r to 4*r+3.
func (g *generator) quads(rows []reg.VecVirtual) []reg.VecVirtual {
	out := make([]reg.VecVirtual, 0, len(rows))
	for r := 0; r < len(rows); r += 4 {
		pairs := g.vectorList(4)
		g.VUNPCKLPS(rows[r+1], rows[r], pairs[0])
		g.VUNPCKHPS(rows[r+1], rows[r], pairs[1])
		g.VUNPCKLPS(rows[r+3], rows[r+2], pairs[2])
		g.VUNPCKHPS(rows[r+3], rows[r+2], pairs[3])
		q := g.vectorList(4)
		g.VUNPCKLPD(pairs[2], pairs[0], q[0])
		g.VUNPCKHPD(pairs[2], pairs[0], q[1])
		g.VUNPCKLPD(pairs[3], pairs[1], q[2])
		g.VUNPCKHPD(pairs[3], pairs[1], q[3])
		out = append(out, q...)
	}
	return out
}

func (g *generator) transpose8(rows []reg.VecVirtual) []reg.VecVirtual {
	q := g.quads(rows)
	out := g.vectorList(8)
	for j := range 4 {
		g.VPERM2F128(Imm(0x20), q[4+j], q[j], out[j])
		g.VPERM2F128(Imm(0x31), q[4+j], q[j], out[4+j])
	}
	return out
}

func (g *generator) transpose16(rows []reg.VecVirtual) []reg.VecVirtual {
	q := g.quads(rows)
	out := g.vectorList(16)
	for j := range 4 {
		even0, odd0, even1, odd1 := g.ZMM(), g.ZMM(), g.ZMM(), g.ZMM()
		g.VSHUFF32X4(Imm(0x88), q[4+j], q[j], even0)
		g.VSHUFF32X4(Imm(0xdd), q[4+j], q[j], odd0)
		g.VSHUFF32X4(Imm(0x88), q[12+j], q[8+j], even1)
		g.VSHUFF32X4(Imm(0xdd), q[12+j], q[8+j], odd1)
		g.VSHUFF32X4(Imm(0x88), even1, even0, out[j])
		g.VSHUFF32X4(Imm(0x88), odd1, odd0, out[4+j])
		g.VSHUFF32X4(Imm(0xdd), even1, even0, out[8+j])
		g.VSHUFF32X4(Imm(0xdd), odd1, odd0, out[12+j])
	}
	return out
}
