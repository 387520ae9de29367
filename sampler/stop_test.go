package sampler_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// stopped is where a text ends by definition: after how many bytes, and with which string.
func stopped(text string, stops []string) (end int, stop string, ok bool) {
	for end := range len(text) + 1 {
		for _, s := range stops {
			if strings.HasSuffix(text[:end], s) && (!ok || len(s) > len(stop)) {
				stop, ok = s, true
			}
		}
		if ok {
			return end, stop, true
		}
	}
	return len(text), "", false
}

// Whatever the pieces, what is shown is the text before the stop string, and never a byte that may begin one.
func TestStopStrings(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	random := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "aab"[rng.IntN(3)]
		}
		return string(b)
	}
	ended := 0
	for trial := range 20000 {
		text := random(rng.IntN(20))
		var stops []string
		for range rng.IntN(4) {
			stops = append(stops, random(1+rng.IntN(6)))
		}
		s := sampler.StopStrings{Strings: stops, Include: trial%2 == 0}
		end, stop, ok := stopped(text, stops)
		want := text[:end]
		if ok && !s.Include {
			want = text[:end-len(stop)]
		}
		got, written, done := "", 0, false
		for rest := text; len(rest) > 0; {
			n := min(rng.IntN(4), len(rest))
			var out string
			out, done = s.Write(rest[:n])
			got += out
			rest = rest[n:]
			written += n
			if done != (ok && written >= end) {
				t.Fatalf("%q stops at %q: done is %v after %d bytes, want %d", text, stops, done, written, end)
			}
			if done {
				continue
			}
			// All that has been written and not shown begins a stop string, and a longer rest would not.
			held := text[len(got):written]
			longest := ""
			for _, x := range stops {
				for n := range x {
					if strings.HasSuffix(text[:written], x[:n]) && n > len(longest) {
						longest = x[:n]
					}
				}
			}
			if held != longest || held != s.Held {
				t.Fatalf("%q stops at %q: after %d bytes %q is held back, want %q", text, stops, written, held, longest)
			}
			switch rng.IntN(12) {
			case 0:
				other := s
				other.Write("ab") // of which s knows nothing
			case 1:
				s2 := s
				s = s2
			case 2:
				data, err := json.Marshal(s)
				s = sampler.StopStrings{}
				if err := firstError(err, json.Unmarshal(data, &s)); err != nil {
					t.Fatal(err)
				}
			case 3:
				var buf bytes.Buffer
				err := gob.NewEncoder(&buf).Encode(s)
				s = sampler.StopStrings{}
				if err := firstError(err, gob.NewDecoder(&buf).Decode(&s)); err != nil {
					t.Fatal(err)
				}
			}
		}
		got += s.Flush()
		if ok && done {
			ended++
		}
		if got != want || s.Done != (ok && len(text) > 0) || s.Stop != stop || s.Flush() != "" {
			t.Fatalf("%q stops at %q: showed %q, stop %q (%v), want %q, %q (%v)", text, stops, got, s.Stop, s.Done,
				want, stop, ok)
		}
	}
	if ended < 5000 {
		t.Errorf("only %d texts ended", ended)
	}
}

func TestStopStringsEnds(t *testing.T) {
	s := sampler.StopStrings{Strings: []string{"x", ""}}
	if out, done := s.Write("abc"); out != "" || !done || s.Stop != "" {
		t.Errorf("an empty string: %q, %v", out, done)
	}
	if out, done := s.Write("abc"); out != "" || !done {
		t.Errorf("after the end: %q, %v", out, done)
	}
	var none sampler.StopStrings
	if out, done := none.Write("abc"); out != "abc" || done || none.Flush() != "" {
		t.Errorf("no strings: %q, %v", out, done)
	}
	// A text that is flushed goes on without what came before.
	s = sampler.StopStrings{Strings: []string{"ab"}}
	if out, _ := s.Write("xa"); out != "x" || s.Flush() != "a" {
		t.Errorf("showed %q", out)
	}
	if out, done := s.Write("b"); out != "b" || done {
		t.Errorf("after Flush: %q, %v", out, done)
	}
}
