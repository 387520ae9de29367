package layers_test

import (
	"slices"
	"testing"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
)

// gradients returns the losses of two runs, all gradients after the second, and the memory of the program.
func gradients(t *testing.T, checkpoint bool) (numbers []float32, memory int) {
	t.Helper()
	const batch, seq, vocab = 8, 64, 61
	ps := graph.NewParams(3)
	m, err := layers.NewTransformerLM(ps.Root(), layers.Config{
		VocabSize: vocab, ContextLength: seq, DModel: 64, NumLayers: 6, NumHeads: 4, Dropout: 0.1, Checkpoint: checkpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	g := graph.New(graph.Seed(5))
	tokens, targets := g.Tokens("tokens", batch, seq), g.Tokens("targets", batch, seq)
	x := m.Hidden(tokens)
	cost := graph.Apply3(loss.LinearCrossEntropy, x, x.Param(m.Head()), targets)
	prog, err := graph.CompileTrain(cost)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int, batch*seq)
	for i := range ids {
		ids[i] = i * i % vocab
	}
	feed := graph.Feed{tokens: graph.Ints(ids, batch, seq), targets: graph.Ints(ids, batch, seq)}
	for range 2 {
		if err := prog.Run(t.Context(), feed); err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, float32(prog.Scalar(cost)))
	}
	for _, p := range ps.All() {
		d, err := p.Grad()
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, d.Data().([]float32)...)
	}
	return numbers, prog.Memory()
}

// Computing blocks again changes no bit, dropout included, and takes much less memory.
func TestCheckpoint(t *testing.T) {
	want, all := gradients(t, false)
	got, some := gradients(t, true)
	if !slices.Equal(got, want) {
		t.Error("losses or gradients differ")
	}
	if some > all/2 {
		t.Errorf("%d bytes, and %d without checkpoints; want at most half", some, all)
	}
	t.Logf("%d bytes, and %d without checkpoints", some, all)
}
