package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// ApplyPacked is Apply for queries, keys and values side by side in qkv (batch, seq, (Heads+2·KVHeads)·headDim). So is
// their gradient.
func (a Attention) ApplyPacked(qkv, mask *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(qkv) {
		return selfAttention[float64](a, qkv, mask)
	}
	return selfAttention[float32](a, qkv, mask)
}

func selfAttention[F kernel.Float](a Attention, qkv, mask *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "Attention"}
	shape, xs := packedShape[F](&o, a, qkv)
	nodes := gorgonia.Nodes{qkv}
	shape.Causal = !a.Bidirectional && mask == nil
	if mask != nil {
		if !setMask(&o, &shape, mask) {
			o.fail("%s does not fit %s", show("mask", mask), show("qkv", qkv))
		}
		nodes = append(nodes, mask)
	}
	if o.err != nil {
		return nil, o.err
	}
	ys := tensor.Shape{xs[0], xs[1], shape.Heads * shape.HeadDim}
	return apply(&Op{
		name: "Attention", out: []signature{like[F](ys...), like[F](shape.Batch, shape.Heads, shape.Queries)}, flops: attentionWork(shape, 2),
		run: func(c *Call) error {
			q, k, v := parts3(&shape, input[F](c, 0))
			kernel.AttentionForward(masked(shape, c, 1), output[F](c, 0), output[F](c, 1), q, k, v)
			return nil
		},
		wrt: []bool{true, false}[:len(nodes)],
		grad: func(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			lse, err := part(y, 1)
			if err != nil {
				return nil, err
			}
			dx, err := apply(&Op{
				name: "AttentionBackward", out: []signature{like[F](xs...)}, flops: attentionWork(shape, 5),
				run: func(c *Call) error {
					q, k, v := parts3(&shape, input[F](c, 3))
					dq, dk, dv := parts3(&shape, output[F](c, 0))
					kernel.AttentionBackward(masked(shape, c, 4), dq, dk, dv,
						input[F](c, 0), input[F](c, 1), input[F](c, 2), q, k, v)
					return nil
				},
			}, append(gorgonia.Nodes{dy, y, lse}, in...)...)
			return gorgonia.Nodes{dx, nil}[:len(in)], err
		},
	}, nodes...)
}

// CachedPacked is Cached for queries, keys and values side by side in qkv (batch, seq, (Heads+2·KVHeads)·headDim).
func (a Attention) CachedPacked(qkv *gorgonia.Node, maxSeq int) (*gorgonia.Node, error) {
	if is64(qkv) {
		return cachedPacked[float64](a, qkv, maxSeq)
	}
	return cachedPacked[float32](a, qkv, maxSeq)
}

func cachedPacked[F kernel.Float](a Attention, qkv *gorgonia.Node, maxSeq int) (*gorgonia.Node, error) {
	o := operands{op: "Attention"}
	shape, xs := packedShape[F](&o, a, qkv)
	switch {
	case o.err != nil:
	case a.Bidirectional:
		o.fail("a generating graph cannot look ahead")
	case xs[1] > maxSeq:
		o.fail("%s is longer than %d tokens", show("qkv", qkv), maxSeq)
	}
	if o.err != nil {
		return nil, o.err
	}
	past, keys := newCache[F](shape, xs[2], xs[2], maxSeq)
	return apply(&Op{
		name: "Attention", out: []signature{like[F](xs[0], xs[1], shape.Heads*shape.HeadDim)},
		state: []signature{keys, keys}, tokens: [2]int{xs[0], xs[1]},
		run: func(c *Call) error {
			q, k, v := parts3(&shape, input[F](c, 0))
			return past.run(c, output[F](c, 0), q, k, v)
		},
	}, qkv)
}

// packedShape checks the operand of a self-attention.
func packedShape[F kernel.Float](o *operands, a Attention, qkv *gorgonia.Node) (s kernel.Attention, xs tensor.Shape) {
	xs = floatShape[F](o, "qkv", qkv, 3)
	a.checkHeads(o)
	if o.err != nil {
		return s, nil
	}
	heads := a.Heads + 2*a.KVHeads
	if xs[2]%heads != 0 {
		o.fail("%d heads of queries, keys and values do not divide %s", heads, show("qkv", qkv))
		return s, nil
	}
	s = a.kernel(xs[0], xs[1], xs[1], xs[2]/heads)
	s.RowQ, s.RowK = xs[2], xs[2]
	return s, xs
}

// parts3 returns where queries, keys and values begin in their rows.
func parts3[F kernel.Float](s *kernel.Attention, qkv []F) (q, k, v []F) {
	at := s.Heads * s.HeadDim
	return qkv, qkv[at:], qkv[at+s.KVHeads*s.HeadDim:]
}
