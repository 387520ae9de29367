package kernel

import "sync"

// The portable product follows Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): a
// block of b is packed once into panels that fit a cache, and every few rows of a, packed as they are needed, meet all
// of them in a tile of c that stays in registers. Tiles of 4 by 2 with four steps of k at a time are the fastest shape
// the compiler keeps in amd64's sixteen registers.
const (
	tileRows = 4
	tileCols = 2
	tileStep = 4 // steps of k in one element of a packed panel

	blockK    = 256 // terms of a sum added up in registers; a multiple of tileStep
	blockCols = 512 // columns of a packed block of b; a multiple of tileCols
)

type (
	stepsA[F Float] = [tileStep * tileRows]F
	stepsB[F Float] = [tileStep * tileCols]F
)

// blocked is one product in progress. It is kept for its buffer and its bound methods.
type blocked[F Float] struct {
	ta, tb        bool
	m, n, k       int
	a, b, c       []F
	lda, ldb, ldc int
	add           bool

	col, cols   int // the block of b that is packed now: its columns
	row, rows   int // and its rows
	groups      int // parts its columns are dealt out in
	packed      []stepsB[F]
	pack, tiles func(lo, hi int)
}

// blockedPool holds *blocked[F] of whatever F came last.
var blockedPool sync.Pool

func gemmBlocked[F Float](parallel, ta, tb bool, m, n, k int, a []F, lda int, b []F, ldb int, c []F, ldc int, add bool) {
	g, ok := blockedPool.Get().(*blocked[F])
	if !ok {
		g = new(blocked[F])
		g.pack, g.tiles = g.packPanels, g.multiplyTiles
	}
	g.ta, g.tb, g.m, g.n, g.k = ta, tb, m, n, k
	g.a, g.b, g.c, g.lda, g.ldb, g.ldc = a, b, c, lda, ldb, ldc
	for g.col = 0; g.col < n; g.col += blockCols {
		g.cols = min(blockCols, n-g.col)
		for g.row = 0; g.row < k; g.row += blockK {
			g.rows = min(blockK, k-g.row)
			g.add = add || g.row > 0
			panels := ceilDiv(g.cols, tileCols)
			if size := panels * ceilDiv(g.rows, tileStep); len(g.packed) < size {
				g.packed = make([]stepsB[F], size)
			}
			strips := ceilDiv(m, tileRows)
			g.groups = min(panels, ceilDiv(32, strips))
			if parallel {
				Parallel(panels, 8, g.pack)
				Parallel(strips*g.groups, 1, g.tiles)
			} else {
				g.packPanels(0, panels)
				g.multiplyTiles(0, strips*g.groups)
			}
		}
	}
	g.a, g.b, g.c = nil, nil, nil
	blockedPool.Put(g)
}

// packPanels copies panels [lo, hi) of the block of b, filling up with zeros.
func (g *blocked[F]) packPanels(lo, hi int) {
	steps := ceilDiv(g.rows, tileStep)
	for panel := lo; panel < hi; panel++ {
		dst := g.packed[panel*steps : (panel+1)*steps]
		col := g.col + panel*tileCols
		if width := g.col + g.cols - col; width < tileCols {
			clear(dst)
		}
		for j := range min(tileCols, g.col+g.cols-col) {
			if g.tb {
				src := g.b[(col+j)*g.ldb+g.row:][:g.rows]
				for p, x := range src {
					dst[p/tileStep][p%tileStep*tileCols+j] = x
				}
			} else {
				src := g.b[g.row*g.ldb+col+j:]
				for p := range g.rows {
					dst[p/tileStep][p%tileStep*tileCols+j] = src[p*g.ldb]
				}
			}
			for p := g.rows; p < steps*tileStep; p++ {
				dst[p/tileStep][p%tileStep*tileCols+j] = 0
			}
		}
	}
}

// packStrip copies the rows of op(a) that begin at row, filling up with zeros.
func (g *blocked[F]) packStrip(dst []stepsA[F], row int) {
	high := min(tileRows, g.m-row)
	if high < tileRows || g.rows%tileStep != 0 {
		clear(dst)
	}
	for i := range high {
		if g.ta {
			src := g.a[g.row*g.lda+row+i:]
			for p := range g.rows {
				dst[p/tileStep][p%tileStep*tileRows+i] = src[p*g.lda]
			}
		} else {
			src := g.a[(row+i)*g.lda+g.row:][:g.rows]
			for p, x := range src {
				dst[p/tileStep][p%tileStep*tileRows+i] = x
			}
		}
	}
}

// multiplyTiles computes units [lo, hi) of c: strip unit/groups against the panels of group unit%groups.
func (g *blocked[F]) multiplyTiles(lo, hi int) {
	var buf [blockK / tileStep]stepsA[F]
	steps := ceilDiv(g.rows, tileStep)
	strip := buf[:steps]
	panels := ceilDiv(g.cols, tileCols)
	last := -1
	for unit := lo; unit < hi; unit++ {
		row, group := unit/g.groups*tileRows, unit%g.groups
		if row != last {
			g.packStrip(strip, row)
			last = row
		}
		high := min(tileRows, g.m-row)
		for panel := panels * group / g.groups; panel < panels*(group+1)/g.groups; panel++ {
			var tile [tileRows * tileCols]F
			multiplyTile(strip, g.packed[panel*steps:(panel+1)*steps], &tile)
			col := g.col + panel*tileCols
			width := min(tileCols, g.col+g.cols-col)
			for i := range high {
				dst := g.c[(row+i)*g.ldc+col:][:width]
				for j, x := range tile[i*tileCols:][:width] {
					if g.add {
						x += dst[j]
					}
					dst[j] = x
				}
			}
		}
	}
}

// multiplyTile computes tile = a·b over all steps of two packed panels, each element in one chain of additions.
func multiplyTile[F Float](a []stepsA[F], b []stepsB[F], tile *[tileRows * tileCols]F) {
	a = a[:len(b)]
	var c00, c01, c10, c11, c20, c21, c30, c31 F
	for p := range b {
		x, y := &a[p], &b[p]
		c00 += x[0] * y[0]
		c01 += x[0] * y[1]
		c10 += x[1] * y[0]
		c11 += x[1] * y[1]
		c20 += x[2] * y[0]
		c21 += x[2] * y[1]
		c30 += x[3] * y[0]
		c31 += x[3] * y[1]

		c00 += x[4] * y[2]
		c01 += x[4] * y[3]
		c10 += x[5] * y[2]
		c11 += x[5] * y[3]
		c20 += x[6] * y[2]
		c21 += x[6] * y[3]
		c30 += x[7] * y[2]
		c31 += x[7] * y[3]

		c00 += x[8] * y[4]
		c01 += x[8] * y[5]
		c10 += x[9] * y[4]
		c11 += x[9] * y[5]
		c20 += x[10] * y[4]
		c21 += x[10] * y[5]
		c30 += x[11] * y[4]
		c31 += x[11] * y[5]

		c00 += x[12] * y[6]
		c01 += x[12] * y[7]
		c10 += x[13] * y[6]
		c11 += x[13] * y[7]
		c20 += x[14] * y[6]
		c21 += x[14] * y[7]
		c30 += x[15] * y[6]
		c31 += x[15] * y[7]
	}
	*tile = [...]F{c00, c01, c10, c11, c20, c21, c30, c31}
}

// ceilDiv is n/d, rounded up.
func ceilDiv(n, d int) int { return (n + d - 1) / d }
