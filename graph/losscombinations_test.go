package graph_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/loss"
)

// linearLoss is the loss of an output layer.
type linearLoss struct {
	options loss.Options
	x, w    oracle.Tensor
	targets []int
	rows    []float64 // weights of rows, if they have any
	gy      []float64 // gradients of the losses of rows, if these are what the options ask for
}

// run returns the loss and its gradients, from loss.LinearCrossEntropy if fused is set and from the logits otherwise.
func (l linearLoss) run(t *testing.T, dt tensor.Dtype, fused bool) (y, dx, dw []float64, err error) {
	t.Helper()
	out := trial{dtype: dt, values: map[string]oracle.Tensor{"x": l.x, "w": l.w}, dy: l.gy}.run(t, func(g *graph.Graph, in map[string]graph.Node, feed graph.Feed) graph.Node {
		targets := g.Input("targets", tensor.Int, len(l.targets))
		feed[targets] = graph.Ints(l.targets, len(l.targets))
		if l.rows != nil {
			weights := g.Input("weights", dt, len(l.rows))
			feed[weights] = dense(dt, oracle.Tensor{Shape: []int{len(l.rows)}, Floats: l.rows})
			if fused {
				return g.Wrap(l.options.LinearCrossEntropyWeighted(
					in["x"].Gorgonia(), in["w"].Gorgonia(), targets.Gorgonia(), weights.Gorgonia()))
			}
			return graph.Apply3(l.options.CrossEntropyWeighted, in["x"].Linear(in["w"]), targets, weights)
		}
		if fused {
			return graph.Apply3(l.options.LinearCrossEntropy, in["x"], in["w"], targets)
		}
		return graph.Apply2(l.options.CrossEntropy, in["x"].Linear(in["w"]), targets)
	})
	return out.y, out.grads["x"], out.grads["w"], out.err
}

// random returns numbers of the normal distribution.
func random(rng *rand.Rand, shape ...int) oracle.Tensor {
	v := oracle.Tensor{Shape: shape, Floats: make([]float64, tensor.Shape(shape).TotalSize())}
	for i := range v.Floats {
		v.Floats[i] = float64(float32(rng.NormFloat64()))
	}
	return v
}

// optionCombinations returns every combination of the options of a loss over some classes, by what is on. There is no
// focal loss with label smoothing.
func optionCombinations(classes int) map[string]loss.Options {
	weights := make([]float64, classes)
	for i := range weights {
		weights[i] = float64(i%4) / 2
	}
	all := make(map[string]loss.Options)
	for bits := range 1 << 6 {
		if bits&2 != 0 && bits&32 != 0 {
			continue
		}
		for _, r := range []loss.Reduction{loss.Mean, loss.Sum, loss.None} {
			o := loss.Options{Reduction: r}
			what := []string{[]string{"mean", "sum", "none"}[r]}
			for i, set := range []func(){
				func() { o.Weights = weights }, func() { o.LabelSmoothing = 0.2 },
				func() { o.Ignore = []int{1, 5} }, func() { o.ZLoss = 0.01 },
				func() { o.SoftCap = 3 }, func() { o.FocalGamma = 1.5 },
			} {
				if bits>>i&1 != 0 {
					set()
					what = append(what, []string{"weights", "smoothing", "ignore", "z", "cap", "focal"}[i])
				}
			}
			all[strings.Join(what, " ")] = o
		}
	}
	return all
}

// same checks that two losses, and their gradients, agree.
func (l linearLoss) same(t *testing.T, what string, dt tensor.Dtype, tol float64) {
	t.Helper()
	wantY, wantX, wantW, err := l.run(t, dt, false)
	if err != nil {
		t.Fatal(err)
	}
	y, dx, dw, err := l.run(t, dt, true)
	if err != nil {
		t.Fatal(err)
	}
	oracle.Check(t, what, y, wantY, tol)
	oracle.Check(t, what+" grad.x", dx, wantX, tol)
	oracle.Check(t, what+" grad.w", dw, wantW, tol)
}

// The loss of an output layer is that of its logits, with the same gradients, for every combination of options: within
// 1e-12 in float64 and 1e-5 in float32.
func TestLinearCrossEntropyIsCrossEntropy(t *testing.T) {
	const rows, dim, classes = 37, 9, 23
	rng := rand.New(rand.NewPCG(7, 1))
	l := linearLoss{x: random(rng, rows, dim), w: random(rng, classes, dim), gy: sines(rows), targets: make([]int, rows)}
	for i := range l.targets {
		l.targets[i] = i * i % classes
	}
	l.targets[4] = loss.Ignored
	for what, o := range optionCombinations(classes) {
		l.options = o
		l.same(t, what+" float64", tensor.Float64, 1e-12)
		l.same(t, what+" float32", tensor.Float32, 1e-5)
	}
	// And with weights of rows, some of them 0.
	l.rows = make([]float64, rows)
	for i := range l.rows {
		l.rows[i] = float64(i*i%5) / 4
	}
	for what, o := range optionCombinations(classes) {
		l.options = o
		l.same(t, what+" weighted float64", tensor.Float64, 1e-12)
		l.same(t, what+" weighted float32", tensor.Float32, 1e-5)
	}
	clear(l.rows)
	for what, o := range optionCombinations(classes) {
		l.options = o
		l.same(t, what+" of weights of 0", tensor.Float64, 0)
	}
	l.rows = nil
	// Nothing to score: every row is left out, or weighs nothing.
	for i := range l.targets {
		l.targets[i] = loss.Ignored
	}
	for what, o := range optionCombinations(classes) {
		l.options = o
		l.same(t, what+" of nothing", tensor.Float64, 0)
	}
	for i := range l.targets {
		l.targets[i] = 4
	}
	for what, o := range optionCombinations(classes) {
		l.options = o
		l.same(t, what+" of no weight", tensor.Float64, 1e-12)
	}
}

// So it is where the logits are too many for one chunk, with a chunk that is not full at the end.
func TestLinearCrossEntropyInChunks(t *testing.T) {
	const rows, dim, classes = 5, 2, 1 << 21 // three rows, and then two
	rng := rand.New(rand.NewPCG(7, 2))
	l := linearLoss{x: random(rng, rows, dim), w: random(rng, classes, dim), gy: sines(rows), targets: []int{0, loss.Ignored, 1 << 20, 7, 1<<21 - 1}}
	for _, o := range []loss.Options{
		{Reduction: loss.Sum, LabelSmoothing: 0.1}, {Reduction: loss.None, ZLoss: 0.01, Ignore: []int{7}},
	} {
		l.options = o
		l.same(t, fmt.Sprintf("%+v", o), tensor.Float32, 1e-5)
	}
	l.rows, l.options = []float64{0, 1, 2, 0.5, 3}, loss.Options{SoftCap: 2}
	l.same(t, "weighted", tensor.Float32, 1e-5)
}
