package op

import (
	"sync"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// RoPE is a rotary position embedding, https://arxiv.org/abs/2104.09864.
type RoPE struct {
	Heads   int     // heads side by side in the last axis
	HeadDim int     // their width; 0 means that they fill the axis, otherwise what follows them stays as it is
	Theta   float64 // base of the frequencies
	Split   bool    // pair element i with i + headDim/2 instead of 2i with 2i + 1
}

// Apply turns the pairs of every head of x (batch, seq, heads·headDim) by their positions: those in positions (seq) or
// (batch, seq) if it is not nil, and 0, 1, 2, ... after the tokens of earlier runs otherwise.
func (r RoPE) Apply(x, positions *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return rope[float64](r, x, positions)
	}
	return rope[float32](r, x, positions)
}

// maxPosition bounds the positions that users may feed, since every position up to the largest takes memory.
const maxPosition = 1 << 24

func rope[F kernel.Float](r RoPE, x, positions *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "RoPE"}
	xs := floatShape[F](&o, "x", x, 3)
	nodes := gorgonia.Nodes{x}
	if positions != nil {
		ps := o.ids("positions", positions, 1, 2)
		if o.err == nil && (ps[len(ps)-1] != xs[1] || len(ps) == 2 && ps[0] != xs[0]) {
			o.fail("%s does not fit %s", show("positions", positions), show("x", x))
		}
		nodes = append(nodes, positions)
	}
	switch {
	case o.err != nil:
		return nil, o.err
	case r.HeadDim == 0 && (r.Heads <= 0 || xs[2]%(2*r.Heads) != 0):
		o.fail("%d heads do not divide %s into even parts", r.Heads, show("x", x))
		return nil, o.err
	case r.HeadDim != 0 && (r.HeadDim < 0 || r.HeadDim%2 != 0 || r.Heads <= 0 || r.Heads > xs[2]/r.HeadDim):
		o.fail("%d heads of width %d do not fit into %s", r.Heads, r.HeadDim, show("x", x))
		return nil, o.err
	case !(r.Theta > 0) || r.Theta-r.Theta != 0:
		o.fail("theta is %v, want a finite number above 0", r.Theta)
		return nil, o.err
	}
	if r.HeadDim == 0 {
		r.HeadDim = xs[2] / r.Heads
	}
	table := kernel.NewRotation[F](r.HeadDim, r.Theta, r.Split)
	var mu sync.Mutex // programs that share the graph share the table
	// rotation returns the table with positions up to longest.
	rotation := func(c *Call, longest int) kernel.Rotation[F] {
		mu.Lock()
		defer mu.Unlock()
		table.Grow(longest, c.reserve())
		return *table
	}
	after := func(c *Call) (longest int) {
		for b := range xs[0] {
			_, at, _ := c.row(b, xs[1])
			longest = max(longest, at+xs[1])
		}
		return longest
	}
	turn := func(back bool) func(c *Call) error {
		return func(c *Call) error {
			places := kernel.Places{Seq: xs[1], Offsets: c.offsets()}
			longest := 0
			if len(c.In) > 1 {
				places.IDs = ints(c.In[1])
				for i, p := range places.IDs {
					if p < 0 || p >= maxPosition {
						return errors.Errorf("RoPE: position %d of token %d is not in [0, %d)", p, i, maxPosition)
					}
					longest = max(longest, p+1)
				}
			} else {
				longest = after(c)
			}
			t := rotation(c, longest)
			t.RoPE(output[F](c, 0), input[F](c, 0), r.Heads, xs[2], back, places)
			return nil
		}
	}
	var rowwise func(c *Call, lo, hi int)
	if positions == nil {
		rowwise = func(c *Call, lo, hi int) {
			t := rotation(c, after(c))
			places := kernel.Places{First: lo, Seq: xs[1], Offsets: c.offsets()}
			t.RoPE(output[F](c, 0)[lo*xs[2]:hi*xs[2]], input[F](c, 0)[lo*xs[2]:hi*xs[2]], r.Heads, xs[2], false, places)
		}
	}
	return apply(&Op{
		name: "RoPE", out: []signature{like[F](xs...)}, inPlace: true,
		run: turn(false), rowwise: rowwise,
		wrt: []bool{true, false}[:len(nodes)],
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: "RoPEBackward", out: []signature{like[F](xs...)}, inPlace: true,
				run: turn(true),
			}, append(gorgonia.Nodes{dy}, in[1:]...)...)
			return gorgonia.Nodes{dx, nil}[:len(in)], err
		},
	}, nodes...)
}
