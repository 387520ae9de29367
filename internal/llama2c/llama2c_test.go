package llama2c

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// A header comes back, with the numbers it calls for and no others.
func TestParse(t *testing.T) {
	for _, h := range []Header{
		{Dim: 4, Hidden: 3, Layers: 2, Heads: 2, KVHeads: 1, Vocab: 5, Context: 6, Tied: true},
		{Dim: 4, Hidden: 3, Layers: 2, Heads: 2, KVHeads: 1, Vocab: 5, Context: 6},
	} {
		// Embedding, a layer's norms, attention and feed-forward network, the last norm, positions, output.
		n := 5*4 + 2*(2*4+2*4*4+2*4*2+3*3*4) + 4 + 6*2
		if !h.Tied {
			n += 5 * 4
		}
		data, err := h.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, make([]byte, 4*n)...)
		got, numbers, err := Parse(data)
		if err != nil || got != h || len(numbers) != 4*n {
			t.Errorf("%+v with %d bytes, %v, want %+v with %d", got, len(numbers), err, h, 4*n)
		}
		for cut := range data {
			if _, _, err := Parse(data[:cut]); err == nil {
				t.Fatalf("Parse accepts the first %d of %d bytes", cut, len(data))
			}
		}
		if _, _, err := Parse(append(data, 0)); err == nil {
			t.Error("Parse accepts a byte to spare")
		}
	}
}

// Sizes that make no model are refused, however large.
func TestWrongHeaders(t *testing.T) {
	const large = math.MaxInt32
	for _, c := range []struct {
		h    Header
		want string
	}{
		{Header{}, "sizes"},
		{Header{Dim: -4, Hidden: 3, Layers: 2, Heads: 2, KVHeads: 1, Vocab: 5, Context: 6}, "sizes"},
		{Header{Dim: 5, Hidden: 3, Layers: 2, Heads: 2, KVHeads: 1, Vocab: 5, Context: 6}, "heads"},
		{Header{Dim: 6, Hidden: 3, Layers: 2, Heads: 2, KVHeads: 1, Vocab: 5, Context: 6}, "heads"},
		{Header{Dim: 8, Hidden: 3, Layers: 2, Heads: 4, KVHeads: 3, Vocab: 5, Context: 6}, "heads"},
		{Header{Dim: large - 1, Hidden: large, Layers: large, Heads: 1, KVHeads: 1, Vocab: large, Context: large}, "want"},
	} {
		data, err := c.h.Append(nil)
		if err == nil {
			_, _, err = Parse(data)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want an error with %q", c.h, err, c.want)
		}
	}
	if _, _, err := Parse([]byte("24ka\x01\x00\x00\x00....................")); err == nil || !strings.Contains(err.Error(), "version 1") {
		t.Errorf("%v, want an error that names the version", err)
	}
}

// FuzzParse checks that no file makes Parse panic, and that the header of one that it takes comes back.
func FuzzParse(f *testing.F) {
	for _, h := range []Header{
		{Dim: 2, Hidden: 1, Layers: 1, Heads: 1, KVHeads: 1, Vocab: 1, Context: 1, Tied: true},
		{Dim: 4, Hidden: 3, Layers: 1, Heads: 2, KVHeads: 1, Vocab: 5, Context: 2},
	} {
		data, err := h.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(append(data, make([]byte, 2000)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, numbers, err := Parse(data)
		if err != nil {
			return
		}
		again, err := h.Append(nil)
		if err != nil || !bytes.Equal(append(again, numbers...), data) {
			t.Errorf("%+v with %d bytes is written as %x, %v", h, len(numbers), again, err)
		}
	})
}
