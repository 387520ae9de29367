package graph_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
)

// trainedLM is a language model in training.
type trainedLM struct {
	model  *layers.TransformerLM
	params *graph.Params
	cost   graph.Node
	prog   *graph.Program
	feeds  []graph.Feed
	opt    *optim.AdamW
}

func newTrainedLM(t testing.TB, config layers.Config, linear bool) *trainedLM {
	t.Helper()
	m := &trainedLM{params: graph.NewParams(1), opt: &optim.AdamW{}}
	var err error
	if m.model, err = layers.NewTransformerLM(m.params.Root(), config); err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Seed(1))
	const batch, seq = 2, 6
	x, y := g.Tokens("tokens", batch, seq), g.Tokens("targets", batch, seq)
	if hidden := m.model.Hidden(x); linear {
		m.cost = graph.Apply3(loss.LinearCrossEntropy, hidden, hidden.Param(m.model.Head()), y)
	} else {
		m.cost = graph.Apply2(loss.CrossEntropy, m.model.Forward(x), y)
	}
	if m.prog, err = graph.CompileTrain(m.cost); err != nil {
		t.Fatal(err)
	}
	for f := range 2 {
		a, b := make([]int, batch*seq), make([]int, batch*seq)
		for i := range a {
			a[i], b[i] = (i*i+f)%config.VocabSize, (i*i+i+f)%config.VocabSize
		}
		m.feeds = append(m.feeds, graph.Feed{x: graph.Ints(a, batch, seq), y: graph.Ints(b, batch, seq)})
	}
	return m
}

// step takes a step if nothing is wrong, and otherwise returns the diagnosis.
func (m *trainedLM) step(t testing.TB) (*graph.NonFiniteError, error) {
	t.Helper()
	cost, err := m.prog.Accumulate(t.Context(), m.feeds...) // the loss itself may refuse the logits
	var bad *optim.NonFiniteError
	if err == nil && !math.IsNaN(cost) && !math.IsInf(cost, 0) {
		if err = m.opt.Step(m.params.ValueGrads()); err == nil {
			return nil, nil
		} else if !errors.As(err, &bad) {
			t.Fatal(err)
		}
	}
	runs := m.prog.Runs()
	err = m.prog.Diagnose(t.Context(), m.feeds...)
	if m.prog.Runs() != runs {
		t.Errorf("%d runs after Diagnose, %d before", m.prog.Runs(), runs)
	}
	var found *graph.NonFiniteError
	errors.As(err, &found)
	return found, err
}

// copies returns copies of the numbers of parameters and of the optimizer.
func (m *trainedLM) copies() map[string]any {
	all := make(map[string]any)
	for name, p := range m.params.All() {
		all[name] = p.Value().(*tensor.Dense).Clone().(*tensor.Dense).Data()
	}
	state := m.opt.State(m.params.ValueGrads())
	for name, t := range state.Tensors {
		all["optimizer."+name] = t.Data()
	}
	all["step"] = state.Step
	return all
}

func someConfigs() map[string]layers.Config {
	return map[string]layers.Config{
		"llama": {NumLayers: 2, DModel: 16, NumHeads: 2, NumKVHeads: 1, VocabSize: 11, ContextLength: 8, Dropout: 0.1},
		"gpt": {NumLayers: 1, DModel: 16, NumHeads: 2, VocabSize: 11, ContextLength: 8, Norm: layers.NormLayer, Position: layers.Learned,
			Activation: layers.GELU, Bias: true, TieEmbeddings: true},
	}
}

// A NaN or an infinity in any result of any operation, forward or backward, stops the step before anything changes, and
// the operation is named with its layer and shape.
func TestDiagnoseOperations(t *testing.T) {
	for name, config := range someConfigs() {
		for _, linear := range []bool{false, true} {
			m := newTrainedLM(t, config, linear)
			if found, err := m.step(t); err != nil {
				t.Fatal(found, err)
			}
			places := graph.Places(m.prog)
			named, harmless := 0, 0
			for _, at := range places {
				for _, bad := range []float64{math.NaN(), math.Inf(1)} {
					before := m.copies()
					restore := graph.Poison(m.prog, at, bad)
					found, err := m.step(t)
					restore()
					if err == nil { // it dropped out, or was divided by
						harmless++
						continue
					}
					if !reflect.DeepEqual(m.copies(), before) {
						t.Fatalf("%s: %+v: weights have changed", name, at)
					}
					if found == nil {
						t.Errorf("%s: %+v is %v: %v", name, at, bad, err)
						continue
					}
					if found.Node != at.Node || found.Layer != at.Layer || !found.Shape.Eq(at.Shape) || found.Gradient != at.Gradient {
						t.Errorf("%s: found %v, want %+v", name, err, at)
						continue
					}
					named++
				}
			}
			t.Logf("%s: %d places, %d faults named, %d harmless", name, len(places), named, harmless)
			if harmless > named/4 {
				t.Errorf("%s: only %d faults in %d places", name, named, len(places))
			}
			if found, err := m.step(t); err != nil {
				t.Error(found, err)
			}
		}
	}
}

// So does one in any parameter.
func TestDiagnoseParameters(t *testing.T) {
	for name, config := range someConfigs() {
		m := newTrainedLM(t, config, true)
		if _, err := m.step(t); err != nil {
			t.Fatal(err)
		}
		for param, p := range m.params.All() {
			for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1))} {
				numbers := p.Value().Data().([]float32)
				at := 1 % len(numbers) // of a token that is fed
				was := numbers[at]
				numbers[at] = bad
				before := m.copies()
				found, err := m.step(t)
				numbers[at] = was
				if found == nil || found.Node != param || !found.Shape.Eq(p.Shape()) || found.First != at || found.Count != 1 {
					t.Errorf("%s: %s is %v: found %v", name, param, bad, err)
				}
				before[param].([]float32)[at] = was
				if !reflect.DeepEqual(m.copies(), before) {
					t.Fatalf("%s: %s is %v: weights have changed", name, param, bad)
				}
			}
		}
		if found, err := m.step(t); err != nil {
			t.Error(found, err)
		}
	}
}

// Numbers that overflow by themselves are found where they do so, in operations that run as one too.
func TestDiagnoseOverflow(t *testing.T) {
	for _, c := range []struct {
		name            string
		w, v, norm, res float32
		want            string
	}{
		{"first", 1e38, 1, 1, 1, "layer.a: Linear (2, 4): 8 of 8 elements are NaN or infinite, first +Inf at 0"},
		{"sum", 1, 2e36, 1, 3e38, "layer.b: Linear+Add (2, 4)"},
		{"norm", 1, 1, 3e38, 1, "layer.norm: RMSNorm (2, 4)"},
		{"gradient", 2e-38, 1, 1e20, 1, "layer.a: gradient: Linear"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ps := graph.NewParams(1)
			param := func(layer string, value float32, shape ...int) *graph.Param {
				return ps.Root().At("layer", layer).Param("weight", func(*rand.Rand) float64 { return float64(value) }, shape...)
			}
			g := graph.New()
			x, r := g.Input("x", tensor.Float32, 2, 4), g.Input("r", tensor.Float32, 2, 4)
			h := x.Linear(g.Param(param("a", c.w, 4, 4)))
			h = r.Add(h.Linear(g.Param(param("b", c.v, 4, 4))))
			h = h.RMSNorm(g.Param(param("norm", c.norm, 4)), 1e-5)
			prog, err := graph.CompileTrain(h.Mean())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(graph.Places(prog), func(at graph.Place) bool { return at.Follower && at.Node == "RMSNorm" }) {
				t.Fatal("the norm does not follow the sum as part of one operation")
			}
			in, res := make([]float32, 8), make([]float32, 8)
			for i := range in {
				in[i], res[i] = 4.5, 50*float32(i)
				if c.res > 1 {
					res[i] = c.res
				}
				if c.w < 1 {
					in[i] /= c.w
				}
			}
			feed := graph.Feed{x: graph.Floats(in, 2, 4), r: graph.Floats(res, 2, 4)}
			if err := prog.Run(t.Context(), feed); err != nil {
				t.Fatal(err)
			}
			if err := prog.Diagnose(t.Context(), feed); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// Infinities that belong there are no faults: those of a mask that a softmax turns into zeros. A NaN that comes of them
// is one.
func TestDiagnoseMask(t *testing.T) {
	g := graph.New()
	x, mask := g.Input("x", tensor.Float32, 2, 3), g.Input("mask", tensor.Float32, 2, 3)
	y := x.Add(mask).Softmax()
	prog, err := graph.Compile(y)
	if err != nil {
		t.Fatal(err)
	}
	inf := float32(math.Inf(-1))
	in, m := []float32{1, 2, 3, 4, 5, 6}, []float32{0, inf, inf, 0, 0, inf}
	feed := graph.Feed{x: graph.Floats(in, 2, 3), mask: graph.Floats(m, 2, 3)}
	for _, c := range []struct {
		mask, x float32
		want    string
	}{
		{0, 1, ""},
		{float32(math.NaN()), 1, "mask (2, 3): 4 of 6 elements are NaN or infinite, first NaN at 0"},
		{0, float32(math.NaN()), "x (2, 3): 1 of 6"},
		{inf, -inf, "Add (2, 3): 4 of 6 elements are NaN or infinite, first NaN at 0"},
		{-inf, 1, "Softmax (2, 3)"},
	} {
		m[0], in[0] = c.mask, c.x
		if err := prog.Run(t.Context(), feed); err != nil {
			t.Fatal(err)
		}
		err := prog.Diagnose(t.Context(), feed)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("mask %v, x %v: %v, want %q", c.mask, c.x, err, c.want)
		}
	}
}

// What cannot be diagnosed is an error of its own.
func TestDiagnoseMisuse(t *testing.T) {
	m := newTrainedLM(t, someConfigs()["gpt"], true)
	if _, err := m.prog.Accumulate(t.Context(), m.feeds...); err != nil {
		t.Fatal(err)
	}
	if err := m.prog.Diagnose(t.Context()); err == nil {
		t.Error("no error without feeds")
	}
	if err := m.prog.Diagnose(t.Context(), graph.Feed{}); err == nil || errors.As(err, new(*graph.NonFiniteError)) {
		t.Errorf("%v", err)
	}
	if err := m.prog.Diagnose(t.Context(), m.feeds...); err != nil {
		t.Errorf("a good run has a fault: %v", err)
	}
	if _, err := m.prog.Value(m.cost); err == nil {
		t.Error("there are outputs after a diagnosis")
	}
	if _, err := m.params.Get("ln_final.weight").Grad(); err == nil {
		t.Error("there are gradients after a diagnosis")
	}
}
