package graph_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
)

// newEveryLM returns a small Transformer with every kind of layer there is: each norm, activation, position, attention and
// loss, recomputation, products in parts, and an operation of Gorgonia's own. Two of its inputs hold numbers.
func newEveryLM(t testing.TB) *trainedLM {
	t.Helper()
	const batch, seq, dim, vocab, hidden = 2, 4, 8, 11, 12
	m := &trainedLM{params: graph.NewParams(1), opt: &optim.AdamW{}}
	g := graph.New(graph.Seed(1))
	weight := func(layer any, name string, shape ...int) graph.Node {
		init := graph.Normal(0.3)
		if name == "gain" {
			init = graph.Ones
		}
		return g.Param(m.params.Root().At("layers", layer).Param(name, init, shape...))
	}
	tokens, targets := g.Tokens("tokens", batch, seq), g.Tokens("targets", batch, seq)
	prefix, teacher := g.Input("prefix", tensor.Float32, batch, seq, dim), g.Input("teacher", tensor.Float32, batch, seq, vocab)
	mask, places := g.Input("mask", tensor.Bool, seq, seq), g.Tokens("places", batch, seq)

	x := graph.Embedding(weight(0, "table", vocab, dim), tokens).Positions(weight(0, "places", seq, dim)).Dropout(0.2).Add(prefix)
	attend := func(x graph.Node, layer int, rope graph.RoPE, how graph.Attend) graph.Node {
		h := x.RMSNorm(weight(layer, "gain", dim), 1e-5)
		parts := []graph.Node{weight(layer, "q", dim, dim), weight(layer, "k", dim/2, dim), weight(layer, "v", dim/2, dim)}
		q, k, v := h.Linear(parts[0]), h.Linear(parts[1]), h.Linear(parts[2])
		keys := rope
		keys.Heads = 1
		how.Heads, how.KVHeads = 2, 1
		return x.Add(graph.Attention(q.RoPE(rope), k.RoPE(keys), v, how).Linear(weight(layer, "o", dim, dim)))
	}
	x = attend(x, 1, graph.RoPE{Heads: 2}, graph.Attend{})
	x = attend(x, 2, graph.RoPE{Heads: 2, Split: true, Positions: places}, graph.Attend{Mask: mask, Scale: 0.5})
	qkv := x.LayerNorm(weight(3, "gain", dim), weight(3, "shift", dim), 1e-5).Linear(weight(3, "qkv", 3*dim, dim), weight(3, "bias", 3*dim))
	x = x.Add(graph.SelfAttention(qkv, graph.Attend{Heads: 2, Bidirectional: true}))
	h := x.RMSNorm(weight(4, "gain", dim), 1e-5)
	x = x.Add(h.Linear(weight(4, "w1", hidden, dim)).SwiGLU(h.Linear(weight(4, "w3", hidden, dim))).Linear(weight(4, "w2", dim, hidden)))
	x = x.Add(x.Linears([]graph.Node{weight(5, "w1", hidden, dim), weight(5, "w3", hidden, dim)}).SwiGLUPacked().Linear(weight(5, "w2", dim, hidden)))
	for i, act := range []func(graph.Node) graph.Node{graph.Node.GELU, graph.Node.GELUTanh, graph.Node.ReLU, graph.Node.SiLU} {
		w1, b1, w2 := weight(6+i, "w1", hidden, dim), weight(6+i, "b1", hidden), weight(6+i, "w2", dim, hidden)
		block := func(x graph.Node) graph.Node { return x.Add(act(x.Linear(w1, b1)).Linear(w2)) }
		if i == 0 {
			x = graph.Checkpoint(block, x)
		} else {
			x = block(x)
		}
	}
	gate := graph.Apply(gorgonia.Tanh, x).Mul(x.Sub(x.Mean(2).Reshape(batch, seq, 1))).Scale(0.5)
	scores := gate.MatMul(x.Transpose(0, 2, 1)).Softmax()
	x = x.Add(scores.MatMul(gate)).LayerNorm(weight(10, "gain", dim), weight(10, "shift", dim), 1e-5)

	head := weight(11, "head", vocab, dim)
	logits := x.Linear(head)
	m.cost = graph.Apply2(loss.CrossEntropy, logits, targets).
		Add(graph.Apply3(loss.LinearCrossEntropy, x, head, targets)).
		Add(graph.Apply2(func(x, y *gorgonia.Node) (*gorgonia.Node, error) { return loss.SoftCrossEntropy(x, y, loss.Mean) }, logits, teacher)).
		Add(logits.LogSoftmax().Mul(teacher).Sum().Scale(-0.1))
	var err error
	if m.prog, err = graph.CompileTrain(m.cost); err != nil {
		t.Fatal(err)
	}
	a, b, at := make([]int, batch*seq), make([]int, batch*seq), make([]int, batch*seq)
	numbers, probs, sees := make([]float32, batch*seq*dim), make([]float32, batch*seq*vocab), make([]bool, seq*seq)
	for i := range a {
		a[i], b[i], at[i] = (i*i)%vocab, (i*i+i)%vocab, i%seq
		for j := range vocab {
			probs[i*vocab+j] = 1 / float32(vocab)
		}
	}
	for i := range numbers {
		numbers[i] = float32(i%7)/7 - 0.5
	}
	for i := range sees {
		sees[i] = i%seq <= i/seq
	}
	m.feeds = []graph.Feed{{
		tokens: graph.Ints(a, batch, seq), targets: graph.Ints(b, batch, seq), places: graph.Ints(at, batch, seq),
		prefix: graph.Floats(numbers, batch, seq, dim), teacher: graph.Floats(probs, batch, seq, vocab),
		mask: tensor.New(tensor.WithShape(seq, seq), tensor.WithBacking(sees)),
	}}
	return m
}

// Whatever node of a model with every kind of layer is NaN, the step is an error that names the node with its layer and
// shape, and changes nothing: each result of each operation in turn, forward and backward, then each parameter and each
// input. So it is with infinities, but for those that come to nothing: an operation such as ReLU or an exponential makes a
// finite number of them, and then cost and gradients are finite.
func TestDiagnoseEveryNode(t *testing.T) {
	m := newEveryLM(t)
	if found, err := m.step(t); err != nil {
		t.Fatal(found, err)
	}
	named, nothing, kinds := 0, 0, make(map[string]bool)
	expect := func(what any, node, layer string, shape tensor.Shape, gradient bool, spoil func(bad float64) (restore func())) {
		t.Helper()
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			before, state := m.copies(), m.opt.State(m.params.ValueGrads())
			restore := spoil(bad)
			found, err := m.step(t)
			restore()
			if err == nil && !math.IsNaN(bad) {
				nothing++
				for name, p := range m.params.All() {
					copy(p.Value().Data().([]float32), before[name].([]float32))
				}
				if err := m.opt.SetState(m.params.ValueGrads(), state); err != nil {
					t.Fatal(err)
				}
			}
			if !reflect.DeepEqual(m.copies(), before) {
				t.Fatalf("%v is %v: weights or moments have changed", what, bad)
			}
			switch {
			case err == nil && !math.IsNaN(bad):
			case node == "prefix" && !math.IsNaN(bad) && found != nil && found.Layer == "layers.1" && found.Node == "RMSNorm":
				named++ // infinities of an input may be a mask, and it is what makes NaN of them that is named
			case found == nil || found.Node != node || found.Layer != layer || !found.Shape.Eq(shape) || found.Gradient != gradient:
				t.Errorf("%v is %v: %v", what, bad, err)
			default:
				named++
			}
		}
	}
	places := graph.Places(m.prog)
	for _, at := range places {
		if kinds[at.Node] = true; !at.Read {
			continue
		}
		expect(at, at.Node, at.Layer, at.Shape, at.Gradient, func(bad float64) func() { return graph.PoisonAll(m.prog, at, bad) })
	}
	// An element of a parameter and of an input is enough.
	first := func(data []float32) func(bad float64) func() {
		return func(bad float64) func() {
			was := data[0]
			data[0] = float32(bad)
			return func() { data[0] = was }
		}
	}
	for name, p := range m.params.All() {
		expect(p, name, name[:strings.LastIndexByte(name, '.')], p.Shape(), false, first(p.Value().Data().([]float32)))
	}
	for node, v := range m.feeds[0] {
		if data, ok := v.Data().([]float32); ok {
			expect(node.Gorgonia(), node.Gorgonia().Name(), "", v.Shape(), false, first(data))
		}
	}
	t.Logf("%d results of %d kinds of operation; %d faults named, %d infinities come to nothing", len(places), len(kinds), named, nothing)
	if nothing > named/20 {
		t.Errorf("%d infinities come to nothing", nothing)
	}
	if found, err := m.step(t); err != nil {
		t.Error(found, err)
	}
}
