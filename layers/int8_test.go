package layers_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/text"
)

// A trained model predicts text with weights of eight bits as well as with its own: the losses are 1.56580 and 1.56591.
func TestStoriesInt8(t *testing.T) {
	m := open(t, stories(t, "stories260K.bin"))
	tok, err := text.ReadFile(stories(t, "tok512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../../shared/data/text/tinystories-944k.txt")
	if err != nil {
		t.Skip("no test data: ", err)
	}
	ids, err := tok.Encode(string(data[:12000]))
	if err != nil {
		t.Fatal(err)
	}
	// loss returns the mean of -log p of all tokens, each after those of its part.
	loss := func(opts ...graph.Option) float64 {
		dec, err := graph.NewDecoder(m.Forward, 256, opts...)
		if err != nil {
			t.Fatal(err)
		}
		sum, n := 0.0, 0
		for part := range slices.Chunk(ids, 256) {
			dec.Reset()
			last := 1 // where a text begins
			for _, id := range part {
				logits, err := dec.Next(t.Context(), last)
				if err != nil {
					t.Fatal(err)
				}
				all := 0.0
				for _, x := range logits {
					all += math.Exp(float64(x))
				}
				sum += math.Log(all) - float64(logits[id])
				last = id
				n++
			}
		}
		t.Logf("loss %.5f of %d tokens", sum/float64(n), n)
		return sum / float64(n)
	}
	want, got := loss(), loss(graph.Int8())
	if d := math.Abs(got - want); d == 0 || d > 0.002 {
		t.Errorf("the loss is %v with eight bits and %v with 32; want a difference of at most 0.002 and more than 0", got, want)
	}
}

// BenchmarkDecode measures a token in the middle of a sequence, and a prompt, with weights of 32 and of eight bits.
func BenchmarkDecode(b *testing.B) {
	for _, s := range sizes {
		s.config.ContextLength = s.seq
		m, err := layers.NewTransformerLM(graph.NewParams(1).Root(), s.config)
		if err != nil {
			b.Fatal(err)
		}
		for _, kind := range []struct {
			name string
			opts []graph.Option
		}{{"float32", nil}, {"int8", []graph.Option{graph.Int8()}}} {
			dec, err := graph.NewDecoder(m.Forward, s.seq, kind.opts...)
			if err != nil {
				b.Fatal(err)
			}
			for _, tokens := range []int{1, 32} {
				b.Run(fmt.Sprintf("%s/%s/%d", s.name, kind.name, tokens), func(b *testing.B) {
					dec.Reset()
					ids := make([]int, tokens)
					for b.Loop() {
						if dec.Len()+tokens > s.seq/2 {
							dec.Reset()
						}
						if _, err := dec.Next(b.Context(), ids...); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(tokens*b.N)/b.Elapsed().Seconds(), "tokens/s")
				})
			}
		}
	}
}
