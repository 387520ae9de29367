//go:build !purego

package kernel

// Products of rows are cut into calls of about dotsTerms terms of b, so that no call keeps the world from stopping for
// long, and of dotsBlock if they are for several calls, which then find them in the first cache.
const dotsTerms, dotsBlock = 1 << 16, 1 << 12

// dotsHandful is how many terms are worth handing to another thread.
const dotsHandful = 1 << 14

// sdots computes Dots for sizes of at least 1 if there is assembly for it, and reports whether there is.
func sdots(parallel bool, m, n, k int, x []float32, ldx int, w []float32, ldw int, y []float32, ldy int, add bool) bool {
	if sgemmKernels == nil {
		return false
	}
	p := newProduct32()
	p.parallel = parallel
	p.m, p.n, p.k = m, n, k
	p.a, p.b, p.c, p.lda, p.ldb, p.ldc = x, w, y, ldx, ldw, ldy
	p.ta, p.tb = false, true
	p.add = add
	p.vectors()
	p.release()
	return true
}

// vectors multiplies each row of op(a) with the rows of b, which tb transposes.
func (p *product32) vectors() {
	if p.ta {
		p.room(p.m * p.k)
		for i := range p.m {
			for q := range p.k {
				p.packed[i*p.k+q] = p.a[q*p.lda+i]
			}
		}
		p.a, p.lda = p.packed, p.k
	}
	if p.parallel {
		Parallel(p.n, ceilDiv(dotsHandful, p.k*8)*8, p.multiplyVectors)
	} else {
		p.multiplyRows(0, p.n)
	}
}

// column is vectors for one row of op(a) whose products lie ldc apart.
func (p *product32) column() {
	if p.ldc == 1 {
		p.vectors()
		return
	}
	if len(p.line) < p.n {
		p.line = make([]float32, p.n)
	}
	c := p.c
	if p.add {
		for j := range p.n {
			p.line[j] = c[j*p.ldc]
		}
	}
	p.c = p.line
	p.vectors()
	for j := range p.n {
		c[j*p.ldc] = p.line[j]
	}
}

// multiplyRows multiplies rows [lo, hi) of b with all rows of a, as many at a time as stay in a cache.
func (p *product32) multiplyRows(lo, hi int) {
	for q := 0; q < p.k; q += dotsTerms {
		terms := min(dotsTerms, p.k-q)
		rows := ceilDiv(dotsTerms, terms)
		if p.m > len(p.dots) {
			rows = ceilDiv(dotsBlock, terms*8) * 8
		}
		add := p.add || q > 0
		for j := lo; j < hi; j += rows {
			p.dotRows(p.m, min(rows, hi-j), terms, p.a[q:], p.lda, p.b[j*p.ldb+q:], p.ldb, p.c[j:], p.ldc, add)
		}
	}
}

// dotRows computes c = a·bᵀ, or adds it to c, for m rows of a and n rows of b.
func (m *microkernels) dotRows(rows, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool) {
	accumulate := 0
	if add {
		accumulate = 1
	}
	for i := 0; i < rows; {
		step := min(len(m.dots), rows-i)
		m.dots[step-1](k, &a[i*lda], 4*lda, &b[0], 4*ldb, n, &c[i*ldc], 4*ldc, accumulate)
		i += step
	}
}
