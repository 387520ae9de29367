package text

import (
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// GPT-2 writes each byte of a token as one printable character: printable Latin-1 stands for itself, and the
// other bytes follow from U+0100 on, in order. See bytes_to_unicode in
// https://github.com/openai/gpt-2/blob/master/src/encoder.py.

// printable reports whether byte c stands for itself in the alphabet.
func printable(c byte) bool {
	return '!' <= c && c <= '~' || 0xa1 <= c && c <= 0xac || 0xae <= c
}

// byteRune returns the character that stands for byte c.
func byteRune(c byte) rune {
	switch {
	case printable(c):
		return rune(c)
	case c <= ' ':
		return 0x100 + rune(c)
	case c == 0xad:
		return 0x143
	default: // 0x7f to 0xa0
		return 0x121 + rune(c) - 0x7f
	}
}

// runeByte returns the byte that r stands for, and whether r is in the alphabet.
func runeByte(r rune) (byte, bool) {
	switch {
	case 0 <= r && r <= 0xff && printable(byte(r)):
		return byte(r), true
	case 0x100 <= r && r <= 0x120:
		return byte(r - 0x100), true
	case 0x121 <= r && r <= 0x142:
		return byte(r - 0x121 + 0x7f), true
	case r == 0x143:
		return 0xad, true
	}
	return 0, false
}

// spell returns the bytes of token in the alphabet.
func spell(token string) string {
	var b strings.Builder
	b.Grow(len(token))
	for i := range len(token) {
		b.WriteRune(byteRune(token[i]))
	}
	return b.String()
}

// unspell returns the bytes that s stands for.
func unspell(s string) (string, error) {
	b := make([]byte, 0, utf8.RuneCountInString(s))
	for _, r := range s {
		c, ok := runeByte(r)
		if !ok {
			return "", errors.Errorf("token %q holds %q, which stands for no byte", s, r)
		}
		b = append(b, c)
	}
	return string(b), nil
}
