package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

// save leaves a model that knows nothing in a folder.
func save(t *testing.T, tok text.Tokenizer, context int) string {
	t.Helper()
	r, err := run.New(layers.Config{ContextLength: context, DModel: 8, NumLayers: 1, NumHeads: 2}, tok, 1)
	if err != nil {
		t.Fatal(err)
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

func letters(t *testing.T, context int) string {
	t.Helper()
	tok, err := text.NewChars("abcdefgh")
	if err != nil {
		t.Fatal(err)
	}
	return save(t, tok, context)
}

// output is what generate writes, without the newline, and what it notes.
func output(t *testing.T, s settings, in string) (out, notes string) {
	t.Helper()
	var o, n strings.Builder
	if err := generate(t.Context(), s, strings.NewReader(in), &o, &n); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(o.String(), "\n"), n.String()
}

func TestGenerate(t *testing.T) {
	s := settings{model: letters(t, 40), prompt: "abc", n: 20, batch: 1, sampler: sampler.Sampler{Temperature: 1, Seed: 3}}
	whole, notes := output(t, s, "")
	if !strings.HasPrefix(whole, "abc") || len(whole) != 23 || !strings.Contains(notes, "prompt of 3 tokens") ||
		!strings.Contains(notes, "20 written") {
		t.Fatalf("%q, noted %q", whole, notes)
	}

	// A stop string is looked for behind the prompt alone, and is not shown.
	stop := whole[10:12]
	s.stop = []string{"abc", "xyz", stop}
	want := whole[:3+strings.Index(whole[3:], stop)]
	if got, _ := output(t, s, ""); got != want {
		t.Errorf("before %q: %q, want %q", stop, got, want)
	}
	s.stop = nil

	// The last token that is written has a place of the context no more.
	s.n = 100
	if got, notes := output(t, s, ""); len(got) != 41 || !strings.HasPrefix(got, whole) || !strings.Contains(notes, "room for 38") {
		t.Errorf("%q, noted %q", got, notes)
	}
	s.n = 0
	if got, _ := output(t, s, ""); got != "abc" {
		t.Errorf("nothing more than the prompt is %q", got)
	}
}

// A row of a batch is what its stream of random numbers makes alone, however long the others are.
func TestBatch(t *testing.T) {
	s := settings{model: letters(t, 90), prompt: "abcdefghabcdefghabcdefghabcdefghabcdefgh", n: 30, batch: 3,
		stop: []string{"a"}, sampler: sampler.Sampler{Temperature: 1, Seed: 5}}
	all, notes := output(t, s, "")
	var want []string
	for i := range s.batch {
		alone := s
		alone.batch, alone.sampler.Stream = 1, uint64(i)
		text, _ := output(t, alone, "")
		want = append(want, "-- "+string(rune('1'+i))+" of 3 --\n"+text)
	}
	if got := strings.Join(want, "\n"); all != got {
		t.Errorf("%q, want %q", all, got)
	}
	if want[0][13:] == want[1][13:] || len(want[0]) == len(want[1]) && len(want[1]) == len(want[2]) {
		t.Errorf("the rows %q are alike", want)
	}
	if !strings.Contains(notes, "prompt of 40 tokens") {
		t.Errorf("noted %q", notes)
	}
}

// A prompt comes from a file or the standard input, without the newline at its end.
func TestPrompt(t *testing.T) {
	s := settings{model: letters(t, 40), prompt: "abc", n: 5, batch: 1}
	want, _ := output(t, s, "")
	s.prompt = "-"
	if got, _ := output(t, s, "abc\n"); got != want {
		t.Errorf("from the standard input: %q, want %q", got, want)
	}
	s.promptFile = filepath.Join(t.TempDir(), "prompt")
	if err := os.WriteFile(s.promptFile, []byte("abc\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, _ := output(t, s, "other"); got != want {
		t.Errorf("from a file: %q, want %q", got, want)
	}
}

// A token that ends a text ends a continuation, unless it is to be ignored.
func TestEnd(t *testing.T) {
	tok, err := text.NewBPE(text.BPEConfig{Special: map[string]int{text.EndOfText: 256}})
	if err != nil {
		t.Fatal(err)
	}
	s := settings{model: save(t, tok, 1000), prompt: "abc", n: 900, batch: 1, ignoreEOS: true, sampler: sampler.Sampler{Temperature: 1, Seed: 1}}
	whole, _ := output(t, s, "")
	want, _, found := strings.Cut(whole, text.EndOfText)
	if !found {
		t.Fatal("the text does not end; this seed will not do")
	}
	s.ignoreEOS = false
	for s.batch = range 2 {
		s.batch++
		got, _ := output(t, s, "")
		if s.batch > 1 {
			got, _, _ = strings.Cut(strings.TrimPrefix(got, "-- 1 of 2 --\n"), "\n-- 2 of 2 --")
		}
		if got != want {
			t.Errorf("of %d: %q, want %q", s.batch, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	good := settings{model: letters(t, 8), prompt: "abc", n: 5, batch: 1}
	for _, c := range []struct {
		change func(s *settings)
		want   string
	}{
		{func(s *settings) { s.n = -1 }, "-1 tokens"},
		{func(s *settings) { s.batch = 0 }, "0 continuations"},
		{func(s *settings) { s.prompt = "" }, "the prompt is empty"},
		{func(s *settings) { s.prompt = "abcdefgha" }, "a prompt of 9 tokens in a context of 8"},
		{func(s *settings) { s.prompt = "xyz" }, "x"},
		{func(s *settings) { s.promptFile = "nowhere" }, "nowhere"},
		{func(s *settings) { s.model = "nowhere" }, "nowhere"},
		{func(s *settings) { s.sampler.TopP = 2 }, "2"},
	} {
		s := good
		c.change(&s)
		var out strings.Builder
		err := generate(t.Context(), s, strings.NewReader(""), &out, &out)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want an error with %q", s, err, c.want)
		}
	}
}

// Weights of eight bits write another text, the same alone and beside others.
func TestInt8(t *testing.T) {
	s := settings{model: letters(t, 400), prompt: "abc", n: 390, batch: 1, sampler: sampler.Sampler{Temperature: 1, Seed: 3}}
	exact, _ := output(t, s, "")
	s.int8 = true
	rounded, _ := output(t, s, "")
	if len(rounded) != len(exact) || rounded == exact {
		t.Errorf("%q with eight bits and %q with 32", rounded, exact)
	}
	s.batch = 2
	if both, _ := output(t, s, ""); !strings.HasPrefix(both, "-- 1 of 2 --\n"+rounded+"\n") {
		t.Errorf("%q beside others, %q alone", both, rounded)
	}
}
