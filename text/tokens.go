package text

import "github.com/pkg/errors"

// Tokens is a sequence of token ids that can be read anywhere, in memory or not.
type Tokens interface {
	// Len returns the number of tokens.
	Len() int

	// ReadTokens fills dst with the tokens from at on. It is an error if there are fewer.
	ReadTokens(dst []int, at int) error
}

// Slice is Tokens in memory.
type Slice []int

var _ Tokens = Slice(nil)

// Len returns len(s).
func (s Slice) Len() int { return len(s) }

// ReadTokens copies s[at:at+len(dst)] to dst.
func (s Slice) ReadTokens(dst []int, at int) error {
	if err := checkRange(len(s), len(dst), at); err != nil {
		return err
	}
	copy(dst, s[at:])
	return nil
}

// checkRange checks a read of n tokens at a place.
func checkRange(length, n, at int) error {
	if at < 0 || at > length || n > length-at {
		return errors.Errorf("text: %d tokens from %d, where there are %d", n, at, length)
	}
	return nil
}

// section is n tokens of others, from off on.
type section struct {
	tokens Tokens
	off, n int
}

func (s section) Len() int { return s.n }

func (s section) ReadTokens(dst []int, at int) error {
	if err := checkRange(s.n, len(dst), at); err != nil {
		return err
	}
	return s.tokens.ReadTokens(dst, s.off+at)
}

// Split parts t in two, of which the first has the fraction train of the tokens, rounded down. nanoGPT trains
// on the first 0.9 and validates on the rest. Nothing is copied.
func Split(t Tokens, train float64) (training, validation Tokens, err error) {
	if t == nil {
		return nil, nil, errors.Errorf("text: Split of no tokens")
	}
	if !(train >= 0 && train <= 1) { // NaN is not
		return nil, nil, errors.Errorf("text: a fraction of %v cannot be split off", train)
	}
	n := t.Len()
	at := min(int(float64(n)*train), n)
	return section{t, 0, at}, section{t, at, n - at}, nil
}
