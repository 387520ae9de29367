package sampler

import (
	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// SampleTensor returns a token for every row of a dense tensor of logits, float32 or float64, of shape
// (vocab), (batch, vocab) or (batch, seq, vocab). Of a sequence it takes the last position. Slices and
// transposed tensors are read through their strides; tensors with masks are refused.
//
// Row i draws from stream s.Stream+i at s.Step, then Step counts on by one: each row gets the token that it
// would get alone, in Sample, from a Sampler of that stream. If there is an error, which names the row,
// there are no tokens and Step stays.
func (s *Sampler) SampleTensor(t tensor.Tensor) ([]int, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	dense, ok := t.(*tensor.Dense)
	if !ok || dense == nil {
		return nil, errors.Errorf("sampler: logits are a %T, want a dense tensor", t)
	}
	if dense.IsMasked() || !dense.IsNativelyAccessible() {
		return nil, errors.Errorf("sampler: logits %v have a mask or lie outside of Go's memory", dense.Shape())
	}
	d := s.distribution()
	defer d.release()
	switch dense.Dtype() {
	case tensor.Float32:
		return sampleRows(s, dense, dense.Float32s(), d.reset)
	case tensor.Float64:
		return sampleRows(s, dense, dense.Float64s(), d.reset64)
	default:
		return nil, errors.Errorf("sampler: logits are of type %v, want float32 or float64", dense.Dtype())
	}
}

func sampleRows[F float32 | float64](s *Sampler, t *tensor.Dense, data []F, reset func([]F) error) ([]int, error) {
	shape, strides := t.Shape(), t.Strides()
	if len(shape) < 1 || len(shape) > 3 || len(strides) != len(shape) {
		return nil, errors.Errorf("sampler: logits have shape %v and strides %v, want (vocab), (batch, vocab) or (batch, seq, vocab)", shape, strides)
	}
	rank := len(shape)
	batch, vocab, step := 1, shape[rank-1], strides[rank-1]
	if rank > 1 {
		batch = shape[0]
	}
	last, fits := 0, true // the offset of the last element
	for i, n := range shape {
		last += (n - 1) * strides[i]
		fits = fits && n > 0 && strides[i] >= 0 && last < len(data)
	}
	if !fits {
		return nil, errors.Errorf("sampler: logits of shape %v and strides %v do not fit in %d elements", shape, strides, len(data))
	}

	tokens := make([]int, batch)
	var gathered []F
	for i := range tokens {
		at := 0
		if rank > 1 {
			at += i * strides[0]
		}
		if rank == 3 {
			at += (shape[1] - 1) * strides[1]
		}
		row := gathered
		if step == 1 {
			row = data[at : at+vocab]
		} else {
			row = row[:0]
			for j := range vocab {
				row = append(row, data[at+j*step])
			}
			gathered = row
		}
		err := reset(row)
		if err == nil {
			err = s.Apply(s.scratch)
		}
		if err != nil {
			return nil, errors.WithMessagef(err, "sampler: row %d of %d", i, batch)
		}
		tokens[i] = s.scratch.draw(Uniform(s.Seed, s.Stream+uint64(i), s.Step))
	}
	s.Step++
	return tokens, nil
}
