package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Sequences says, for each row of a batch, which sequence a generating graph continues with it, and from where. Slices that
// are nil or too short stand for what is said of them.
type Sequences struct {
	Slots   []int // the sequence of each row, which its state belongs to; row i is sequence i
	Offsets []int // how many tokens the sequence has; none
	Counts  []int // how many of the tokens in the row are meant, the others are padding; all
	Max     int   // how many tokens a sequence may have, as far as memory is to be reserved for it
}

// row returns what row b of a batch continues, with how many of its tokens.
func (c *Call) row(b, tokens int) (slot, at, count int) {
	slot, count = b, tokens
	s := c.Sequences
	if s == nil {
		return slot, 0, count
	}
	if b < len(s.Slots) {
		slot = s.Slots[b]
	}
	if b < len(s.Offsets) {
		at = s.Offsets[b]
	}
	if b < len(s.Counts) {
		count = s.Counts[b]
	}
	return slot, at, count
}

// offsets returns how many tokens each row continues, and reserve how many it may come to.
func (c *Call) offsets() []int {
	if c.Sequences == nil {
		return nil
	}
	return c.Sequences.Offsets
}

func (c *Call) reserve() int {
	if c.Sequences == nil {
		return 0
	}
	return c.Sequences.Max
}

// CopyColumns copies what is remembered of the first n tokens of a sequence: from a slot of src, as AttendCached keeps keys
// and values, to a slot of dst, which has the same shape but for the number of slots.
func CopyColumns(dst gorgonia.Value, to int, src gorgonia.Value, from, n int) {
	if dst.Dtype() == tensor.Float64 {
		copyColumns[float64](dst, to, src, from, n)
		return
	}
	copyColumns[float32](dst, to, src, from, n)
}

func copyColumns[F kernel.Float](dst gorgonia.Value, to int, src gorgonia.Value, from, n int) {
	shape := dst.Shape()
	room, size := shape[3], shape[1]*shape[2]*shape[3]
	d, s := floats[F](dst)[to*size:][:size], floats[F](src)[from*size:][:size]
	for i := 0; i < size; i += room {
		copy(d[i:i+n], s[i:])
	}
}
