package kernel

// Embedding copies row ids[i] of table, whose rows have dim elements, to row i of dst.
func Embedding[F Float](dst, table []F, ids []int, dim int) {
	if is32[F]() {
		l := newLoop(embeddingLoop)
		l.out[0], l.in[0], l.ids, l.dim = asFloat32s(dst), asFloat32s(table), ids, dim
		l.parallel(len(ids), max(1, elements/max(1, dim)))
		return
	}
	for i, id := range ids {
		copy(dst[i*dim:][:dim], table[id*dim:])
	}
}

func embeddingLoop(l *loop32, lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(l.out[0][i*l.dim:][:l.dim], l.in[0][l.ids[i]*l.dim:])
	}
}

// EmbeddingBackward sets dtable to zero and adds row i of dy to its row ids[i], in order of i.
func EmbeddingBackward[F Float](dtable, dy []F, ids []int, dim int) {
	if is32[F]() {
		l := newLoop(clearLoop)
		l.out[0] = asFloat32s(dtable)
		l.parallel(len(dtable), elements)
		l = newLoop(embeddingBackwardLoop)
		l.out[0], l.in[0], l.ids, l.dim = asFloat32s(dtable), asFloat32s(dy), ids, dim
		l.parallel(dim, 64)
		return
	}
	clear(dtable)
	for i, id := range ids {
		axpyPortable(dtable[id*dim:][:dim], 1, dy[i*dim:])
	}
}

func clearLoop(l *loop32, lo, hi int) { clear(l.out[0][lo:hi]) }

// Each range of columns sees all ids in order, so repeated ids always add up alike.
func embeddingBackwardLoop(l *loop32, lo, hi int) {
	dtable, dy, dim := l.out[0], l.in[0], l.dim
	for i, id := range l.ids {
		row := dtable[id*dim+lo : id*dim+hi]
		addRow(row, row, dy[i*dim+lo:i*dim+hi])
	}
}
