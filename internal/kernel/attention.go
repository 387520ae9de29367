package kernel

import (
	"math"
	"sync"
)

// Attention is the shape of an attention and what each query may see.
//
// Queries and results are (Batch, Queries, Heads·HeadDim), keys and values (Batch, Keys, KVHeads·HeadDim). Query head
// h reads key and value head h / (Heads/KVHeads), https://arxiv.org/abs/2305.13245.
type Attention struct {
	Batch, Queries, Keys    int
	Heads, KVHeads, HeadDim int
	Scale                   float64
	// Causal hides the keys behind a query. The last query stands at the last key.
	Causal bool
	// Mask, if not nil, is true where a query may see a key. The row of query i of head h of sequence b starts at
	// b·MaskBatch + h·MaskHead + i·Keys.
	Mask                []bool
	MaskBatch, MaskHead int
	// KVRows is how many rows keys and values have room for in each sequence; 0 means Keys.
	KVRows int
	// RowQ and RowK are how far apart rows of queries, and of keys and values, begin if they are parts of longer rows, as
	// are those of their gradients; 0 means that each has rows of its own.
	RowQ, RowK int
}

// queryBlock is how many queries are scored together. Only their scores exist at a time.
const queryBlock = 64

// AttentionForward computes out = softmax(q·kᵀ · Scale)·v for every head, and in lse (Batch, Heads, Queries) the
// logarithm of the sum of exponentials of each row of scores, which AttentionBackward needs. A query that may see no
// key yields zeros.
func AttentionForward[F Float](a Attention, out, lse, q, k, v []F) {
	if is32[F]() && attention32(a, asFloat32s(out), asFloat32s(lse), asFloat32s(q), asFloat32s(k), asFloat32s(v)) {
		return
	}
	attentionForwardPortable(a, out, lse, q, k, v)
}

func attentionForwardPortable[F Float](a Attention, out, lse, q, k, v []F) {
	d, group := a.HeadDim, a.Heads/a.KVHeads
	ldq, ldk, ldo := a.rowQ(), a.rowK(), a.Heads*d
	Parallel(a.Batch*a.Heads, 1, func(lo, hi int) {
		buf := getScratch[F](queryBlock * a.Keys)
		defer putScratch(buf)
		for bh := lo; bh < hi; bh++ {
			b, h := bh/a.Heads, bh%a.Heads
			q, out, lse := q[b*a.Queries*ldq+h*d:], out[b*a.Queries*ldo+h*d:], lse[bh*a.Queries:]
			k, v := k[b*a.kvRows()*ldk+h/group*d:], v[b*a.kvRows()*ldk+h/group*d:]
			for i := 0; i < a.Queries; i += queryBlock {
				n := min(queryBlock, a.Queries-i)
				keys := a.visible(i + n)
				p := (*buf)[:n*keys]
				scores(&a, p, b, h, i, n, q[i*ldq:], k)
				for r := range n {
					lse[i+r] = F(softmaxRow(p[r*keys:][:keys], p[r*keys:][:keys]))
				}
				GemmSerial(false, false, n, d, keys, p, keys, v, ldk, out[i*ldo:], ldo, false)
			}
		}
	})
}

// AttentionBackward computes the gradients of AttentionForward from its result out and lse. With p the attention and
// dp = dout·vᵀ: dv = pᵀ·dout, ds = p · (dp - Σ dout·out) · Scale, dq = ds·k and dk = dsᵀ·q.
func AttentionBackward[F Float](a Attention, dq, dk, dv, dout, out, lse, q, k, v []F) {
	if is32[F]() && attentionBackward32(a, asFloat32s(dq), asFloat32s(dk), asFloat32s(dv), asFloat32s(dout), asFloat32s(out),
		asFloat32s(lse), asFloat32s(q), asFloat32s(k), asFloat32s(v)) {
		return
	}
	attentionBackwardPortable(a, dq, dk, dv, dout, out, lse, q, k, v)
}

func attentionBackwardPortable[F Float](a Attention, dq, dk, dv, dout, out, lse, q, k, v []F) {
	d, group := a.HeadDim, a.Heads/a.KVHeads
	ldq, ldk, ldo := a.rowQ(), a.rowK(), a.Heads*d
	// The query heads of one key and value head add to the same gradients, in order.
	Parallel(a.Batch*a.KVHeads, 1, func(lo, hi int) {
		buf := getScratch[F](2 * queryBlock * a.Keys)
		defer putScratch(buf)
		for bg := lo; bg < hi; bg++ {
			b, g := bg/a.KVHeads, bg%a.KVHeads
			at := b*a.Keys*ldk + g*d
			k, v, dk, dv := k[at:], v[at:], dk[at:], dv[at:]
			for r := range a.Keys {
				clear(dk[r*ldk:][:d])
				clear(dv[r*ldk:][:d])
			}
			for h := g * group; h < (g+1)*group; h++ {
				q, dq := q[b*a.Queries*ldq+h*d:], dq[b*a.Queries*ldq+h*d:]
				out, dout := out[b*a.Queries*ldo+h*d:], dout[b*a.Queries*ldo+h*d:]
				lse := lse[(b*a.Heads+h)*a.Queries:]
				for i := 0; i < a.Queries; i += queryBlock {
					n := min(queryBlock, a.Queries-i)
					keys := a.visible(i + n)
					p, dp := (*buf)[:n*keys], (*buf)[queryBlock*a.Keys:][:n*keys]
					qi, dqi, di := q[i*ldq:], dq[i*ldq:], dout[i*ldo:]
					scores(&a, p, b, h, i, n, qi, k)
					GemmSerial(false, true, n, keys, d, di, ldo, v, ldk, dp, keys, false)
					for r := range n {
						p, dp, l := p[r*keys:][:keys], dp[r*keys:][:keys], lse[i+r]
						if math.IsInf(float64(l), -1) { // nothing to see
							clear(p)
							clear(dp)
							continue
						}
						delta := Dot(di[r*ldo:][:d], out[(i+r)*ldo:][:d])
						for j, s := range p {
							e := exp(s - l)
							p[j], dp[j] = e, e*(dp[j]-delta)*F(a.Scale)
						}
					}
					GemmSerial(true, false, keys, d, n, p, keys, di, ldo, dv, ldk, true)
					GemmSerial(false, false, n, d, keys, dp, keys, k, ldk, dqi, ldq, false)
					GemmSerial(true, false, keys, d, n, dp, keys, qi, ldq, dk, ldk, true)
				}
			}
		}
	})
}

// scores sets s (n, visible keys) to q·kᵀ·Scale for n queries from the i-th on, and to -Inf where they may not look.
func scores[F Float](a *Attention, s []F, b, h, i, n int, q, k []F) {
	keys := a.visible(i + n)
	GemmSerial(false, true, n, keys, a.HeadDim, q, a.rowQ(), k, a.rowK(), s, keys, false)
	hidden := F(math.Inf(-1))
	for r := range n {
		s := s[r*keys:][:keys]
		end := keys
		if a.Causal {
			end = a.visible(i + r + 1)
		}
		for j := range s[:end] {
			s[j] *= F(a.Scale)
		}
		for j := end; j < keys; j++ {
			s[j] = hidden
		}
		if a.Mask != nil {
			mask := a.Mask[b*a.MaskBatch+h*a.MaskHead+(i+r)*a.Keys:][:keys]
			for j, see := range mask {
				if !see {
					s[j] = hidden
				}
			}
		}
	}
}

// visible returns how many keys the queries before end may see at most.
func (a *Attention) visible(end int) int {
	if a.Causal {
		return max(0, min(a.Keys, end+a.Keys-a.Queries))
	}
	return a.Keys
}

// rowQ and rowK return how far apart rows of queries, and of keys and values, lie.
func (a *Attention) rowQ() int { return or(a.RowQ, a.Heads*a.HeadDim) }
func (a *Attention) rowK() int { return or(a.RowK, a.KVHeads*a.HeadDim) }

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// kvRows returns how many rows of keys lie between the starts of two sequences.
func (a *Attention) kvRows() int {
	if a.KVRows > 0 {
		return a.KVRows
	}
	return a.Keys
}

// Scratch memory of workers is kept between calls, one pool for each type.
var scratch32, scratch64 sync.Pool

func scratchPool[F Float]() *sync.Pool {
	if _, ok := any(F(0)).(float32); ok {
		return &scratch32
	}
	return &scratch64
}

func getScratch[F Float](n int) *[]F {
	if s, ok := scratchPool[F]().Get().(*[]F); ok && cap(*s) >= n {
		*s = (*s)[:n]
		return s
	}
	s := Make[F](n)
	return &s
}

func putScratch[F Float](s *[]F) { scratchPool[F]().Put(s) }
