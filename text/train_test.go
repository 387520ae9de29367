package text

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

func TestTrainMatchesReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	texts := []string{
		"",
		"a",
		"low low low low low lower lower widest widest widest newest newest newest newest newest newest",
		"aaaa aaaaa aaa aa aaaaaaa bbbb abababab babab",
		strings.Repeat("a", 1000),
		"<|endoftext|>ab<|endoftext|>ab<|end|><|endoftext|",
	}
	for range 30 {
		texts = append(texts, randomText(rng, 200))
	}
	for i := range 10 { // few letters, where pairs overlap and counts are equal
		b := make([]byte, 300)
		for j := range b {
			b[j] = "aab c"[rng.IntN(3+i%3)]
		}
		texts = append(texts, string(b))
	}
	for _, text := range texts {
		b, err := TrainBPE(t.Context(), strings.NewReader(text), TrainConfig{VocabSize: 256 + 60 + 2, Special: []string{EndOfText, "<|end|>"}})
		if err != nil {
			t.Fatalf("TrainBPE(%q): %v", text, err)
		}
		got, want := b.Merges(), refTrain(text, 60, EndOfText, "<|end|>")
		if !slices.Equal(got, want) {
			t.Fatalf("TrainBPE(%q) merges\n%q, want\n%q", text, got, want)
		}
		if got, want := b.VocabSize(), 256+2+len(want); got != want {
			t.Errorf("TrainBPE(%q): VocabSize() = %d, want %d", text, got, want)
		}
		if back, err := b.Decode(encode(t, b, text)); err != nil || back != text {
			t.Errorf("Decode(Encode(%q)) = %q, %v", text, back, err)
		}
	}
}

// The example of https://arxiv.org/abs/1508.07909 as CS336's first assignment works it out: at first st and es
// occur equally often, and the greater goes first.
func TestTrainTies(t *testing.T) {
	text := strings.Repeat("low ", 5) + strings.Repeat("lower ", 2) + strings.Repeat("widest ", 3) + strings.Repeat("newest ", 6)
	text = strings.ReplaceAll(text, " ", "\n") // whitespace of its own, as in the handout
	b, err := TrainBPE(t.Context(), strings.NewReader(text), TrainConfig{VocabSize: 256 + 6})
	if err != nil {
		t.Fatal(err)
	}
	want := []Merge{{"s", "t"}, {"e", "st"}, {"o", "w"}, {"l", "ow"}, {"w", "est"}, {"n", "e"}}
	if got := b.Merges(); !slices.Equal(got, want) {
		t.Errorf("merges are %q, want %q", got, want)
	}
}

// Chunks of a text must be cut where no pre-token is.
func TestTrainLongText(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for b.Len() < 2*chunkSize+chunkSize/2 {
		fmt.Fprintf(&b, "%x ", rng.IntN(1<<12))
	}
	// The same words counted in one piece.
	whole := newTrainer()
	whole.count(b.String())
	want, err := whole.learn(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := TrainBPE(t.Context(), strings.NewReader(b.String()), TrainConfig{VocabSize: 356})
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Merges(); !slices.Equal(got, want) {
		t.Errorf("merges of a long text are %q, want %q", got, want)
	}
}

func TestTrainErrors(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		config TrainConfig
		want   string
	}{
		{"too small", t.Context(), TrainConfig{VocabSize: 256, Special: []string{"<x>"}}, "256 ids cannot hold 256 bytes and 1 special"},
		{"negative", t.Context(), TrainConfig{VocabSize: -1}, "of -1 ids"},
		{"special twice", t.Context(), TrainConfig{Special: []string{"<x>", "<x>"}}, "given twice"},
		{"special empty", t.Context(), TrainConfig{Special: []string{""}}, "is empty"},
		{"stopped", stopped, TrainConfig{}, "context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := TrainBPE(c.ctx, strings.NewReader("some text"), c.config)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("TrainBPE error is %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := TrainBPE(stopped, strings.NewReader(""), TrainConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("TrainBPE error is %v, want context.Canceled", err)
	}
}

// Stopping must work within the merges as well.
func TestLearnStops(t *testing.T) {
	tr := newTrainer()
	tr.count("some text")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if merges, err := tr.learn(ctx, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("learn = %q, %v, want context.Canceled", merges, err)
	}
}
