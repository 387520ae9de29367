//go:build !purego

package kernel

// attend32 computes attend if there is assembly for it, and reports whether there is.
func (c *CachedAttention) attend32(rows, sees, more int, q []float32, ldq int, keys, values, out []float32, ldo int) bool {
	m := sgemmKernels
	if m == nil {
		return false
	}
	tile, d := len(m.rowTiles), c.HeadDim
	scores := getScratch[float32](min(rows, tile) * c.Room)
	defer putScratch(scores)
	for ; rows > 0; rows -= tile {
		n := min(rows, tile)
		seen := sees + (n-1)*more
		panel := 2 * m.width
		panels := ceilDiv(seen, panel)
		m.rowTiles[n-1](d, panels, &q[0], 4*ldq, &keys[0], 4*c.Room, 4*panel, &(*scores)[0], 4*c.Room, seen-(panels-1)*panel, 0)
		for r := range n {
			p := (*scores)[r*c.Room:][:seen]
			softmaxRow32(p[:sees+r*more], p[:sees+r*more], float32(c.Scale))
			clear(p[sees+r*more:])
		}
		m.dotRows(n, d, seen, *scores, c.Room, values, c.Room, out, ldo, false)
		if rows > tile {
			q, out, sees = q[n*ldq:], out[n*ldo:], sees+n*more
		}
	}
	return true
}
