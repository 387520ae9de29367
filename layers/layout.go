package layers

import (
	"slices"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/internal/weights"
)

// A layout says how a file orders the numbers of parameters.
type layout int

const (
	asIs       layout = iota
	transposed        // (in, out): a Conv1D of GPT-2
	rotary            // in templates: rows of queries and keys, which rotary positions pair
	halves            // paired rows lie half a head apart in the file, and side by side in the parameter
	pairs             // the reverse of that
)

// of returns the layout of a tensor, which may depend on how model and file pair the elements of a head.
func (l layout) of(model, file bool) layout {
	switch {
	case l != rotary:
		return l
	case file && !model:
		return halves
	case model && !file:
		return pairs
	}
	return asIs
}

// row returns where a file has row r of a parameter whose heads have so many rows.
func (l layout) row(r, head int) int {
	first, i := r/head*head, r%head
	switch l {
	case halves: // 2j and 2j+1 become j and half+j
		return first + i%2*(head/2) + i/2
	case pairs:
		return first + i%(head/2)*2 + i/(head/2)
	}
	return r
}

// shape returns the shape that the tensor has in the file.
func (s slot) shape() []int {
	shape := s.params[0].Shape().Clone()
	for _, p := range s.params[1:] {
		shape[0] += p.Shape()[0]
	}
	if s.layout == transposed {
		slices.Reverse(shape)
	}
	return shape
}

// columns returns how many numbers of a parameter a layout moves together: those of a row of a matrix, and one of a bias.
func columns(p *graph.Param) int {
	if shape := p.Shape(); len(shape) > 1 {
		return shape[1]
	}
	return 1
}

// read fills the parameters from the tensor in the file.
func (s slot) read(t weights.Tensor) error {
	if s.params[0].Value().Dtype() == tensor.Float64 {
		return readSlot[float64](s, t)
	}
	return readSlot[float32](s, t)
}

func readSlot[F kernel.Float](s slot, t weights.Tensor) error {
	at, out := 0, 0 // numbers and rows of the parameters so far
	if s.layout == transposed {
		out = s.shape()[1]
	}
	for _, p := range s.params {
		dst, cols := numbersOf[F](p), columns(p)
		var err error
		switch s.layout {
		case transposed:
			err = readTransposed(dst, cols, t, at/cols, out)
		case halves, pairs:
			err = weights.Each(len(dst)/cols, 1+1<<14/cols, func(lo, hi int) {
				for r := lo; r < hi; r++ {
					weights.Read(dst[r*cols:(r+1)*cols], t, at+s.layout.row(r, s.head)*cols)
				}
			})
		default:
			err = weights.Each(len(dst), 1<<14, func(lo, hi int) { weights.Read(dst[lo:hi], t, at+lo) })
		}
		if err != nil {
			return err
		}
		at += len(dst)
	}
	return nil
}

// readTransposed fills dst (rows, in) with columns of a tensor (in, out), from the given one on. It goes down the tensor
// a few columns at a time, as many as the processor fetches together.
func readTransposed[F kernel.Float](dst []F, in int, t weights.Tensor, from, out int) error {
	const few = 16
	rows := len(dst) / in
	return weights.Each((rows+few-1)/few, 1+1<<14/(few*in), func(lo, hi int) {
		var buf [few]F
		for r := lo * few; r < min(hi*few, rows); r += few {
			part := buf[:min(few, rows-r)]
			for i := range in {
				weights.Read(part, t, i*out+from+r)
				for k, v := range part {
					dst[(r+k)*in+i] = v
				}
			}
		}
	})
}

// numbers returns the numbers of the tensor as the file orders them.
func (s slot) numbers() []float32 {
	var out []float32
	for _, p := range s.params {
		at, cols := len(out), columns(p)
		out = append(out, float32s(p)...)
		if s.layout == halves || s.layout == pairs {
			for r, part := range slices.Collect(slices.Chunk(float32s(p), cols)) {
				copy(out[at+s.layout.row(r, s.head)*cols:], part)
			}
		}
	}
	if s.layout != transposed {
		return out
	}
	in, rows := s.shape()[0], s.shape()[1]
	flipped := make([]float32, len(out))
	for r := range rows {
		for i, v := range out[r*in : (r+1)*in] {
			flipped[i*rows+r] = v
		}
	}
	return flipped
}

// numbersOf returns the storage of a parameter.
func numbersOf[F kernel.Float](p *graph.Param) []F {
	v, _ := p.Value().Data().([]F)
	return v
}

// float32s returns the numbers of a parameter, rounded to float32 if they are more precise.
func float32s(p *graph.Param) []float32 {
	if p.Value().Dtype() == tensor.Float64 {
		var out []float32
		for _, v := range numbersOf[float64](p) {
			out = append(out, float32(v))
		}
		return out
	}
	return numbersOf[float32](p)
}
