package graph

import (
	"context"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Parity compares two ways to run forward, a model that maps tokens (batch, seq) to logits (batch, seq, vocab): on tokens
// as a whole, and as a [Decoder] does, one by one and in pieces. It returns by how much a logit differs at most, in
// relation to the largest one. With 0 or a few units of rounding (1e-5 in float32) a model generates from what it was
// trained to be; with more, one of its ops looks at other tokens without a graph's knowledge. NaN and infinite logits
// are an error.
func Parity(ctx context.Context, forward func(tokens Node) Node, tokens []int, opts ...Option) (float64, error) {
	diff, err := parity(ctx, forward, tokens, opts)
	return diff, errors.WithMessage(err, "graph: Parity")
}

func parity(ctx context.Context, forward func(tokens Node) Node, tokens []int, opts []Option) (diff float64, err error) {
	switch {
	case forward == nil:
		return 0, errors.New("no model")
	case len(tokens) == 0:
		return 0, errors.New("0 tokens for a model")
	case collect(opts).decode:
		return 0, errors.New("Decode is not an option of Parity, whose graphs are as long as its tokens")
	}
	whole, err := logitsOf(ctx, forward, tokens, opts)
	if err != nil {
		return 0, err
	}
	vocab, largest := len(whole)/len(tokens), 0.0
	for i, x := range whole {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return 0, errors.Errorf("logit %d of token %d is %v", i%vocab, i/vocab, x)
		}
		largest = max(largest, math.Abs(x))
	}
	d, err := NewDecoder(forward, len(tokens), opts...)
	if err != nil {
		return 0, err
	}
	// compare looks at a row of the decoder.
	compare := func(token int, row []float32) error {
		for i, x := range row {
			gap := math.Abs(float64(x) - whole[token*vocab+i])
			if math.IsNaN(gap) || math.IsInf(gap, 0) {
				return errors.Errorf("logit %d of token %d is %v in a generating graph", i, token, x)
			}
			diff = max(diff, gap)
		}
		return nil
	}
	for i, token := range tokens {
		row, err := d.Next(ctx, token)
		if err != nil {
			return 0, err
		}
		if err := compare(i, row); err != nil {
			return 0, err
		}
	}
	d.Reset()
	row, err := d.Next(ctx, tokens...)
	if err != nil {
		return 0, err
	}
	if err := compare(len(tokens)-1, row); err != nil {
		return 0, err
	}
	d.Reset()
	rows, err := d.NextAll(ctx, tokens...)
	if err != nil {
		return 0, err
	}
	for i, row := range rows {
		if err := compare(i, row); err != nil {
			return 0, err
		}
	}
	return diff / max(largest, math.SmallestNonzeroFloat64), nil
}

// logitsOf returns what forward makes of tokens as a whole.
func logitsOf(ctx context.Context, forward func(tokens Node) Node, tokens []int, opts []Option) ([]float64, error) {
	g := New(opts...)
	in := g.Tokens("tokens", 1, len(tokens))
	out := apart(forward, in)
	if shape := out.Shape(); g.err == nil && (len(shape) != 3 || shape[0] != 1 || shape[1] != len(tokens)) {
		return nil, errors.Errorf("the model maps tokens (1, %d) to %v, want (1, %d, vocab)", len(tokens), shape, len(tokens))
	}
	prog, err := Compile(out)
	if err != nil {
		return nil, err
	}
	if err := prog.Run(ctx, Feed{in: Ints(tokens, 1, len(tokens))}); err != nil {
		return nil, err
	}
	v, err := prog.Value(out)
	if err != nil {
		return nil, err
	}
	d := v.(*tensor.Dense)
	if d.Dtype() == tensor.Float64 {
		return d.Float64s(), nil
	}
	all := make([]float64, 0, d.Size())
	for _, x := range d.Float32s() {
		all = append(all, float64(x))
	}
	return all, nil
}
