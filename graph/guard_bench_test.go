package graph_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
)

// BenchmarkGuard measures what it costs to look for NaN and infinities in the loss and in all gradients. Every step of
// training does so once, in a pass over the gradients that also yields their norm, and here every second step does so once
// more. Steps of both kinds take turns, which of them is first too, and the medians are compared: of the ratios of
// neighbours, and of the time of the look alone as a share of the step before it.
func BenchmarkGuard(b *testing.B) {
	const batch, seq = 8, 128
	ps := graph.NewParams(1)
	model, err := layers.NewTransformerLM(ps.Root(), layers.Config{
		NumLayers: 4, DModel: 128, NumHeads: 4, VocabSize: 512, ContextLength: seq,
	})
	if err != nil {
		b.Fatal(err)
	}
	g := graph.New()
	x, y := g.Tokens("x", batch, seq), g.Tokens("y", batch, seq)
	prog, err := graph.CompileTrain(graph.Apply2(loss.CrossEntropy, model.Forward(x), y))
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]int, batch*seq)
	for i := range ids {
		ids[i] = i * i % 512
	}
	feed := graph.Feed{x: graph.Ints(ids, batch, seq), y: graph.Ints(ids, batch, seq)}
	opt := &optim.AdamW{}
	// look is what a step does of itself.
	look := func(cost float64) time.Duration {
		start := time.Now()
		if math.IsNaN(cost) || math.IsInf(cost, 0) {
			b.Fatal(cost)
		}
		if _, err := optim.GradNorm(ps.ValueGrads()); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	step := func(again bool) (whole, guard time.Duration) {
		start := time.Now()
		cost, err := prog.Accumulate(b.Context(), feed)
		if err != nil {
			b.Fatal(err)
		}
		if again {
			guard = look(cost)
		}
		if err := opt.Step(ps.ValueGrads()); err != nil {
			b.Fatal(err)
		}
		return time.Since(start), guard
	}
	var ratios, shares []float64
	for b.Loop() {
		for _, first := range []bool{false, true} {
			one, guard1 := step(first)
			other, guard2 := step(!first)
			if first {
				one, other = other, one
			}
			ratios = append(ratios, float64(other)/float64(one))
			shares = append(shares, float64(guard1+guard2)/float64(one))
		}
	}
	median := func(x []float64) float64 { slices.Sort(x); return x[len(x)/2] }
	b.ReportMetric(100*(median(ratios)-1), "%-by-pairs")
	b.ReportMetric(100*median(shares), "%-by-itself")
}
