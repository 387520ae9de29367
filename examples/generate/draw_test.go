package main

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

// parsed is what the flags given mean.
func parsed(args ...string) (settings, error) {
	s := settings{n: 30, batch: 1}
	f := flag.NewFlagSet("generate", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	s.drawingFlags(f)
	if err := f.Parse(args); err != nil {
		return s, err
	}
	return s, s.settle(f)
}

// Steps that say what flags say write the same, and no text is written with less than all of them.
func TestSteps(t *testing.T) {
	model := letters(t, 80)
	write := func(batch int, args ...string) string {
		t.Helper()
		s, err := parsed(args...)
		if err != nil {
			t.Fatal(err)
		}
		s.model, s.prompt, s.batch = model, "abc", batch
		out, _ := output(t, s, "")
		return out
	}
	plain := write(1, "-temperature", "1.5", "-top-p", "0.9", "-seed", "4")
	if got := write(1, "-seed", "4", "-steps", `[{"Temperature":1.5},{"TopP":0.9}]`); got != plain {
		t.Errorf("steps wrote %q, want %q", got, plain)
	}
	penalized := write(1, "-temperature", "1.5", "-top-p", "0.9", "-seed", "4", "-repetition-penalty", "3")
	steps := `[{"RepetitionPenalty":{"Penalty":3}},{"Temperature":1.5},{"TopP":0.9}]`
	if got := write(1, "-seed", "4", "-steps", steps); got != penalized || got == plain {
		t.Errorf("with a penalty steps wrote %q and the flag %q, without one %q", got, penalized, plain)
	}
	if got := write(1, "-seed", "4", "-steps", `[{"Mirostat":{"Tau":1,"Eta":1}}]`); got == plain {
		t.Errorf("mirostat wrote %q as well", got)
	}

	// Side by side each text has a history, and learners, of its own.
	for _, steps := range []string{steps, `[{"Mirostat":{"Tau":2,"Eta":0.5}},{"FrequencyPenalty":{"Penalty":1}}]`} {
		s, err := parsed("-steps", steps)
		if err != nil {
			t.Fatal(err)
		}
		s.model, s.prompt, s.batch = model, "abc", 3
		all, _ := output(t, s, "")
		for i, got := range strings.Split(strings.TrimPrefix(all, "-- 1 of 3 --\n"), "\n-- ") {
			alone, err := parsed("-steps", steps)
			if err != nil {
				t.Fatal(err)
			}
			alone.model, alone.prompt, alone.sampler.Stream = model, "abc", uint64(i)
			want, _ := output(t, alone, "")
			if !strings.HasSuffix(got, want) {
				t.Errorf("%s: text %d is %q, want %q", steps, i, got, want)
			}
		}
	}
}

func TestFlagRefusals(t *testing.T) {
	for want, args := range map[string][]string{
		"-top-p beside -steps":              {"-steps", "[]", "-top-p", "0.9"},
		"-repetition-penalty beside -steps": {"-repetition-penalty", "1", "-steps", "[]"},
		"no step \"TopQ\"":                  {"-steps", `[{"TopQ":1}]`},
		"no list":                           {"-steps", "null"},
		"unexpected argument \"x\"":         {"x"},
	} {
		if _, err := parsed(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", args, err, want)
		}
	}
}

// A model that knows nothing writes what it is asked for, alone and in each of several texts, and is said to be at fault if
// there is not enough room.
func TestForms(t *testing.T) {
	tok, err := text.NewBPE(text.BPEConfig{Special: map[string]int{text.EndOfText: 256}})
	if err != nil {
		t.Fatal(err)
	}
	schema := filepath.Join(t.TempDir(), "schema.json")
	const object = `{"type":"object","properties":{"city":{"enum":["Rome","Paris"]},
		"note":{"type":"string","maxLength":4}},"required":["city","note"]}`
	if err := os.WriteFile(schema, []byte(object), 0o644); err != nil {
		t.Fatal(err)
	}
	s := settings{model: save(t, tok, 400), prompt: "x", n: 300, batch: 1, sampler: sampler.Sampler{Temperature: 1, TopP: 0.9}}
	const form = `(yes|no), [a-c]{3}\.`
	isCity := func(out string) bool {
		var v struct{ City, Note string }
		return json.Unmarshal([]byte(out), &v) == nil && (v.City == "Rome" || v.City == "Paris")
	}
	isForm := regexp.MustCompile("^" + form + "$").MatchString
	for seed := range uint64(8) {
		s.sampler.Seed = seed
		s.regexp, s.schema = form, ""
		if out, notes := output(t, s, ""); !isForm(out[1:]) || strings.Contains(notes, "complete") {
			t.Errorf("seed %d: %q, noted %q", seed, out, notes)
		}
		s.regexp, s.schema = "", schema
		if out, notes := output(t, s, ""); !isCity(out[1:]) || strings.Contains(notes, "complete") {
			t.Errorf("seed %d: %q, noted %q", seed, out, notes)
		}
	}
	s.batch = 3
	all, notes := output(t, s, "")
	texts := regexp.MustCompile(`(?m)^-- \d of 3 --\nx`).Split(all, -1)[1:]
	if len(texts) != 3 || strings.Contains(notes, "complete") {
		t.Fatalf("%q, noted %q", all, notes)
	}
	for _, out := range texts {
		if !isCity(out) {
			t.Errorf("%q of several", out)
		}
	}
	s.n = 5
	if _, notes := output(t, s, ""); !strings.Contains(notes, "text 3 is not complete") {
		t.Errorf("five tokens: noted %q", notes)
	}
	s.batch = 1
	if _, notes := output(t, s, ""); !strings.Contains(notes, "the text is not complete") {
		t.Errorf("five tokens: noted %q", notes)
	}

	for want, change := range map[string]func(s *settings){
		"cannot both":          func(s *settings) { s.regexp = "a" },
		"-ignore-eos":          func(s *settings) { s.ignoreEOS = true },
		"nowhere":              func(s *settings) { s.schema = "nowhere" },
		"missing closing":      func(s *settings) { s.schema, s.regexp = "", "(" },
		"without an end token": func(s *settings) { s.model = letters(t, 8) },
	} {
		bad := s
		change(&bad)
		if bad.model != s.model {
			bad.prompt = "abc"
		}
		var out strings.Builder
		err := generate(t.Context(), bad, strings.NewReader(""), &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
