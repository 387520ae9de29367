package constrain

import (
	"math"
	"math/bits"
	"slices"

	"github.com/pkg/errors"
)

// A Mask is a set of tokens that may follow. The zero value is of a vocabulary of size 0.
type Mask struct {
	bits []uint64
	size int
}

// Reset makes m the empty set of the ids from 0 to size-1.
func (m *Mask) Reset(size int) {
	m.size = max(size, 0)
	n := (m.size + 63) / 64
	m.bits = slices.Grow(m.bits[:0], n)[:n]
	clear(m.bits)
}

// Allow adds a token. It is an error if the token is not in the vocabulary.
func (m *Mask) Allow(token int) error {
	if token < 0 || token >= m.size {
		return errors.Errorf("constrain: token %d is not in [0, %d)", token, m.size)
	}
	m.bits[token/64] |= 1 << (token % 64)
	return nil
}

// Allows reports whether a token is in the set.
func (m *Mask) Allows(token int) bool {
	return token >= 0 && token < m.size && m.bits[token/64]>>(token%64)&1 == 1
}

// Len returns the number of tokens in the set, and Size that of the vocabulary.
func (m *Mask) Len() int {
	n := 0
	for _, w := range m.bits {
		n += bits.OnesCount64(w)
	}
	return n
}

// Size returns the size of the vocabulary.
func (m *Mask) Size() int { return m.size }

// appendTokens appends the tokens that are in the set, or those that are not, in ascending order.
func (m *Mask) appendTokens(dst []int, in bool) []int {
	for i, w := range m.bits {
		if !in {
			w = ^w
		}
		for ; w != 0; w &= w - 1 {
			if token := 64*i + bits.TrailingZeros64(w); token < m.size {
				dst = append(dst, token)
			}
		}
	}
	return dst
}

// Apply returns logits (vocab) with -Inf in place of those of tokens that are not in the set, stored in dst if it has
// room for them. dst may be logits. NaN and +Inf stay, wherever they are, for a sampler to find. It is an error if
// logits are not of the size of the vocabulary.
func (m *Mask) Apply(dst, logits []float32) ([]float32, error) {
	if len(logits) != m.size {
		return nil, errors.Errorf("constrain: %d logits, the vocabulary has %d tokens", len(logits), m.size)
	}
	dst = slices.Grow(dst[:0], len(logits))[:len(logits)]
	copy(dst, logits)
	for i, w := range m.bits {
		row := dst[64*i : min(64*i+64, len(dst))]
		if w == ^uint64(0) {
			continue
		}
		for j, x := range row {
			if w>>j&1 == 0 && x <= math.MaxFloat32 {
				row[j] = float32(math.Inf(-1))
			}
		}
	}
	return dst, nil
}
