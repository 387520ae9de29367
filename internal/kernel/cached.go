package kernel

import "sync"

// CachedAttention is the attention of sequences that grow: the keys and values of their tokens so far are kept.
//
// Both are kept as (slot, KVHeads, HeadDim, Room), a column for each token, so that queries meet many keys at a time and
// values are summed up over many tokens at a time, however narrow the heads. Every row of the result has the same bits
// whatever other rows come with it.
type CachedAttention struct {
	Heads, KVHeads, HeadDim int
	Scale                   float64
	Room                    int // tokens that there is memory for: CachedRoom of the longest sequence
	Tokens                  int // in a row of the batch
	// RowQ and RowK are how far apart queries, and keys and values, of tokens begin if they are parts of longer rows; 0 means
	// that each has rows of its own.
	RowQ, RowK int
}

// CachedRoom returns the Room of sequences of up to n tokens. Tiles read keys by panels of 32; the rest keeps rows from
// beginning a power of two apart, where they would compete for places in a cache.
func CachedRoom(n int) int { return ceilDiv(n, 32)*32 + 16 }

// Continued is a row of a batch: Count tokens of it continue a sequence that has At tokens and whose keys and values lie
// in a slot of memory.
type Continued struct{ Slot, At, Count int }

// AttendCached adds the keys and values in k and v to those kept for each sequence, and computes the attention of its new
// queries in q to all of them that are not behind it. Tokens of out lie Heads·HeadDim apart. What belongs to tokens beyond
// a Count is neither read nor written.
func AttendCached[F Float](a CachedAttention, sequences []Continued, out, q, k, v, keys, values []F) {
	c, ok := cachings.Get().(*caching[F])
	if !ok {
		c = new(caching[F])
		c.run = c.units
	}
	a.RowQ, a.RowK = or(a.RowQ, a.Heads*a.HeadDim), or(a.RowK, a.KVHeads*a.HeadDim)
	c.CachedAttention, c.sequences = a, sequences
	c.out, c.q, c.k, c.v, c.keys, c.values = out, q, k, v, keys, values
	work := 0
	for _, s := range sequences {
		work += s.Count * (s.At + s.Count) * a.Heads * a.HeadDim
	}
	if n := len(sequences) * a.KVHeads; work >= minParallelDots {
		Parallel(n, 1, c.run)
	} else {
		c.units(0, n)
	}
	*c = caching[F]{run: c.run}
	cachings.Put(c)
}

var cachings sync.Pool // of *caching of whatever type came last

// caching is an AttendCached in progress. It is kept for its bound method.
type caching[F Float] struct {
	CachedAttention
	sequences                  []Continued
	out, q, k, v, keys, values []F
	run                        func(lo, hi int)
}

// units computes heads of keys and values [lo, hi) of all sequences, with the heads of queries that share them.
func (c *caching[F]) units(lo, hi int) {
	for u := lo; u < hi; u++ {
		b, g := u/c.KVHeads, u%c.KVHeads
		s := c.sequences[b]
		if s.Count == 0 {
			continue
		}
		at := (s.Slot*c.KVHeads + g) * c.HeadDim * c.Room
		keys, values := c.keys[at:][:c.HeadDim*c.Room], c.values[at:][:c.HeadDim*c.Room]
		row := b*c.Tokens*c.RowK + g*c.HeadDim
		for i := range s.Count {
			c.keep(keys[s.At+i:], c.k[row+i*c.RowK:])
			c.keep(values[s.At+i:], c.v[row+i*c.RowK:])
		}
		group, width := c.Heads/c.KVHeads, c.Heads*c.HeadDim
		q, out := c.q[b*c.Tokens*c.RowQ+g*group*c.HeadDim:], c.out[b*c.Tokens*width+g*group*c.HeadDim:]
		if s.Count == 1 {
			c.attend(group, s.At+1, 0, q, c.HeadDim, keys, values, out, c.HeadDim)
			continue
		}
		for h := range group {
			c.attend(s.Count, s.At+1, 1, q[h*c.HeadDim:], c.RowQ, keys, values, out[h*c.HeadDim:], width)
		}
	}
}

// keep writes a token's keys, or values, into a column.
func (c *caching[F]) keep(column, x []F) {
	for d, v := range x[:c.HeadDim] {
		column[d*c.Room] = v
	}
}

// attend computes rows of out, for queries of which the first sees so many tokens, and each of the others more of them than
// the one before it.
func (c *caching[F]) attend(rows, sees, more int, q []F, ldq int, keys, values []F, out []F, ldo int) {
	if is32[F]() && c.attend32(rows, sees, more, asFloat32s(q), ldq, asFloat32s(keys), asFloat32s(values), asFloat32s(out), ldo) {
		return
	}
	scores := getScratch[F](sees + rows*more)
	defer putScratch(scores)
	for r := range rows {
		p := (*scores)[:sees+r*more]
		gemvRange(false, 0, len(p), c.HeadDim, q[r*ldq:], 1, keys, c.Room, p, 1, false)
		softmaxRowPortable(p, p, F(c.Scale))
		gemvRange(true, 0, c.HeadDim, len(p), p, 1, values, c.Room, out[r*ldo:], 1, false)
	}
}
