package op

import (
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Attention is scaled dot-product attention with several heads, https://arxiv.org/abs/1706.03762. Fewer heads of keys
// and values than of queries are shared, https://arxiv.org/abs/2305.13245.
type Attention struct {
	Heads, KVHeads int
	Scale          float64 // of the scores; 0 means 1/√headDim
	Bidirectional  bool    // without a mask, let queries see the keys behind them too
}

// Apply returns the attention of q (batch, seq, Heads·headDim) over k and v (batch, keys, KVHeads·headDim). If mask, of
// bool (seq, keys), (batch, seq, keys) or (batch, Heads, seq, keys), is not nil, it is true where a query may look, and
// nothing else limits what it sees. A query that may see nothing yields zeros.
func (a Attention) Apply(q, k, v, mask *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(q) {
		return attention[float64](a, q, k, v, mask)
	}
	return attention[float32](a, q, k, v, mask)
}

func attention[F kernel.Float](a Attention, q, k, v, mask *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "Attention"}
	shape, qs, ks := attentionShape[F](&o, a, q, k, v)
	nodes := gorgonia.Nodes{q, k, v}
	shape.Causal = !a.Bidirectional && mask == nil
	if mask != nil {
		if !setMask(&o, &shape, mask) {
			o.fail("%s does not fit %s and %s", show("mask", mask), show("q", q), show("k", k))
		}
		nodes = append(nodes, mask)
	}
	if o.err == nil && shape.Causal && shape.Queries > shape.Keys {
		o.fail("%s asks from more positions than %s has", show("q", q), show("k", k))
	}
	if o.err != nil {
		return nil, o.err
	}
	lse := like[F](shape.Batch, shape.Heads, shape.Queries)
	return apply(&Op{
		name: "Attention", out: []signature{like[F](qs...), lse}, flops: attentionWork(shape, 2),
		run: func(c *Call) error {
			kernel.AttentionForward(masked(shape, c, 3), output[F](c, 0), output[F](c, 1), input[F](c, 0), input[F](c, 1), input[F](c, 2))
			return nil
		},
		wrt: []bool{true, true, true, false}[:len(nodes)],
		grad: func(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			lse, err := part(y, 1)
			if err != nil {
				return nil, err
			}
			dq, err := apply(&Op{
				name: "AttentionBackward", out: []signature{like[F](qs...), like[F](ks...), like[F](ks...)}, flops: attentionWork(shape, 5),
				run: func(c *Call) error {
					kernel.AttentionBackward(masked(shape, c, 6), output[F](c, 0), output[F](c, 1), output[F](c, 2),
						input[F](c, 0), input[F](c, 1), input[F](c, 2), input[F](c, 3), input[F](c, 4), input[F](c, 5))
					return nil
				},
			}, append(gorgonia.Nodes{dy, y, lse}, in...)...)
			if err != nil {
				return nil, err
			}
			ds, err := parts(dq, 3)
			return append(ds, nil)[:len(in)], err
		},
	}, nodes...)
}

// setMask tells s how a mask lies in memory and reports whether it fits.
func setMask(o *operands, s *kernel.Attention, mask *gorgonia.Node) bool {
	ms := o.shape("mask", mask, []tensor.Dtype{tensor.Bool}, []int{2, 3, 4})
	grid := s.Queries * s.Keys
	switch {
	case o.err != nil:
	case ms.Eq(tensor.Shape{s.Queries, s.Keys}):
	case ms.Eq(tensor.Shape{s.Batch, s.Queries, s.Keys}):
		s.MaskBatch = grid
	case ms.Eq(tensor.Shape{s.Batch, s.Heads, s.Queries, s.Keys}):
		s.MaskBatch, s.MaskHead = s.Heads*grid, grid
	default:
		return false
	}
	return true
}

// masked returns s with the mask of a call, which is input i if there is one.
func masked(s kernel.Attention, c *Call, i int) kernel.Attention {
	if i < len(c.In) {
		s.Mask = c.In[i].(*tensor.Dense).Bools()
	}
	return s
}

// Cached returns the attention of q over the keys and values of all runs so far, to which it adds k and v. Sequences
// may be maxSeq tokens long.
func (a Attention) Cached(q, k, v *gorgonia.Node, maxSeq int) (*gorgonia.Node, error) {
	if is64(q) {
		return cached[float64](a, q, k, v, maxSeq)
	}
	return cached[float32](a, q, k, v, maxSeq)
}

func cached[F kernel.Float](a Attention, q, k, v *gorgonia.Node, maxSeq int) (*gorgonia.Node, error) {
	o := operands{op: "Attention"}
	shape, qs, ks := attentionShape[F](&o, a, q, k, v)
	switch {
	case o.err != nil:
	case a.Bidirectional:
		o.fail("a generating graph cannot look ahead")
	case shape.Queries != shape.Keys:
		o.fail("%s does not fit %s in a generating graph", show("q", q), show("k", k))
	case shape.Queries > maxSeq:
		o.fail("%s is longer than %d tokens", show("q", q), maxSeq)
	}
	if o.err != nil {
		return nil, o.err
	}
	past, keys := newCache[F](shape, qs[2], ks[2], maxSeq)
	return apply(&Op{
		name: "Attention", out: []signature{like[F](qs...)},
		state: []signature{keys, keys}, tokens: [2]int{shape.Batch, shape.Queries},
		run: func(c *Call) error {
			return past.run(c, output[F](c, 0), input[F](c, 0), input[F](c, 1), input[F](c, 2))
		},
	}, q, k, v)
}

// cache is the attention of a generating graph.
type cache[F kernel.Float] struct {
	kernel.CachedAttention
	batch, maxSeq int
}

// newCache returns the attention of sequences of up to maxSeq tokens whose queries, and keys and values, lie in rows of
// the given lengths, and the signature of the keys that it keeps, which is that of values too.
func newCache[F kernel.Float](s kernel.Attention, rowQ, rowK, maxSeq int) (*cache[F], signature) {
	a := &cache[F]{kernel.CachedAttention{
		Heads: s.Heads, KVHeads: s.KVHeads, HeadDim: s.HeadDim, Scale: s.Scale,
		Room: kernel.CachedRoom(maxSeq), Tokens: s.Queries, RowQ: rowQ, RowK: rowK,
	}, s.Batch, maxSeq}
	return a, like[F](s.Batch, s.KVHeads, s.HeadDim, a.Room)
}

// run computes the attention of what a call continues.
func (a *cache[F]) run(c *Call, y, q, k, v []F) error {
	c.continued = c.continued[:0]
	for b := range a.batch {
		slot, at, count := c.row(b, a.Tokens)
		if at+count > a.maxSeq {
			return errors.Errorf("Attention: position %d is outside a sequence of %d tokens", at+count-1, a.maxSeq)
		}
		c.continued = append(c.continued, kernel.Continued{Slot: slot, At: at, Count: count})
	}
	kernel.AttendCached(a.CachedAttention, c.continued, y, q, k, v, floats[F](c.State[0]), floats[F](c.State[1]))
	return nil
}

// attentionWork returns the flops of an attention that multiplies so many times by a matrix of scores, of which it needs
// half if it is causal.
func attentionWork(s kernel.Attention, products float64) func(*Call) float64 {
	if s.Causal {
		products /= 2
	}
	return product(products*float64(s.Batch*s.Heads), s.Queries, s.Keys, s.HeadDim)
}

// checkHeads fills in the number of heads of keys and values and checks the settings.
func (a *Attention) checkHeads(o *operands) {
	if a.KVHeads == 0 {
		a.KVHeads = a.Heads
	}
	switch {
	case a.Heads <= 0 || a.KVHeads < 0 || a.Heads%max(1, a.KVHeads) != 0:
		o.fail("%d heads of queries cannot share %d heads of keys and values", a.Heads, a.KVHeads)
	case a.Scale-a.Scale != 0:
		o.fail("scale is %v, want a finite number", a.Scale)
	}
}

// attentionShape checks the operands of an attention.
func attentionShape[F kernel.Float](o *operands, a Attention, q, k, v *gorgonia.Node) (s kernel.Attention, qs, ks tensor.Shape) {
	qs, ks = floatShape[F](o, "q", q, 3), floatShape[F](o, "k", k, 3)
	vs := floatShape[F](o, "v", v, 3)
	if o.err != nil {
		return s, nil, nil
	}
	a.checkHeads(o)
	switch {
	case o.err != nil:
		return s, nil, nil
	case qs[2]%a.Heads != 0:
		o.fail("%d heads do not divide %s", a.Heads, show("q", q))
		return s, nil, nil
	}
	dim := qs[2] / a.Heads
	switch {
	case qs[0] != ks[0] || ks[2] != a.KVHeads*dim:
		o.fail("%s does not fit %s with %d and %d heads", show("q", q), show("k", k), a.Heads, a.KVHeads)
		return s, nil, nil
	case !vs.Eq(ks):
		o.fail("%s does not fit %s", show("k", k), show("v", v))
		return s, nil, nil
	}
	return a.kernel(qs[0], qs[1], ks[1], dim), qs, ks
}

// kernel returns the shape that kernels need.
func (a *Attention) kernel(batch, queries, keys, dim int) kernel.Attention {
	scale := a.Scale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(dim))
	}
	return kernel.Attention{
		Batch: batch, Queries: queries, Keys: keys, Heads: a.Heads, KVHeads: a.KVHeads, HeadDim: dim, Scale: scale,
	}
}
