package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The layout of quantised numbers, that of the types int8Group and int8Block of package kernel.
const (
	groupSize   = 32                       // numbers that have a scale in common
	groupScale  = groupSize                // where the scale of a group lies
	groupOffset = groupScale + 4           // and its offset
	groupBytes  = groupOffset + 4          // length of a group
	blockRows   = 16                       // rows of weights in a block
	blockQuads  = 4 * blockRows            // where the numbers lie, behind the scales
	quadBytes   = 4 * blockRows            // of all rows, four numbers each
	blockBytes  = blockQuads + 8*quadBytes // length of a block
)

// quantized writes the kernels of numbers with eight bits.
func (g *generator) quantized() {
	for rows := 1; rows <= g.quantizedRows; rows++ {
		g.int8Rows(rows)
	}
	g.quantizeRow()
}

// int8Rows writes the kernel that multiplies some rows of x with blocks of weights.
//
// Products of integers are exact. Each result is then one chain of a product of scales, times the integer, added to what
// came before, in the order of groups, so that all kernels give the same bits.
func (g *generator) int8Rows(rows int) {
	g.function(fmt.Sprintf("int8Rows%d", rows), "func(groups, blocks int, x *int8, w, y *float32, ldy, add int)",
		fmt.Sprintf(`computes, with %s, for i < %d and j < 16*blocks,
	s := sum over p < groups of (scale of w * scale of x) * dot
	if add != 0 { s += y[i*ldy+j] }
	y[i*ldy+j] = s
for group p of rows i of x and j of w. Groups of x lie row by row for each p, and blocks of w one behind the other.
ldy is in bytes here; groups and blocks are at least 1.`, g.quantizedDoc, rows))
	groups, blocks := g.param("groups"), g.param("blocks")
	x, w, y, ldy := g.param("x"), g.param("w"), g.param("y"), g.param("ldy")
	vecs := blockRows / g.width
	sums, dots := make([][]reg.VecVirtual, rows), make([][]reg.VecVirtual, rows)
	for i := range rows {
		sums[i], dots[i] = g.vectorList(vecs), g.vectorList(vecs)
	}
	var ones, flip reg.VecVirtual
	if !g.masks {
		ones, flip = g.filledBits(0x00010001), g.filledBits(0x80808080)
	}
	xp, count := g.GP64(), g.GP64()

	g.Label("block")
	for _, row := range sums {
		for _, s := range row {
			g.VXORPS(s, s, s)
		}
	}
	g.MOVQ(x, xp)
	g.MOVQ(groups, count)
	g.Label("group")
	for quad := range groupSize / 4 {
		at := func(i int) Mem { return Mem{Base: xp, Disp: i*groupBytes + 4*quad} }
		for v := range vecs {
			from := Mem{Base: w, Disp: blockQuads + quad*quadBytes + v*g.bytes()}
			if g.masks {
				g.dotQuad(quad, from, at, dots)
			} else {
				g.dotQuadAVX2(quad, v, from, at, dots, ones, flip)
			}
		}
	}
	for v := range vecs {
		scale := g.vector()
		g.VMOVUPS(Mem{Base: w, Disp: v * g.bytes()}, scale)
		for i := range rows {
			both := g.vector()
			g.VBROADCASTSS(Mem{Base: xp, Disp: i*groupBytes + groupScale}, both)
			g.VMULPS(both, scale, both)
			d := dots[i][v]
			g.VCVTDQ2PS(d, d)
			g.VMULPS(d, both, d)
			g.VADDPS(d, sums[i][v], sums[i][v])
		}
	}
	g.ADDQ(U32(uint32(rows*groupBytes)), xp)
	g.ADDQ(U32(blockBytes), w)
	g.DECQ(count)
	g.JNZ(LabelRef("group"))

	at := g.GP64()
	g.CMPQ(g.paramAddr("add"), Imm(0))
	g.JEQ(LabelRef("store"))
	each := func(f func(s reg.VecVirtual, m Mem)) {
		g.MOVQ(y, at)
		for i, row := range sums {
			for v, s := range row {
				f(s, Mem{Base: at, Disp: v * g.bytes()})
			}
			if i+1 < rows {
				g.ADDQ(ldy, at)
			}
		}
	}
	each(func(s reg.VecVirtual, m Mem) { g.VADDPS(m, s, s) })
	g.Label("store")
	each(func(s reg.VecVirtual, m Mem) { g.VMOVUPS(s, m) })
	g.ADDQ(Imm(4*blockRows), y)
	g.DECQ(blocks)
	g.JNZ(LabelRef("block"))
	g.end()
}

// dotQuad adds the products of four numbers of each row of w and x to dots, which begin at the offsets of x: w is stored
// with 128 added to it, since VNNI multiplies numbers without sign by those with one.
func (g *generator) dotQuad(quad int, from Mem, at func(i int) Mem, dots [][]reg.VecVirtual) {
	w := g.vector()
	g.VMOVUPS(from, w)
	for i := range dots {
		d := dots[i][0]
		if quad == 0 {
			g.VPBROADCASTD(Mem{Base: at(i).Base, Disp: i*groupBytes + groupOffset}, d)
		}
		g.VPDPBUSD_BCST(at(i), w, d)
	}
}

// dotQuadAVX2 does so with the magnitudes of w and the numbers of x under the signs of w, whose products, added up two by
// two, fit into 16 bits.
func (g *generator) dotQuadAVX2(quad, v int, from Mem, at func(i int) Mem, dots [][]reg.VecVirtual,
	ones, flip reg.VecVirtual) {
	w, magnitude := g.vector(), g.vector()
	g.VPXOR(from, flip, w)
	g.VPABSB(w, magnitude)
	for i := range dots {
		x, d := g.vector(), dots[i][v]
		g.VPBROADCASTD(at(i), x)
		g.VPSIGNB(w, x, x)
		g.VPMADDUBSW(x, magnitude, x)
		if quad == 0 {
			g.VPMADDWD(ones, x, d)
			continue
		}
		g.VPMADDWD(ones, x, x)
		g.VPADDD(x, d, d)
	}
}

// Numbers that are all smaller than this count as zeros: 127 divided by them could be infinite.
const smallest = 0x1p-120

// quantizeRow writes the kernel that rounds a row to eight bits.
func (g *generator) quantizeRow() {
	g.function("quantizeRow", "func(n int, x *float32, dst *int8, stride int)",
		`rounds n floats to groups of 32, with zeros behind the last, as package kernel says of int8Group.
The groups lie stride bytes apart; n is at least 1.`)
	n, x, dst, stride := g.param("n"), g.param("x"), g.param("dst"), g.param("stride")
	vecs := groupSize / g.width
	g.SUBQ(Imm(groupSize), n)
	g.JLT(LabelRef("tail"))
	g.Label("group")
	xs := g.vectorList(vecs)
	for v := range xs {
		g.VMOVUPS(Mem{Base: x, Disp: v * g.bytes()}, xs[v])
	}
	g.quantizeGroup(xs, dst)
	g.ADDQ(Imm(4*groupSize), x)
	g.ADDQ(stride, dst)
	g.SUBQ(Imm(groupSize), n)
	g.JGE(LabelRef("group"))
	g.Label("tail")
	g.ADDQ(Imm(groupSize), n)
	g.JZ(LabelRef("done"))
	xs = g.vectorList(vecs)
	for v := range xs {
		left, end := g.GP64(), g.GP64()
		g.MOVQ(n, left)
		g.XORQ(end, end)
		g.SUBQ(Imm(uint64(v*g.width)), left)
		g.CMOVQLT(end, left)
		g.MOVQ(U32(uint32(g.width)), end)
		g.CMPQ(left, end)
		g.CMOVQGT(end, left)
		m := g.firstMasks(left, g.vector())[0]
		g.loadMasked(Mem{Base: x, Disp: v * g.bytes()}, m, xs[v])
	}
	g.quantizeGroup(xs, dst)
	g.Label("done")
	g.end()
}

// quantizeGroup stores xs, which it destroys, as a group at dst.
func (g *generator) quantizeGroup(xs []reg.VecVirtual, dst reg.Register) {
	// The largest magnitude, as an integer: so NaN is larger than Inf, and Inf than all others.
	clear := g.filledBits(1<<31 - 1)
	var most reg.VecVirtual
	for _, x := range xs {
		size := g.vector()
		g.VANDPS(clear, x, size)
		if most == nil {
			most = size
			continue
		}
		g.VPMAXSD(size, most, most)
	}
	low := most.AsY()
	if g.masks {
		high := g.YMM()
		g.VEXTRACTF64X4(Imm(1), most, high)
		g.VPMAXSD(high, low, low)
	}
	other, largest := g.XMM(), most.AsX()
	g.VEXTRACTF128(Imm(1), low, other)
	g.VPMAXSD(other, largest, largest)
	for _, order := range []uint64{0x4e, 0xb1} {
		g.VPSHUFD(Imm(order), largest, other)
		g.VPMAXSD(other, largest, largest)
	}

	scale, inverse, normal := g.XMM(), g.XMM(), g.XMM()
	g.VDIVSS(g.constant(127), largest, scale)
	g.VMOVSS(g.constant(127), inverse)
	g.VDIVSS(largest, inverse, inverse)
	g.VCMPSS(Imm(5), g.constant(smallest), largest, normal) // not less than, which holds for NaN
	g.VANDPS(normal, scale, scale)
	g.VANDPS(normal, inverse, inverse)
	g.VSUBSS(largest, largest, largest) // 0, or NaN for what is not finite
	g.VADDSS(largest, scale, scale)
	g.VMOVSS(scale, Mem{Base: dst, Disp: groupScale})

	factor := g.vector()
	g.VBROADCASTSS(inverse, factor)
	for _, x := range xs {
		g.VMULPS(factor, x, x)
		g.VCVTPS2DQ(x, x) // to the nearest, of two to the even one
	}
	packed := g.YMM()
	if g.masks {
		half := g.XMM()
		g.VPMOVSDB(xs[0], packed.AsX())
		g.VPMOVSDB(xs[1], half)
		g.VINSERTI128(Imm(1), half, packed, packed)
	} else {
		order := g.orderOfPacked()
		g.VPACKSSDW(xs[1], xs[0], xs[0])
		g.VPACKSSDW(xs[3], xs[2], xs[2])
		g.VPACKSSWB(xs[2], xs[0], xs[0])
		g.VPERMD(xs[0], order, packed)
	}
	g.VMOVDQU(packed, Mem{Base: dst})

	// The offset is -128 times the sum: 128*(32*128) minus 128 times the sum of what is larger by 128.
	zero, sums := g.YMM(), g.YMM()
	flip := g.filledBits(0x80808080).AsY()
	g.VPXOR(packed, flip, sums)
	g.VPXOR(zero, zero, zero)
	g.VPSADBW(zero, sums, sums)
	upper, sum := g.XMM(), sums.AsX()
	g.VEXTRACTI128(Imm(1), sums, upper)
	g.VPADDQ(upper, sum, sum)
	g.VPSHUFD(Imm(0x4e), sum, upper)
	g.VPADDQ(upper, sum, sum)
	total, offset := g.GP64(), g.GP64()
	g.VMOVQ(sum, total)
	g.SHLQ(Imm(7), total)
	g.MOVQ(U32(128*groupSize*128), offset)
	g.SUBQ(total, offset)
	g.MOVL(offset.As32(), Mem{Base: dst, Disp: groupOffset})
}

// filledBits returns a vector of the given 32 bits, again and again.
func (g *generator) filledBits(bits uint32) reg.VecVirtual {
	return g.filled(math.Float32frombits(bits))
}

// orderOfPacked returns the order in which VPERMD finds what VPACKSSDW and VPACKSSWB have packed half by half.
func (g *generator) orderOfPacked() reg.VecVirtual {
	v := g.vector()
	g.VMOVUPS(g.table("orderOfPacked", 0, 4, 1, 5, 2, 6, 3, 7), v)
	return v
}
