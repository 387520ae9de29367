package op

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// tape is what an op keeps when one of Gorgonia's machines runs it: its results, which live until its next run.
type tape struct {
	out, state []gorgonia.Value
	runs       uint64
	train      bool
	follow     *tape // the op of the forward pass whose count of runs this one repeats
}

// Do runs the op for one of Gorgonia's machines. Those would let a panic end the process, so it becomes an error.
func (o *Op) Do(in ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("%s: %v", o.name, r)
		}
	}()
	if len(in) != len(o.in) {
		return nil, errors.Errorf("%s: %d values, want %d", o.name, len(in), len(o.in))
	}
	for i, v := range in {
		if err := CheckValue(v, o.in[i].dtype, o.in[i].shape); err != nil {
			return nil, errors.WithMessagef(err, "%s: operand %d", o.name, i)
		}
	}
	t := o.tape
	if t.out == nil {
		t.out = o.results()
		t.state = o.NewState()
	}
	if o.eval && !t.train {
		return in[0], nil
	}
	// Parameters come as the executor has them, so packed ones are multiplied in the same order here.
	c := Call{In: in, Out: t.out, State: t.state, Run: t.runs, Packed: true}
	if t.follow != nil {
		c.Run = t.follow.runs - 1
	}
	t.runs++
	if err := o.run(&c); err != nil {
		return nil, err
	}
	return t.out[0], nil
}

// results returns memory for the results, one behind the other if the op wants them so.
func (o *Op) results() (vs []gorgonia.Value) {
	if !o.join {
		for _, s := range o.out {
			vs = append(vs, s.value())
		}
		return vs
	}
	size := 0
	for _, s := range o.out {
		size += s.shape.TotalSize()
	}
	if o.out[0].dtype == tensor.Float64 {
		return cut(make([]float64, size), o.out)
	}
	return cut(make([]float32, size), o.out)
}

// cut parts memory among values.
func cut[F kernel.Float](memory []F, out []signature) (vs []gorgonia.Value) {
	for _, s := range out {
		n := s.shape.TotalSize()
		vs = append(vs, tensor.New(tensor.WithShape(s.shape.Clone()...), tensor.WithBacking(memory[:n:n])))
		memory = memory[n:]
	}
	return vs
}

// SetTraining switches ops that differ between training and evaluation, for Gorgonia's machines.
func (o *Op) SetTraining(training bool) error {
	o.tape.train = training
	return nil
}

// CheckValue returns an error unless v has the given type and shape and lies in memory row by row.
func CheckValue(v gorgonia.Value, dtype tensor.Dtype, shape tensor.Shape) error {
	switch v := v.(type) {
	case nil:
		return errors.New("no value")
	case *tensor.Dense:
		if v == nil {
			return errors.New("no value")
		}
		if v.Dtype() != dtype || !v.Shape().Eq(shape) {
			return errors.Errorf("value is %v %v, want %v %v", v.Dtype(), v.Shape(), dtype, shape)
		}
		step := 1
		strides := v.Strides()
		for i := len(shape) - 1; i >= 0 && len(strides) == len(shape); i-- {
			if strides[i] != step && shape[i] > 1 {
				return errors.Errorf("value %v has strides %v: it is a view; clone it first", shape, strides)
			}
			step *= shape[i]
		}
		return nil
	default:
		if v.Dtype() != dtype || !v.Shape().Eq(shape) {
			return errors.Errorf("value is %v %v, want %v %v", v.Dtype(), v.Shape(), dtype, shape)
		}
		return nil
	}
}
