package graph_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/layers"
)

// decodable returns a model whose rows are no multiples of 32, and its parameters.
func decodable(t testing.TB, c layers.Config) *layers.TransformerLM {
	t.Helper()
	c.VocabSize, c.ContextLength, c.DModel, c.NumLayers, c.NumHeads, c.DFF = 300, 64, 72, 3, 6, 200
	m, err := layers.NewTransformerLM(graph.NewParams(5).Root(), c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// decode returns the logits after each of some tokens, of which the first 40 come at once.
func decode(t testing.TB, m *layers.TransformerLM, opts ...graph.Option) (all [][]float32) {
	t.Helper()
	dec, err := graph.NewDecoder(m.Forward, 64, opts...)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int, 64)
	for i := range ids {
		ids[i] = i * 37 % 300
	}
	for n := 40; len(ids) > 0; n = 1 {
		logits, err := dec.Next(t.Context(), ids[:n]...)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, slices.Clone(logits))
		ids = ids[n:]
	}
	return all
}

// Logits of a model with weights of eight bits are near those with its own, and not the same. Those of random weights, as
// these, differ by 0.013 to 0.022 of their size.
func TestInt8Decoder(t *testing.T) {
	for name, c := range map[string]layers.Config{
		"llama": {}, "tied": {TieEmbeddings: true}, "shared heads": {NumKVHeads: 2, SplitRoPE: true},
		"gpt2": {Position: layers.Learned, Norm: layers.NormLayer, Activation: layers.GELUTanh, Bias: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := decodable(t, c)
			want, got := decode(t, m), decode(t, m, graph.Int8())
			var square, size, worst float64
			for i := range want {
				for j, w := range want[i] {
					d := float64(got[i][j] - w)
					square, size, worst = square+d*d, size+float64(w)*float64(w), max(worst, math.Abs(d))
				}
			}
			n := float64(len(want) * len(want[0]))
			t.Logf("logits differ by %.4f, at most %.4f, of %.3f (root mean squares)", math.Sqrt(square/n), worst, math.Sqrt(size/n))
			if share := math.Sqrt(square / size); share == 0 || share > 0.03 {
				t.Errorf("logits differ by %.2g of their size, want at most 0.03 and more than 0", share)
			}
		})
	}
}

// int8Layer is a product with three matrices and what it is added to, in a graph that generates.
type int8Layer struct {
	x, y   graph.Node
	params []*graph.Param
	prog   *graph.Program
	feed   graph.Feed
}

func newInt8Layer(t testing.TB, params []*graph.Param, rows int, opts ...graph.Option) int8Layer {
	t.Helper()
	l := int8Layer{params: params}
	if params == nil {
		s := graph.NewParams(3).Root()
		for _, n := range []int{512, 128, 128} {
			l.params = append(l.params, s.Param(fmt.Sprint("w", n, len(l.params)), graph.Normal(0.1), n, 768))
		}
		graph.Pack(l.params...)
	}
	g := graph.New(append(opts, graph.Decode(64))...)
	l.x = g.Input("x", tensor.Float32, rows, 768)
	var ws []graph.Node
	for _, p := range l.params {
		ws = append(ws, g.Param(p))
	}
	l.y = l.x.Add(l.x.Linears(ws))
	var err error
	if l.prog, err = graph.Compile(l.y); err != nil {
		t.Fatal(err)
	}
	l.feed = graph.Feed{l.x: graph.Floats(wave(rows*768, 0.37), rows, 768)}
	return l
}

func (l int8Layer) run(t testing.TB) []float32 {
	t.Helper()
	run(t, l.prog, l.feed)
	v, err := l.prog.Value(l.y)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(v.Data().([]float32))
}

// The bits depend neither on the number of threads nor on that of rows.
func TestInt8SameBits(t *testing.T) {
	defer kernel.SetThreads(0)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var want []float32
	m := decodable(t, layers.Config{})
	var wantLogits [][]float32
	for _, threads := range []int{1, 2, 4} {
		kernel.SetThreads(threads)
		for _, rows := range []int{13, 1, 8} {
			got := newInt8Layer(t, nil, rows, graph.Int8()).run(t)
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want[:len(got)]) {
				t.Errorf("%d rows at %d threads have other bits", rows, threads)
			}
		}
		logits := decode(t, m, graph.Int8())
		if wantLogits == nil {
			wantLogits = logits
		}
		if !slices.EqualFunc(logits, wantLogits, slices.Equal[[]float32]) {
			t.Errorf("logits at %d threads have other bits", threads)
		}
	}
}

const int8Digest = "LOGITS_TEST_INT8_DIGEST"

// All kernels give the same bits of products, and of a model those of the two instruction sets.
func TestInt8SameBitsOnAllPaths(t *testing.T) {
	if os.Getenv(int8Digest) != "" {
		h := fnv.New64a()
		fmt.Fprint(h, newInt8Layer(t, nil, 5, graph.Int8()).run(t))
		product := h.Sum64()
		fmt.Fprint(h, decode(t, decodable(t, layers.Config{}), graph.Int8()))
		fmt.Printf("digests %x %x\n", product, h.Sum64())
		return
	}
	product, model := make(map[string]string), make(map[string]string)
	for _, path := range []string{"portable", "avx2", "avx512"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInt8SameBitsOnAllPaths$")
		cmd.Env = append(os.Environ(), "LOGITS_KERNEL="+path, int8Digest+"=1")
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), "supported here: ") {
			continue // not by this processor or this build
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", path, err, out)
		}
		var a, b string
		at := max(0, strings.Index(string(out), "digests"))
		if _, err := fmt.Sscanf(string(out[at:]), "digests %s %s", &a, &b); err != nil {
			t.Fatalf("%s: %v\n%s", path, err, out)
		}
		product[path], model[path] = a, b
	}
	if product["portable"] == "" {
		t.Fatal("no digest of the portable path")
	}
	for path := range product {
		if product[path] != product["portable"] {
			t.Errorf("products have the digests %v", product)
		}
	}
	if a, b := model["avx2"], model["avx512"]; a != b && b != "" {
		t.Errorf("models have the digests %v", model)
	}
}

// A run allocates no more than one in float32, and a product nothing.
func TestInt8Allocates(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	for _, rows := range []int{1, 9} {
		l := newInt8Layer(t, nil, rows, graph.Int8())
		if n := testing.AllocsPerRun(20, func() { run(t, l.prog, l.feed) }); n > 0 {
			t.Errorf("%d rows: %v allocations a run", rows, n)
		}
	}
	m := decodable(t, layers.Config{})
	step := func(opts ...graph.Option) float64 {
		dec, err := graph.NewDecoder(m.Forward, 64, opts...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := dec.Next(t.Context(), make([]int, 20)...); err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(20, func() {
			// At one place, since attention may need more memory at a later one.
			if err := dec.Truncate(19); err != nil {
				t.Fatal(err)
			}
			if _, err := dec.Next(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		})
	}
	if got, want := step(graph.Int8()), step(); got > want {
		t.Errorf("%v allocations a token, and %v in float32", got, want)
	}
}

// Graphs with one option have one set of rounded weights, from the time of the first. Others see what is there later.
func TestInt8Shares(t *testing.T) {
	shared := graph.Int8()
	first := newInt8Layer(t, nil, 2, shared)
	want := first.run(t)
	for _, p := range first.params {
		w := p.Value().Data().([]float32)
		for i := range w {
			w[i] *= -2
		}
	}
	if got := first.run(t); !slices.Equal(got, want) {
		t.Error("a graph sees what parameters become after it was built")
	}
	if got := newInt8Layer(t, first.params, 2, shared).run(t); !slices.Equal(got, want) {
		t.Error("a second graph with the same option has other weights")
	}
	// Twice the weights have twice the scales and the same integers.
	x := wave(2*768, 0.37)
	for i, y := range newInt8Layer(t, first.params, 2, graph.Int8()).run(t) {
		if w := x[i] - 2*(want[i]-x[i]); math.Abs(float64(y-w)) > 1e-5 {
			t.Fatalf("with another option number %d is %v, want %v", i, y, w)
		}
	}
	// Other sets of the same parameters are others.
	turned := slices.Clone(first.params)
	slices.Reverse(turned)
	if got := newInt8Layer(t, turned, 2, shared).run(t); slices.Equal(got, want) {
		t.Error("the order of weights does not matter")
	}
}

// Graphs with one option may be built at the same time.
func TestInt8SharesAmongGoroutines(t *testing.T) {
	shared := graph.Int8()
	m := decodable(t, layers.Config{})
	results := make([][][]float32, 4)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = decode(t, m, shared) })
	}
	wg.Wait()
	for _, got := range results[1:] {
		if !slices.EqualFunc(got, results[0], slices.Equal[[]float32]) {
			t.Error("decoders with one option differ")
		}
	}
}

// What is no product with a parameter stays as it is: the lookup of an embedding, and weights that a graph computes.
func TestInt8LeavesAlone(t *testing.T) {
	ps := graph.NewParams(1)
	table := ps.Root().Param("table", graph.Normal(1), 9, 40)
	compute := func(opts ...graph.Option) (looked, computed, product []float32) {
		g := graph.New(append(opts, graph.Decode(4))...)
		ids, w := g.Tokens("ids", 1, 3), g.Param(table)
		x := graph.Embedding(w, ids)
		outputs := []graph.Node{x, x.Linear(w.Scale(1)), x.Linear(w)}
		prog, err := graph.Compile(outputs...)
		if err != nil {
			t.Fatal(err)
		}
		run(t, prog, graph.Feed{ids: graph.Ints([]int{2, 0, 8}, 1, 3)})
		var all [3][]float32
		for i, n := range outputs {
			v, err := prog.Value(n)
			if err != nil {
				t.Fatal(err)
			}
			all[i] = v.Data().([]float32)
		}
		return all[0], all[1], all[2]
	}
	looked, computed, product := compute()
	looked8, computed8, product8 := compute(graph.Int8())
	if !slices.Equal(looked, looked8) || !slices.Equal(computed, computed8) {
		t.Error("an embedding or a product with a computed matrix is rounded")
	}
	if slices.Equal(product, product8) {
		t.Error("the product with the parameter is not rounded")
	}
}

// A product that is an output too, and so has a step of its own, has the same sum.
func TestInt8Sum(t *testing.T) {
	w := graph.NewParams(1).Root().Param("w", graph.Normal(1), 40, 40)
	sum := func(apart bool) []float32 {
		g := graph.New(graph.Decode(4), graph.Int8())
		x := g.Input("x", tensor.Float32, 3, 40)
		product := x.Linear(g.Param(w))
		outputs := []graph.Node{x.Add(product)}
		if apart {
			outputs = append(outputs, product)
		}
		prog, err := graph.Compile(outputs...)
		if err != nil {
			t.Fatal(err)
		}
		run(t, prog, graph.Feed{x: graph.Floats(wave(120, 1), 3, 40)})
		v, err := prog.Value(outputs[0])
		if err != nil {
			t.Fatal(err)
		}
		return v.Data().([]float32)
	}
	if got, want := sum(false), sum(true); !slices.Equal(got, want) {
		t.Errorf("the sum is %v, want %v", got, want)
	}
}

// A row of activations with NaN or Inf makes its row NaN and no other.
func TestInt8NotFinite(t *testing.T) {
	l := newInt8Layer(t, nil, 3, graph.Int8())
	want := l.run(t)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		l.feed[l.x].Data().([]float32)[768+100] = float32(bad)
		for i, y := range l.run(t) {
			if row := i / 768; row == 1 && y == y || row != 1 && y != want[i] {
				t.Fatalf("with %v in row 1, number %d of row %d is %v", bad, i%768, row, y)
			}
		}
	}
}

// Int8 where it cannot be is an error, and so are shapes that do not fit.
func TestInt8Misuse(t *testing.T) {
	linear := func(in int, dt tensor.Dtype, opts ...graph.Option) graph.Node {
		lin := layers.NewLinear(graph.NewParams(1, graph.DType(dt)).Root().At("layers", 3, "ffn", "w1"), 5, 7)
		return lin.Forward(graph.New(append(opts, graph.DType(dt))...).Input("x", dt, 2, in))
	}
	compiled := func(n graph.Node) func() error {
		return func() error { _, err := graph.Compile(n); return err }
	}
	refused(t, []misuse{
		{"no decoding", compiled(linear(5, tensor.Float32, graph.Int8())), []string{"Int8", "Decode is missing"}},
		{"float64", compiled(linear(5, tensor.Float64, graph.Int8(), graph.Decode(4))), []string{"Int8", "float64"}},
		{"decoder in float64", func() error {
			m, err := layers.NewTransformerLM(graph.NewParams(1, graph.DType(tensor.Float64)).Root(), small)
			if err != nil {
				return nil
			}
			_, err = graph.NewDecoder(m.Forward, 8, graph.DType(tensor.Float64), graph.Int8())
			return err
		}, []string{"NewDecoder", "Int8", "float64"}},
		{"parameters", func() error { return graph.NewParams(1, graph.Int8()).Err() }, []string{"Int8", "not of parameters"}},
		{"training", func() error {
			_, err := graph.CompileTrain(linear(5, tensor.Float32, graph.Int8(), graph.Decode(4)).Sum())
			return err
		}, []string{"Int8", "cannot be trained"}},
		{"shape", compiled(linear(4, tensor.Float32, graph.Int8(), graph.Decode(4))),
			[]string{"layers.3.ffn.w1: LinearInt8: x (2, 4) does not fit w (7, 5) layers.3.ffn.w1.weight"}},
		{"biases", func() error {
			g := graph.New(graph.Int8(), graph.Decode(4))
			b := g.Param(graph.NewParams(1).Root().Param("b", graph.Ones, 4, 4))
			_, err := graph.Compile(b.Linear(b, b, b))
			return err
		}, []string{"Linear: 2 biases"}},
	})
}
