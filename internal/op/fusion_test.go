package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/op"
)

// fusible makes the nodes whose ops other steps can join, and those of their gradients, for rows of 48 numbers.
func fusible(t *testing.T, dt tensor.Dtype, rows int) (nodes gorgonia.Nodes) {
	t.Helper()
	const dim, out = 48, 64
	g := gorgonia.NewGraph()
	input := func(name string, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	}
	add := func(n *gorgonia.Node, err error) *gorgonia.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, n)
		return n
	}
	x, w, dw := input("x", rows, dim), input("w", out, dim), input("dw", dim)
	ys := gorgonia.Nodes{
		add(op.Linears(x, gorgonia.Nodes{w}, nil)),
		add(op.Linears(x, gorgonia.Nodes{w}, gorgonia.Nodes{input("b", out)})),
		add(op.Linears(x, gorgonia.Nodes{w, input("v", 3, dim)}, nil)),
		add(op.Linears(x, gorgonia.Nodes{w, input("u", 5, dim)}, gorgonia.Nodes{input("c", out), input("d", 5)})),
		add(op.ReLU(x)), add(op.SiLU(x)), add(op.GELU(x)), add(op.GELUTanh(x)),
		add(op.SwiGLUPacked(x)),
		add(op.RMSNorm(x, dw, 1e-5)),
		add(op.LayerNorm(x, dw, input("db", dim), 1e-5)),
		add(op.RoPE{Heads: 3, HeadDim: 10, Theta: 1e4}.Apply(input("s", rows/5, 5, dim), nil)),
	}
	for i, y := range ys {
		dy := input(fmt.Sprint("dy", i), y.Shape()...)
		var in gorgonia.Nodes
		for it := g.From(y.ID()); it.Next(); {
			in = append(in, it.Node().(*gorgonia.Node))
		}
		grads, err := y.Op().(gorgonia.SDOp).SymDiff(in, y, dy)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, grads[0])
	}
	return nodes
}

// call returns a call of the op of n on numbers of its own, with room for its results.
func call(n *gorgonia.Node, rng *rand.Rand) *op.Call {
	c := new(op.Call)
	for it := n.Graph().From(n.ID()); it.Next(); {
		in := it.Node().(*gorgonia.Node)
		c.In = append(c.In, numbers(in.Dtype(), in.Shape(), rng))
	}
	o := n.Op().(*op.Op)
	for i := range o.Results() {
		dt, shape := o.Result(i)
		c.Out = append(c.Out, op.NewValue(dt, shape))
	}
	return c
}

// numbers returns random numbers, positive ones so that they may be reciprocals of sizes too.
func numbers(dt tensor.Dtype, shape tensor.Shape, rng *rand.Rand) gorgonia.Value {
	v := op.NewValue(dt, shape)
	switch data := v.Data().(type) {
	case []float32:
		for i := range data {
			data[i] = float32(0.5 + rng.Float64())
		}
	case []float64:
		for i := range data {
			data[i] = 0.5 + rng.Float64()
		}
	}
	return v
}

// first returns the first result of a call in float64.
func first(c *op.Call) (out []float64) { return all(c.Out[0]) }

func all(v gorgonia.Value) (out []float64) {
	switch data := v.Data().(type) {
	case []float32:
		for _, x := range data {
			out = append(out, float64(x))
		}
	case []float64:
		out = slices.Clone(data)
	}
	return out
}

// onFusible runs a test with the nodes of few rows and of many, which several threads share.
func onFusible(t *testing.T, f func(t *testing.T, n *gorgonia.Node, o *op.Op, rows int, tol float64)) {
	for dt, tol := range map[tensor.Dtype]float64{tensor.Float32: 1e-6, tensor.Float64: 1e-14} {
		for _, rows := range []int{5, 210} {
			for _, n := range fusible(t, dt, rows) {
				t.Run(fmt.Sprintf("%v/%v/%d", n.Op(), dt, rows), func(t *testing.T) { f(t, n, n.Op().(*op.Op), rows, tol) })
			}
		}
	}
}

// An op that adds makes what it makes without, plus the operand; the other results are the same. It may write over the
// operand, and does not change it if it lies elsewhere.
func TestPlusAdds(t *testing.T) {
	seen := make(map[string]bool)
	onFusible(t, func(t *testing.T, n *gorgonia.Node, o *op.Op, _ int, tol float64) {
		if !o.Plus() {
			return
		}
		seen[o.String()] = true
		rng := rand.New(rand.NewPCG(1, 2))
		c := call(n, rng)
		if err := o.Run(c); err != nil {
			t.Fatal(err)
		}
		plain, others := first(c), results(c)
		dt, shape := o.Result(0)
		r := numbers(dt, shape, rng)
		summand := all(r)
		for _, over := range []bool{false, true} {
			added := *c
			added.In = append(slices.Clone(c.In), r)
			added.Out = nil
			for i := range o.Results() {
				dt, shape := o.Result(i)
				added.Out = append(added.Out, op.NewValue(dt, shape))
			}
			if over {
				added.Out[0] = r
			}
			if err := o.RunPlus(&added); err != nil {
				t.Fatal(err)
			}
			for i, got := range first(&added) {
				if want := plain[i] + summand[i]; !(math.Abs(got-want) <= tol*(1+math.Abs(want))) {
					t.Fatalf("over the summand %v: element %d is %v, want %v", over, i, got, want)
				}
			}
			for i, got := range results(&added)[1:] {
				if !slices.Equal(got, others[i+1]) {
					t.Errorf("result %d differs", i+1)
				}
			}
			if !over && !slices.Equal(all(r), summand) {
				t.Error("the summand has changed")
			}
		}
	})
	for _, name := range []string{"Linear", "LinearDX", "RMSNormBackward", "LayerNormBackward"} {
		if !seen[name] {
			t.Errorf("%s does not add", name)
		}
	}
}

// results returns all results of a call.
func results(c *op.Call) (rs [][]float64) {
	for _, v := range c.Out {
		rs = append(rs, all(v))
	}
	return rs
}

// An op that hands over rows does so once for each, when the row is what it stays.
func TestThenHandsOverRows(t *testing.T) {
	seen := make(map[string]bool)
	onFusible(t, func(t *testing.T, n *gorgonia.Node, o *op.Op, rows int, _ float64) {
		if !o.Streams() {
			return
		}
		seen[o.String()] = true
		for _, add := range []bool{false, true} {
			rng := rand.New(rand.NewPCG(3, 4))
			c := call(n, rng)
			exec := o.Run
			if add {
				dt, shape := o.Result(0)
				c.In, exec = append(c.In, numbers(dt, shape, rng)), o.RunPlus
			}
			if err := exec(c); err != nil {
				t.Fatal(err)
			}
			want := first(c)
			dt, shape := o.Result(0)
			c.Out[0] = op.NewValue(dt, shape)
			got := make([]float64, len(want))
			times := make([]int, rows)
			cols := len(want) / rows
			var mu sync.Mutex
			o.RunThen(c, add, func(lo, hi int) {
				mu.Lock()
				defer mu.Unlock()
				for i := lo; i < hi; i++ {
					times[i]++
				}
				for i := lo * cols; i < hi*cols; i++ {
					switch data := c.Out[0].Data().(type) {
					case []float32:
						got[i] = float64(data[i])
					case []float64:
						got[i] = data[i]
					}
				}
			})
			for i, k := range times {
				if k != 1 {
					t.Fatalf("adding %v: row %d is handed over %d times", add, i, k)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("adding %v: rows differ from those of the op alone when they are handed over", add)
			}
			if !slices.Equal(first(c), want) {
				t.Errorf("adding %v: the result differs from that of the op alone", add)
			}
		}
	})
	for _, name := range []string{"Linear", "LinearDX"} {
		if !seen[name] {
			t.Errorf("%s hands over no rows", name)
		}
	}
}

// An op that works on rows makes the same bits of them in any pieces and order, and touches no others.
func TestRowsInPieces(t *testing.T) {
	seen := make(map[string]bool)
	onFusible(t, func(t *testing.T, n *gorgonia.Node, o *op.Op, rows int, _ float64) {
		if !o.Rowwise() {
			return
		}
		seen[o.String()] = true
		c := call(n, rand.New(rand.NewPCG(5, 6)))
		if err := o.Run(c); err != nil {
			t.Fatal(err)
		}
		want := results(c)
		for i := range c.Out {
			dt, shape := o.Result(i)
			c.Out[i] = op.NewValue(dt, shape)
		}
		o.RunRows(c, 1, 3)
		for i, got := range results(c) {
			cols := len(got) / rows
			for j, v := range got {
				if inside := j/cols >= 1 && j/cols < 3; inside && v != want[i][j] || !inside && v != 0 {
					t.Fatalf("element %d of result %d is %v after rows 1 and 2, %v in the whole", j, i, v, want[i][j])
				}
			}
		}
		for _, piece := range [][2]int{{4, rows}, {0, 1}, {3, 4}} {
			o.RunRows(c, piece[0], piece[1])
		}
		for i, got := range results(c) {
			if !slices.Equal(got, want[i]) {
				t.Errorf("result %d differs in pieces", i)
			}
		}
	})
	for _, name := range []string{"ReLU", "SiLU", "GELU", "GELUTanh", "SwiGLU", "SwiGLUBackward", "SiLUBackward", "RMSNorm", "LayerNorm", "RoPE"} {
		if !seen[name] {
			t.Errorf("%s does not work on rows", name)
		}
	}
}
