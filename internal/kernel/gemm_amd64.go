//go:build !purego

package kernel

import "sync"

//go:generate go -C asm run . -dir ..

// Whole products of float32 in assembly. A block of b is packed once for all threads, into panels as wide as a tile;
// then strips of a few rows of op(a) meet all panels of the block in one call, which reads op(a) where it lies. The
// number of terms summed up in registers and the order of the sums are those of both instruction sets.
const (
	sgemmK    = 512 // rows of a block of b: terms of one sum in registers
	sgemmCols = 512 // columns of a block of b

	// So many strips are multiplied before what comes next is told of their rows.
	sgemmStream = 4

	// The multiplication of a block is cut into about so many units, which two threads share evenly enough.
	sgemmUnits = 64

	// Up to this many strips do not pay for packing a block of op(b) that is stored by rows. If its rows do not begin at
	// vectors, so that loads of them cross cache lines, only so few.
	sgemmInPlace, sgemmUnaligned = 48, 7

	// Up to this many rows of op(a) are faster multiplied as vectors if b is stored by columns.
	sgemmVectors = 8
)

type (
	tileFunc  func(k, panels int, a *float32, lda int, b *float32, ldb, ldp int, c *float32, ldc, tail, add int)
	panelFunc func(k int, x *float32, ldx, n int, dst *float32, ldd int)
	dotsFunc  func(k int, x *float32, ldx int, b *float32, ldb, rows int, y *float32, ldy, add int)
)

// microkernels are the assembly for one instruction set. They are called through this table alone: a call of a function
// value passes a point where the garbage collector can stop the thread, which an inlined call of assembly does not.
type microkernels struct {
	width int // of a vector; a panel has two
	// Tiles of 1, 2, ... rows, for op(a) stored by rows and by columns.
	rowTiles, columnTiles []tileFunc
	copy, transpose       panelFunc
	dots                  []dotsFunc // of 1, 2, ... rows
}

// sgemmKernels are those in use, or nil for portable ones.
var sgemmKernels = microkernelsOf(activePath)

func microkernelsOf(path string) *microkernels {
	switch path {
	case pathAVX2:
		return &microkernels{
			width: 8,
			rowTiles: []tileFunc{tileRows1AVX2, tileRows2AVX2, tileRows3AVX2, tileRows4AVX2, tileRows5AVX2,
				tileRows6AVX2},
			columnTiles: []tileFunc{tileColumns1AVX2, tileColumns2AVX2, tileColumns3AVX2, tileColumns4AVX2, tileColumns5AVX2,
				tileColumns6AVX2},
			copy: copyPanelAVX2, transpose: transposePanelAVX2, dots: []dotsFunc{dots1AVX2, dots2AVX2, dots3AVX2},
		}
	case pathAVX512:
		return &microkernels{
			width: 16,
			rowTiles: []tileFunc{tileRows1AVX512, tileRows2AVX512, tileRows3AVX512, tileRows4AVX512, tileRows5AVX512,
				tileRows6AVX512, tileRows7AVX512, tileRows8AVX512, tileRows9AVX512, tileRows10AVX512, tileRows11AVX512,
				tileRows12AVX512, tileRows13AVX512, tileRows14AVX512},
			columnTiles: []tileFunc{tileColumns1AVX512, tileColumns2AVX512, tileColumns3AVX512, tileColumns4AVX512,
				tileColumns5AVX512, tileColumns6AVX512, tileColumns7AVX512, tileColumns8AVX512, tileColumns9AVX512,
				tileColumns10AVX512, tileColumns11AVX512, tileColumns12AVX512, tileColumns13AVX512, tileColumns14AVX512},
			copy: copyPanelAVX512, transpose: transposePanelAVX512,
			dots: []dotsFunc{dots1AVX512, dots2AVX512, dots3AVX512, dots4AVX512},
		}
	}
	return nil
}

// sgemm computes Gemm, or GemmThen, for sizes of at least 1 if there is assembly for it, and reports whether there is.
func sgemm(parallel, ta, tb bool, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool, after func(lo, hi int)) bool {
	if sgemmKernels == nil {
		return false
	}
	p := newProduct32()
	p.parallel = parallel
	p.ta, p.tb, p.m, p.n, p.k = ta, tb, m, n, k
	p.a, p.b, p.c, p.lda, p.ldb, p.ldc = a, b, c, lda, ldb, ldc
	p.add = add
	switch {
	case tb && (m == 1 || m <= sgemmVectors && k >= 64):
		p.vectors()
	case n == 1 && !ta:
		// A column is a row of the transposed product.
		p.ta, p.tb, p.m, p.n = !tb, true, 1, m
		p.a, p.b, p.lda, p.ldb = b, a, ldb, lda
		p.column()
	case n == 1 && ldc == 1:
		p.ta, p.tb, p.m, p.n = !tb, false, 1, m
		p.a, p.b, p.lda, p.ldb = b, a, ldb, lda
		p.blocks()
	default:
		p.after, after = after, nil
		p.blocks()
	}
	if after != nil {
		after(0, m)
	}
	p.release()
	return true
}

var (
	sgemmPool sync.Pool // of *product32
	stripPool sync.Pool // of *strip
)

// strip is room for a packed strip of op(a).
type strip [sgemmK * 16]float32

// product32 is one product in progress. It is kept for its buffer and its bound methods.
type product32 struct {
	*microkernels
	parallel      bool
	ta, tb        bool
	m, n, k       int
	a, b, c       []float32
	lda, ldb, ldc int
	add           bool
	after         func(lo, hi int) // if not nil, is called for rows of c that are there

	// The block of op(b) that is multiplied now.
	row, rows, col, cols int
	accumulate           int  // 1 if its product is added to what is in c
	packB                bool // all its panels are packed, otherwise only one that is not full
	packA                bool // strips are packed, otherwise read in place
	panels               int
	panelSize            int  // floats from one packed panel to the next
	strips               int  // parts of c's rows
	byPanels             bool // panels are shared over threads, otherwise strips
	groups               int  // parts of the panels that a strip meets in calls of its own

	packed, line                            []float32
	pack, multiply, stream, multiplyVectors func(lo, hi int)
}

func newProduct32() *product32 {
	p, ok := sgemmPool.Get().(*product32)
	if !ok {
		p = new(product32)
		p.pack, p.multiply, p.stream, p.multiplyVectors = p.packPanels, p.multiplyStrips, p.streamStrips, p.multiplyRows
	}
	p.microkernels = sgemmKernels
	return p
}

func (p *product32) release() {
	p.a, p.b, p.c, p.after = nil, nil, nil, nil
	sgemmPool.Put(p)
}

// room makes packed large enough.
func (p *product32) room(size int) {
	if len(p.packed) < size {
		p.packed = Make[float32](max(size, hugePage/4))
	}
}

// blocks multiplies block by block.
func (p *product32) blocks() {
	rows := ceilDiv(p.k, ceilDiv(p.k, sgemmK))
	cols := ceilDiv(ceilDiv(p.n, ceilDiv(p.n, sgemmCols)), 32) * 32
	panel, tile := 2*p.width, len(p.rowTiles)
	if p.after != nil {
		cols = p.n // so that rows are done one after the other
	}
	p.panelSize = ceilDiv(rows, 16) * 16 * panel
	p.strips = ceilDiv(p.m, tile)
	p.packB = p.tb || p.strips > sgemmInPlace || p.ldb%16 != 0 && p.strips > sgemmUnaligned
	p.packA = p.strips > 1 && (p.lda%1024 == 0 || p.ta && tile < 8 && p.n >= 128)
	for p.col = 0; p.col < p.n; p.col += cols {
		p.cols = min(cols, p.n-p.col)
		p.panels = ceilDiv(p.cols, panel)
		p.groups = 1
		if p.parallel && p.after == nil {
			p.groups = min(p.panels, ceilDiv(sgemmUnits, p.strips))
		}
		// Where a strip is reused little, a thread is better off with the panels that it has packed itself.
		p.byPanels = p.parallel && p.after == nil && p.packB && !p.packA && p.m < p.n && p.strips <= sgemmInPlace
		if p.byPanels {
			p.groups = p.panels
		}
		for p.row = 0; p.row < p.k; p.row += rows {
			p.rows = min(rows, p.k-p.row)
			p.accumulate = 0
			if p.add || p.row > 0 {
				p.accumulate = 1
			}
			first := 0
			if !p.packB {
				first = p.cols / panel
			}
			p.room(p.panels * p.panelSize)
			if p.parallel && p.packB && p.rows*p.cols >= 1<<13 {
				Parallel(p.panels, 1, p.pack)
			} else {
				p.packPanels(first, p.panels)
			}
			work := p.multiply
			if p.after != nil {
				work = p.stream
			}
			if p.parallel {
				Parallel(p.strips*p.groups, 1, work)
			} else {
				work(0, p.strips*p.groups)
			}
		}
	}
}

// streamStrips multiplies strips [lo, hi) of the block, which is as wide as c, a few at a time: part by part of the panels,
// so that these stay in a cache. After the last block these rows are done.
func (p *product32) streamStrips(lo, hi int) {
	room := p.stripRoom()
	defer stripPool.Put(room)
	last := p.row+p.rows == p.k
	part := sgemmCols / (2 * p.width)
	for ; lo < hi; lo += sgemmStream {
		end := min(lo+sgemmStream, hi)
		for first := 0; first < p.panels; first += part {
			for s := lo; s < end; s++ {
				p.multiplyStrip(room, s, first, min(first+part, p.panels), true)
			}
		}
		if last {
			p.after(p.m*lo/p.strips, p.m*end/p.strips)
		}
	}
}

// packPanels packs panels [lo, hi) of the block. What lies beyond the last column is not worth clearing: it is
// multiplied into columns that no tile stores.
func (p *product32) packPanels(lo, hi int) {
	panel := 2 * p.width
	for q := lo; q < hi; q++ {
		col := p.col + q*panel
		dst := p.packed[q*p.panelSize:][:p.panelSize]
		for j := 0; j < panel && q*panel+j < p.cols; j += p.width {
			n := min(p.width, p.cols-q*panel-j)
			if p.tb {
				p.transpose(p.rows, &p.b[(col+j)*p.ldb+p.row], 4*p.ldb, n, &dst[j], 4*panel)
			} else {
				p.copy(p.rows, &p.b[p.row*p.ldb+col+j], 4*p.ldb, n, &dst[j], 4*panel)
			}
		}
	}
}

// multiplyStrips multiplies units [lo, hi) of the block: strip unit/groups with group unit%groups of the panels or, by
// panels, strip unit%strips with group unit/strips.
func (p *product32) multiplyStrips(lo, hi int) {
	room := p.stripRoom()
	defer stripPool.Put(room)
	packed := -1
	for unit := lo; unit < hi; unit++ {
		s, group := unit/p.groups, unit%p.groups
		if p.byPanels {
			s, group = unit%p.strips, unit/p.strips
		}
		p.multiplyStrip(room, s, p.panels*group/p.groups, p.panels*(group+1)/p.groups, packed != s)
		packed = s
	}
}

// stripRoom returns room for packing a strip.
func (p *product32) stripRoom() *strip {
	if room, ok := stripPool.Get().(*strip); ok {
		return room
	}
	return new(strip)
}

// multiplyStrip multiplies strip s with panels [first, last). If strips are packed, it is packed into room first if pack
// is set, and otherwise is there already.
func (p *product32) multiplyStrip(room *strip, s, first, last int, pack bool) {
	i := p.m * s / p.strips
	high := p.m*(s+1)/p.strips - i
	switch {
	case p.packA:
		if pack {
			if p.ta {
				p.copy(p.rows, &p.a[p.row*p.lda+i], 4*p.lda, high, &room[0], 4*p.width)
			} else {
				p.transpose(p.rows, &p.a[i*p.lda+p.row], 4*p.lda, high, &room[0], 4*p.width)
			}
		}
		p.multiplyPanels(p.columnTiles[high-1], &room[0], 4*p.width, i, first, last)
	case p.ta:
		p.multiplyPanels(p.columnTiles[high-1], &p.a[p.row*p.lda+i], 4*p.lda, i, first, last)
	default:
		p.multiplyPanels(p.rowTiles[high-1], &p.a[i*p.lda+p.row], 4*p.lda, i, first, last)
	}
}

// multiplyPanels multiplies the strip at a, whose first row is row i of c, with panels [first, last).
func (p *product32) multiplyPanels(tile tileFunc, a *float32, lda, i, first, last int) {
	panel := 2 * p.width
	if !p.packB {
		if full := min(last, p.cols/panel); full > first {
			at := p.col + first*panel
			tile(p.rows, full-first, a, lda, &p.b[p.row*p.ldb+at], 4*p.ldb, 4*panel, &p.c[i*p.ldc+at], 4*p.ldc, panel, p.accumulate)
			first = full
		}
	}
	if first == last {
		return
	}
	tail := min(panel, p.cols-(last-1)*panel)
	tile(p.rows, last-first, a, lda, &p.packed[first*p.panelSize], 4*panel, 4*p.panelSize,
		&p.c[i*p.ldc+p.col+first*panel], 4*p.ldc, tail, p.accumulate)
}
