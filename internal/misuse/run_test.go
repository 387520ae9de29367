package misuse

import (
	"context"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
)

// A rig is a small training program with an input of every kind: x (1, 2, 4), ids and targets (1, 2) of a vocabulary of 5,
// and a mask (2, 2).
type rig struct {
	g                     *graph.Graph
	x, ids, targets, mask node
	logits, cost          node
	prog                  *graph.Program
	table                 *graph.Param
}

func newRig() (r *rig, err error) {
	r = &rig{g: graph.New()}
	r.x, r.ids, r.targets = r.g.Input("x", tensor.Float32, 1, 2, 4), r.g.Tokens("ids", 1, 2), r.g.Tokens("targets", 1, 2)
	r.mask = r.g.Input("mask", tensor.Bool, 2, 2)
	r.table = graph.NewParams(1).Root().At("emb").Param("weight", graph.Normal(1), 5, 4)
	h := r.x.Add(graph.Embedding(r.g.Param(r.table), r.ids))
	h = graph.Attention(h, h, h, graph.Attend{Heads: 2, Mask: r.mask})
	r.logits = h.Linear(r.g.Param(r.table))
	r.cost = graph.Apply2(loss.CrossEntropy, r.logits, r.targets)
	r.prog, err = graph.CompileTrain(r.cost, r.logits)
	return r, err
}

// good feeds everything as it should be.
func (r *rig) good() graph.Feed {
	return graph.Feed{
		r.x: graph.Floats(make([]float32, 8), 1, 2, 4), r.ids: graph.Ints([]int{1, 2}, 1, 2),
		r.targets: graph.Ints([]int{2, 3}, 1, 2), r.mask: truths(4, 2, 2),
	}
}

func truths(n int, shape ...int) tensor.Tensor {
	b := make([]bool, n)
	for i := range b {
		b[i] = true
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(b))
}

// during is a context that does something when it is looked at.
type during struct {
	context.Context
	do  func() error
	err error
}

func (d *during) Err() error {
	d.err = d.do()
	return nil
}

// ran returns the error of what do makes of a rig that works.
func ran(do func(r *rig, f graph.Feed) error) func() error {
	return func() error {
		r, err := newRig()
		if err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		if err := r.prog.Run(context.Background(), r.good()); err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		return do(r, r.good())
	}
}

// fed returns the error of a run with one value of the feed changed.
func fed(input func(r *rig) node, v tensor.Tensor) func() error {
	return ran(func(r *rig, f graph.Feed) error {
		f[input(r)] = v
		return r.prog.Run(context.Background(), f)
	})
}

func running(*testing.T) []mistake {
	x, ids := func(r *rig) node { return r.x }, func(r *rig) node { return r.ids }
	targets, mask := func(r *rig) node { return r.targets }, func(r *rig) node { return r.mask }
	eight := func(first float32) tensor.Tensor { return graph.Floats([]float32{first, 0, 0, 0, 0, 0, 0, 0}, 1, 2, 4) }
	sliced := func(d *tensor.Dense, s ...tensor.Slice) tensor.Tensor {
		v, err := d.Slice(s...)
		if err != nil {
			panic(err)
		}
		return v
	}
	bg := context.Background()
	ended, cancel := context.WithCancel(bg)
	cancel()
	return []mistake{
		{"numbers of another shape", fed(x, graph.Floats(make([]float32, 8), 1, 4, 2)), []string{"input x", "(1, 4, 2)", "(1, 2, 4)"}},
		{"numbers too few", fed(x, graph.Floats(make([]float32, 7), 1, 2, 4)), []string{"input x"}},
		{"numbers of another rank", fed(x, graph.Floats(make([]float32, 8), 2, 4)), []string{"input x", "(2, 4)", "(1, 2, 4)"}},
		{"numbers of float64", fed(x, graph.Floats(make([]float64, 8), 1, 2, 4)), []string{"input x", "float64", "float32"}},
		{"numbers of int32", fed(x, tensor.New(tensor.WithShape(1, 2, 4), tensor.WithBacking(make([]int32, 8)))), []string{"input x", "int32"}},
		{"a nil tensor", fed(x, nil), []string{"input x"}},
		{"a nil Dense", fed(x, (*tensor.Dense)(nil)), []string{"input x"}},
		{"a zero Dense", fed(x, new(tensor.Dense)), []string{"input x"}},
		{"a slice of a larger tensor", fed(x, sliced(tensor.New(tensor.WithShape(1, 2, 8), tensor.WithBacking(make([]float32, 16))), nil, nil, gorgonia.S(0, 4))), []string{"input x", "view"}},
		{"a sparse tensor", fed(x, tensor.CSRFromCoord(tensor.Shape{2, 4}, []int{0, 1}, []int{1, 2}, []float32{1, 2})), []string{"input x"}},
		{"a masked tensor", fed(x, tensor.New(tensor.WithShape(1, 2, 4), tensor.WithBacking(make([]float32, 8), make([]bool, 8)))), []string{"input x", "mask"}},
		{"NaN", fed(x, eight(float32(nan))), []string{"CrossEntropy", "[0 0]", "NaN"}},
		{"infinity", fed(x, eight(float32(inf))), []string{"CrossEntropy", "[0 0]"}},
		{"ids as numbers", fed(ids, graph.Floats(make([]float32, 2), 1, 2)), []string{"input ids", "float32", "int"}},
		{"ids of int64", fed(ids, tensor.New(tensor.WithShape(1, 2), tensor.WithBacking(make([]int64, 2)))), []string{"input ids", "int64"}},
		{"ids too few", fed(ids, graph.Ints([]int{1}, 1, 1)), []string{"input ids", "(1, 1)", "(1, 2)"}},
		{"ids of one axis", fed(ids, graph.Ints([]int{1, 2}, 2)), []string{"input ids", "(2)", "(1, 2)"}},
		{"no ids", fed(ids, graph.Ints(nil)), []string{"input ids"}},
		{"ids of a negative shape", fed(ids, graph.Ints([]int{1, 2}, -1, -2)), []string{"input ids"}},
		{"an id too large", fed(ids, graph.Ints([]int{1, 5}, 1, 2)), []string{"emb", "Embedding", "token 5 at [0 1]", "(5, 4)"}},
		{"an id far too large", fed(ids, graph.Ints([]int{1 << 62, 1}, 1, 2)), []string{"emb", "Embedding", "token 4611686018427387904 at [0 0]"}},
		{"a negative id", fed(ids, graph.Ints([]int{1, -1}, 1, 2)), []string{"Embedding", "token -1 at [0 1]"}},
		{"a target too large", fed(targets, graph.Ints([]int{1, 5}, 1, 2)), []string{"CrossEntropy", "target 5 at [0 1]", "5 classes"}},
		{"a negative target", fed(targets, graph.Ints([]int{-1, 1}, 1, 2)), []string{"CrossEntropy", "target -1 at [0 0]"}},
		{"a mask of ids", fed(mask, graph.Ints(make([]int, 4), 2, 2)), []string{"input mask", "int", "bool"}},
		{"a mask of another shape", fed(mask, truths(4, 4, 1)), []string{"input mask", "(4, 1)", "(2, 2)"}},
		{"nothing", ran(func(r *rig, f graph.Feed) error { return r.prog.Run(bg, nil) }), []string{"input", "has no value"}},
		{"no mask", ran(func(r *rig, f graph.Feed) error { delete(f, r.mask); return r.prog.Run(bg, f) }), []string{"input mask (2, 2) has no value"}},
		{"a value for a result", ran(func(r *rig, f graph.Feed) error { f[r.logits] = eight(0); return r.prog.Run(bg, f) }), []string{"no input"}},
		{"a value for a parameter", ran(func(r *rig, f graph.Feed) error {
			f[r.g.Param(r.table)] = eight(0)
			return r.prog.Run(bg, f)
		}), []string{"emb.weight", "no input"}},
		{"a value for no node", ran(func(r *rig, f graph.Feed) error { f[node{}] = eight(0); return r.prog.Run(bg, f) }), []string{"another graph"}},
		{"the feed of another graph", ran(func(r *rig, f graph.Feed) error {
			other, err := newRig()
			if err != nil {
				return err
			}
			return r.prog.Run(bg, other.good())
		}), []string{"another graph"}},
		{"a context that has ended", ran(func(r *rig, f graph.Feed) error { return r.prog.Run(ended, f) }), []string{"graph", "context canceled"}},
		{"no context", ran(func(r *rig, f graph.Feed) error { return r.prog.Run(nil, f) }), []string{"context"}}, //nolint
		{"a run during a run", ran(func(r *rig, f graph.Feed) error {
			during := &during{Context: context.Background(), do: func() error { return r.prog.Run(context.Background(), f) }}
			if err := r.prog.Run(during, f); err != nil {
				return nil
			}
			return during.err
		}), []string{"Run", "running already"}},
		{"RunAll without values", func() error {
			g := graph.New()
			prog, err := graph.Compile(g.Input("x", tensor.Float32, 2).SiLU())
			if err != nil {
				return nil
			}
			return prog.RunAll()
		}, []string{"input x (2)", "no value"}},
		{"Let of another type", func() error {
			g := graph.New()
			x := g.Input("x", tensor.Float32, 2)
			prog, err := graph.Compile(x.SiLU())
			if err != nil {
				return nil
			}
			if err := gorgonia.Let(x.Gorgonia(), tensor.New(tensor.WithBacking(make([]float64, 2)))); err != nil {
				return errors.WithMessage(err, "input x (2) float64") // Gorgonia noticed
			}
			return prog.RunAll()
		}, []string{"input x", "(2)", "float64"}},
		{"the zero Program", func() error { var p graph.Program; return p.Run(bg, nil) }, []string{"graph", "Program"}},
		{"RunAll of the zero Program", func() error { var p graph.Program; return p.RunAll() }, []string{"graph", "Program"}},
		{"Accumulate of the zero Program", func() error { var p graph.Program; _, err := p.Accumulate(bg, graph.Feed{}); return err }, []string{"graph"}},
		{"Diagnose of the zero Program", func() error { var p graph.Program; return p.Diagnose(bg, graph.Feed{}) }, []string{"graph"}},
		{"a value of the zero Program", func() error { var p graph.Program; _, err := p.Value(node{}); return err }, []string{"graph"}},
		{"a value that is no output", ran(func(r *rig, f graph.Feed) error { _, err := r.prog.Value(r.x); return err }), []string{"x", "output"}},
		{"the value of no node", ran(func(r *rig, f graph.Feed) error { _, err := r.prog.Value(node{}); return err }), []string{"output"}},
		{"a value after an error", ran(func(r *rig, f graph.Feed) error {
			if r.prog.Run(ended, f) == nil {
				return nil
			}
			_, err := r.prog.Value(r.logits)
			return err
		}), []string{"Value", "its last run failed"}},
		{"a gradient after an error", ran(func(r *rig, f graph.Feed) error {
			if r.prog.Run(ended, f) == nil {
				return nil
			}
			_, err := r.table.Grad()
			return err
		}), []string{"emb.weight has no gradient"}},
		{"Accumulate of nothing", ran(func(r *rig, f graph.Feed) error { _, err := r.prog.Accumulate(bg); return err }), []string{"graph", "Accumulate", "feed"}},
		{"Accumulate with a feed that is wrong", ran(func(r *rig, f graph.Feed) error {
			_, err := r.prog.Accumulate(bg, f, graph.Feed{r.x: eight(0)})
			return err
		}), []string{"feed 1", "has no value"}},
		{"Accumulate of a program that does not train", func() error {
			g := graph.New()
			x := g.Input("x", tensor.Float32, 1)
			prog, err := graph.Compile(x.SiLU())
			if err != nil {
				return nil
			}
			_, err = prog.Accumulate(bg, graph.Feed{x: graph.Floats([]float32{1}, 1)})
			return err
		}, []string{"Accumulate", "train"}},
		{"Accumulate after the end", ran(func(r *rig, f graph.Feed) error { _, err := r.prog.Accumulate(ended, f); return err }), []string{"context canceled"}},
		{"Diagnose of nothing", ran(func(r *rig, f graph.Feed) error { return r.prog.Diagnose(bg) }), []string{"graph", "Diagnose", "feed"}},
		{"Diagnose with a feed that is wrong", ran(func(r *rig, f graph.Feed) error { return r.prog.Diagnose(bg, graph.Feed{}) }), []string{"Diagnose", "has no value"}},
	}
}

var small = layers.Config{VocabSize: 5, ContextLength: 8, DModel: 8, NumLayers: 1, NumHeads: 2}

func newModel(c layers.Config) (*layers.TransformerLM, error) {
	return layers.NewTransformerLM(graph.NewParams(1).Root(), c)
}

// decoded returns the error of what do makes of a decoder of 8 tokens that has two, which must keep them.
func decoded(do func(d *graph.Decoder) error, opts ...graph.Option) func() error {
	return func() error {
		m, err := newModel(small)
		if err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		d, err := graph.NewDecoder(m.Forward, 8, opts...)
		if err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		if _, err := d.Next(context.Background(), 1, 2); err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		if err = do(d); d.Len() != 2 {
			return errors.Errorf("the decoder has %d tokens", d.Len())
		}
		return err
	}
}

// batched is decoded for two sequences, of two tokens and of one.
func batched(do func(d *graph.BatchDecoder) error) func() error {
	return func() error {
		m, err := newModel(small)
		if err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		d, err := graph.NewBatchDecoder(m.Forward, 2, 8)
		if err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		if _, err := d.Next(context.Background(), [][]int{{1, 2}, {3}}); err != nil {
			return errors.WithMessage(err, "not expected here")
		}
		if err = do(d); d.Len(0) != 2 || d.Len(1) != 1 {
			return errors.Errorf("the decoder has %d and %d tokens", d.Len(0), d.Len(1))
		}
		return err
	}
}

func decoders(*testing.T) []mistake {
	bg := context.Background()
	ended, cancel := context.WithCancel(bg)
	cancel()
	next := func(tokens ...int) func() error {
		return decoded(func(d *graph.Decoder) error { _, err := d.Next(bg, tokens...); return err })
	}
	nextAll := func(tokens ...int) func() error {
		return decoded(func(d *graph.Decoder) error { _, err := d.NextAll(bg, tokens...); return err })
	}
	batch := func(tokens ...[]int) func() error {
		return batched(func(d *graph.BatchDecoder) error { _, err := d.Next(bg, tokens); return err })
	}
	of := func(forward func(node) node, opts ...graph.Option) func() error {
		return func() error { _, err := graph.NewDecoder(forward, 8, opts...); return err }
	}
	parity := func(forward func(node) node, tokens ...int) func() error {
		return func() error { _, err := graph.Parity(bg, forward, tokens); return err }
	}
	forward := func(x node) node {
		m, err := newModel(small)
		if err != nil {
			return node{}
		}
		return m.Forward(x)
	}
	table := func(x node, init graph.Init) node {
		return graph.Embedding(x.Param(graph.NewParams(1).Root().Param("w", init, 5, 3)), x)
	}
	return []mistake{
		{"no model", of(nil), []string{"NewDecoder", "no model"}},
		{"a model that returns no node", of(func(node) node { return node{} }), []string{"NewDecoder"}},
		{"a model that returns its tokens", of(func(x node) node { return x }), []string{"NewDecoder", "(1, 1)", "vocab"}},
		{"a model that returns a vector", of(func(x node) node { return table(x, graph.Ones).Sum(0, 1) }), []string{"NewDecoder", "(3)"}},
		{"a model that returns the mean of the text", of(func(x node) node { return table(x, graph.Ones).Mean(1) }), []string{"NewDecoder", "(1, 3)"}},
		{"a model that panics", of(func(node) node { panic("boom") }), []string{"NewDecoder", "boom"}},
		{"a model of another graph", of(func(node) node { return table(graph.New().Tokens("t", 1, 1), graph.Ones) }), []string{"NewDecoder", "another graph"}},
		{"a model that looks ahead", of(func(x node) node {
			h := table(x, graph.Ones)
			return graph.Attention(h, h, h, graph.Attend{Heads: 1, Bidirectional: true})
		}), []string{"NewDecoder", "Attention", "look ahead"}},
		{"a model with a mistake", of(func(x node) node { return table(x, graph.Ones).Add(table(x, graph.Ones).Reshape(-1)) }), []string{"NewDecoder"}},
		{"a model with an input of its own", of(func(x node) node { return table(x, graph.Ones).Add(x.Graph().Input("bias", tensor.Float32, 3)) }), []string{"NewDecoder", "bias"}},
		{"a model of float64 in float32", of(func(x node) node {
			w := graph.NewParams(1, graph.DType(tensor.Float64)).Root().Param("w", graph.Ones, 5, 3)
			return graph.Embedding(x.Param(w), x)
		}), []string{"NewDecoder", "w holds float64"}},
		{"logits in float64", of(forward, graph.DType(tensor.Float64)), []string{"NewDecoder", "float"}},
		{"no room", func() error { _, err := graph.NewDecoder(forward, 0); return err }, []string{"NewDecoder", "0 tokens"}},
		{"negative room", func() error { _, err := graph.NewDecoder(forward, -8); return err }, []string{"NewDecoder", "-8 tokens"}},
		{"a room beyond any memory", func() error { _, err := graph.NewDecoder(forward, 1<<50); return err }, []string{"NewDecoder"}},
		{"a nil option", of(forward, nil), []string{"NewDecoder", "nil option"}},
		{"a length of its own", of(forward, graph.Decode(3)), []string{"NewDecoder", "Decode"}},
		{"eight bits of float64", of(forward, graph.Int8(), graph.DType(tensor.Float64)), []string{"NewDecoder", "Int8"}},
		{"no tokens", next(), []string{"Decoder", "no tokens"}},
		{"a token too large", next(1, 5), []string{"Decoder", "Embedding", "token 5"}},
		{"a token too large in a prompt", next(1, 2, 5, 1, 2, 3), []string{"Decoder", "Embedding", "token 5"}},
		{"a negative token", next(-1), []string{"Decoder", "Embedding", "token -1"}},
		{"too many tokens", next(1, 2, 3, 4, 0, 1, 2), []string{"Decoder", "7 tokens after 2 exceed a sequence of 8"}},
		{"a context that has ended", decoded(func(d *graph.Decoder) error { _, err := d.Next(ended, 1); return err }), []string{"Decoder", "context canceled"}},
		{"no context", decoded(func(d *graph.Decoder) error { _, err := d.Next(nil, 1); return err }), []string{"context"}}, //nolint
		{"NextAll of no tokens", nextAll(), []string{"Decoder", "no tokens"}},
		{"NextAll of a token too large", nextAll(1, 2, 9), []string{"Decoder", "Embedding", "token 9"}},
		{"NextAll of too many tokens", nextAll(1, 2, 3, 4, 0, 1, 2), []string{"Decoder", "7 tokens after 2"}},
		{"NextAll after the end", decoded(func(d *graph.Decoder) error { _, err := d.NextAll(ended, 1, 2); return err }), []string{"Decoder", "context canceled"}},
		{"eight bits and a token too large", decoded(func(d *graph.Decoder) error { _, err := d.Next(bg, 7); return err }, graph.Int8()), []string{"Embedding", "token 7"}},
		{"Truncate to more than there is", decoded(func(d *graph.Decoder) error { return d.Truncate(3) }), []string{"Decoder", "3 tokens of 2"}},
		{"Truncate to less than none", decoded(func(d *graph.Decoder) error { return d.Truncate(-1) }), []string{"Decoder", "-1 tokens of 2"}},
		{"a fork that is given too much", decoded(func(d *graph.Decoder) error {
			f, err := d.Fork()
			if err != nil {
				return nil
			}
			_, err = f.Next(bg, 1, 2, 3, 4, 0, 1, 2)
			return err
		}), []string{"Decoder", "7 tokens after 2"}},
		{"the zero Decoder", func() error { var d graph.Decoder; _, err := d.Next(bg, 1); return err }, []string{"Decoder"}},
		{"NextAll of the zero Decoder", func() error { var d graph.Decoder; _, err := d.NextAll(bg, 1); return err }, []string{"Decoder"}},
		{"a fork of the zero Decoder", func() error { var d graph.Decoder; _, err := d.Fork(); return err }, []string{"Decoder"}},
		{"Truncate of the zero Decoder", func() error { var d graph.Decoder; d.Reset(); return d.Truncate(d.Len() + 1) }, []string{"Decoder"}},
		{"the zero BatchDecoder", func() error { var d graph.BatchDecoder; _, err := d.Next(bg, [][]int{{1}}); return err }, []string{"BatchDecoder"}},
		{"Copy of the zero BatchDecoder", func() error { var d graph.BatchDecoder; d.Reset(); return d.Copy(d.Len(0), d.Max()) }, []string{"BatchDecoder"}},
		{"a batch of none", func() error { _, err := graph.NewBatchDecoder(forward, 0, 8); return err }, []string{"NewBatchDecoder", "0"}},
		{"a batch of less than none", func() error { _, err := graph.NewBatchDecoder(forward, -1, 8); return err }, []string{"NewBatchDecoder", "-1"}},
		{"a batch without a model", func() error { _, err := graph.NewBatchDecoder(nil, 2, 8); return err }, []string{"NewBatchDecoder", "no model"}},
		{"a batch without room", func() error { _, err := graph.NewBatchDecoder(forward, 2, 0); return err }, []string{"NewBatchDecoder", "0 tokens"}},
		{"tokens of a sequence too few", batch([]int{1}), []string{"BatchDecoder", "tokens of 1 sequences for 2"}},
		{"tokens of a sequence too many", batch([]int{1}, nil, []int{1}), []string{"BatchDecoder", "tokens of 3 sequences for 2"}},
		{"no tokens for any", batch(nil, nil), []string{"BatchDecoder", "no tokens"}},
		{"one token too large", batch([]int{1}, []int{5}), []string{"BatchDecoder", "Embedding", "token 5"}},
		{"one prompt too long", batch([]int{1}, []int{1, 2, 3, 4, 0, 1, 2, 3}), []string{"BatchDecoder", "8 tokens after 1 exceed a sequence of 8"}},
		{"a token too large in the second prompt", batch([]int{1, 1, 1}, []int{1, 9, 1}), []string{"BatchDecoder", "Embedding", "token 9"}},
		{"a batch after the end", batched(func(d *graph.BatchDecoder) error { _, err := d.Next(ended, [][]int{{1}, {1}}); return err }), []string{"BatchDecoder", "context canceled"}},
		{"Copy from a sequence too far", batched(func(d *graph.BatchDecoder) error { return d.Copy(0, 2) }), []string{"BatchDecoder", "sequence 2 of 2"}},
		{"Copy to a negative sequence", batched(func(d *graph.BatchDecoder) error { return d.Copy(-1, 0) }), []string{"BatchDecoder", "sequence -1 of 2"}},
		{"Truncate of a sequence too far", batched(func(d *graph.BatchDecoder) error { return d.Truncate(2, 0) }), []string{"BatchDecoder", "sequence 2 of 2"}},
		{"Truncate of a sequence to more", batched(func(d *graph.BatchDecoder) error { return d.Truncate(1, 2) }), []string{"BatchDecoder", "2 tokens of 1"}},
		{"Parity of no model", parity(nil, 1, 2), []string{"Parity", "model"}},
		{"Parity of no tokens", parity(forward), []string{"Parity", "0 tokens"}},
		{"Parity of a token too large", parity(forward, 1, 5), []string{"Parity", "Embedding", "token 5"}},
		{"Parity of a model that panics", parity(func(node) node { panic("boom") }, 1, 2), []string{"Parity", "boom"}},
		{"Parity of more than the context", parity(forward, 1, 2, 3, 4, 0, 1, 2, 3, 4), []string{"Parity", "9 tokens exceed a context of 8"}},
		{"Parity of a vector", parity(func(x node) node { return table(x, graph.Ones).Sum(0, 1) }, 1, 2), []string{"Parity", "(3)", "vocab"}},
		{"Parity of infinite logits", parity(func(x node) node { return table(x, graph.Ones).Scale(3e38).Scale(10) }, 1, 2), []string{"Parity", "logit 0 of token 0 is +Inf"}},
		{"Parity after the end", func() error { _, err := graph.Parity(ended, forward, []int{1, 2}); return err }, []string{"Parity", "context canceled"}},
		{"Parity in eight bits of float64", func() error {
			_, err := graph.Parity(bg, forward, []int{1, 2}, graph.Int8(), graph.DType(tensor.Float64))
			return err
		}, []string{"Parity", "Int8"}},
	}
}
