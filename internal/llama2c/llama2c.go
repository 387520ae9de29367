// Package llama2c knows the first version of llama2.c's model files: seven sizes of 32 bits, and then numbers in float32.
// They are the tensors of a Llama, each for all layers before the next, with the cosines and sines of rotary positions
// before an output layer of its own. See legacy_export in https://github.com/karpathy/llama2.c/blob/master/export.py.
package llama2c

import (
	"encoding/binary"
	"math"

	"github.com/pkg/errors"
)

// A Header holds the sizes of a model.
type Header struct {
	Dim, Hidden, Layers, Heads, KVHeads, Vocab, Context int

	Tied bool // the embedding is the output layer too; if not, a file has the size of the vocabulary below 0
}

const (
	headerBytes = 7 * 4
	magic       = 0x616b3432 // "ak42", which begins later versions
)

// Parse returns the header of a file whose bytes are data, and the numbers behind it, which are as many as it calls for.
func Parse(data []byte) (h Header, numbers []byte, err error) {
	if len(data) < headerBytes {
		return h, nil, errors.Errorf("llama2c: %d bytes, a header has %d", len(data), headerBytes)
	}
	var n [7]int32
	for i := range n {
		n[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
	}
	if n[0] == magic {
		return h, nil, errors.Errorf("llama2c: version %d, only files without a version are supported", n[1])
	}
	h = Header{
		Dim: int(n[0]), Hidden: int(n[1]), Layers: int(n[2]), Heads: int(n[3]), KVHeads: int(n[4]),
		Vocab: max(int(n[5]), -int(n[5])), Tied: n[5] > 0, Context: int(n[6]),
	}
	if err := h.check(); err != nil {
		return h, nil, err
	}
	if want := headerBytes + 4*h.count(); want != float64(len(data)) {
		return h, nil, errors.Errorf("llama2c: %d bytes, want %.0f for %+v", len(data), want, h)
	}
	return h, data[headerBytes:], nil
}

// Append appends h as it begins a file.
func (h Header) Append(data []byte) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	vocab := h.Vocab
	if !h.Tied {
		vocab = -vocab
	}
	for _, n := range []int{h.Dim, h.Hidden, h.Layers, h.Heads, h.KVHeads, vocab, h.Context} {
		data = binary.LittleEndian.AppendUint32(data, uint32(int32(n)))
	}
	return data, nil
}

func (h Header) check() error {
	for _, n := range []int{h.Dim, h.Hidden, h.Layers, h.Heads, h.KVHeads, h.Vocab, h.Context} {
		if n <= 0 || n > math.MaxInt32 {
			return errors.Errorf("llama2c: sizes %+v", h)
		}
	}
	if h.Dim%h.Heads != 0 || h.Dim/h.Heads%2 != 0 || h.Heads%h.KVHeads != 0 {
		return errors.Errorf("llama2c: heads of %+v", h)
	}
	return nil
}

// Turns returns how many numbers the cosines and sines of rotary positions are.
func (h Header) Turns() int { return h.Context * (h.Dim / h.Heads) }

// count returns how many numbers a file has, exactly if they are so few that a file can have them.
func (h Header) count() float64 {
	dim, hidden, vocab := float64(h.Dim), float64(h.Hidden), float64(h.Vocab)
	kv := float64(h.Dim / h.Heads * h.KVHeads)
	layer := 2*dim + 2*dim*dim + 2*dim*kv + 3*dim*hidden
	n := vocab*dim + float64(h.Layers)*layer + dim + float64(h.Turns())
	if !h.Tied {
		n += vocab * dim
	}
	return n
}
