package main

import "strings"

// A stopper looks for stop strings in a text that comes in pieces, and holds back what may become one. What it finds
// does not depend on where the pieces are cut: the stop string that is complete first, and of those that end together
// the longest.
type stopper struct {
	stops []string
	held  string
}

func newStopper(stops []string) *stopper { return &stopper{stops: stops} }

// Write adds a piece and returns the text that is sure to come before any stop string. After done no more is written.
func (s *stopper) Write(piece string) (out string, done bool) {
	all := s.held + piece
	begin, end := -1, len(all)+1
	for _, stop := range s.stops {
		if at := strings.Index(all, stop); at >= 0 && (at+len(stop) < end || at+len(stop) == end && at < begin) {
			begin, end = at, at+len(stop)
		}
	}
	if begin >= 0 {
		s.held = ""
		return all[:begin], true
	}
	n := len(all)
	for _, stop := range s.stops {
		for i := max(0, len(all)-len(stop)+1); i < n; i++ {
			if strings.HasPrefix(stop, all[i:]) {
				n = i
			}
		}
	}
	s.held = all[n:]
	return all[:n], false
}

// Flush returns what is held back, for the end of the text.
func (s *stopper) Flush() string {
	held := s.held
	s.held = ""
	return held
}
