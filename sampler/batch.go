package sampler

import (
	"github.com/logits-go/logits/internal/kernel"
	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// A Batch samples rows of logits side by side, each with settings, seed, stream and history of its own. Row i gets
// the token that Rows[i] would draw alone, whatever the other rows are and however many threads GOMAXPROCS
// allows. It is saved with encoding/json or encoding/gob, and goes on from there.
//
// A Batch must not be used by several goroutines at once. Rows that share a [Learner] are an error. Rows are
// sampled at the same time, so steps that are not of this package must not share what they change either.
type Batch struct {
	Rows []Sampler

	errs []error
	seen map[Step]int
}

// Sample stores in tokens, which has to have as many elements as there are rows, a token for each row of
// logits. Where logits has nil, as a graph.BatchDecoder does for a text that has ended, the token is -1 and the row
// stays as it is. If there is an error, which names the first row that has one, no row is any further than before,
// and tokens are not to be used.
func (b *Batch) Sample(tokens []int, logits [][]float32) error {
	return sampleBatch(b, tokens, logits, (*Distribution).reset)
}

// SampleTensor returns a token for every row of a tensor such as [Sampler.SampleTensor] takes, which must have as
// many rows as b. If there is an error there are no tokens, and no row is any further than before.
func (b *Batch) SampleTensor(t tensor.Tensor) ([]int, error) {
	dense, err := denseLogits(t)
	if err != nil {
		return nil, err
	}
	tokens := make([]int, len(b.Rows))
	switch dense.Dtype() {
	case tensor.Float32:
		var rows [][]float32
		if rows, err = rowsOf(dense, dense.Float32s()); err == nil {
			err = b.Sample(tokens, rows)
		}
	default:
		var rows [][]float64
		if rows, err = rowsOf(dense, dense.Float64s()); err == nil {
			err = sampleBatch(b, tokens, rows, (*Distribution).reset64)
		}
	}
	if err != nil {
		return nil, err
	}
	return tokens, nil
}

func sampleBatch[F float32 | float64](b *Batch, tokens []int, logits [][]F, reset func(*Distribution, []F) error) error {
	n := len(b.Rows)
	if len(logits) != n || len(tokens) != n {
		return errors.Errorf("sampler: %d rows of logits and %d of tokens for a batch of %d", len(logits), len(tokens), n)
	}
	if len(b.errs) != n {
		b.errs = make([]error, n)
	}
	if err := b.apart(); err != nil {
		return err
	}

	// All rows draw first and then all take note of it, so that an error leaves every one where it was.
	kernel.Parallel(n, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if tokens[i], b.errs[i] = -1, nil; logits[i] == nil {
				continue
			}
			s := &b.Rows[i]
			d := s.distribution()
			err := reset(d, logits[i])
			if err == nil {
				err = s.Apply(d)
			}
			if b.errs[i] = err; err == nil {
				tokens[i] = d.drawOnce(Uniform(s.Seed, s.Stream, s.Step))
			}
		}
	})
	defer func() {
		for i := range b.Rows {
			if logits[i] != nil {
				b.Rows[i].scratch.release()
			}
		}
	}()
	for i, err := range b.errs {
		if err != nil {
			return errors.WithMessagef(err, "sampler: row %d of %d", i, n)
		}
	}
	for i := range b.Rows {
		if logits[i] != nil {
			b.Rows[i].accept(b.Rows[i].scratch, tokens[i])
		}
	}
	return nil
}

// apart returns an error if two rows share a Learner of this package, which would learn from both.
func (b *Batch) apart() error {
	clear(b.seen)
	for i := range b.Rows {
		for _, step := range b.Rows[i].Steps {
			switch step.(type) {
			case *Mirostat, *Mirostat1, *AdaptiveP:
			default:
				continue
			}
			if b.seen == nil {
				b.seen = make(map[Step]int)
			}
			if j, ok := b.seen[step]; ok {
				return errors.Errorf("sampler: rows %d and %d of %d share a %s; see Clone", j, i, len(b.Rows), stepName(step))
			}
			b.seen[step] = i
		}
	}
	return nil
}

// Clone returns a Batch that goes on by itself with the same tokens. The errors are those of [Sampler.Clone].
func (b *Batch) Clone() (*Batch, error) {
	out := &Batch{Rows: make([]Sampler, len(b.Rows))}
	for i := range b.Rows {
		row, err := b.Rows[i].Clone()
		if err != nil {
			return nil, errors.WithMessagef(err, "sampler: row %d of %d", i, len(b.Rows))
		}
		out.Rows[i] = *row
	}
	return out, nil
}
