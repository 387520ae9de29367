package kernel

import "sync"

const (
	// int8StripPortable is how many rows of x are multiplied in one call of the portable kernel.
	int8StripPortable = 8

	// Weights are cut into calls of about so many groups of rows, which stay in a cache until all rows of x have met them.
	int8CallBlocks = 128

	// So many numbers are worth a second thread when they are rounded.
	minParallelInt8 = 1 << 15
)

// GemmInt8 computes y = x·wᵀ, or adds it to y if add is set, for x (rows, in), w (out, in) and y (rows, out): with x
// rounded to eight bits as w is, row by row,
//
//	y[i*out+j] (+)= Σ over groups p of (scale of w · scale of x) · Σ over the group of q of w · q of x
//
// in float32, of which the inner sum is one of integers and exact, and the outer in the order of p, from zero. What is in
// y is added last. So the bits are the same in all kernels, at any number of threads and of rows. A row of x that holds
// NaN or Inf makes its row of y NaN, and so does a row of w with its column.
func GemmInt8(rows int, x []float32, w *Int8, y []float32, add bool) {
	if rows <= 0 || w.out == 0 {
		return
	}
	p, ok := int8Pool.Get().(*int8Product)
	if !ok {
		p = new(int8Product)
		p.quantize, p.multiply = p.quantizeRows, p.multiplyBlocks
	}
	p.w, p.rows, p.x, p.y, p.add = w, rows, x[:rows*w.in], y[:rows*w.out], add
	p.strips = ceilDiv(rows, int8Strip())
	if len(p.groups) < rows*w.groups {
		p.groups = make([]int8Group, rows*w.groups)
	}
	Parallel(rows, max(1, minParallelInt8/w.in), p.quantize)
	if blocks := ceilDiv(w.out, int8Rows); rows*w.out*w.in >= minParallel {
		Parallel(blocks, 1, p.multiply)
	} else {
		p.multiply(0, blocks)
	}
	p.w, p.x, p.y = nil, nil, nil
	int8Pool.Put(p)
}

var int8Pool sync.Pool // of *int8Product

// int8Product is one product in progress. It is kept for its buffers and its bound methods.
type int8Product struct {
	w    *Int8
	rows int
	x, y []float32
	add  bool

	// Rows of x are multiplied a strip at a time. The groups of a strip lie in groups one behind the other, those of all its
	// rows for each place in a row.
	strips int
	groups []int8Group
	last   [8 * int8Rows]float32 // results of a block that is not full

	quantize, multiply func(lo, hi int)
}

// strip returns the rows [lo, hi) of strip s.
func (p *int8Product) strip(s int) (lo, hi int) {
	return p.rows * s / p.strips, p.rows * (s + 1) / p.strips
}

// quantizeRows rounds rows [lo, hi) of x.
func (p *int8Product) quantizeRows(lo, hi int) {
	in := p.w.in
	for s := range p.strips {
		first, end := p.strip(s)
		for i := max(lo, first); i < min(hi, end); i++ {
			quantizeRow(p.x[i*in:][:in], p.groups[first*p.w.groups+i-first:], end-first)
		}
	}
}

// multiplyBlocks multiplies all rows of x with blocks [lo, hi) of rows of w, a few at a time.
func (p *int8Product) multiplyBlocks(lo, hi int) {
	groups, out := p.w.groups, p.w.out
	full := min(hi, out/int8Rows)
	few := ceilDiv(int8CallBlocks, groups)
	for b := lo; b < full; b += few {
		n := min(few, full-b)
		for s := range p.strips {
			first, end := p.strip(s)
			multiplyInt8(end-first, groups, n, p.groups[first*groups:], p.w.blocks[b*groups:],
				p.y[first*out+b*int8Rows:], out, p.add)
		}
	}
	if hi > full {
		p.multiplyLast(max(lo, full))
	}
}

// multiplyLast multiplies with block b of rows of w, which is not full.
func (p *int8Product) multiplyLast(b int) {
	groups, out := p.w.groups, p.w.out
	at := b * int8Rows
	for s := range p.strips {
		first, end := p.strip(s)
		multiplyInt8(end-first, groups, 1, p.groups[first*groups:], p.w.blocks[b*groups:], p.last[:], int8Rows, false)
		for i := first; i < end; i++ {
			y := p.y[i*out+at : (i+1)*out]
			for j, v := range p.last[(i-first)*int8Rows:][:len(y)] {
				if p.add {
					v += y[j]
				}
				y[j] = v
			}
		}
	}
}
