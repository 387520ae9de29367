package graph_test

import (
	"context"
	"slices"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
)

// generators are models that generate, of different parts.
func generators(t testing.TB) (list []*layers.TransformerLM) {
	t.Helper()
	for _, c := range []layers.Config{
		{VocabSize: 19, ContextLength: 48, DModel: 32, NumLayers: 2, NumHeads: 4, NumKVHeads: 2, DFF: 24},
		{VocabSize: 19, ContextLength: 48, DModel: 24, NumLayers: 1, NumHeads: 2, DFF: 40, Norm: layers.NormLayer,
			Position: layers.Learned, Activation: layers.GELU, Bias: true, TieEmbeddings: true},
	} {
		m, err := layers.NewTransformerLM(graph.NewParams(2).Root(), c)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

func newDecoder(t testing.TB, m *layers.TransformerLM, opts ...graph.Option) *graph.Decoder {
	t.Helper()
	d, err := graph.NewDecoder(m.Forward, 48, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// logitsAlone returns the logits after each token, as a decoder gives them one by one.
func logitsAlone(t testing.TB, d *graph.Decoder, tokens []int) (rows [][]float32) {
	t.Helper()
	d.Reset()
	for _, token := range tokens {
		row, err := d.Next(context.Background(), token)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, slices.Clone(row))
	}
	return rows
}

// However tokens come, in pieces, after a detour that is taken back, in a fork, scored or drawn, the logits after a token
// have the same bits.
func TestDecoderProperties(t *testing.T) {
	for _, m := range generators(t) {
		for _, opts := range [][]graph.Option{nil, {graph.Int8()}} {
			d, alone := newDecoder(t, m, opts...), newDecoder(t, m, opts...)
			if d.Max() != 48 {
				t.Errorf("room for %d tokens", d.Max())
			}
			rapid.Check(t, func(rt *rapid.T) {
				tokens := rapid.SliceOfN(rapid.IntRange(0, 18), 1, 48).Draw(rt, "tokens")
				want := logitsAlone(t, alone, tokens)
				at, c := 0, d
				c.Reset()
				for at < len(tokens) {
					n := rapid.IntRange(1, len(tokens)-at).Draw(rt, "piece")
					switch rapid.IntRange(0, 3).Draw(rt, "how") {
					case 0: // a detour
						if _, err := c.Next(t.Context(), slices.Repeat([]int{3}, n)...); err != nil {
							rt.Fatal(err)
						}
						if err := c.Truncate(at); err != nil {
							rt.Fatal(err)
						}
					case 1: // a fork goes on, and the origin elsewhere
						f, err := c.Fork()
						if err != nil {
							rt.Fatal(err)
						}
						if _, err := c.Next(t.Context(), 5); err != nil {
							rt.Fatal(err)
						}
						c = f
					}
					if rapid.Bool().Draw(rt, "scored") {
						rows, err := c.NextAll(t.Context(), tokens[at:at+n]...)
						if err != nil {
							rt.Fatal(err)
						}
						for i, row := range rows {
							if !slices.Equal(row, want[at+i]) {
								rt.Fatalf("token %d scored with others has other logits than alone", at+i)
							}
						}
					} else {
						row, err := c.Next(t.Context(), tokens[at:at+n]...)
						if err != nil {
							rt.Fatal(err)
						}
						if !slices.Equal(row, want[at+n-1]) {
							rt.Fatalf("token %d after a piece of %d has other logits than alone", at+n-1, n)
						}
					}
					if at += n; c.Len() != at {
						rt.Fatalf("%d tokens, want %d", c.Len(), at)
					}
				}
			})
		}
	}
}

// Sequences of a batch have the logits that each has alone, whatever the others are given, copied or taken back.
func TestBatchDecoderProperties(t *testing.T) {
	m := generators(t)[0]
	const batch = 3
	d, err := graph.NewBatchDecoder(m.Forward, batch, 48)
	if err != nil {
		t.Fatal(err)
	}
	single := newDecoder(t, m)
	if d.Batch() != batch || d.Max() != 48 {
		t.Errorf("%d sequences of %d", d.Batch(), d.Max())
	}
	rapid.Check(t, func(rt *rapid.T) {
		d.Reset()
		var texts [batch][]int
		for range rapid.IntRange(1, 6).Draw(rt, "calls") {
			given := make([][]int, batch)
			some := false
			for i := range given {
				if room := 48 - len(texts[i]); room > 0 {
					given[i] = rapid.SliceOfN(rapid.IntRange(0, 18), 0, min(room, 10)).Draw(rt, "tokens")
				}
				some = some || len(given[i]) > 0
			}
			if !some {
				continue
			}
			rows, err := d.Next(t.Context(), given)
			if err != nil {
				rt.Fatal(err)
			}
			for i := range given {
				texts[i] = append(texts[i], given[i]...)
				if d.Len(i) != len(texts[i]) {
					rt.Fatalf("sequence %d has %d tokens, want %d", i, d.Len(i), len(texts[i]))
				}
				if len(given[i]) == 0 {
					if rows[i] != nil {
						rt.Fatalf("sequence %d has logits of no token", i)
					}
					continue
				}
				alone := logitsAlone(t, single, texts[i])
				if !slices.Equal(rows[i], alone[len(alone)-1]) {
					rt.Fatalf("sequence %d has other logits than alone", i)
				}
			}
			to, from := rapid.IntRange(0, batch-1).Draw(rt, "to"), rapid.IntRange(0, batch-1).Draw(rt, "from")
			if err := d.Copy(to, from); err != nil {
				rt.Fatal(err)
			}
			texts[to] = slices.Clone(texts[from])
			n := rapid.IntRange(0, len(texts[from])).Draw(rt, "kept")
			if err := d.Truncate(from, n); err != nil {
				rt.Fatal(err)
			}
			texts[from] = texts[from][:n:n]
		}
	})
}

// A model generates from what it is on whole texts, and Parity notices one that does not: here one that looks at the mean
// of all tokens.
func TestParity(t *testing.T) {
	tokens := []int{1, 5, 2, 18, 0, 3, 3, 7, 11, 4}
	for _, m := range generators(t) {
		diff, err := graph.Parity(t.Context(), m.Forward, tokens)
		if err != nil || diff > 1e-5 {
			t.Errorf("%v, %v", diff, err)
		}
	}
	table := graph.NewParams(1).Root().Param("w", graph.Normal(1), 19, 6)
	blurred := func(x graph.Node) graph.Node {
		h := graph.Embedding(x.Param(table), x)
		return h.Add(h.Mean(1).Reshape(1, 1, 6))
	}
	if diff, err := graph.Parity(t.Context(), blurred, tokens); err != nil || diff < 0.01 {
		t.Errorf("a model that looks at all tokens: %v, %v", diff, err)
	}
	ps := graph.NewParams(2, graph.DType(tensor.Float64))
	m, err := layers.NewTransformerLM(ps.Root(), generators(t)[0].Config)
	if err != nil {
		t.Fatal(err)
	}
	if diff, err := graph.Parity(t.Context(), m.Forward, tokens, graph.DType(tensor.Float64)); err != nil || diff > 1e-6 {
		t.Errorf("in float64: %v, %v", diff, err)
	}
}

// A countdown is a context that ends at its n-th look.
type countdown struct {
	context.Context
	left, late int // looks before the end, and after it
}

func (c *countdown) Err() error {
	if c.left > 0 {
		c.left--
		return nil
	}
	c.late++
	return context.Canceled
}

// Whenever a context ends, a call ends with its error before the next operation, and leaves everything as it was before.
func TestCancellation(t *testing.T) {
	r := newTrainer(t)
	if err := r.prog.Run(t.Context(), r.feed); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(grad(t, r.param))
	runs := r.prog.Runs()
	m := generators(t)[0]
	d := newDecoder(t, m)
	b, err := graph.NewBatchDecoder(m.Forward, 2, 48)
	if err != nil {
		t.Fatal(err)
	}
	prompt := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}
	if _, err := d.Next(t.Context(), prompt...); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Next(t.Context(), [][]int{prompt, {3}}); err != nil {
		t.Fatal(err)
	}
	all := logitsAlone(t, newDecoder(t, m), append(slices.Clone(prompt), prompt...))
	for name, c := range map[string]struct {
		call  func(ctx context.Context) error
		check func() error
	}{
		"Run": {func(ctx context.Context) error { return r.prog.Run(ctx, r.feed) }, func() error {
			if _, err := r.param.Grad(); err == nil || r.prog.Runs() != runs {
				return errors.Errorf("a gradient is there, after %d runs", r.prog.Runs())
			}
			return nil
		}},
		"Diagnose": {func(ctx context.Context) error { return r.prog.Diagnose(ctx, r.feed) }, func() error { return nil }},
		"Parity": {func(ctx context.Context) error {
			_, err := graph.Parity(ctx, m.Forward, prompt)
			return err
		}, func() error { return nil }},
		"Next": {func(ctx context.Context) error {
			_, err := d.Next(ctx, prompt...)
			d.Truncate(min(d.Len(), 13))
			return err
		}, func() error {
			if d.Len() != 13 {
				return errors.Errorf("%d tokens", d.Len())
			}
			return nil
		}},
		"NextAll": {func(ctx context.Context) error {
			_, err := d.NextAll(ctx, prompt...)
			d.Truncate(min(d.Len(), 13))
			return err
		}, func() error {
			if d.Len() != 13 {
				return errors.Errorf("%d tokens", d.Len())
			}
			return nil
		}},
		"BatchDecoder": {func(ctx context.Context) error {
			_, err := b.Next(ctx, [][]int{prompt, prompt[:4]})
			b.Truncate(0, min(b.Len(0), 13))
			b.Truncate(1, 1)
			return err
		}, func() error {
			if b.Len(0) != 13 || b.Len(1) != 1 {
				return errors.Errorf("%d and %d tokens", b.Len(0), b.Len(1))
			}
			return nil
		}},
	} {
		ends := 0
		for ; ; ends++ {
			ctx := &countdown{Context: t.Context(), left: ends}
			err := c.call(ctx)
			if err == nil && ctx.late == 0 {
				break
			}
			if !errors.Is(err, context.Canceled) || ctx.late != 1 {
				t.Fatalf("%s: it ends with %v after %d looks at a context that had ended", name, err, ctx.late)
			}
			if err := c.check(); err != nil {
				t.Fatalf("%s stopped at operation %d: %v", name, ends, err)
			}
		}
		if ends < 5 {
			t.Errorf("%s looks at its context %d times", name, ends)
		}
	}
	if row, err := d.Next(t.Context(), prompt...); err != nil || !slices.Equal(row, all[25]) {
		t.Errorf("after calls that were stopped the logits are others, %v", err)
	}
	if rows, err := b.Next(t.Context(), [][]int{prompt, nil}); err != nil || !slices.Equal(rows[0], all[25]) {
		t.Errorf("after calls that were stopped the logits of a batch are others, %v", err)
	}
	// The model has no dropout, so the run that follows has the same gradient.
	if err := r.prog.Run(t.Context(), r.feed); err != nil || !slices.Equal(grad(t, r.param), want) {
		t.Errorf("after runs that were stopped the gradient is another one, %v", err)
	}
}

// A trainer is a small model and a batch.
type trainer struct {
	prog  *graph.Program
	param *graph.Param
	feed  graph.Feed
}

func newTrainer(t testing.TB) *trainer {
	t.Helper()
	g := graph.New()
	x := g.Input("x", tensor.Float32, 3, 4)
	p := graph.NewParams(1).Root().Param("w", graph.Normal(1), 5, 4)
	h := x.Linear(g.Param(p)).SiLU().Softmax()
	prog, err := graph.CompileTrain(h.Mul(h).Sum())
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, 12)
	for i := range values {
		values[i] = float32(i%5) - 2
	}
	return &trainer{prog, p, graph.Feed{x: graph.Floats(values, 3, 4)}}
}

// The mean of gradients that Accumulate finds is that of the gradients of single runs, in float64 too.
func TestAccumulateIsTheMean(t *testing.T) {
	g := graph.New(graph.DType(tensor.Float64))
	x := g.Input("x", tensor.Float64, 2)
	ps := graph.NewParams(1, graph.DType(tensor.Float64))
	p := ps.Root().Param("w", graph.Uniform(1), 2)
	cost := x.Mul(g.Param(p)).Sum()
	prog, err := graph.CompileTrain(cost)
	if err != nil {
		t.Fatal(err)
	}
	feeds := []graph.Feed{{x: graph.Floats([]float64{1, 5}, 2)}, {x: graph.Floats([]float64{3, -1}, 2)}}
	mean, err := prog.Accumulate(t.Context(), feeds...)
	if err != nil {
		t.Fatal(err)
	}
	w := p.Value().Data().([]float64)
	d, err := p.Grad()
	if err != nil || !slices.Equal(d.Data().([]float64), []float64{2, 2}) {
		t.Errorf("gradient %v, %v, want the mean of the inputs", d, err)
	}
	if want := (4*w[0] + 4*w[1]) / 2; mean < want-1e-12 || mean > want+1e-12 {
		t.Errorf("cost %v, want %v", mean, want)
	}
	if last := 3*w[0] - w[1]; prog.Scalar(cost) < last-1e-12 || prog.Scalar(cost) > last+1e-12 {
		t.Errorf("the output is %v, want that of the last feed, %v", prog.Scalar(cost), last)
	}
	if ps.Size() != 2 || p.String() != "w (2)" || slices.Max(w) >= 1 || slices.Min(w) < -1 {
		t.Errorf("%d numbers in %v: %v", ps.Size(), p, w)
	}
	if err := prog.Close(); err != nil {
		t.Error(err)
	}
}
