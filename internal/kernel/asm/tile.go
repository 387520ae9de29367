package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const tileSignature = "func(k, panels int, a *float32, lda int, b *float32, ldb, ldp int, c *float32, ldc, tail, add int)"

// tile writes the kernel that multiplies some rows of op(a) with panels of op(b).
//
// Every element of c is one chain of fused multiply-adds in the order of k, whatever the shape of the tile, and is
// added to what c held last. So all tiles and both instruction sets give the same bits.
func (g *generator) tile(rows int, byRows bool) {
	order, element := "Columns", "a[p*lda+i]"
	if byRows {
		order, element = "Rows", "a[i*lda+p]"
	}
	g.function(fmt.Sprintf("tile%s%d", order, rows), tileSignature, fmt.Sprintf(`computes, with %s, for i < %d, q < panels and j < %d, or j < tail in the last panel:
	s := sum over p < k of %s * b[q*ldp+p*ldb+j]
	if add != 0 { s += c[i*ldc+q*%d+j] }
	c[i*ldc+q*%d+j] = s
It reads whole panels of b. The strides are in bytes here; k, panels and tail are at least 1.`,
		g.doc, rows, 2*g.width, element, 2*g.width, 2*g.width))

	k, panels := g.param("k"), g.param("panels")
	a, lda := g.param("a"), g.param("lda")
	b, ldb := g.param("b"), g.param("ldb")
	c, ldc := g.param("c"), g.param("ldc")
	acc := g.vectorList(2 * rows)
	b0, b1 := g.vector(), g.vector()
	count, bp := g.GP64(), g.GP64()

	// Addresses reach five rows from one base: 0, 1, 2, 3 and 4 times lda.
	bases := []reg.Register{g.GP64()}
	var lda3 reg.Register
	if byRows {
		for 5*len(bases) < rows {
			bases = append(bases, g.GP64())
		}
		if rows > 3 {
			lda3 = g.GP64()
			g.LEAQ(Mem{Base: lda, Index: lda, Scale: 2}, lda3)
		}
	}
	// address is where the element of op(a) in row i lies, step columns on.
	address := func(i, step int) Mem {
		if !byRows {
			return Mem{Base: bases[0], Disp: 4 * i}
		}
		m := Mem{Base: bases[i/5], Disp: 4 * step}
		switch i % 5 {
		case 1, 2, 4:
			m.Index, m.Scale = lda, uint8(i%5)
		case 3:
			m.Index, m.Scale = lda3, 1
		}
		return m
	}

	g.Label("panel")
	for _, x := range acc {
		g.VXORPS(x, x, x)
	}
	g.MOVQ(k, count)
	g.MOVQ(b, bp)
	g.MOVQ(a, bases[0])
	for i := 1; i < len(bases); i++ {
		g.LEAQ(Mem{Base: bases[i-1], Index: lda, Scale: 4}, bases[i])
		g.ADDQ(lda, bases[i])
	}

	step := func(n int) {
		g.VMOVUPS(Mem{Base: bp}, b0)
		g.VMOVUPS(Mem{Base: bp, Disp: g.bytes()}, b1)
		for i := range rows {
			x := g.vector()
			g.VBROADCASTSS(address(i, n), x)
			g.VFMADD231PS(b0, x, acc[2*i])
			g.VFMADD231PS(b1, x, acc[2*i+1])
		}
		g.ADDQ(ldb, bp)
		if !byRows {
			g.ADDQ(lda, bases[0])
		}
	}
	advance := func(steps int) {
		if byRows {
			for _, base := range bases {
				g.ADDQ(Imm(uint64(4*steps)), base)
			}
		}
	}
	if g.unroll > 1 {
		g.SUBQ(Imm(uint64(g.unroll)), count)
		g.JL(LabelRef("rest"))
		g.Label("steps")
		for n := range g.unroll {
			step(n)
		}
		advance(g.unroll)
		g.SUBQ(Imm(uint64(g.unroll)), count)
		g.JGE(LabelRef("steps"))
		g.Label("rest")
		g.ADDQ(Imm(uint64(g.unroll)), count)
		g.JZ(LabelRef("summed"))
	}
	g.Label("step")
	step(0)
	advance(1)
	g.DECQ(count)
	g.JNZ(LabelRef("step"))
	g.Label("summed")

	g.CMPQ(panels, Imm(1))
	g.JNE(LabelRef("whole"))
	g.CMPQ(g.paramAddr("tail"), Imm(uint64(2*g.width)))
	g.JNE(LabelRef("partial"))
	g.Label("whole")
	g.writeTile(acc, c, ldc, nil, "whole")
	ldp := g.param("ldp")
	g.ADDQ(ldp, b)
	g.ADDQ(Imm(uint64(2*g.bytes())), c)
	g.DECQ(panels)
	g.JNZ(LabelRef("panel"))
	g.end()

	g.Label("partial")
	tail := g.GP64()
	g.Load(g.Param("tail"), tail)
	g.writeTile(acc, c, ldc, g.firstMasks(tail, b0, b1), "partial")
	g.end()
}

// paramAddr is a parameter where it lies in memory.
func (g *generator) paramAddr(name string) Mem {
	p, err := g.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// writeTile stores acc to c, first adding what is there if the parameter add says so.
func (g *generator) writeTile(acc []reg.VecVirtual, c, ldc reg.Register, masks []mask, label string) {
	at := g.GP64()
	part := func(v int) Mem { return Mem{Base: at, Disp: v * g.bytes()} }
	g.CMPQ(g.paramAddr("add"), Imm(0))
	g.JEQ(LabelRef(label + "_store"))
	g.MOVQ(c, at)
	for i := 0; i < len(acc); i += 2 {
		for v, x := range acc[i : i+2] {
			if masks == nil {
				g.VADDPS(part(v), x, x)
				continue
			}
			old := g.vector()
			g.loadMasked(part(v), masks[v], old)
			g.VADDPS(old, x, x)
		}
		g.ADDQ(ldc, at)
	}
	g.Label(label + "_store")
	g.MOVQ(c, at)
	for i := 0; i < len(acc); i += 2 {
		for v, x := range acc[i : i+2] {
			if masks == nil {
				g.VMOVUPS(x, part(v))
			} else {
				g.storeMasked(x, masks[v], part(v))
			}
		}
		g.ADDQ(ldc, at)
	}
}
