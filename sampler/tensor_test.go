package sampler_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
	"gorgonia.org/tensor"
)

// Every row of every shape gets the token that it gets alone, from a sampler of its stream.
func TestSampleTensorRows(t *testing.T) {
	const batch, seq, vocab = 3, 4, 700
	data := row("gauss", batch*seq*vocab)
	wide := make([]float64, len(data))
	for i, x := range data {
		wide[i] = float64(x)
	}
	at := func(b, s int) []float32 { return data[(b*seq+s)*vocab:][:vocab] }
	dense := func(backing any, shape ...int) *tensor.Dense {
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(backing))
	}
	slice := func(d *tensor.Dense, s ...tensor.Slice) tensor.Tensor {
		v, err := d.Slice(s...)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	transposed := dense(slices.Clone(data[:vocab*seq]), vocab, seq)
	if err := transposed.T(); err != nil {
		t.Fatal(err)
	}
	columns := make([][]float32, seq)
	for i, x := range data[:vocab*seq] {
		columns[i%seq] = append(columns[i%seq], x)
	}

	for _, c := range []struct {
		name string
		t    tensor.Tensor
		rows [][]float32
	}{
		{"vector", dense(at(0, 1), vocab), [][]float32{at(0, 1)}},
		{"matrix", dense(data[:seq*vocab], seq, vocab), [][]float32{at(0, 0), at(0, 1), at(0, 2), at(0, 3)}},
		{"sequence", dense(data, batch, seq, vocab), [][]float32{at(0, 3), at(1, 3), at(2, 3)}},
		{"float64", dense(wide, batch, seq, vocab), [][]float32{at(0, 3), at(1, 3), at(2, 3)}},
		{"one row", dense(at(0, 0), 1, vocab), [][]float32{at(0, 0)}},
		{"one token", dense([]float32{3, 4}, 2, 1), [][]float32{{3}, {4}}},
		{"one logit", dense([]float32{3}, 1), [][]float32{{3}}},
		{
			"slice of sequence", slice(dense(data, batch, seq, vocab), nil, tensor.S(0, 2)),
			[][]float32{at(0, 1), at(1, 1), at(2, 1)},
		},
		{"slice of batch", slice(dense(data, batch, seq, vocab), tensor.S(1, 3)), [][]float32{at(1, 3), at(2, 3)}},
		{
			"slice of vocabulary", slice(dense(data, batch, seq, vocab), nil, nil, tensor.S(100, 300)),
			[][]float32{at(0, 3)[100:300], at(1, 3)[100:300], at(2, 3)[100:300]},
		},
		{"column", slice(dense(data[:vocab*seq], vocab, seq), nil, tensor.S(2)), [][]float32{columns[2]}},
		{"transposed", transposed, columns},
	} {
		s := sampler.Sampler{Temperature: 1.3, TopK: 300, TopP: 0.99, Seed: 9, Stream: 1000, Step: 5}
		got, err := s.SampleTensor(c.t)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var want []int
		for i, logits := range c.rows {
			alone := sampler.Sampler{Temperature: 1.3, TopK: 300, TopP: 0.99, Seed: 9, Stream: 1000 + uint64(i), Step: 5}
			want = append(want, sample(t, &alone, logits))
		}
		if !slices.Equal(got, want) || s.Step != 6 {
			t.Errorf("%s: drew %v to step %d, want %v to step 6", c.name, got, s.Step, want)
		}
	}
}

// Neighbours in float64 that are one number in float32 stay apart.
func TestSampleTensorKeepsFloat64(t *testing.T) {
	logits := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float64{1, 1 + 1e-12}))
	if got, err := new(sampler.Sampler).SampleTensor(logits); err != nil || !slices.Equal(got, []int{1}) {
		t.Errorf("SampleTensor = %v, %v, want [1]", got, err)
	}
}

func TestSampleTensorErrors(t *testing.T) {
	nan := math.NaN()
	masked := tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{1, 2}, []bool{true, false}))
	for _, c := range []struct {
		name string
		s    sampler.Sampler
		t    tensor.Tensor
		want string
	}{
		{"nil", sampler.Sampler{}, nil, "want a dense tensor"},
		{"nil dense", sampler.Sampler{}, (*tensor.Dense)(nil), "want a dense tensor"},
		{
			"sparse", sampler.Sampler{},
			tensor.CSRFromCoord(tensor.Shape{2, 2}, []int{0, 1}, []int{0, 1}, []float32{1, 2}), "want a dense tensor",
		},
		{"int", sampler.Sampler{}, tensor.New(tensor.WithShape(2), tensor.WithBacking([]int{1, 2})), "type int"},
		{"scalar", sampler.Sampler{}, tensor.New(tensor.FromScalar(float32(1))), "shape ()"},
		{
			"rank 4", sampler.Sampler{},
			tensor.New(tensor.WithShape(1, 1, 1, 2), tensor.WithBacking([]float32{1, 2})), "shape (1, 1, 1, 2)",
		},
		{"masked", sampler.Sampler{}, masked, "mask"},
		{
			"row", sampler.Sampler{},
			tensor.New(tensor.WithShape(2, 2), tensor.WithBacking([]float64{1, 2, 3, nan})),
			"row 1 of 2: sampler: logit 1 is NaN",
		},
		{
			"row of float32", sampler.Sampler{Temperature: 1},
			tensor.New(tensor.WithShape(2, 1), tensor.WithBacking([]float32{float32(-inf), 1})),
			"row 0 of 2: sampler: all 1 logits are -Inf",
		},
		{"setting", sampler.Sampler{MinP: 2}, tensor.New(tensor.WithShape(1), tensor.WithBacking([]float32{1})), "min-p is 2"},
	} {
		got, err := c.s.SampleTensor(c.t)
		if err == nil || !strings.Contains(err.Error(), c.want) || got != nil || c.s.Step != 0 {
			t.Errorf("%s: SampleTensor = %v, %v at step %d, want %q", c.name, got, err, c.s.Step, c.want)
		}
	}
}

// Shapes and strides that lead out of the elements are refused, whichever axis it is that does.
func TestSampleTensorStrides(t *testing.T) {
	for _, c := range []struct {
		shape, strides []int
		want           []int // nil is an error
	}{
		{[]int{2, 1, 3}, []int{3, 3, 1}, []int{1, 2}},
		{[]int{2, 1, 3}, []int{0, 3, 1}, []int{1, 1}},
		{[]int{2, 1, 2}, []int{3, 3, 2}, []int{0, 1}},
		{[]int{2, 2, 3}, []int{3, 3, 1}, nil},
		{[]int{2, 1, 3}, []int{4, 3, 1}, nil},
		{[]int{2, 1, 3}, []int{-3, 3, 1}, nil},
		{[]int{2, 2, 2}, []int{2, -1, 1}, nil},
		{[]int{0, 1, 3}, []int{3, 3, 1}, nil},
		{[]int{2, 0, 3}, []int{3, 3, 1}, nil},
		{[]int{2, 1, 0}, []int{3, 3, 1}, nil},
		{[]int{1, 1, 3}, []int{9, 9, 3}, nil},
		{[]int{1, 1, 7}, []int{9, 9, 1}, nil},
	} {
		logits := tensor.New(tensor.WithShape(2, 1, 3), tensor.WithBacking([]float32{1, 2, 1, 0, 0, 3}))
		copy(logits.Shape(), c.shape)
		copy(logits.Strides(), c.strides)
		got, err := new(sampler.Sampler).SampleTensor(logits)
		if (err == nil) != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("shape %v, strides %v: SampleTensor = %v, %v, want %v", c.shape, c.strides, got, err, c.want)
		}
	}
}
