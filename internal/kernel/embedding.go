package kernel

// Embedding copies row ids[i] of table, whose rows have dim elements, to row i of dst.
func Embedding[F Float](dst, table []F, ids []int, dim int) {
	Parallel(len(ids), max(1, elements/max(1, dim)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(dst[i*dim:][:dim], table[ids[i]*dim:])
		}
	})
}

// EmbeddingBackward sets dtable to zero and adds row i of dy to its row ids[i], in order of i.
func EmbeddingBackward[F Float](dtable, dy []F, ids []int, dim int) {
	Parallel(len(dtable), elements, func(lo, hi int) { clear(dtable[lo:hi]) })
	// Each range of columns sees all ids in order, so repeated ids always add up alike.
	Parallel(dim, 16, func(lo, hi int) {
		for i, id := range ids {
			Axpy(dtable[id*dim+lo:id*dim+hi], 1, dy[i*dim+lo:i*dim+hi])
		}
	})
}
