package main

import (
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/text"
)

// save leaves a model of random weights, or of zeros, in a folder.
func save(t *testing.T, tok text.Tokenizer, context int, zero bool) string {
	t.Helper()
	r, err := run.New(layers.Config{ContextLength: context, DModel: 8, NumLayers: 1, NumHeads: 2}, tok, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Params.All() {
		if zero {
			p.Value().(*tensor.Dense).Zero()
		}
	}
	dir := t.TempDir()
	if err := r.SaveConfig(dir); err != nil {
		t.Fatal(err)
	}
	if err := r.SaveModel(dir, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// file leaves a text in a file.
func file(t *testing.T, s string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func measure(t *testing.T, s settings) result {
	t.Helper()
	r, err := s.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A model that knows nothing of 256 bytes needs 8 bits for each.
func TestNothingKnown(t *testing.T) {
	s := settings{model: save(t, text.Bytes{}, 16, true), data: file(t, strings.Repeat("é. ", 30)), bos: true, batch: 3}
	r := measure(t, s)
	if want := 119 * math.Log(256); r.tokens != 119 || r.bytes != 119 || math.Abs(r.nats-want) > 1e-3 {
		t.Errorf("%+v, want %v nats for 119 bytes", r, want)
	}
	var out, notes strings.Builder
	if err := eval(t.Context(), s, &out, &notes); err != nil {
		t.Fatal(err)
	}
	const want = "loss 5.5452 nats a token, perplexity 256.000, 8.0000 bits a byte; 119 tokens, 119 bytes\n"
	if out.String() != want || !strings.Contains(notes.String(), "tokens a second") {
		t.Errorf("%q, noted %q, want %q", out.String(), notes.String(), want)
	}
}

// Batches of any size, and going token by token, come to the same loss.
func TestBatches(t *testing.T) {
	tok, err := text.NewBPE(text.BPEConfig{Special: map[string]int{text.EndOfText: 256}})
	if err != nil {
		t.Fatal(err)
	}
	model := save(t, tok, 20, false)
	story := file(t, "Once upon a time"+text.EndOfText+"\nthere was a prism that parted the light into all of its colours. \n"+
		text.EndOfText+text.EndOfText+"The end")
	for _, d := range []documents{whole, apart, joined} {
		for _, stride := range []int{0, 7} {
			s := settings{model: model, data: story, documents: d, bos: true, stride: stride, batch: 1}
			want := measure(t, s)
			for _, s.batch = range []int{2, 5} {
				got := measure(t, s)
				if math.Abs(got.nats-want.nats) > 1e-5*want.nats || got.tokens != want.tokens || got.bytes != want.bytes {
					t.Errorf("%v, stride %d, batch %d: %v, want %v", d, stride, s.batch, got, want)
				}
			}
			s.decode = true
			if got := measure(t, s); math.Abs(got.nats-want.nats) > 1e-5*want.nats {
				t.Errorf("%v, stride %d, decoding: %v, want %v", d, stride, got, want)
			}
		}
	}
}

// Every token behind the first is a target once, with what comes before it in the sequence, and as much of that as the
// stride promises.
func TestWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		q := sequence{ids: make([]int, 1+rng.IntN(30)), begun: rng.IntN(2) == 0}
		for i := range q.ids {
			q.ids[i] = i // a target says where it stands
		}
		q.end = 1 + rng.IntN(len(q.ids))
		context := 1 + rng.IntN(10)
		stride := 1 + rng.IntN(context)
		next := 1
		for k, w := range q.windows(context, stride) {
			if len(w.tokens) > context || len(w.tokens) != len(w.targets) {
				t.Fatalf("%d tokens, %d targets, context %d", len(w.tokens), len(w.targets), context)
			}
			for i, target := range w.targets {
				at := k*stride + i
				want := at
				if i == 0 && q.begun {
					want = 0
				}
				if w.tokens[i] != want {
					t.Fatalf("token %d of window %d is %d, want %d", i, k, w.tokens[i], want)
				}
				if target == text.Ignore {
					continue
				}
				if target != next || target != at+1 || k > 0 && i < context-stride {
					t.Fatalf("target %d of window %d is %d, want %d, context %d, stride %d", i, k, target, next, context, stride)
				}
				next++
			}
		}
		if next != q.end {
			t.Fatalf("%d targets, want %d", next-1, q.end-1)
		}
	}
}

// Documents begin with a token, and what counts of their text is known to the byte.
func TestDocuments(t *testing.T) {
	tok, err := text.NewBPE(text.BPEConfig{Special: map[string]int{text.EndOfText: 256}})
	if err != nil {
		t.Fatal(err)
	}
	const e = 256
	s := " ab\n" + text.EndOfText + "\n" + text.EndOfText + "cd"
	for _, c := range []struct {
		d     documents
		bos   bool
		want  [][]int
		bytes []int
	}{
		{whole, true, [][]int{{' ', 'a', 'b', '\n', e, '\n', e, 'c', 'd'}}, []int{len(s) - 1}},
		{apart, true, [][]int{{e, 'a', 'b'}, {e, 'c', 'd'}}, []int{2, 2}},
		{apart, false, [][]int{{'a', 'b'}, {'c', 'd'}}, []int{1, 1}},
		{joined, true, [][]int{{e, 'a', 'b', e, 'c', 'd'}}, []int{4}},
	} {
		all, err := c.d.sequences(tok, s, c.bos)
		if err != nil || len(all) != len(c.want) {
			t.Fatalf("%v: %v, %v", c.d, all, err)
		}
		for i, q := range all {
			n, err := q.bytes(tok)
			if !slices.Equal(q.ids, c.want[i]) || err != nil || n != c.bytes[i] || q.end != len(q.ids) {
				t.Errorf("%v: %v with %d bytes, %v, want %v with %d", c.d, q.ids, n, err, c.want[i], c.bytes[i])
			}
			if q.begun != (c.d == apart && c.bos) {
				t.Errorf("%v: windows begin with a token: %v", c.d, q.begun)
			}
		}
		for end, want := range []int{1: 0, 2: 1, 3: 2, 4: 2, 5: 3, 6: 4} { // of the text that is joined
			if q := all[0]; c.d == joined && end > 0 {
				q.end = end
				if n, err := q.bytes(tok); n != want || err != nil {
					t.Errorf("%d tokens: %d bytes, %v, want %d", end, n, err, want)
				}
			}
		}
	}
	if _, err := joined.sequences(text.Bytes{}, s, true); err == nil {
		t.Error("documents are joined without a token")
	}
}

// A limit leaves the first tokens, with the loss that they have without it.
func TestLimit(t *testing.T) {
	s := settings{model: save(t, text.Bytes{}, 16, false), data: file(t, strings.Repeat("a prism parts the light. ", 9)), batch: 4}
	first := measure(t, with(s, func(s *settings) { s.data = file(t, "a prism parts the light. a prism parts") }))
	got := measure(t, with(s, func(s *settings) { s.limit = 37 }))
	if got.tokens != 37 || got.bytes != 37 || math.Abs(got.nats-first.nats) > 1e-4 {
		t.Errorf("%+v, want %+v", got, first)
	}
	if all, got := measure(t, s), measure(t, with(s, func(s *settings) { s.limit = 1000 })); got != all {
		t.Errorf("%+v, want %+v", got, all)
	}
}

func with(s settings, change func(s *settings)) settings {
	change(&s)
	return s
}

func TestRefusals(t *testing.T) {
	good := settings{model: save(t, text.Bytes{}, 16, false), data: file(t, "a prism"), batch: 4}
	for _, c := range []struct {
		change func(s *settings)
		want   string
	}{
		{func(s *settings) { s.context = 17 }, "a context of 17"},
		{func(s *settings) { s.context = -1 }, "a context of -1"},
		{func(s *settings) { s.stride = 17 }, "a stride of 17"},
		{func(s *settings) { s.context, s.stride = 4, 5 }, "a stride of 5"},
		{func(s *settings) { s.batch = 0 }, "a batch of 0"},
		{func(s *settings) { s.limit = -1 }, "a limit of -1"},
		{func(s *settings) { s.documents = joined }, "joined"},
		{func(s *settings) { s.data = file(t, "a") }, "no token"},
		{func(s *settings) { s.data = "nowhere" }, "nowhere"},
		{func(s *settings) { s.model = "nowhere" }, "nowhere"},
	} {
		s := with(good, c.change)
		if _, err := s.measure(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want an error with %q", s, err, c.want)
		}
	}
	var d documents
	if err := d.UnmarshalText([]byte("some")); err == nil {
		t.Error("some documents")
	}
}

func TestInt8(t *testing.T) {
	s := settings{model: save(t, text.Bytes{}, 16, false), data: file(t, strings.Repeat("any text ", 40)), batch: 4, int8: true}
	var out strings.Builder
	if err := eval(t.Context(), s, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "loss ") || lines[0] == lines[1] || !strings.Contains(lines[2], "perplexity by ") {
		t.Errorf("it says %q", out.String())
	}
}
