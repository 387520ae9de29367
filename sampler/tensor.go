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
//
// Steps that look at the text of a row, or learn, have no place here, since one Sampler has one history: they
// are an error, and a [Batch] is for them. History does not grow.
func (s *Sampler) SampleTensor(t tensor.Tensor) ([]int, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	for i, step := range s.Steps {
		if !plain(step) {
			return nil, errors.Errorf("sampler: step %d of %d, a %T, looks at the text of one row, so it needs a Batch",
				i, len(s.Steps), step)
		}
	}
	dense, err := denseLogits(t)
	if err != nil {
		return nil, err
	}
	d := s.distribution()
	defer d.release()
	if dense.Dtype() == tensor.Float32 {
		return sampleRows(s, dense, dense.Float32s(), d.reset)
	}
	return sampleRows(s, dense, dense.Float64s(), d.reset64)
}

// plain reports whether a step sees nothing but the distribution and Toss.
func plain(step Step) bool {
	switch step.(type) {
	case Temperature, DynamicTemperature, TopK, TopKTies, TopP, MinP, AtLeast, TypicalP, TypicalRule, Epsilon, Eta, PLess,
		TopNSigma, TopH, XTC, LogitBias, AllowedTokens, SuppressedTokens:
		return true
	}
	return false
}

func sampleRows[F float32 | float64](s *Sampler, t *tensor.Dense, data []F, reset func([]F) error) ([]int, error) {
	rows, err := rowsOf(t, data)
	if err != nil {
		return nil, err
	}
	tokens := make([]int, len(rows))
	one := *s // the row's
	one.owner, one.scratch = &one, s.scratch
	for i, row := range rows {
		one.Stream = s.Stream + uint64(i)
		err := reset(row)
		if err == nil {
			err = one.Apply(s.scratch)
		}
		if err != nil {
			return nil, errors.WithMessagef(err, "sampler: row %d of %d", i, len(rows))
		}
		tokens[i] = s.scratch.drawOnce(Uniform(one.Seed, one.Stream, one.Step))
	}
	s.Step++
	return tokens, nil
}

// denseLogits returns t if its elements can be read.
func denseLogits(t tensor.Tensor) (*tensor.Dense, error) {
	dense, ok := t.(*tensor.Dense)
	if !ok || dense == nil {
		return nil, errors.Errorf("sampler: logits are a %T, want a dense tensor", t)
	}
	if dense.Dtype() == (tensor.Dtype{}) {
		return nil, errors.New("sampler: logits are a tensor of nothing")
	}
	if dense.IsMasked() || !dense.IsNativelyAccessible() {
		return nil, errors.Errorf("sampler: logits %v have a mask or lie outside of Go's memory", dense.Shape())
	}
	if dense.Dtype() != tensor.Float32 && dense.Dtype() != tensor.Float64 {
		return nil, errors.Errorf("sampler: logits are of type %v, want float32 or float64", dense.Dtype())
	}
	return dense, nil
}

// rowsOf returns the rows of t, of which data are the elements: parts of data where they lie in order.
func rowsOf[F float32 | float64](t *tensor.Dense, data []F) ([][]F, error) {
	shape, strides := t.Shape(), t.Strides()
	if len(shape) < 1 || len(shape) > 3 || len(strides) != len(shape) {
		return nil, errors.Errorf(
			"sampler: logits have shape %v and strides %v, want (vocab), (batch, vocab) or (batch, seq, vocab)", shape, strides)
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
		return nil, errors.Errorf("sampler: logits of shape %v and strides %v do not fit in %d elements",
			shape, strides, len(data))
	}

	rows := make([][]F, batch)
	for i := range rows {
		at := 0
		if rank > 1 {
			at += i * strides[0]
		}
		if rank == 3 {
			at += (shape[1] - 1) * strides[1]
		}
		if step == 1 {
			rows[i] = data[at : at+vocab]
			continue
		}
		rows[i] = make([]F, vocab)
		for j := range vocab {
			rows[i][j] = data[at+j*step]
		}
	}
	return rows, nil
}
