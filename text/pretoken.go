package text

import (
	"unicode"
	"unicode/utf8"
)

// class is what GPT-2's pattern knows about a character.
type class uint8

const (
	other  class = iota // [^\s\p{L}\p{N}]
	letter              // \p{L}
	number              // \p{N}
	space               // \s, Unicode's White_Space
)

// asciiClass[c] is the class of an ASCII character.
var asciiClass = func() (t [utf8.RuneSelf]class) {
	for c := range t {
		t[c] = classOf(rune(c))
	}
	return t
}()

func classOf(r rune) class {
	switch {
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// classAt returns the class and the length of the character at s[i]. A byte that is not UTF-8 is a character
// of its own, of class other.
func classAt(s string, i int) (class, int) {
	if c := s[i]; c < utf8.RuneSelf {
		return asciiClass[c], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && n == 1 {
		return other, 1
	}
	return classOf(r), n
}

// pretoken returns the length of the first pre-token of s, which is not empty. It is the first match of
// GPT-2's pattern, in which the first alternative that matches wins:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func pretoken(s string) int {
	if s[0] == '\'' {
		if n := contraction(s); n > 0 {
			return n
		}
	}
	k, n := classAt(s, 0)
	if k == space {
		if s[0] != ' ' || len(s) == 1 {
			return spaces(s, n)
		}
		var m int
		if k, m = classAt(s, 1); k == space {
			return spaces(s, n)
		}
		n += m
	}
	return run(s, n, k)
}

// contraction returns the length of 's, 't, 're, 've, 'm, 'll or 'd if s starts with one, and 0 if not.
func contraction(s string) int {
	if len(s) >= 2 {
		switch s[1] {
		case 's', 't', 'm', 'd':
			return 2
		}
	}
	if len(s) >= 3 {
		switch s[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}

// run returns where the characters of class k that start before s[i] end.
func run(s string, i int, k class) int {
	for i < len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			if asciiClass[c] != k {
				return i
			}
			i++
			continue
		}
		next, n := classAt(s, i)
		if next != k {
			return i
		}
		i += n
	}
	return i
}

// spaces returns the length of the whitespace that starts s with a character of n bytes: all of it where it
// ends the text, and else all but its last character, which is left to the next pre-token.
func spaces(s string, n int) int {
	last := 0 // where the last character of the run starts
	for n < len(s) {
		k, m := classAt(s, n)
		if k != space {
			if last > 0 {
				return last
			}
			return n
		}
		last = n
		n += m
	}
	return n
}
