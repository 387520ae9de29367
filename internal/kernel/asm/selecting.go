package main

import (
	"fmt"
	"math"
	"math/bits"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The kernels of this file choose elements by a comparison. AVX-512 has an instruction that moves the chosen ones together;
// AVX2 permutes them as a table of all choices says.

// compare compares the floats or doubles of a vector, as their size says, with those at mem.
func (g *generator) compare(predicate uint64, size int, mem Op, with reg.VecVirtual) reg.Register {
	var chosen reg.Register
	if g.masks {
		chosen = g.K()
	} else {
		chosen = g.YMM()
	}
	if size == 4 {
		g.VCMPPS(Imm(predicate), mem, with, chosen)
	} else {
		g.VCMPPD(Imm(predicate), mem, with, chosen)
	}
	return chosen
}

// bits stores a bit for each element that compare may have chosen.
func (g *generator) bits(chosen reg.Register, size int, to reg.GPVirtual) {
	switch {
	case g.masks:
		g.KMOVW(chosen, to.As32())
	case size == 4:
		g.VMOVMSKPS(chosen, to.As32())
	default:
		g.VMOVMSKPD(chosen, to.As32())
	}
}

// testAny compares what four or more times compare have chosen with nothing.
func (g *generator) testAny(chosen []reg.Register) {
	if g.masks {
		a, b := g.K(), g.K()
		g.KORW(chosen[0], chosen[1], a)
		g.KORW(chosen[2], chosen[3], b)
		g.KORTESTW(a, b)
		return
	}
	sum, any := g.YMM(), g.GP32()
	g.VORPS(chosen[0], chosen[1], sum)
	for _, m := range chosen[2:] {
		g.VORPS(m, sum, sum)
	}
	g.VMOVMSKPS(sum, any)
	g.TESTL(any, any)
}

// compressor moves chosen elements together.
type compressor struct {
	*generator
	size   int           // of an element
	orders reg.GPVirtual // of AVX2: the table
}

func (g *generator) compressor(size int) compressor {
	c := compressor{generator: g, size: size}
	if !g.masks {
		c.orders = g.GP64()
		g.LEAQ(g.orders(size), c.orders)
	}
	return c
}

// compress returns the chosen elements of v, of which bits has the bits, at its beginning.
func (c compressor) compress(v reg.VecVirtual, chosen reg.Register, bits reg.GPVirtual) reg.VecVirtual {
	out := c.vector()
	switch {
	case !c.masks:
		order := c.YMM()
		c.VPMOVZXBD(Mem{Base: c.orders, Index: bits, Scale: 8}, order)
		c.VPERMPS(v, order, out)
	case c.size == 4:
		c.VCOMPRESSPS_Z(v, chosen, out)
	default:
		c.VCOMPRESSPD_Z(v, chosen, out)
	}
	return out
}

// orders is a table in memory of the orders of eight 32-bit words that put the chosen elements first, for all choices.
func (g *generator) orders(size int) Mem {
	name, words := "floatOrders", size/4
	if size == 8 {
		name = "doubleOrders"
	}
	n := 8 / words
	var table []uint32
	for bits := range 1 << n {
		order, at := uint64(0), 0
		for i := range n * words {
			if bits>>(i/words)&1 == 1 {
				order |= uint64(i) << (8 * at)
				at++
			}
		}
		table = append(table, uint32(order), uint32(order>>32))
	}
	return g.table(name, table...)
}

// keep moves three arrays together.
func (g *generator) keep() {
	g.function("keep", "func(n int, ids *int32, x, w *float64, limit float64) int",
		`moves ids[i], x[i] and w[i] with x[i] > limit to the beginning for i < n, in order, and returns how many there are. What is
behind them is overwritten up to n. n must be a multiple of 8.`)
	lanes := g.width / 2
	n := g.param("n").(reg.GPVirtual)
	ids, x, w := g.param("ids"), g.param("x"), g.param("w")
	limit := g.vector()
	g.VBROADCASTSD(g.paramAddr("limit"), limit)
	c := g.compressor(8)
	ofIDs := g.compressor(4)
	at, to := g.GP64(), g.GP64()
	g.XORQ(at, at)
	g.XORQ(to, to)
	g.Label("keep_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef("keep_done"))
	some := g.GP64()
	a, b := g.vector(), g.vector()
	g.VMOVUPD(Mem{Base: x, Index: at, Scale: 8}, a)
	g.VMOVUPD(Mem{Base: w, Index: at, Scale: 8}, b)
	chosen := g.compare(lessOrdered, 8, a, limit)
	g.bits(chosen, 8, some)
	if g.masks {
		id, out := g.YMM(), g.YMM()
		g.VMOVUPS(Mem{Base: ids, Index: at, Scale: 4}, id)
		g.VCOMPRESSPS_Z(id, chosen, out)
		g.VMOVUPS(out, Mem{Base: ids, Index: to, Scale: 4})
	} else {
		order, id := g.XMM(), g.XMM()
		g.VPMOVZXBD(Mem{Base: ofIDs.orders, Index: some, Scale: 8}, order)
		g.VMOVUPS(Mem{Base: ids, Index: at, Scale: 4}, id)
		g.VPERMILPS(order, id, id)
		g.VMOVUPS(id, Mem{Base: ids, Index: to, Scale: 4})
	}
	g.VMOVUPD(c.compress(a, chosen, some), Mem{Base: x, Index: to, Scale: 8})
	g.VMOVUPD(c.compress(b, chosen, some), Mem{Base: w, Index: to, Scale: 8})
	g.POPCNTL(some.As32(), some.As32())
	g.ADDQ(some, to)
	g.ADDQ(Imm(uint64(lanes)), at)
	g.JMP(LabelRef("keep_block"))
	g.Label("keep_done")
	g.Store(to, g.ReturnIndex(0))
	g.end()
}

// between writes the elements of a size.
func (g *generator) between(size int) {
	kind := fmt.Sprint(8 * size)
	label := "between" + kind
	room := g.bytes() / size
	g.function(label, fmt.Sprintf("func(n int, x, w *float%s, lo, hi float%[1]s, outX, outW *float%[1]s) int", kind), fmt.Sprintf(
		`writes x[i] and w[i] to outX and outW for each i < n with lo < x[i] <= hi, in order, and returns how many there are.
n must be a multiple of %d, and there must be room for as many more than it writes.`, room))
	n := g.param("n").(reg.GPVirtual)
	x, w := g.param("x"), g.param("w")
	outX, outW := g.param("outX").(reg.GPVirtual), g.param("outW").(reg.GPVirtual)
	lo, hi := g.vector(), g.vector()
	if size == 4 {
		g.VBROADCASTSS(g.paramAddr("lo"), lo)
		g.VBROADCASTSS(g.paramAddr("hi"), hi)
	} else {
		g.VBROADCASTSD(g.paramAddr("lo"), lo)
		g.VBROADCASTSD(g.paramAddr("hi"), hi)
	}
	c := g.compressor(size)
	at, start := g.GP64(), g.GP64()
	g.XORQ(at, at)
	g.MOVQ(outX, start)
	g.Label(label + "_block")
	g.CMPQ(at, n)
	g.JGE(LabelRef(label + "_done"))
	some := g.GP64()
	a, b := g.vector(), g.vector()
	g.VMOVUPS(Mem{Base: x, Index: at, Scale: uint8(size)}, a)
	chosen := g.compare(greaterEqualSignal, size, a, hi)
	above := g.compare(lessOrdered, size, a, lo)
	if g.masks {
		g.KANDW(above, chosen, chosen)
	} else {
		g.VANDPS(above, chosen, chosen)
	}
	g.bits(chosen, size, some)
	g.ADDQ(Imm(uint64(room)), at)
	g.TESTL(some.As32(), some.As32())
	g.JEQ(LabelRef(label + "_block"))
	g.VMOVUPS(Mem{Base: w, Index: at, Scale: uint8(size), Disp: -g.bytes()}, b)
	g.VMOVUPS(c.compress(a, chosen, some), Mem{Base: outX})
	g.VMOVUPS(c.compress(b, chosen, some), Mem{Base: outW})
	g.POPCNTL(some.As32(), some.As32())
	g.LEAQ(Mem{Base: outX, Index: some, Scale: uint8(size)}, outX)
	g.LEAQ(Mem{Base: outW, Index: some, Scale: uint8(size)}, outW)
	g.JMP(LabelRef(label + "_block"))
	g.Label(label + "_done")
	g.SUBQ(start, outX)
	g.SHRQ(Imm(uint64(bits.TrailingZeros(uint(size)))), outX)
	g.Store(outX, g.ReturnIndex(0))
	g.end()
}

// list writes indices. With values it writes down these too, of which there are many: then it does not look first whether
// there are any.
func (g *generator) list(values bool) {
	label := "list"
	if values {
		label = "listValues"
		g.function(label, "func(n int, x *float32, limit float32, first int32, ids *int32, y *float64) int",
			`writes first+i to ids and x[i] to y for each i < n with x[i] > limit, in order, and returns how many there are.
n must be a multiple of 16, and there must be room for 16 more than it writes.`)
	} else {
		g.function(label, "func(n int, x *float32, limit float32, first int32, ids *int32) int",
			`writes first+i to ids for each i < n with x[i] > limit, in order, and returns how many there are. n must be a
multiple of 16, and there must be room for 16 ids more than it writes.`)
	}
	n := g.param("n").(reg.GPVirtual)
	x, ids := g.param("x"), g.param("ids").(reg.GPVirtual)
	var y reg.GPVirtual
	if values {
		y = g.param("y").(reg.GPVirtual)
	}
	limit := g.broadcast("limit")
	c := g.compressor(4)
	index, first := g.vector(), g.GP32()
	g.Load(g.Param("first"), first)
	if g.masks {
		g.VPBROADCASTD(first, index)
	} else {
		low := g.XMM()
		g.VMOVD(first, low)
		g.VPBROADCASTD(low, index)
	}
	g.VPADDD(g.counting(), index, index)
	start := g.GP64()
	g.MOVQ(ids, start)
	at := g.GP64()
	g.XORQ(at, at)
	mem := func(v int) Mem { return Mem{Base: x, Index: at, Scale: 4, Disp: v * g.bytes()} }
	write := func(chosen reg.Register, v int) {
		some := g.GP64()
		g.bits(chosen, 4, some)
		g.VMOVUPS(c.compress(index, chosen, some), Mem{Base: ids})
		g.VPADDD(g.integers(uint32(g.width)), index, index)
		if values {
			f := g.vector()
			g.VMOVUPS(mem(v), f)
			low, high := g.widen(c.compress(f, chosen, some))
			g.VMOVUPD(low, Mem{Base: y})
			g.VMOVUPD(high, Mem{Base: y, Disp: g.bytes()})
		}
		g.POPCNTL(some.As32(), some.As32())
		g.LEAQ(Mem{Base: ids, Index: some, Scale: 4}, ids)
		if values {
			g.LEAQ(Mem{Base: y, Index: some, Scale: 8}, y)
		}
	}
	const vecs = 4
	if !values {
		whole := g.GP64()
		g.MOVQ(n, whole)
		g.ANDQ(I32(-vecs*g.width), whole)
		g.Label(label + "_block")
		g.CMPQ(at, whole)
		g.JGE(LabelRef(label + "_rest"))
		chosen := make([]reg.Register, vecs)
		for v := range chosen {
			chosen[v] = g.compare(lessOrdered, 4, mem(v), limit)
		}
		g.testAny(chosen)
		g.JNE(LabelRef(label + "_some"))
		g.VPADDD(g.integers(uint32(vecs*g.width)), index, index)
		g.ADDQ(Imm(uint64(vecs*g.width)), at)
		g.JMP(LabelRef(label + "_block"))
		g.Label(label + "_some")
		for v, k := range chosen {
			write(k, v)
		}
		g.ADDQ(Imm(uint64(vecs*g.width)), at)
		g.JMP(LabelRef(label + "_block"))
	}
	g.Label(label + "_rest")
	g.CMPQ(at, n)
	g.JGE(LabelRef(label + "_done"))
	write(g.compare(lessOrdered, 4, mem(0), limit), 0)
	g.ADDQ(Imm(uint64(g.width)), at)
	g.JMP(LabelRef(label + "_rest"))
	g.Label(label + "_done")
	g.SUBQ(start, ids)
	g.SHRQ(Imm(2), ids)
	g.Store(ids, g.ReturnIndex(0))
	g.end()
}

// counting is a vector in memory of 0, 1, 2, ...
func (g *generator) counting() Mem {
	count := make([]uint32, g.width)
	for i := range count {
		count[i] = uint32(i)
	}
	return g.table("count"+g.name, count...)
}

// integers is a vector in memory whose 32-bit integers are all v.
func (g *generator) integers(v uint32) Mem { return g.constant(math.Float32frombits(v)) }
