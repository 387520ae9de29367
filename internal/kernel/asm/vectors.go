package main

import (
	"math"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors is an instruction set and the shape of the kernels that suits its registers.
type vectors struct {
	name       string // in the names of functions
	file       string // in the names of files
	doc        string // in sentences
	width      int    // floats in a vector
	masks      bool   // has mask registers
	rows       int    // most rows in a tile, which is two vectors wide
	unroll     int    // steps of k in a turn of the tile's loop
	dotVectors int    // most rows that dots multiplies rows of a matrix with
	dotRows    int    // rows of a matrix that meet several rows at a time; twice as many meet a single row

	quantizedRows int    // most rows that are multiplied with quantised weights at a time
	quantizedDoc  string // what that takes, in sentences
}

// A tile keeps two vectors a row, two of b and one of a in registers: 28+3 of 32, and 12+3 of 16.
var (
	avx512 = &vectors{name: "AVX512", file: "avx512", doc: "AVX-512", width: 16, masks: true, rows: 14, unroll: 1,
		dotVectors: 4, dotRows: 4, quantizedRows: 8, quantizedDoc: "AVX-512 and VNNI"}
	avx2 = &vectors{name: "AVX2", file: "avx2", doc: "AVX2 and FMA", width: 8, rows: 6, unroll: 4,
		dotVectors: 3, dotRows: 2, quantizedRows: 2, quantizedDoc: "AVX2"}
)

// bytes is the length of a vector.
func (v *vectors) bytes() int { return 4 * v.width }

// generator writes kernels. Its methods named after instructions are avo's.
type generator struct {
	*build.Context
	*vectors
	constants map[string]operand.Mem
	limits    [2]reg.VecVirtual // see exp
}

// function begins a kernel whose arguments nothing keeps.
func (g *generator) function(name, signature, doc string) {
	g.Function(name + g.name)
	g.Attributes(attr.NOSPLIT)
	g.Pragma("noescape")
	g.SignatureExpr(signature)
	g.Doc(strings.Split(name+g.name+" "+doc, "\n")...)
}

// end returns from a kernel. Without VZEROUPPER the SSE code that follows would be slow.
func (g *generator) end() {
	g.VZEROUPPER()
	g.RET()
}

func (g *generator) param(name string) reg.Register { return g.Load(g.Param(name), g.GP64()) }

func (g *generator) vector() reg.VecVirtual {
	if g.masks {
		return g.ZMM()
	}
	return g.YMM()
}

func (g *generator) vectorList(n int) []reg.VecVirtual {
	list := make([]reg.VecVirtual, n)
	for i := range list {
		list[i] = g.vector()
	}
	return list
}

// mask selects the first floats of a vector: an opmask, or a vector with their sign bits set.
type mask struct{ reg reg.Register }

const tailMasksName = "tailMasks"

// tailMasks is what AVX2 takes masks of up to two vectors from: 16 ones, then 16 zeros.
func (g *generator) tailMasks() {
	g.StaticGlobal(tailMasksName)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 32 {
		var x operand.U32
		if i < 16 {
			x = ^x
		}
		g.AddDatum(4*i, x)
	}
}

// firstMasks returns masks of one or two vectors in a row that together select the first n floats.
// It destroys n. With AVX2 they occupy the given vectors.
func (g *generator) firstMasks(n reg.GPVirtual, vecs ...reg.VecVirtual) []mask {
	masks := make([]mask, len(vecs))
	if g.masks {
		ones := g.GP32()
		g.MOVL(operand.U32(1<<32-1), ones)
		g.BZHIL(n.As32(), ones, ones)
		for i := range masks {
			k := g.K()
			g.KMOVW(ones, k)
			if i+1 < len(masks) {
				g.SHRL(operand.Imm(16), ones)
			}
			masks[i] = mask{k}
		}
		return masks
	}
	at := g.GP64()
	g.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol(tailMasksName), 64), at)
	g.SHLQ(operand.Imm(2), n)
	g.SUBQ(n, at)
	for i, v := range vecs {
		g.VMOVUPS(operand.Mem{Base: at, Disp: 32 * i}, v)
		masks[i] = mask{v}
	}
	return masks
}

// infinity is a vector in memory of -Inf.
func (g *generator) infinity() operand.Mem { return g.constant(float32(math.Inf(-1))) }

// loadMasked loads what m selects and zeros for the rest, from memory that need not exist there.
func (g *generator) loadMasked(from operand.Mem, m mask, to reg.VecVirtual) {
	if g.masks {
		g.VMOVUPS_Z(from, m.reg, to)
	} else {
		g.VMASKMOVPS(from, m.reg, to)
	}
}

func (g *generator) storeMasked(from reg.VecVirtual, m mask, to operand.Mem) {
	if g.masks {
		g.VMOVUPS(from, m.reg, to)
	} else {
		g.VMASKMOVPS(from, m.reg, to)
	}
}
