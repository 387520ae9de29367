package sampler

import "strings"

// StopStrings looks for strings at which a text ends, in a text that comes in pieces. It passes on what certainly
// is not the beginning of one, so that no part of a stop string is ever shown, and holds back no more than that.
//
//	stop := sampler.StopStrings{Strings: []string{"\n\n", "</s>"}}
//	for token := range tokens {
//		text, done := stop.Write(decode(token))
//		fmt.Print(text)
//		if done {
//			break
//		}
//	}
//	fmt.Print(stop.Flush())
//
// The text ends at the first byte with which a stop string is complete; if several are, the longest counts. So
// where the text ends does not depend on how it is cut into pieces, which may split characters. An empty
// stop string ends the text before it begins. Without strings all passes.
//
// All of the state is in the exported fields: a StopStrings is copied by assignment and saved with encoding/json,
// if held-back text is UTF-8, or encoding/gob.
type StopStrings struct {
	Strings []string // must not change once Write has been called
	Include bool     // whether the stop string is passed on too

	Held string // what may be the beginning of a stop string
	Done bool   // whether there has been one
	Stop string // which one

	// Of each string and of each of its beginnings: the length of the longest proper suffix that begins the string.
	borders [][]int

	matched []int        // how many bytes of each string the text ends with
	owner   *StopStrings // whose these are: a copy must not share them
}

// Write takes a piece of text and returns what may be shown now, and whether the text has ended. Once it has,
// what is written is dropped.
func (s *StopStrings) Write(piece string) (out string, done bool) {
	if s.Done {
		return "", true
	}
	s.prepare()
	text := s.Held + piece
	from := len(s.Held) // the bytes before are matched already
	for i := from - 1; i < len(text); i++ {
		if i >= from {
			s.step(text[i])
		}
		longest := -1
		for j, stop := range s.Strings {
			if s.matched[j] == len(stop) && (longest < 0 || len(stop) > len(s.Strings[longest])) {
				longest = j
			}
		}
		if longest >= 0 {
			s.Done, s.Stop, s.Held = true, s.Strings[longest], ""
			end := i + 1
			if !s.Include {
				end -= len(s.Stop)
			}
			return text[:end], true
		}
	}
	held := 0
	for _, n := range s.matched {
		held = max(held, n)
	}
	s.Held = strings.Clone(text[len(text)-held:])
	return text[:len(text)-held], false
}

// Flush returns what is held back, for a text that ends without a stop string.
func (s *StopStrings) Flush() string {
	out := s.Held
	s.Held = ""
	clear(s.matched)
	return out
}

// step matches a byte, by the algorithm of Knuth, Morris and Pratt.
func (s *StopStrings) step(b byte) {
	for j, stop := range s.Strings {
		n := s.matched[j]
		for n > 0 && (n == len(stop) || stop[n] != b) {
			n = s.borders[j][n]
		}
		if n < len(stop) && stop[n] == b {
			n++
		}
		s.matched[j] = n
	}
}

// prepare makes the tables, in the state after Held.
func (s *StopStrings) prepare() {
	if s.owner == s {
		return
	}
	s.owner = s
	s.borders, s.matched = make([][]int, len(s.Strings)), make([]int, len(s.Strings))
	for j, stop := range s.Strings {
		table := make([]int, len(stop)+1)
		for i, n := 1, 0; i < len(stop); i++ {
			for n > 0 && stop[n] != stop[i] {
				n = table[n]
			}
			if stop[n] == stop[i] {
				n++
			}
			table[i+1] = n
		}
		s.borders[j] = table
	}
	for i := range len(s.Held) {
		s.step(s.Held[i])
	}
}
