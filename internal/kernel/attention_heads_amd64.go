//go:build !purego

package kernel

import "sync"

// attention32 computes AttentionForward if there is assembly for it, and reports whether there is; attentionBackward32
// does so for AttentionBackward.
func attention32(a Attention, out, lse, q, k, v []float32) bool {
	return heads32(a, nil, nil, nil, nil, out, lse, q, k, v)
}

func attentionBackward32(a Attention, dq, dk, dv, dout, out, lse, q, k, v []float32) bool {
	return heads32(a, dq, dk, dv, dout, out, lse, q, k, v)
}

// attentionHeads is an attention, or its gradient, in progress. It is kept for its bound methods.
type attentionHeads struct {
	Attention
	*microkernels
	dq, dk, dv, dout, out, lse, q, k, v []float32

	forward, backward func(lo, hi int)
}

// minQueries is how many queries it takes for packing keys and values to pay.
const minQueries = 4

var attentionPool sync.Pool // of *attentionHeads

func heads32(a Attention, dq, dk, dv, dout, out, lse, q, k, v []float32) bool {
	if sgemmKernels == nil || a.Queries < minQueries || a.Keys == 0 {
		return false
	}
	t, ok := attentionPool.Get().(*attentionHeads)
	if !ok {
		t = new(attentionHeads)
		t.forward, t.backward = t.forwardHeads, t.backwardHeads
	}
	t.Attention, t.microkernels = a, sgemmKernels
	t.dq, t.dk, t.dv, t.dout, t.out, t.lse, t.q, t.k, t.v = dq, dk, dv, dout, out, lse, q, k, v
	if dout == nil {
		Parallel(a.Batch*a.Heads, 1, t.forward)
	} else {
		// The query heads of one key and value head add to the same gradients, in order.
		Parallel(a.Batch*a.KVHeads, 1, t.backward)
	}
	*t = attentionHeads{forward: t.forward, backward: t.backward}
	attentionPool.Put(t)
	return true
}

// forwardHeads computes query heads [lo, hi) of all sequences.
func (t *attentionHeads) forwardHeads(lo, hi int) {
	for bh := lo; bh < hi; bh++ {
		b, h := bh/t.Heads, bh%t.Heads
		q, o, k := t.at(b, h)
		t.forward32(t.microkernels, b, h, t.out[o:], t.lse[bh*t.Queries:], t.q[q:], t.k[k:], t.v[k:])
	}
}

// backwardHeads computes key and value heads [lo, hi) of all sequences.
func (t *attentionHeads) backwardHeads(lo, hi int) {
	group := t.Heads / t.KVHeads
	for bg := lo; bg < hi; bg++ {
		b, g := bg/t.KVHeads, bg%t.KVHeads
		for h := g * group; h < (g+1)*group; h++ {
			q, o, k := t.at(b, h)
			t.backward32(t.microkernels, b, h, h > g*group, t.dq[q:], t.dk[k:], t.dv[k:], t.dout[o:], t.out[o:],
				t.lse[(b*t.Heads+h)*t.Queries:], t.q[q:], t.k[k:], t.v[k:])
		}
	}
}

// at returns where head h of sequence b begins in queries, results, and keys and values.
func (a *Attention) at(b, h int) (q, o, k int) {
	d := a.HeadDim
	return b*a.Queries*a.rowQ() + h*d, b*a.Queries*a.Heads*d + h*d, b*a.kvRows()*a.rowK() + h/(a.Heads/a.KVHeads)*d
}
