package op

import (
	"fmt"
	"hash"
	"hash/fnv"
	"slices"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// An Op is an operation of this module. Its methods beside Run, Outs and the like make it a Gorgonia op.
type Op struct {
	name string
	id   uint64 // differs from that of every other op of the graph: Gorgonia merges what looks alike
	in   []signature
	out  []signature // results; out[0] is the value of the node

	run  func(*Call) error
	grad func(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error)
	wrt  []bool // the inputs that grad returns gradients for

	// plus, if there is one, runs the op on one more operand r, the last of Call.In, and makes the first result
	// r + what run makes of it. It may write over r. So a sum with the result needs no step of its own.
	plus func(*Call) error

	// then runs the op and calls after for rows [lo, hi) of the first result as soon as they are there, on several threads,
	// until all rows have been. add says that there is one more operand, as for plus.
	then func(c *Call, add bool, after func(lo, hi int))

	// rowwise computes rows [lo, hi) of the results, and needs no others of the first operand.
	rowwise func(c *Call, lo, hi int)

	// flops, if there is one, returns how many additions and multiplications a call takes.
	flops func(*Call) float64

	join    bool        // results lie in memory one right behind the other
	lazy    []bool      // results that are nil in Call.Out if nobody reads them; run then does not compute them
	inPlace bool        // run may write its first result over its first input
	alias   bool        // the result is the first input under another shape
	eval    bool        // outside training the op is the identity of its first input
	state   []signature // memory that lasts from run to run
	tokens  [2]int      // if there is state, how many sequences a run continues, and by how many tokens each

	tape *tape // what the op keeps when Gorgonia's machines run it
}

// signature is the type and shape of a value.
type signature struct {
	dtype tensor.Dtype
	shape tensor.Shape
}

func (s signature) typ() hm.Type {
	if s.shape.IsScalar() {
		return s.dtype
	}
	return gorgonia.TensorType{Dims: s.shape.Dims(), Of: s.dtype}
}

func (s signature) value() gorgonia.Value { return NewValue(s.dtype, s.shape) }

// NewValue returns zeros of the given type and shape, in the form Gorgonia expects: scalars are not tensors.
func NewValue(dtype tensor.Dtype, shape tensor.Shape) gorgonia.Value {
	switch {
	case !shape.IsScalar():
		return tensor.New(tensor.Of(dtype), tensor.WithShape(shape.Clone()...))
	case dtype == tensor.Float64:
		return gorgonia.NewF64(0)
	default:
		return gorgonia.NewF32(0)
	}
}

// A Call is one execution of an op.
type Call struct {
	In, Out, State []gorgonia.Value

	// Packed says that operands which lie one right behind the other are parts of one allocation, so that they may be read
	// as one. Elsewhere they may lie so by chance.
	Packed bool
	// Run counts the runs before this one. Dropout drops other elements in each.
	Run uint64
	// Sequences says what earlier runs of a generating graph were given; nil means that there were none.
	Sequences *Sequences

	continued []kernel.Continued // of the call before, kept for its memory
}

// Run executes the op on the values of c, whose types and shapes the caller vouches for.
func (o *Op) Run(c *Call) error { return o.run(c) }

// Results returns how many results the op has, and Result the type and shape of one of them.
func (o *Op) Results() int { return len(o.out) }

// Result returns the type and shape of the i-th result.
func (o *Op) Result(i int) (tensor.Dtype, tensor.Shape) { return o.out[i].dtype, o.out[i].shape }

// Plus reports whether the op can add a further operand to its first result. See [Op.RunPlus].
func (o *Op) Plus() bool { return o.plus != nil }

// RunPlus executes the op with one more operand, the last of c.In, which is added to the first result. The first result
// may lie over that operand.
func (o *Op) RunPlus(c *Call) error { return o.plus(c) }

// Streams reports whether the op hands over rows of its first result as it goes; see [Op.RunThen].
func (o *Op) Streams() bool { return o.then != nil }

// RunThen executes the op, with one more operand if add is set, and calls after for rows [lo, hi) of the first result as
// soon as they are there, on several threads.
func (o *Op) RunThen(c *Call, add bool, after func(lo, hi int)) { o.then(c, add, after) }

// Rowwise reports whether rows of the results follow from the same rows of the first operand; see [Op.RunRows].
func (o *Op) Rowwise() bool { return o.rowwise != nil }

// RunRows computes rows [lo, hi) of the results.
func (o *Op) RunRows(c *Call, lo, hi int) { o.rowwise(c, lo, hi) }

// Sum reports whether the op adds two operands of one shape.
func (o *Op) Sum() bool {
	return o.name == "Add" && slices.Equal(o.in[0].shape, o.in[1].shape)
}

// FLOPs returns how many additions and multiplications of products a call takes, 0 if the op does not tell.
func (o *Op) FLOPs(c *Call) float64 {
	if o.flops == nil {
		return 0
	}
	return o.flops(c)
}

// product returns the flops of a product (m, k)·(k, n), times the given number of products.
func product(times float64, m, n, k int) func(*Call) float64 {
	work := 2 * times * float64(m) * float64(n) * float64(k)
	return func(*Call) float64 { return work }
}

// Joined reports whether the results must lie in memory one right behind the other.
func (o *Op) Joined() bool { return o.join }

// Lazy reports whether the i-th result is left out, as nil in Call.Out, if nobody reads it.
func (o *Op) Lazy(i int) bool { return i < len(o.lazy) && o.lazy[i] }

// InPlace reports whether the op may write its first result over its first input.
func (o *Op) InPlace() bool { return o.inPlace }

// Alias reports whether the result is the first input under another shape.
func (o *Op) Alias() bool { return o.alias }

// TrainOnly reports whether the op is the identity of its first input outside training.
func (o *Op) TrainOnly() bool { return o.eval }

// NewState returns zeroed memory for Call.State.
func (o *Op) NewState() []gorgonia.Value {
	var vs []gorgonia.Value
	for _, s := range o.state {
		vs = append(vs, s.value())
	}
	return vs
}

// Remembers reports whether the op has state.
func (o *Op) Remembers() bool { return o.state != nil }

// Continues returns how many sequences a run of an op with state continues, and by how many tokens each.
func (o *Op) Continues() (sequences, tokens int) { return o.tokens[0], o.tokens[1] }

// apply adds o to the graph of its inputs.
func apply(o *Op, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	for _, n := range in {
		o.in = append(o.in, signature{n.Dtype(), n.Shape()})
	}
	o.tape = &tape{train: true}
	return add(o, &o.id, in...)
}

// add adds an op to the graph of its inputs, under an id that lets Gorgonia merge it with no other.
func add(o gorgonia.Op, id *uint64, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	*id = uint64(len(in[0].Graph().AllNodes()))
	for range 8 {
		n, err := gorgonia.ApplyOp(o, in...)
		if err != nil {
			return nil, errors.Wrap(err, o.String())
		}
		if n.Op() == o {
			return n, nil
		}
		*id += 1 << 32
	}
	return nil, errors.Errorf("%v: Gorgonia merges the operation with another one", o)
}

// Arity, and the methods below, make an Op a gorgonia.SDOp.
func (o *Op) Arity() int { return len(o.in) }

// Type returns a new function type every time, since Gorgonia keeps and changes it.
func (o *Op) Type() hm.Type {
	var ts []hm.Type
	for _, s := range o.in {
		ts = append(ts, s.typ())
	}
	return hm.NewFnType(append(ts, o.out[0].typ())...)
}

// InferShape returns the shape of the first result, which the constructor has found.
func (o *Op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return o.out[0].shape.Clone(), nil
}

// ReturnsPtr, CallsExtern and OverwritesInput make the tape machine call Do and leave memory to the op.
func (o *Op) ReturnsPtr() bool     { return false }
func (o *Op) CallsExtern() bool    { return false }
func (o *Op) OverwritesInput() int { return -1 }

func (o *Op) String() string        { return o.name }
func (o *Op) WriteHash(h hash.Hash) { fmt.Fprintf(h, "logits.%s#%d", o.name, o.id) }
func (o *Op) Hashcode() uint32      { return hashcode(o) }
func (o *Op) DiffWRT(inputs int) []bool {
	if o.grad == nil {
		return make([]bool, inputs)
	}
	return o.wrt
}

// SymDiff builds the gradients of the inputs from dy, the gradient of the first result.
func (o *Op) SymDiff(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.grad == nil {
		return nil, errors.Errorf("%s has no gradient", o.name)
	}
	ds, err := o.grad(in, y, dy)
	return ds, errors.WithMessagef(err, "gradient of %s", o.name)
}

var _ gorgonia.SDOp = (*Op)(nil)

func hashcode(o gorgonia.Op) uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// always returns n times true.
func always(n int) []bool {
	b := make([]bool, n)
	for i := range b {
		b[i] = true
	}
	return b
}
