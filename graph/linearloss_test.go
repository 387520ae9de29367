package graph_test

import (
	"math"
	"testing"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/loss"
)

// The loss of an output layer is that of its logits, with the same gradients, though it makes them in several chunks.
func TestLinearCrossEntropyAgreesWithCrossEntropy(t *testing.T) {
	const rows, dim, vocab = 600, 8, 40000 // 24 million logits
	ids := make([]int, rows)
	for i := range ids {
		ids[i] = i * 7919 % vocab
	}
	ids[3] = loss.Ignored
	var want map[string][]float64
	var wantLoss float64
	for _, fused := range []bool{false, true} {
		ps := graph.NewParams(3)
		g := graph.New()
		x := g.Param(ps.Root().Param("x", graph.Normal(1), rows, dim))
		w := g.Param(ps.Root().Param("w", graph.Normal(1), vocab, dim))
		targets := g.Wrap(g.Tokens("ids", 1, rows).Gorgonia(), nil)
		var cost graph.Node
		if fused {
			cost = graph.Apply3(loss.Options{LabelSmoothing: 0.1, ZLoss: 1e-3}.LinearCrossEntropy, x.Reshape(1, rows, dim), w, targets)
		} else {
			cost = graph.Apply2(loss.Options{LabelSmoothing: 0.1, ZLoss: 1e-3}.CrossEntropy, x.Linear(w).Reshape(1, rows, vocab), targets)
		}
		prog, err := graph.CompileTrain(cost)
		if err != nil {
			t.Fatal(err)
		}
		if err := prog.Run(t.Context(), graph.Feed{targets: graph.Ints(ids, 1, rows)}); err != nil {
			t.Fatal(err)
		}
		if !fused {
			want = make(map[string][]float64)
			wantLoss = prog.Scalar(cost)
		} else if got := prog.Scalar(cost); !(math.Abs(got-wantLoss) < 1e-5*wantLoss) {
			t.Errorf("loss %v, want %v", got, wantLoss)
		}
		for name, p := range ps.All() {
			v, err := p.Grad()
			if err != nil {
				t.Fatal(err)
			}
			if fused {
				oracle.CheckData(t, name, v.Data(), want[name], 1e-5)
				continue
			}
			for _, d := range v.Data().([]float32) {
				want[name] = append(want[name], float64(d))
			}
		}
		if fused && prog.Memory() > rows*vocab*4*2/3 {
			t.Errorf("%d bytes, which would hold all logits", prog.Memory())
		}
	}
}

// Logits of 10,000 cost what they should, and evaluation finds no gradients.
func TestLinearCrossEntropyOfLargeLogits(t *testing.T) {
	g := graph.New()
	x, w, targets := g.Input("x", g.DType(), 2, 1), g.Input("w", g.DType(), 3, 1), g.Tokens("ids", 2, 1)
	cost := graph.Apply3(loss.Options{Reduction: loss.None}.LinearCrossEntropy, x, w, targets.Graph().Wrap(targets.Gorgonia(), nil))
	if _, err := graph.Compile(cost); err == nil {
		t.Error("targets of another shape are accepted")
	}
	g = graph.New()
	x, w, targets = g.Input("x", g.DType(), 1, 2, 1), g.Input("w", g.DType(), 3, 1), g.Tokens("ids", 1, 2)
	cost = graph.Apply3(loss.Options{Reduction: loss.None}.LinearCrossEntropy, x, w, targets)
	prog, err := graph.Compile(cost)
	if err != nil {
		t.Fatal(err)
	}
	feed := graph.Feed{x: graph.Floats([]float32{1e4, -1e4}, 1, 2, 1), w: graph.Floats([]float32{1, 0, -1}, 3, 1), targets: graph.Ints([]int{0, 0}, 1, 2)}
	if err := prog.Run(t.Context(), feed); err != nil {
		t.Fatal(err)
	}
	v, err := prog.Value(cost)
	if err != nil {
		t.Fatal(err)
	}
	oracle.CheckData(t, "losses", v.Data(), []float64{0, 2e4}, 1e-7)
}
