package sampler_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/logits-go/logits/sampler"
)

// A toy is a model whose logits are a function of the text. It can be forked, rewound and asked for all positions.
type toy struct {
	text   []int
	logits func(text []int) []float32
	calls  *int  // of Next and NextAll together, also of the forks
	fail   error // of the call number failAt, counting from 1
	failAt int
	long   int // the longest text so far
}

func newToy(logits func(text []int) []float32) *toy { return &toy{logits: logits, calls: new(int)} }

func (m *toy) NextAll(_ context.Context, tokens ...int) ([][]float32, error) {
	if *m.calls++; *m.calls == m.failAt {
		return nil, m.fail
	}
	if len(tokens) == 0 {
		return nil, errors.New("toy: no tokens")
	}
	var rows [][]float32
	for _, token := range tokens {
		m.text = append(m.text, token)
		rows = append(rows, m.logits(m.text))
	}
	m.long = max(m.long, len(m.text))
	return rows, nil
}

func (m *toy) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	rows, err := m.NextAll(ctx, tokens...)
	if err != nil {
		return nil, err
	}
	return rows[len(rows)-1], nil
}

func (m *toy) Fork() (*toy, error) {
	f := *m
	f.text = slices.Clone(m.text)
	return &f, nil
}

func (m *toy) Len() int { return len(m.text) }

func (m *toy) Truncate(n int) error {
	if n < 0 || n > len(m.text) {
		return fmt.Errorf("toy: %d tokens of %d", n, len(m.text))
	}
	m.text = m.text[:n]
	return nil
}

// gauss returns logits that are normal, with the given spread, for each text anew.
func gauss(seed uint64, vocab int, spread float64) func(text []int) []float32 {
	return func(text []int) []float32 {
		h := fnv.New64a()
		for _, token := range text {
			h.Write(binary.LittleEndian.AppendUint64(nil, uint64(token)))
		}
		rng := rand.New(rand.NewPCG(seed, h.Sum64()))
		logits := make([]float32, vocab)
		for i := range logits {
			logits[i] = float32(rng.NormFloat64() * spread)
		}
		return logits
	}
}

// fixed returns the same logits for every text.
func fixed(logits ...float32) func(text []int) []float32 {
	return func([]int) []float32 { return slices.Clone(logits) }
}

// logs returns the logarithms of probabilities.
func logs(probs ...float64) []float32 {
	logits := make([]float32, len(probs))
	for i, p := range probs {
		logits[i] = float32(math.Log(p))
	}
	return logits
}

var (
	_ sampler.Scorer       = (*toy)(nil)
	_ sampler.Forker[*toy] = (*toy)(nil)
)
