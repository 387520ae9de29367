package text

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// Chars is the tokenizer whose tokens are the characters (runes) of some text, as in nanoGPT's character
// models. The text it was made from says all it can encode: any other character is an error, because
// whatever stood in its place would decode to another text.
type Chars struct {
	runes []rune
	ids   map[rune]int
	ascii [utf8.RuneSelf]int // the id of each plus one, or 0
}

var _ Cutter = (*Chars)(nil)

// NewChars returns the character vocabulary of text: its runes in ascending order. It is an error if text is
// empty or not valid UTF-8.
func NewChars(text string) (*Chars, error) {
	if text == "" {
		return nil, errors.Errorf("text: a vocabulary of characters needs a text")
	}
	seen := make(map[rune]bool)
	for i, r := range text {
		if r == utf8.RuneError && !isReplacement(text[i:]) {
			return nil, errors.Errorf("text: byte %#02x at %d is not UTF-8", text[i], i)
		}
		seen[r] = true
	}
	runes := make([]rune, 0, len(seen))
	for r := range seen {
		runes = append(runes, r)
	}
	slices.Sort(runes)
	return newChars(runes), nil
}

// newChars returns the vocabulary in which the id of a rune is its index.
func newChars(runes []rune) *Chars {
	c := &Chars{runes: runes, ids: make(map[rune]int, len(runes))}
	for id, r := range runes {
		c.ids[r] = id
		if r < utf8.RuneSelf {
			c.ascii[r] = id + 1
		}
	}
	return c
}

// isReplacement reports whether s starts with the three bytes of U+FFFD, which tells the character from
// what decoding an invalid byte returns.
func isReplacement(s string) bool {
	return strings.HasPrefix(s, string(utf8.RuneError))
}

// Encode returns the id of every character of text. It is an error if one is not in the vocabulary.
func (c *Chars) Encode(text string) ([]int, error) {
	ids := make([]int, 0, len(text))
	for i, r := range text {
		if r < utf8.RuneSelf {
			if id := c.ascii[r]; id > 0 {
				ids = append(ids, id-1)
				continue
			}
		} else if id, ok := c.ids[r]; ok && (r != utf8.RuneError || isReplacement(text[i:])) {
			ids = append(ids, id)
			continue
		}
		if r == utf8.RuneError && !isReplacement(text[i:]) {
			return nil, errors.Errorf("text: byte %#02x at %d is not UTF-8", text[i], i)
		}
		return nil, errors.Errorf("text: character %q at %d is not among the %d of the vocabulary", r, i, len(c.runes))
	}
	return ids, nil
}

// Decode returns the characters of ids.
func (c *Chars) Decode(ids []int) (string, error) {
	b := make([]byte, 0, len(ids))
	for i, id := range ids {
		if id < 0 || id >= len(c.runes) {
			return "", errors.Errorf("text: id %d at %d is outside the vocabulary of %d", id, i, len(c.runes))
		}
		b = utf8.AppendRune(b, c.runes[id])
	}
	return string(b), nil
}

// Token returns the character id as a string.
func (c *Chars) Token(id int) (string, bool) {
	if id < 0 || id >= len(c.runes) {
		return "", false
	}
	return string(c.runes[id]), true
}

// Special returns false: characters have no special tokens.
func (c *Chars) Special(string) (int, bool) { return 0, false }

// VocabSize returns the number of characters.
func (c *Chars) VocabSize() int { return len(c.runes) }

// Cut returns the length of the whole characters of text.
func (c *Chars) Cut(text string) int { return len(text) - partialRune(text) }

// partialRune returns the length of the part of a character that ends s: bytes that could become one with
// bytes yet to come.
func partialRune(s string) int {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		if tail := s[len(s)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRuneInString(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
