//go:build !purego

package kernel

import "math"

// Attention of float32 works on strips: as many queries as a tile has rows, with all keys that the last of them sees.
// Under a causal mask that is little more than half of the scores, and only a strip of them exists at a time. Keys and
// values of a head are packed once. Sums run in the order of the keys, or of the queries, as in matrix products.

// gradBlock is how many scores of a head AttentionBackward keeps, and at least a few strips of them: the gradients of
// keys and values sum over the queries of a block before they are added up in memory.
const gradBlock = 1 << 15

// forward32 computes AttentionForward for sequence b and head h, which the slices begin at.
func (a *Attention) forward32(m *microkernels, b, h int, out, lse, q, k, v []float32) {
	d, rows := a.HeadDim, len(m.rowTiles)
	ldq, ldk, ldo := a.rowQ(), a.rowK(), a.Heads*d
	keys, values := m.packedSize(a.Keys, d), m.packedSize(d, a.Keys)
	lds := ceilDiv(a.Keys, 16) * 16
	buf := getScratch[float32](keys + values + rows*lds)
	defer putScratch(buf)
	kt := m.packColumns((*buf)[:keys], k, ldk, a.Keys, d)
	vp := m.packRows((*buf)[keys:], v, ldk, d, a.Keys)
	s := (*buf)[keys+values:]
	strips := ceilDiv(a.Queries, rows)
	for strip := range strips {
		i := a.Queries * strip / strips
		n := a.Queries*(strip+1)/strips - i
		seen := a.visible(i + n)
		m.rowsTimes(n, seen, d, q[i*ldq:], ldq, kt, s, lds)
		for r := range n {
			row := s[r*lds:][:seen]
			sees := a.hide(row, b, h, i+r)
			lse[i+r] = float32(softmaxRow32(row[:sees], row[:sees], float32(a.Scale)))
			clear(row[sees:])
		}
		m.rowsTimes(n, d, seen, s, lds, vp, out[i*ldo:], ldo)
	}
}

// backward32 computes AttentionBackward for sequence b and head h, which the slices begin at. It adds to dk and dv if
// add is set.
func (a *Attention) backward32(m *microkernels, b, h int, add bool, dq, dk, dv, dout, out, lse, q, k, v []float32) {
	d, rows := a.HeadDim, len(m.rowTiles)
	ldq, ldk, ldo := a.rowQ(), a.rowK(), a.Heads*d
	lds := ceilDiv(a.Keys, 16) * 16
	block := min(a.Queries, max(gradBlock/lds, 4*rows))
	across, along, some := m.packedSize(a.Keys, d), m.packedSize(d, a.Keys), m.packedSize(d, block)
	buf := getScratch[float32](2*across + along + 2*some + 2*block*lds)
	defer putScratch(buf)
	rest := *buf
	cut := func(n int) (s []float32) { s, rest = rest[:n], rest[n:]; return s }
	kt := m.packColumns(cut(across), k, ldk, a.Keys, d)
	vt := m.packColumns(cut(across), v, ldk, a.Keys, d)
	kp := m.packRows(cut(along), k, ldk, d, a.Keys)
	qs, dos := cut(some), cut(some)
	p, ds := cut(block*lds), cut(block*lds)
	// The last block comes first: its last query sees all keys, so that every row of dk and dv is set by it.
	for blocks := ceilDiv(a.Queries, block); blocks > 0; blocks-- {
		first := a.Queries * (blocks - 1) / ceilDiv(a.Queries, block)
		end := a.Queries * blocks / ceilDiv(a.Queries, block)
		strips := ceilDiv(end-first, rows)
		for strip := range strips {
			at := (end - first) * strip / strips
			n := (end-first)*(strip+1)/strips - at
			i := first + at
			seen := a.visible(i + n)
			p, ds := p[at*lds:], ds[at*lds:]
			m.rowsTimes(n, seen, d, q[i*ldq:], ldq, kt, p, lds)
			m.rowsTimes(n, seen, d, dout[i*ldo:], ldo, vt, ds, lds)
			for r := range n {
				p, ds := p[r*lds:][:lds], ds[r*lds:][:lds]
				sees := a.hide(p[:seen], b, h, i+r)
				l := lse[i+r]
				if math.IsInf(float64(l), -1) { // nothing to see
					sees = 0
				}
				delta := Dot(dout[(i+r)*ldo:][:d], out[(i+r)*ldo:][:d])
				attentionGradRow32(p[:sees], ds[:sees], float32(a.Scale), l, delta)
				// The products below read a little beyond what a query sees.
				beyond := min(lds, max(seen, sees+rows))
				clear(p[sees:beyond])
				clear(ds[sees:beyond])
			}
			m.rowsTimes(n, d, seen, ds, lds, kp, dq[i*ldq:], ldq)
		}
		qp := m.packRows(qs, q[first*ldq:], ldq, d, end-first)
		dop := m.packRows(dos, dout[first*ldo:], ldo, d, end-first)
		seen := a.visible(end)
		strips = ceilDiv(seen, rows)
		for strip := range strips {
			j := seen * strip / strips
			n := seen*(strip+1)/strips - j
			from := a.firstQuery(j, first)
			add := add || end < a.Queries
			m.columnsTimes(n, d, from-first, end-first, p[j:], lds, dop, dv[j*ldk:], ldk, add)
			m.columnsTimes(n, d, from-first, end-first, ds[j:], lds, qp, dk[j*ldk:], ldk, add)
		}
	}
}

// hide sets the scores of what query i of head h may not see by the mask to -Inf, and returns how many keys it sees if
// there is no mask.
func (a *Attention) hide(scores []float32, b, h, i int) int {
	if a.Mask == nil {
		return min(len(scores), a.visible(i+1))
	}
	for j, see := range a.Mask[b*a.MaskBatch+h*a.MaskHead+i*a.Keys:][:len(scores)] {
		if !see {
			scores[j] = float32(math.Inf(-1))
		}
	}
	return len(scores)
}

// firstQuery returns the first query, of those from first on, that may see key j.
func (a *Attention) firstQuery(j, first int) int {
	if !a.Causal {
		return first
	}
	return max(first, j-(a.Keys-a.Queries))
}

// A packed is a matrix in panels as wide as a tile, as tiles read it.
type packed struct {
	data  []float32
	panel int // floats from one panel to the next
}

// packedPanel returns the room that a panel of k rows takes, and packedSize that of all panels of n columns.
func (m *microkernels) packedPanel(k int) int   { return ceilDiv(k, 16) * 16 * 2 * m.width }
func (m *microkernels) packedSize(n, k int) int { return ceilDiv(n, 2*m.width) * m.packedPanel(k) }

// packColumns packs the matrix whose n columns are the rows of x, of k elements each, into dst.
func (m *microkernels) packColumns(dst, x []float32, ldx, n, k int) packed {
	panel, size := 2*m.width, m.packedPanel(k)
	for j := 0; j < n; j += m.width {
		m.transpose(k, &x[j*ldx], 4*ldx, min(m.width, n-j), &dst[j/panel*size+j%panel], 4*panel)
	}
	return packed{dst, size}
}

// packRows packs the matrix x of k rows of n elements into dst.
func (m *microkernels) packRows(dst, x []float32, ldx, n, k int) packed {
	panel, size := 2*m.width, m.packedPanel(k)
	for j := 0; j < n; j += m.width {
		m.copy(k, &x[j], 4*ldx, min(m.width, n-j), &dst[j/panel*size+j%panel], 4*panel)
	}
	return packed{dst, size}
}

// rowsTimes computes c = a·b for a tile of rows of a, k elements long, and the first n columns and k rows of b.
func (m *microkernels) rowsTimes(rows, n, k int, a []float32, lda int, b packed, c []float32, ldc int) {
	panel := 2 * m.width
	panels := ceilDiv(n, panel)
	m.rowTiles[rows-1](k, panels, &a[0], 4*lda, &b.data[0], 4*panel, 4*b.panel, &c[0], 4*ldc, n-(panels-1)*panel, 0)
}

// columnsTimes computes c = aᵀ·b, or adds it to c, for a tile of columns of a, of which it uses rows [from, to), and the
// same rows and first n columns of b.
func (m *microkernels) columnsTimes(columns, n, from, to int, a []float32, lda int, b packed, c []float32, ldc int, add bool) {
	panel := 2 * m.width
	panels := ceilDiv(n, panel)
	accumulate := 0
	if add {
		accumulate = 1
	}
	m.columnTiles[columns-1](to-from, panels, &a[from*lda], 4*lda, &b.data[from*panel], 4*panel, 4*b.panel,
		&c[0], 4*ldc, n-(panels-1)*panel, accumulate)
}
