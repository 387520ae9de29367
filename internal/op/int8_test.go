package op_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/internal/op"
)

// rounded returns numbers whose sums of products are those of x rounded to eight bits in groups of 32, by definition.
func rounded(x []float32) []float64 {
	var out []float64
	for part := range slices.Chunk(x, 32) {
		var most float32
		for _, v := range part {
			most = max(most, v, -v)
		}
		scale := most / 127
		for _, v := range part {
			q := 0.0
			if most > 0 {
				q = math.RoundToEven(float64(v * (127 / most)))
			}
			out = append(out, q*float64(scale))
		}
	}
	return out
}

// newLinearInt8 returns the op on x (2, 3, in) and weights with the given numbers of rows, random values of x and the
// biases, and the products by definition.
func newLinearInt8(t *testing.T, in int, biased bool, outs ...int) (_ *gorgonia.Node, values []gorgonia.Value, want []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(4, uint64(in)))
	draw := func(shape ...int) *tensor.Dense {
		data := make([]float32, tensor.Shape(shape).TotalSize())
		for i := range data {
			data[i] = float32(rng.NormFloat64())
		}
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
	}
	g := gorgonia.NewGraph()
	node := func(name string, v gorgonia.Value) *gorgonia.Node {
		return gorgonia.NodeFromAny(g, v, gorgonia.WithName(name))
	}
	x := draw(2, 3, in)
	values = append(values, x)
	var ws, bs gorgonia.Nodes
	var rows [][]float32
	out := 0
	for i, n := range outs {
		w := draw(n, in)
		rows = append(rows, w.Float32s())
		ws = append(ws, node(fmt.Sprint("w", i), w))
		if biased {
			b := draw(n)
			values, bs = append(values, b), append(bs, node(fmt.Sprint("b", i), b))
		}
		out += n
	}
	for r := range 6 {
		xs := rounded(x.Float32s()[r*in:][:in])
		for i, w := range rows {
			for j := range outs[i] {
				y := 0.0
				for k, v := range rounded(w[j*in:][:in]) {
					y += v * xs[k]
				}
				if biased {
					y += float64(values[1+i].(*tensor.Dense).Float32s()[j])
				}
				want = append(want, y)
			}
		}
	}
	n, err := op.LinearsInt8(node("x", x), ws, bs, func() *kernel.Int8 { return kernel.QuantizeInt8(in, rows...) })
	if err != nil {
		t.Fatal(err)
	}
	if want := (tensor.Shape{2, 3, out}); !n.Shape().Eq(want) {
		t.Fatalf("the result is %v, want %v", n.Shape(), want)
	}
	return n, values, want
}

// The op computes what float64 makes of the rounded numbers, adds biases, and what is to be added.
func TestLinearInt8(t *testing.T) {
	for _, c := range []struct {
		in     int
		biased bool
		outs   []int
	}{
		{1, false, []int{1}}, {32, false, []int{16}}, {70, false, []int{5}}, {70, true, []int{40}},
		{100, false, []int{64, 16, 16}}, {100, true, []int{7, 20, 1}}, {1344, true, []int{50, 3}},
	} {
		n, values, want := newLinearInt8(t, c.in, c.biased, c.outs...)
		o := n.Op().(*op.Op)
		run := func(add gorgonia.Value) []float32 {
			call := &op.Call{In: values, Out: []gorgonia.Value{op.NewValue(tensor.Float32, n.Shape())}}
			f := o.Run
			if add != nil {
				call.In, f = append(slices.Clone(values), add), o.RunPlus
			}
			if err := f(call); err != nil {
				t.Fatal(err)
			}
			return call.Out[0].Data().([]float32)
		}
		got := run(nil)
		for i, w := range want {
			if math.Abs(float64(got[i])-w) > 1e-6*float64(10+c.in) {
				t.Fatalf("%+v: number %d is %v, want %v", c, i, got[i], w)
			}
		}
		add := op.NewValue(tensor.Float32, n.Shape())
		summand := add.Data().([]float32)
		for i := range summand {
			summand[i] = float32(i%7) - 3
		}
		for i, sum := range run(add) {
			if d := math.Abs(float64(sum - (got[i] + summand[i]))); d > 1e-5 || !c.biased && d != 0 {
				t.Fatalf("%+v: sum %d is %v, want %v", c, i, sum, got[i]+summand[i])
			}
		}
		v, err := o.Do(values...)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(v.Data().([]float32), got) {
			t.Errorf("%+v: Gorgonia's machines compute other numbers", c)
		}
	}
}

// There is no gradient, and the error says so.
func TestLinearInt8Gradient(t *testing.T) {
	n, _, _ := newLinearInt8(t, 40, true, 8)
	cost, err := gorgonia.Sum(n)
	if err != nil {
		t.Fatal(err)
	}
	x := n.Graph().ByName("x")[0]
	if _, err := gorgonia.Grad(cost, x); err == nil || !strings.Contains(err.Error(), "LinearInt8") {
		t.Errorf("the error is %v, want one of LinearInt8", err)
	}
}

// Operands that do not fit are errors that name them, and no weights are rounded.
func TestLinearInt8Shapes(t *testing.T) {
	g := gorgonia.NewGraph()
	input := func(name string, dt tensor.Dtype, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	}
	x, w := input("x", tensor.Float32, 2, 4), input("w", tensor.Float32, 7, 4)
	for _, tt := range []struct {
		x      *gorgonia.Node
		ws, bs gorgonia.Nodes
		want   string
	}{
		{nil, gorgonia.Nodes{w}, nil, "x is missing"},
		{x, nil, nil, "no weights for x (2, 4)"},
		{x, gorgonia.Nodes{input("v", tensor.Float32, 7, 5)}, nil, "x (2, 4) does not fit w (7, 5) v"},
		{x, gorgonia.Nodes{w, input("u", tensor.Float32, 7)}, nil, "w (7) u has 1 axes, want 2"},
		{x, gorgonia.Nodes{w}, gorgonia.Nodes{input("b", tensor.Float32, 6)}, "b (6) does not fit w (7, 4)"},
		{x, gorgonia.Nodes{w, w}, gorgonia.Nodes{input("c", tensor.Float32, 7)}, "1 biases for 2 weights"},
		{input("z", tensor.Float64, 2, 4), gorgonia.Nodes{w}, nil, "float64, want float32"},
	} {
		_, err := op.LinearsInt8(tt.x, tt.ws, tt.bs, func() *kernel.Int8 { t.Error("weights are rounded"); return nil })
		if err == nil || !strings.HasPrefix(err.Error(), "LinearInt8: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("the error is %v, want LinearInt8 and %q in it", err, tt.want)
		}
	}
}
