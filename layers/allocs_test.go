package layers_test

import (
	"context"
	"testing"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
	"github.com/logits-go/logits/sampler"
)

// A step of training allocates nothing once it has found its memory, with assembly.
func TestTrainingAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	path, err := kernel.Path()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config layers.Config
	}{
		{"llama", layers.Config{VocabSize: 300, ContextLength: 64, DModel: 64, NumLayers: 2, NumHeads: 4}},
		{"shared heads", layers.Config{VocabSize: 300, ContextLength: 64, DModel: 64, NumLayers: 2, NumHeads: 4, NumKVHeads: 2, SplitRoPE: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ps := graph.NewParams(1)
			m, err := layers.NewTransformerLM(ps.Root(), c.config)
			if err != nil {
				t.Fatal(err)
			}
			g := graph.New()
			tokens, targets := g.Tokens("tokens", 8, 64), g.Tokens("targets", 8, 64)
			x := m.Hidden(tokens)
			prog, err := graph.CompileTrain(graph.Apply3(loss.LinearCrossEntropy, x, x.Param(m.Head()), targets))
			if err != nil {
				t.Fatal(err)
			}
			ids := make([]int, 8*64)
			for i := range ids {
				ids[i] = i * 7919 % 300
			}
			feed := graph.Feed{tokens: graph.Ints(ids, 8, 64), targets: graph.Ints(ids, 8, 64)}
			weights := ps.ValueGrads()
			opt := &optim.AdamW{MaxNorm: 1}
			ctx := context.Background()
			for _, part := range []struct {
				name string
				f    func() error
			}{
				{"run", func() error { return prog.Run(ctx, feed) }},
				{"clip", func() error { _, err := optim.ClipGradNorm(weights, 1); return err }},
				{"step", func() error { return opt.Step(weights) }},
			} {
				n := testing.AllocsPerRun(10, func() {
					if err := part.f(); err != nil {
						t.Fatal(err)
					}
				})
				var most float64
				if path == "portable" && part.name == "run" {
					most = float64(4 * c.config.NumLayers) // two for attention without assembly, and two for its gradient
				}
				if n > most {
					t.Errorf("%s makes %v allocations, want at most %v", part.name, n, most)
				}
			}
		})
	}
}

// A token that is generated allocates nothing, in float32 and in eight bits, alone and in a batch, with assembly.
func TestGeneratingAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	path, err := kernel.Path()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range generators {
		for kind, opts := range map[string][]graph.Option{"float32": nil, "int8": {graph.Int8()}} {
			t.Run(name+" "+kind, func(t *testing.T) {
				m := generator(t, c)
				d, b := newDecoder(t, m, opts...), newBatchDecoder(t, m, 3, opts...)
				s := &sampler.Sampler{Temperature: 1, TopP: 0.9}
				ctx, batch := context.Background(), [][]int{{1}, {2}, nil}
				prompt := words(0, 40)
				for step, f := range map[string]func() error{
					"token": func() error {
						if d.Len() == d.Max() {
							d.Reset()
						}
						row, err := d.Next(ctx, 3)
						if err != nil {
							return err
						}
						_, err = s.Sample(row)
						return err
					},
					"tokens side by side": func() error {
						if b.Len(0) == b.Max() {
							b.Reset()
						}
						_, err := b.Next(ctx, batch)
						return err
					},
					"prompt": func() error {
						d.Reset()
						_, err := d.Next(ctx, prompt...)
						return err
					},
				} {
					for range 2 * c.ContextLength { // find memory
						if err := f(); err != nil {
							t.Fatal(err)
						}
					}
					n := testing.AllocsPerRun(3*c.ContextLength, func() {
						if err := f(); err != nil {
							t.Fatal(err)
						}
					})
					if n > 0 && (path != "portable" || n > 60) {
						t.Errorf("%s allocates %v times", step, n)
					}
				}
			})
		}
	}
}
