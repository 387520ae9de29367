package main

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// shown returns what is shown of pieces, and whether a stop string ended them.
func shown(stops []string, pieces ...string) (out string, done bool) {
	s := newStopper(stops)
	for _, piece := range pieces {
		part, done := s.Write(piece)
		if out += part; done {
			return out, true
		}
	}
	return out + s.Flush(), false
}

func TestStopper(t *testing.T) {
	for _, c := range []struct {
		stops, pieces []string
		want          string
		done          bool
	}{
		{nil, []string{"a", "", "b"}, "ab", false},
		{[]string{"."}, []string{"It is", " so. And"}, "It is so", true},
		{[]string{"\n\nQ:"}, []string{"A\n", "\nQ", ":"}, "A", true},
		{[]string{"\n\nQ:"}, []string{"A\n", "\nQ", "?"}, "A\n\nQ?", false},
		{[]string{"abab"}, []string{"aba", "cabab"}, "abac", true},
		{[]string{"aab"}, []string{"aa", "a", "b"}, "a", true},
		{[]string{"ab", "xaby"}, []string{"xaby"}, "x", true},
		{[]string{"ab", "xab"}, []string{"-x", "ab"}, "-", true},
		{[]string{"é"}, []string{"è", "é"}, "è", true},
		{[]string{"end"}, []string{"en"}, "en", false},
	} {
		if got, done := shown(c.stops, c.pieces...); got != c.want || done != c.done {
			t.Errorf("%q before %q: %q, %v, want %q, %v", c.pieces, c.stops, got, done, c.want, c.done)
		}
	}
}

// However a text is cut, the same of it is shown, and nothing is held back that can be shown.
func TestStopperPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(most int) string {
		b := make([]byte, rng.IntN(most+1))
		for i := range b {
			b[i] = "abc"[rng.IntN(3)]
		}
		return string(b)
	}
	for range 5000 {
		stops := make([]string, rng.IntN(3))
		for i := range stops {
			stops[i] = "a" + random(3)
		}
		text := random(12)
		want, stopped := text, false
		for end := 0; end <= len(text) && !stopped; end++ { // the definition
			longest := 0
			for _, stop := range stops {
				if strings.HasSuffix(text[:end], stop) {
					longest = max(longest, len(stop))
				}
			}
			if longest > 0 {
				want, stopped = text[:end-longest], true
			}
		}
		s, got, done, rest := newStopper(stops), "", false, text
		for !done && rest != "" {
			n := 1 + rng.IntN(len(rest))
			var part string
			part, done = s.Write(rest[:n])
			got, rest = got+part, rest[n:]
			if done {
				break
			}
			held, may := text[len(got):len(text)-len(rest)], false
			for _, stop := range stops {
				may = may || strings.HasPrefix(stop, held)
			}
			if held != "" && !may {
				t.Fatalf("%q before %q: %q is held back", text, stops, held)
			}
		}
		if !done {
			got += s.Flush()
		}
		if got != want || done != stopped {
			t.Fatalf("%q before %q: %q, %v, want %q, %v", text, stops, got, done, want, stopped)
		}
	}
}
