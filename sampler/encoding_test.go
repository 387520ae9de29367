package sampler_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// vectorsOf is a toy whose rows are the vectors of the tokens.
func vectorsOf(vectors ...[]float32) *toy {
	return newToy(func(text []int) []float32 { return vectors[text[len(text)-1]] })
}

// An Encoding of a model of logits and one of vectors is searched as a model of both is.
func TestEncodingIsAnEncoder(t *testing.T) {
	vectors := [][]float32{{1, 0}, {0.9, 0.1}, {0, 1}, {-1, 0.5}}
	logits := fixed(2, 1.9, 1.5, 1)
	c := sampler.ContrastiveSearch{TopK: 3, Alpha: 0.6}
	want, err := collect(c.Generate(t.Context(), &embedder{newToy(logits), vectors}, []int{0, 1}, 6))
	if err != nil {
		t.Fatal(err)
	}
	e := &sampler.Encoding{Logits: newToy(logits), Hidden: vectorsOf(vectors...)}
	got, err := collect(c.Generate(t.Context(), e, []int{0, 1}, 6))
	if err != nil || !slices.Equal(got, want) || len(want) != 6 {
		t.Errorf("an Encoding wrote %v, %v, want %v", got, err, want)
	}
	if e.Len() != 7 || e.Hidden.Len() != 7 { // all but the last token, which was not given back
		t.Errorf("it holds %d and %d tokens, want 7", e.Len(), e.Hidden.Len())
	}
}

// Whatever fails, both models hold the same text.
func TestEncodingFails(t *testing.T) {
	boom := errors.New("boom")
	for _, failing := range []string{"logits", "vectors"} {
		logits, hidden := newToy(fixed(1, 2)), vectorsOf([]float32{1}, []float32{2})
		e := &sampler.Encoding{Logits: logits, Hidden: hidden}
		if row, err := e.Next(t.Context(), 1, 0); err != nil || !slices.Equal(row, []float32{1, 2}) {
			t.Fatal(row, err)
		}
		m := map[string]*toy{"logits": logits, "vectors": hidden}[failing]
		m.fail, m.failAt = boom, 2
		if _, _, err := e.NextHidden(t.Context(), 1); !errors.Is(err, boom) || !strings.Contains(err.Error(), "Encoding: "+failing) {
			t.Errorf("error %v, want boom of %s", err, failing)
		}
		if logits.Len() != 2 || hidden.Len() != 2 {
			t.Errorf("after an error of the %s the models hold %d and %d tokens, want 2", failing, logits.Len(), hidden.Len())
		}
		if err := e.Truncate(1); err != nil || logits.Len() != 1 || hidden.Len() != 1 {
			t.Errorf("truncated to %d and %d, %v, want 1", logits.Len(), hidden.Len(), err)
		}
		if err := e.Truncate(5); err == nil || logits.Len() != hidden.Len() {
			t.Errorf("truncated 1 token to 5, %v, to %d and %d", err, logits.Len(), hidden.Len())
		}
		if _, err := logits.Next(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Next(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "hold 2 and 1 tokens") {
			t.Errorf("models with different texts: %v", err)
		}
	}
	for _, e := range []*sampler.Encoding{{}, {Logits: newToy(fixed(1))}, {Hidden: vectorsOf()}} {
		_, err := e.Next(context.Background(), 0)
		if err == nil || !strings.Contains(err.Error(), "want two") || e.Truncate(0) == nil {
			t.Errorf("an Encoding without a model: %v", err)
		}
	}
}
