package op_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/internal/op"
)

// Settings must be above 0 where 0 has no meaning; package loss puts another number in its place.
func TestLossSettingsOfZero(t *testing.T) {
	g := gorgonia.NewGraph()
	input := func(shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName("in"))
	}
	rows, pairs, tokens := input(3, 4), input(3), input(3, 4)
	for _, c := range []struct {
		build func() (*gorgonia.Node, error)
		want  string
	}{
		{func() (*gorgonia.Node, error) { return op.Divergence{}.Apply(rows, rows, nil) }, "temperature is 0"},
		{func() (*gorgonia.Node, error) {
			return op.Divergence{Measure: kernel.JensenShannon, Temperature: 1}.Apply(rows, rows, nil)
		}, "beta is 0"},
		{func() (*gorgonia.Node, error) { return op.Preference{}.Apply(pairs, pairs, pairs, pairs) }, "beta is 0"},
		{func() (*gorgonia.Node, error) {
			return op.PolicyGradient{High: 0.2}.Apply(op.Rollout{Now: tokens, Advantages: tokens})
		}, "ratios are clipped at 1 - 0 and"},
		{func() (*gorgonia.Node, error) {
			return op.PolicyGradient{Low: 0.2}.Apply(op.Rollout{Now: tokens, Advantages: tokens})
		}, "and 1 + 0,"},
	} {
		if _, err := c.build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q in it", err, c.want)
		}
	}
}

// The pass over an output layer computes the gradients that somebody reads, and tells how much work they are.
func TestLinearCrossEntropyOfSomeGradients(t *testing.T) {
	const rows, classes, dim = 3, 5, 4
	g := gorgonia.NewGraph()
	input := func(dt tensor.Dtype, shape ...int) *gorgonia.Node {
		return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName("in"))
	}
	x, w := input(tensor.Float32, rows, dim), input(tensor.Float32, classes, dim)
	n, err := op.CrossEntropy{}.ApplyLinear(x, w, input(tensor.Int, rows), nil)
	if err != nil {
		t.Fatal(err)
	}
	o := n.Op().(*op.Op)
	run := func(dx, dw bool) *op.Call {
		c := call(n, rand.New(rand.NewPCG(1, 2)))
		products := 3.0
		for i, wanted := range []bool{dx, dw} {
			if !wanted {
				c.Out[3+i] = nil
				products--
			}
		}
		if got, want := o.FLOPs(c), 2*products*rows*classes*dim; got != want {
			t.Errorf("dx %t, dw %t: %v operations, want %v", dx, dw, got, want)
		}
		if err := o.Run(c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	both := run(true, true)
	if onlyX := run(true, false); !slices.Equal(all(onlyX.Out[3]), all(both.Out[3])) {
		t.Errorf("without the other the gradient of x is %v, want %v", onlyX.Out[3], both.Out[3])
	}
	if onlyW := run(false, true); !slices.Equal(all(onlyW.Out[4]), all(both.Out[4])) {
		t.Errorf("without the other the gradient of w is %v, want %v", onlyW.Out[4], both.Out[4])
	}
	if loss := run(false, false); !slices.Equal(first(loss), first(both)) {
		t.Errorf("without gradients the loss is %v, want %v", first(loss), first(both))
	}
}
