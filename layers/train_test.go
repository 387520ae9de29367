package layers_test

import (
	"runtime"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
)

// Thirty steps of training follow PyTorch's: losses, gradient norms and the weights at the end.
func TestTrainingAgreesWithPyTorch(t *testing.T) {
	c := oracle.Load(t, "train_run")
	x, y := c.Get(t, "in.x"), c.Get(t, "in.y")
	steps, batch, seq := x.Shape[0], x.Shape[1], x.Shape[2]
	for _, p := range []struct {
		name               string
		dtype              tensor.Dtype
		losses, at, weight float64 // tolerances
	}{
		{"float32", tensor.Float32, 1e-4, 1e-3, 2e-3},
		{"float64", tensor.Float64, 1e-9, 1e-8, 1e-8},
	} {
		t.Run(p.name, func(t *testing.T) {
			ps, m := newModel(t, c, p.dtype)
			g := graph.New(graph.DType(p.dtype))
			tokens, targets := g.Tokens("tokens", batch, seq), g.Tokens("targets", batch, seq)
			cost := graph.Apply2(loss.CrossEntropy, m.Forward(tokens), targets)
			prog, err := graph.CompileTrain(cost)
			if err != nil {
				t.Fatal(err)
			}
			weights := ps.ValueGrads()
			opt := optim.AdamW{LR: optim.Cosine{Peak: 3e-3, Floor: 3e-4, Warmup: 5, Steps: 30}, Beta2: 0.95, WeightDecay: 0.1}
			var losses, norms []float64
			for s := range steps {
				n := batch * seq
				feed := graph.Feed{
					tokens:  graph.Ints(x.Ints[s*n:(s+1)*n], batch, seq),
					targets: graph.Ints(y.Ints[s*n:(s+1)*n], batch, seq),
				}
				if err := prog.Run(t.Context(), feed); err != nil {
					t.Fatal(err)
				}
				norm, err := optim.ClipGradNorm(weights, 1)
				if err != nil {
					t.Fatal(err)
				}
				if err := opt.Step(weights); err != nil {
					t.Fatal(err)
				}
				losses, norms = append(losses, prog.Scalar(cost)), append(norms, norm)
			}
			oracle.Check(t, "losses", losses, c.Get(t, "out.loss").Floats, p.losses)
			oracle.Check(t, "norms", norms, c.Get(t, "out.grad_norm").Floats, p.at)
			for name, param := range ps.All() {
				check(t, name, param.Value(), c.Get(t, "out."+name).Floats, p.weight)
			}
		})
	}
}

// trainSmall trains a small model, with dropout and accumulation, and returns its weights.
func trainSmall(t testing.TB, steps int) []float32 {
	t.Helper()
	const batch, seq, vocab = 4, 70, 53
	ps := graph.NewParams(9)
	m, err := layers.NewTransformerLM(ps.Root(), layers.Config{
		VocabSize: vocab, ContextLength: seq, DModel: 48, NumLayers: 2, NumHeads: 4, NumKVHeads: 2, Dropout: 0.1,
	})
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Seed(4))
	tokens, targets := g.Tokens("tokens", batch, seq), g.Tokens("targets", batch, seq)
	x := m.Hidden(tokens)
	cost := graph.Apply3(loss.LinearCrossEntropy, x, x.Param(m.Head()), targets)
	prog, err := graph.CompileTrain(cost)
	if err != nil {
		t.Fatal(err)
	}
	feeds := make([]graph.Feed, 2)
	for i := range feeds {
		x, y := make([]int, batch*seq), make([]int, batch*seq)
		for j := range x {
			x[j], y[j] = (j*j+i)%vocab, (j*j+2*j+1+i)%vocab
		}
		feeds[i] = graph.Feed{tokens: graph.Ints(x, batch, seq), targets: graph.Ints(y, batch, seq)}
	}
	weights := ps.ValueGrads()
	opt := &optim.AdamW{LR: optim.Constant(3e-3)}
	for range steps {
		if _, err := prog.Accumulate(t.Context(), feeds...); err != nil {
			t.Fatal(err)
		}
		if _, err := optim.ClipGradNorm(weights, 1); err != nil {
			t.Fatal(err)
		}
		if err := opt.Step(weights); err != nil {
			t.Fatal(err)
		}
	}
	var all []float32
	for _, p := range ps.All() {
		all = append(all, p.Value().Data().([]float32)...)
	}
	return all
}

// Training has the same bits at one thread and at two, run after run, for a hundred steps.
func TestTrainingRepeats(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	steps := 100
	if testing.Short() || raceDetector {
		steps = 3
	}
	want := trainSmall(t, steps)
	for _, threads := range []int{1, 2, 4} {
		runtime.GOMAXPROCS(threads)
		if !slices.Equal(trainSmall(t, steps), want) {
			t.Errorf("training with %d threads ends elsewhere", threads)
		}
	}
}
