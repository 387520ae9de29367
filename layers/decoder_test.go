package layers_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/sampler"
)

// generators are models that generate, of each kind.
var generators = map[string]layers.Config{
	"llama":        {VocabSize: 50, ContextLength: 64, DModel: 48, NumLayers: 2, NumHeads: 6, DFF: 40},
	"grouped":      {VocabSize: 50, ContextLength: 64, DModel: 64, NumLayers: 2, NumHeads: 8, NumKVHeads: 2, DFF: 72, SplitRoPE: true, TieEmbeddings: true},
	"gpt2":         {VocabSize: 50, ContextLength: 64, DModel: 40, NumLayers: 2, NumHeads: 4, DFF: 33, Norm: layers.NormLayer, Position: layers.Learned, Activation: layers.GELUTanh, Bias: true},
	"wide":         {VocabSize: 50, ContextLength: 64, DModel: 128, NumLayers: 1, NumHeads: 1, DFF: 64, Position: layers.Unordered},
	"many queries": {VocabSize: 50, ContextLength: 64, DModel: 64, NumLayers: 1, NumHeads: 16, NumKVHeads: 1, DFF: 64},
}

func generator(t testing.TB, c layers.Config, opts ...graph.Option) *layers.TransformerLM {
	t.Helper()
	m, err := layers.NewTransformerLM(graph.NewParams(3, opts...).Root(), c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newDecoder(t testing.TB, m *layers.TransformerLM, opts ...graph.Option) *graph.Decoder {
	t.Helper()
	d, err := graph.NewDecoder(m.Forward, m.Config.ContextLength, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newBatchDecoder(t testing.TB, m *layers.TransformerLM, batch int, opts ...graph.Option) *graph.BatchDecoder {
	t.Helper()
	d, err := graph.NewBatchDecoder(m.Forward, batch, m.Config.ContextLength, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// words returns n tokens below 50.
func words(seed, n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = (i*i*7 + i*3 + seed*11) % 50
	}
	return ids
}

// next continues a sequence and returns a copy of the logits.
func next(t testing.TB, d *graph.Decoder, tokens ...int) []float32 {
	t.Helper()
	row, err := d.Next(t.Context(), tokens...)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(row)
}

// oneByOne returns the logits after each of tokens.
func oneByOne(t testing.TB, d *graph.Decoder, tokens []int) (rows [][]float32) {
	t.Helper()
	d.Reset()
	for _, token := range tokens {
		rows = append(rows, next(t, d, token))
	}
	return rows
}

// Logits are the same to the last bit however a text is cut, whatever texts are beside it, and on any number of threads.
func TestDecodingIsSteady(t *testing.T) {
	t.Cleanup(func() { kernel.SetThreads(0) })
	for name, c := range generators {
		for kind, opt := range map[string]graph.Option{
			"float32": graph.DType(tensor.Float32), "float64": graph.DType(tensor.Float64), "int8": graph.Int8(),
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				dt := tensor.Float32
				if kind == "float64" {
					dt = tensor.Float64
				}
				m := generator(t, c, graph.DType(dt))
				d := newDecoder(t, m, opt)
				tokens := words(0, c.ContextLength)
				kernel.SetThreads(1)
				want := oneByOne(t, d, tokens)
				kernel.SetThreads(3)
				for i, row := range oneByOne(t, d, tokens) {
					if !slices.Equal(row, want[i]) {
						t.Fatalf("token %d: logits differ on 3 threads", i)
					}
				}
				for _, n := range []int{2, 3, 8, 9, 17, 33, 34, 50, 64} {
					d.Reset()
					if !slices.Equal(next(t, d, tokens[:n]...), want[n-1]) {
						t.Errorf("logits after a prompt of %d tokens differ", n)
					}
					if n < 64 && !slices.Equal(next(t, d, tokens[n]), want[n]) {
						t.Errorf("logits of the token after a prompt of %d differ", n)
					}
				}
				d.Reset()
				next(t, d, tokens[:5]...)
				rows, err := d.NextAll(t.Context(), tokens[5:]...)
				if err != nil {
					t.Fatal(err)
				}
				for i, row := range rows {
					if !slices.Equal(row, want[5+i]) {
						t.Fatalf("token %d: logits of NextAll differ", 5+i)
					}
				}
				testBatch(t, m, opt)
			})
		}
	}
}

// testBatch runs texts of different lengths side by side and each alone.
func testBatch(t *testing.T, m *layers.TransformerLM, opt graph.Option) {
	t.Helper()
	const batch = 5
	b := newBatchDecoder(t, m, batch, opt)
	var want [batch][][]float32
	var texts [batch][]int
	for i := range batch {
		texts[i] = words(i, 60-9*i)
		want[i] = oneByOne(t, newDecoder(t, m, opt), texts[i])
	}
	at := [batch]int{}
	for step := 0; slices.Max(at[:]) < 60; step++ {
		given := make([][]int, batch)
		for i := range batch {
			if n := (step*3 + i*5) % 11; step == 0 || n < 7 { // some get none
				given[i] = texts[i][at[i]:min(len(texts[i]), at[i]+max(n, 1))]
			}
			at[i] += len(given[i])
		}
		if !slices.ContainsFunc(given, func(s []int) bool { return len(s) > 0 }) {
			continue
		}
		rows, err := b.Next(t.Context(), given)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			if b.Len(i) != at[i] {
				t.Fatalf("step %d: sequence %d has %d tokens, want %d", step, i, b.Len(i), at[i])
			}
			if len(given[i]) == 0 && row != nil {
				t.Fatalf("step %d: sequence %d has logits for no token", step, i)
			}
			if len(given[i]) > 0 && !slices.Equal(row, want[i][at[i]-1]) {
				t.Fatalf("step %d: logits of sequence %d differ from those alone", step, i)
			}
		}
	}
}

// A copy, and a fork, go on from the same text without a trace of each other.
func TestForks(t *testing.T) {
	m := generator(t, generators["grouped"])
	d := newDecoder(t, m)
	prompt := words(1, 40)
	next(t, d, prompt...)
	f, err := d.Fork()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := words(2, 10), words(3, 10)
	for i := range ours {
		a, b := next(t, d, ours[i]), next(t, f, theirs[i])
		if i == 9 {
			for name, pair := range map[string][2][]float32{
				"the original": {a, next(t, newDecoder(t, m), slices.Concat(prompt, ours)...)},
				"the fork":     {b, next(t, newDecoder(t, m), slices.Concat(prompt, theirs)...)},
			} {
				if !slices.Equal(pair[0], pair[1]) {
					t.Errorf("logits of %s differ from those of its text", name)
				}
			}
		}
	}
	b := newBatchDecoder(t, m, 3)
	if _, err := b.Next(t.Context(), [][]int{words(5, 50), prompt, nil}); err != nil {
		t.Fatal(err)
	}
	for _, to := range []int{0, 1, 2} {
		if err := b.Copy(to, 1); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := b.Next(t.Context(), [][]int{ours, {1}, theirs})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range [][]int{ours, {1}, theirs} {
		if !slices.Equal(rows[i], next(t, newDecoder(t, m), slices.Concat(prompt, text)...)) {
			t.Errorf("logits of copy %d differ", i)
		}
	}
	if err := b.Truncate(0, 20); err != nil {
		t.Fatal(err)
	}
	if rows, err = b.Next(t.Context(), [][]int{{7}, nil, nil}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows[0], next(t, newDecoder(t, m), append(slices.Clone(prompt[:20]), 7)...)) {
		t.Error("logits after Truncate differ")
	}
}

func TestParity(t *testing.T) {
	for name, c := range generators {
		for dt, limit := range map[tensor.Dtype]float64{tensor.Float32: 1e-5, tensor.Float64: 1e-7} { // rows are float32
			m := generator(t, c, graph.DType(dt))
			diff, err := graph.Parity(t.Context(), m.Forward, words(0, 50), graph.DType(dt))
			if err != nil || diff > limit {
				t.Errorf("%s in %v: %v, %v", name, dt, diff, err)
			}
		}
	}
	// A model that looks at other tokens behind the graph's back is found out.
	m := generator(t, generators["llama"])
	diff, err := graph.Parity(t.Context(), func(tokens graph.Node) graph.Node {
		x := m.Hidden(tokens)
		x = x.Add(x.Mean(1).Reshape(1, 1, -1))
		return x.Linear(x.Param(m.Head()))
	}, words(0, 20))
	if err != nil || diff < 1e-2 {
		t.Errorf("a model that averages over tokens: %v, %v", diff, err)
	}
}

// Decoders of one model that run on several goroutines write what one writes alone.
func TestDecodersAtOnce(t *testing.T) {
	m := generator(t, generators["grouped"])
	write := func(d *graph.Decoder, seed uint64) (text []int, err error) {
		s := &sampler.Sampler{Temperature: 1, Seed: seed}
		for token, err := range s.Generate(context.Background(), d, words(int(seed), 12), 50) {
			if err != nil {
				return nil, err
			}
			text = append(text, token)
		}
		return text, nil
	}
	const goroutines = 8
	var alone, together [goroutines][]int
	var errs [goroutines]error
	for i := range goroutines {
		var err error
		if alone[i], err = write(newDecoder(t, m), uint64(i%4)); err != nil {
			t.Fatal(err)
		}
	}
	first := newDecoder(t, m)
	var wg sync.WaitGroup
	for i := range goroutines {
		var d *graph.Decoder
		if i%2 == 0 { // a fork shares its graph
			var err error
			if d, err = first.Fork(); err != nil {
				t.Fatal(err)
			}
		}
		wg.Go(func() {
			if d == nil {
				if d, errs[i] = graph.NewDecoder(m.Forward, m.Config.ContextLength); errs[i] != nil {
					return
				}
			}
			together[i], errs[i] = write(d, uint64(i%4))
		})
	}
	wg.Wait()
	for i := range goroutines {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if len(alone[i]) != 50 || !slices.Equal(alone[i], together[i]) {
			t.Errorf("goroutine %d wrote %v, want %v", i, together[i], alone[i])
		}
	}
}

func TestDecoderErrors(t *testing.T) {
	m := generator(t, generators["llama"])
	d, b := newDecoder(t, m), newBatchDecoder(t, m, 2)
	next(t, d, words(0, 60)...)
	if _, err := b.Next(t.Context(), [][]int{words(0, 60), {1}}); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	forward := m.Forward
	for name, test := range map[string]struct {
		f    func() error
		want []string
	}{
		"limit":           {func() error { _, err := d.Next(t.Context(), 1, 2, 3, 4, 5); return err }, []string{"5 tokens after 60", "64"}},
		"limit in batch":  {func() error { _, err := b.Next(t.Context(), [][]int{words(0, 5), {1}}); return err }, []string{"5 tokens after 60", "64"}},
		"limit of scores": {func() error { _, err := d.NextAll(t.Context(), 1, 2, 3, 4, 5); return err }, []string{"5 tokens after 60", "64"}},
		"nothing":         {func() error { _, err := d.Next(t.Context()); return err }, []string{"no tokens"}},
		"nothing at all":  {func() error { _, err := b.Next(t.Context(), [][]int{nil, nil}); return err }, []string{"no tokens"}},
		"rows":            {func() error { _, err := b.Next(t.Context(), [][]int{{1}}); return err }, []string{"1 sequences for 2"}},
		"token":           {func() error { _, err := d.Next(t.Context(), 1, 50); return err }, []string{"token 50", "token_embeddings"}},
		"later token":     {func() error { _, err := b.Next(t.Context(), [][]int{{1}, {2, 3, -1}}); return err }, []string{"token -1"}},
		"context":         {func() error { _, err := d.Next(cancelled, 1, 2, 3); return err }, []string{"canceled"}},
		"batch context":   {func() error { _, err := b.Next(cancelled, [][]int{{1}, {2}}); return err }, []string{"canceled"}},
		"no sequence":     {func() error { return b.Copy(0, 2) }, []string{"sequence 2 of 2"}},
		"truncate":        {func() error { return d.Truncate(61) }, []string{"61 tokens of 60"}},
		"truncate batch":  {func() error { return b.Truncate(-1, 0) }, []string{"sequence -1 of 2"}},
		"no batch":        {func() error { _, err := graph.NewBatchDecoder(forward, 0, 8); return err }, []string{"0 sequences"}},
		"no room":         {func() error { _, err := graph.NewBatchDecoder(forward, 1, 0); return err }, []string{"0 tokens"}},
		"context length": {func() error {
			_, err := graph.NewDecoder(generator(t, layers.Config{VocabSize: 9, ContextLength: 16, DModel: 8, NumLayers: 1, NumHeads: 1}).Forward, 99)
			return err
		}, []string{"32 tokens exceed a context of 16"}},
	} {
		err := test.f()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not contain %q", name, err, want)
			}
		}
	}
	// Sequences are as they were.
	if d.Len() != 60 || b.Len(0) != 60 || b.Len(1) != 1 {
		t.Fatalf("lengths %d, %d and %d after errors", d.Len(), b.Len(0), b.Len(1))
	}
	want := next(t, newDecoder(t, m), append(words(0, 60), 8)...)
	rows, err := b.Next(t.Context(), [][]int{{8}, nil})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(next(t, d, 8), want) || !slices.Equal(rows[0], want) {
		t.Error("logits differ after errors")
	}
}

// A program of a generating graph counts by itself, and begins anew when it is reset.
func TestGeneratingProgram(t *testing.T) {
	m := generator(t, generators["llama"])
	tokens := words(0, 32)
	want := oneByOne(t, newDecoder(t, m), tokens)
	g := graph.New(graph.Decode(32))
	in := g.Tokens("tokens", 2, 4)
	out := m.Forward(in)
	prog, err := graph.Compile(out)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for i := 0; i < 32; i += 4 {
			ids := slices.Concat(tokens[i:i+4], tokens[i:i+4])
			if err := prog.Run(t.Context(), graph.Feed{in: graph.Ints(ids, 2, 4)}); err != nil {
				t.Fatal(err)
			}
			v, err := prog.Value(out)
			if err != nil {
				t.Fatal(err)
			}
			rows := v.Data().([]float32)
			for j := range 8 {
				if !slices.Equal(rows[j*50:][:50], want[i+j%4]) {
					t.Fatalf("token %d: logits differ", i+j%4)
				}
			}
		}
		err := prog.Run(t.Context(), graph.Feed{in: graph.Ints(tokens[:8], 2, 4)})
		if err == nil || !strings.Contains(err.Error(), "position 35 is outside a sequence of 32 tokens") {
			t.Fatalf("error %v at the end of the sequences", err)
		}
		prog.Reset()
	}
}
