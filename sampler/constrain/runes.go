package constrain

import (
	"unicode/utf8"
)

// A span is the characters from lo to hi.
type span struct{ lo, hi rune }

// common returns the characters that are in both of two lists of spans in ascending order.
func common(a, b []span) (both []span) {
	for len(a) > 0 && len(b) > 0 {
		if lo, hi := max(a[0].lo, b[0].lo), min(a[0].hi, b[0].hi); lo <= hi {
			both = append(both, span{lo, hi})
		}
		if a[0].hi < b[0].hi {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return both
}

// Characters that UTF-8 can spell: surrogates are not among them.
var spellable = []span{{0, 0xD7FF}, {0xE000, utf8.MaxRune}}

// utf8 reads one of the characters of spans, in UTF-8.
func (b *builder) utf8(spans []span) fragment {
	return func(next int32) int32 {
		first := inst{op: opRead}
		tails := make(map[edge]int32) // what reads the last bytes, which many characters share
		for _, s := range common(spans, spellable) {
			b.split(s, func(lo, hi []byte) {
				to := next
				for i := len(lo) - 1; i > 0; i-- {
					e := edge{lo[i], hi[i], to}
					if _, ok := tails[e]; !ok {
						tails[e] = b.add(inst{op: opRead, edges: []edge{e}})
					}
					to = tails[e]
				}
				first.edges = append(first.edges, edge{lo[0], hi[0], to})
			})
		}
		return b.add(first)
	}
}

// split cuts a span into such whose characters are all combinations of bytes between those of the first and those of
// the last one, and calls f with these.
func (b *builder) split(s span, f func(lo, hi []byte)) {
	for s.lo <= s.hi {
		lo := utf8.AppendRune(nil, s.lo)
		hi := s.hi
		for _, last := range []rune{0x7F, 0x7FF, 0xFFFF} { // of one, two and three bytes
			if s.lo <= last {
				hi = min(hi, last)
				break
			}
		}
		// The characters that share all but their last n bytes with the first are as far as combinations go, unless
		// the first is the first of those: then so are those of one more byte.
		for n := len(lo) - 1; n > 0; n-- {
			mask := rune(1)<<(6*n) - 1
			if s.lo&^mask == hi&^mask {
				continue
			}
			if s.lo&mask != 0 {
				hi = s.lo | mask
			} else if hi&mask != mask {
				hi = hi&^mask - 1
			}
		}
		f(lo, utf8.AppendRune(nil, hi))
		s.lo = hi + 1
	}
}
