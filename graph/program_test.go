package graph_test

import (
	"context"
	"reflect"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
)

// lm is a small model in a graph, with what feeds it.
type lm struct {
	ps            *graph.Params
	g             *graph.Graph
	logits, cost  graph.Node
	tokens, wants graph.Node
	nodes         []graph.Node // all nodes of the graph that hold numbers
}

func newLM(t testing.TB, dropout float64) lm {
	t.Helper()
	ps := graph.NewParams(2)
	m, err := layers.NewTransformerLM(ps.Root(), layers.Config{
		VocabSize: 23, ContextLength: 10, DModel: 16, NumLayers: 2, NumHeads: 4, NumKVHeads: 2, Dropout: dropout,
	})
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Seed(1))
	x, y := g.Tokens("x", 2, 10), g.Tokens("y", 2, 10)
	logits := m.Forward(x)
	l := lm{ps, g, logits, graph.Apply2(loss.CrossEntropy, logits, y), x, y, nil}
	for _, n := range g.Gorgonia().AllNodes() {
		if n.Op() != nil {
			l.nodes = append(l.nodes, g.Wrap(n, nil))
		}
	}
	return l
}

func (l lm) feed(from int) graph.Feed {
	ids := make([]int, 20)
	for i := range ids {
		ids[i] = (from + i*5) % 23
	}
	return graph.Feed{l.tokens: graph.Ints(ids, 2, 10), l.wants: graph.Ints(ids, 2, 10)}
}

// grads returns copies of all gradients.
func (l lm) grads(t testing.TB) map[string][]float32 {
	t.Helper()
	out := make(map[string][]float32)
	for name, p := range l.ps.All() {
		v, err := p.Grad()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = append([]float32(nil), v.Data().([]float32)...)
	}
	return out
}

func run(t testing.TB, p *graph.Program, feed graph.Feed) {
	t.Helper()
	if err := p.Run(context.Background(), feed); err != nil {
		t.Fatal(err)
	}
}

// Values that share memory are the same as values that do not, run after run.
func TestSharedMemory(t *testing.T) {
	l := newLM(t, 0)
	shared, err := graph.CompileTrain(l.cost, l.logits)
	if err != nil {
		t.Fatal(err)
	}
	// Every node an output, nothing is written over.
	apart, err := graph.CompileTrain(l.cost, l.nodes...)
	if err != nil {
		t.Fatal(err)
	}
	if shared.Memory() >= apart.Memory() {
		t.Errorf("%d bytes shared, %d apart", shared.Memory(), apart.Memory())
	}
	for from := range 3 {
		run(t, apart, l.feed(from))
		want := l.grads(t)
		for range 2 {
			run(t, shared, l.feed(from))
			if got := l.grads(t); !reflect.DeepEqual(got, want) {
				t.Fatalf("gradients differ in run %d", from)
			}
		}
		if a, b := shared.Scalar(l.cost), apart.Scalar(l.cost); a != b {
			t.Errorf("cost %v shared, %v apart", a, b)
		}
	}
}

// Programs of one graph run at the same time, each on its own goroutine, and one program refuses to.
func TestConcurrentPrograms(t *testing.T) {
	l := newLM(t, 0)
	one, err := graph.Compile(l.cost)
	if err != nil {
		t.Fatal(err)
	}
	run(t, one, l.feed(1))
	want := one.Scalar(l.cost)
	var wg sync.WaitGroup
	for range 4 {
		p, err := graph.Compile(l.cost)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for range 5 {
				if err := p.Run(context.Background(), l.feed(1)); err != nil {
					t.Error(err)
					return
				}
				if got := p.Scalar(l.cost); got != want {
					t.Errorf("cost %v beside others, %v alone", got, want)
				}
			}
		})
	}
	wg.Wait()

	entered, leave := make(chan bool), make(chan bool)
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1)
	y := graph.Apply(func(n *gorgonia.Node) (*gorgonia.Node, error) { return gorgonia.ApplyOp(blocking{entered, leave}, n) }, x)
	p, err := graph.Compile(y)
	if err != nil {
		t.Fatal(err)
	}
	feed := graph.Feed{x: graph.Floats([]float32{1}, 1)}
	wg.Go(func() {
		if err := p.Run(context.Background(), feed); err != nil {
			t.Error(err)
		}
	})
	<-entered
	if err := p.Run(context.Background(), feed); err == nil {
		t.Error("a program that runs runs again: no error")
	}
	leave <- true
	wg.Wait()
}

// Dropout repeats for a seed and a run, differs between runs, and is the identity outside training.
func TestDropout(t *testing.T) {
	l := newLM(t, 0.5)
	train, err := graph.CompileTrain(l.cost)
	if err != nil {
		t.Fatal(err)
	}
	eval, err := graph.Compile(l.cost)
	if err != nil {
		t.Fatal(err)
	}
	plain := newLM(t, 0)
	without, err := graph.Compile(plain.cost)
	if err != nil {
		t.Fatal(err)
	}
	var costs []float64
	for range 2 {
		run(t, train, l.feed(0))
		costs = append(costs, train.Scalar(l.cost))
	}
	if costs[0] == costs[1] {
		t.Error("two runs drop the same")
	}
	train.SetRuns(0)
	run(t, train, l.feed(0))
	if got := train.Scalar(l.cost); got != costs[0] || train.Runs() != 1 {
		t.Errorf("cost %v after SetRuns(0), want %v", got, costs[0])
	}
	run(t, eval, l.feed(0))
	run(t, without, plain.feed(0))
	if a, b := eval.Scalar(l.cost), without.Scalar(plain.cost); a != b {
		t.Errorf("evaluation costs %v with dropout, %v without", a, b)
	}
	// The share that falls is p.
	g := graph.New()
	w := g.Param(graph.NewParams(1).Root().Param("w", graph.Ones, 100000))
	mean := w.Dropout(0.3).Mean()
	p, err := graph.CompileTrain(mean)
	if err != nil {
		t.Fatal(err)
	}
	run(t, p, nil)
	if m := p.Scalar(mean); m < 0.99 || m > 1.01 {
		t.Errorf("mean of ones after dropout = %v", m)
	}
}

// Accumulate leaves the mean of the gradients of its feeds.
func TestAccumulate(t *testing.T) {
	l := newLM(t, 0)
	p, err := graph.CompileTrain(l.cost)
	if err != nil {
		t.Fatal(err)
	}
	run(t, p, l.feed(0))
	a, ca := l.grads(t), p.Scalar(l.cost)
	run(t, p, l.feed(9))
	b, cb := l.grads(t), p.Scalar(l.cost)
	for range 2 { // what the last call added up is gone
		cost, err := p.Accumulate(t.Context(), l.feed(0), l.feed(9))
		if err != nil {
			t.Fatal(err)
		}
		if want := (ca + cb) / 2; cost != want {
			t.Errorf("Accumulate = %v, want %v", cost, want)
		}
		for name, got := range l.grads(t) {
			for i := range got {
				if want := float32((float64(a[name][i]) + float64(b[name][i])) / 2); got[i] != want {
					t.Fatalf("gradient %d of %s = %v, want %v", i, name, got[i], want)
				}
			}
		}
	}
	if _, err := p.Accumulate(t.Context()); err == nil {
		t.Error("Accumulate of nothing: no error")
	}
	eval, err := graph.Compile(l.cost)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := eval.Accumulate(t.Context(), l.feed(0)); err == nil {
		t.Error("Accumulate of a program that does not train: no error")
	}
}

// A run that is cancelled or fails leaves neither values nor gradients.
func TestFailedRun(t *testing.T) {
	l := newLM(t, 0)
	p, err := graph.CompileTrain(l.cost)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Value(l.cost); err == nil {
		t.Error("Value before a run: no error")
	}
	run(t, p, l.feed(0))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Run(ctx, l.feed(0)); err == nil {
		t.Error("Run with a context that has ended: no error")
	}
	if _, err := p.Value(l.cost); err == nil {
		t.Error("Value after a failed run: no error")
	}
	if _, err := p.Value(l.logits); err == nil {
		t.Error("Value of no output: no error")
	}
	for name, param := range l.ps.All() {
		if _, err := param.Grad(); err == nil {
			t.Errorf("%s has a gradient after a failed run", name)
		}
	}
	run(t, p, l.feed(0))
}

// Two parameters never share the memory of their gradients, or clipping would scale it twice.
func TestGradientsAreApart(t *testing.T) {
	ps := graph.NewParams(1)
	a, b := ps.Root().Param("a", graph.Ones, 2), ps.Root().Param("b", graph.Ones, 2)
	c := ps.Root().Param("c", graph.Ones, 1, 2)
	g := graph.New()
	cost := g.Param(a).Add(g.Param(b)).Add(g.Param(c).Reshape(2)).Sum()
	p, err := graph.CompileTrain(cost)
	if err != nil {
		t.Fatal(err)
	}
	run(t, p, nil)
	for _, param := range []*graph.Param{a, b, c} {
		v, err := param.Grad()
		if err != nil {
			t.Fatal(err)
		}
		d := v.Data().([]float32)
		if d[0] != 1 || d[1] != 1 {
			t.Errorf("gradient of %v is %v", param, d)
		}
		d[0], d[1] = 5, 5
	}
}
