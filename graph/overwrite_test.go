package graph_test

import (
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
)

// The gradient of logits lies where the logits were, unless somebody reads these later, and is the same.
func TestGradientsOverwriteLogits(t *testing.T) {
	const rows, dim, vocab = 6, 4, 48
	others := make([]float32, rows*vocab)
	for i := range others {
		others[i] = float32(i*7919%101)/50 - 1
	}
	type inputs struct{ logits, other, targets graph.Node }
	for _, test := range []struct {
		name string
		ids  bool // the targets are classes
		cost func(in inputs) graph.Node
	}{
		{"CrossEntropy", true, func(in inputs) graph.Node { return graph.Apply2(loss.CrossEntropy, in.logits, in.targets) }},
		{"all options", true, func(in inputs) graph.Node {
			o := loss.Options{LabelSmoothing: 0.1, ZLoss: 1e-3, SoftCap: 3}
			return graph.Apply2(o.CrossEntropy, in.logits, in.targets)
		}},
		{"focal", true, func(in inputs) graph.Node {
			return graph.Apply2(loss.Options{FocalGamma: 2, SoftCap: 5}.CrossEntropy, in.logits, in.targets)
		}},
		{"soft targets", false, func(in inputs) graph.Node {
			o := loss.Options{LabelSmoothing: 0.1, ZLoss: 1e-3, SoftCap: 3}
			return graph.Apply2(o.SoftCrossEntropy, in.logits, in.other.Softmax())
		}},
		{"forward divergence", false, func(in inputs) graph.Node {
			return graph.Apply2(loss.Distillation{Temperature: 2}.Divergence, in.logits, in.other)
		}},
		{"reverse divergence", false, func(in inputs) graph.Node {
			return graph.Apply2(loss.Distillation{Measure: loss.ReverseKL}.Divergence, in.logits, in.other)
		}},
		{"Jensen-Shannon", false, func(in inputs) graph.Node {
			return graph.Apply2(loss.Distillation{Measure: loss.JensenShannon}.Divergence, in.logits, in.other)
		}},
		{"binary", false, func(in inputs) graph.Node {
			return graph.Apply2(loss.Binary{FocalGamma: 1}.CrossEntropy, in.logits, in.other.Softmax())
		}},
		{"softmax", false, func(in inputs) graph.Node { return in.logits.Softmax().Mul(in.other).Mean() }},
		{"log-softmax", false, func(in inputs) graph.Node { return in.logits.LogSoftmax().Mul(in.other).Mean() }},
	} {
		train := func(kept bool) (grads []float32, memory int) {
			g, ps := graph.New(), graph.NewParams(1)
			x := g.Param(ps.Root().Param("x", graph.Normal(1), 1, rows, dim))
			w := g.Param(ps.Root().Param("w", graph.Normal(1), vocab, dim))
			in := inputs{x.Linear(w), g.Input("other", tensor.Float32, 1, rows, vocab), g.Tokens("targets", 1, rows)}
			outputs := []graph.Node{in.logits}
			if !kept {
				outputs = nil
			}
			program, err := graph.CompileTrain(test.cost(in), outputs...)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			feed := graph.Feed{in.targets: graph.Ints([]int{3, 0, 47, 7, 7, 20}, 1, rows)}
			if !test.ids {
				feed = graph.Feed{in.other: graph.Floats(others, 1, rows, vocab)}
			}
			run(t, program, feed)
			for _, p := range ps.All() {
				d, err := p.Grad()
				if err != nil {
					t.Fatal(err)
				}
				grads = append(grads, d.Data().([]float32)...)
			}
			return grads, program.Memory()
		}
		want, most := train(true)
		got, memory := train(false)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the gradients are others if logits are written over", test.name)
		}
		// The losses of all elements of the binary one, in the forward pass, take as much memory as is saved in the backward pass.
		if saved := most - memory; saved < 4*rows*vocab*9/10 && test.name != "binary" {
			t.Errorf("%s: writing over logits saves %d bytes, want almost %d", test.name, saved, 4*rows*vocab)
		}
	}
}

// A loss whose operands are one value does not write over what it still reads.
func TestGradientsSpareOtherOperands(t *testing.T) {
	train := func(kept bool) []float32 {
		g, ps := graph.New(), graph.NewParams(1)
		x := ps.Root().Param("x", graph.Normal(2), 3, 40)
		y := g.Param(x).Softmax()
		cost := graph.Apply2(loss.Options{SoftCap: 2}.SoftCrossEntropy, y, y)
		outputs := []graph.Node{y}
		if !kept {
			outputs = nil
		}
		program, err := graph.CompileTrain(cost, outputs...)
		if err != nil {
			t.Fatal(err)
		}
		run(t, program, nil)
		d, err := x.Grad()
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(d.Data().([]float32))
	}
	if got, want := train(false), train(true); !slices.Equal(got, want) {
		t.Errorf("gradient %v, want %v", got, want)
	}
}
