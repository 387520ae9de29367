package graph

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A Graph is a symbolic computation under construction. It is not safe for concurrent use while it is built.
type Graph struct {
	g      *gorgonia.ExprGraph
	dtype  tensor.Dtype
	maxSeq int        // longest sequence of a generating graph; 0 if the graph does not generate
	int8   *quantized // weights of eight bits, or nil
	seed   uint64
	drops  uint64 // uses of Dropout so far

	params map[*Param]*gorgonia.Node
	order  []*Param         // the keys of params, in order of first use
	names  map[string]bool  // of inputs and parameters
	paths  map[int64]string // the layer that a node belongs to, by the id of the node
	err    error            // the first failure

	checkpoints int                               // uses of Checkpoint so far
	regions     map[*gorgonia.Node]int            // for nodes inside a Checkpoint, which use it was
	recording   bool                              // inside a Checkpoint
	origins     map[*gorgonia.Node]*gorgonia.Node // for nodes that compute a value again, the one that did first
}

// An Option configures a new [Graph] or new [Params].
type Option func(*options)

type options struct {
	dtype  tensor.Dtype
	maxSeq int
	decode bool
	seed   uint64
	seeded bool
	blank  bool
	int8   *quantized
	err    error
}

func collect(opts []Option) (o options) {
	o.dtype = tensor.Float32
	for _, opt := range opts {
		if opt == nil {
			o.err = errors.New("graph: nil option")
			continue
		}
		opt(&o)
	}
	return o
}

// DType makes a graph, or parameters, hold tensor.Float32, which is the default, or tensor.Float64. Models run in
// float32; float64 is for checking gradients.
func DType(dt tensor.Dtype) Option {
	return func(o *options) {
		if dt != tensor.Float32 && dt != tensor.Float64 {
			o.err = errors.Errorf("graph: numbers of type %v, want float32 or float64", dt)
		}
		o.dtype = dt
	}
}

// Decode makes a graph generate: each run continues the sequences of the runs before it, up to maxSeq tokens each, and
// attention remembers their keys and values. [Program.Reset] begins new sequences. A [Decoder] and a [BatchDecoder] drive
// such graphs.
func Decode(maxSeq int) Option {
	return func(o *options) {
		if maxSeq <= 0 {
			o.err = errors.Errorf("graph: generating sequences of %d tokens", maxSeq)
		}
		o.maxSeq, o.decode = maxSeq, true
	}
}

// Seed decides which elements [Node.Dropout] drops. The default is 0.
func Seed(seed uint64) Option {
	return func(o *options) { o.seed, o.seeded = seed, true }
}

// Blank makes parameters begin at zero, which takes no time, for values that are loaded at once. It is an option of
// [NewParams].
func Blank() Option { return func(o *options) { o.blank = true } }

// New returns an empty graph. Without options it works on whole sequences in float32. A mistake in the options is the
// first error of the graph.
func New(opts ...Option) *Graph {
	o := collect(opts)
	switch {
	case o.err != nil:
	case o.blank:
		o.err = errors.New("graph: Blank is an option of parameters, not of a graph")
	case o.int8 != nil && !o.decode:
		o.err = errors.New("graph: Int8 is an option of graphs that generate: Decode is missing")
	case o.int8 != nil && o.dtype != tensor.Float32:
		o.err = errors.Errorf("graph: Int8 is an option of graphs in float32, not in %v", o.dtype)
	}
	return &Graph{
		g: gorgonia.NewGraph(), dtype: o.dtype, maxSeq: o.maxSeq, int8: o.int8, seed: o.seed, err: o.err,
		params: make(map[*Param]*gorgonia.Node), names: make(map[string]bool), paths: make(map[int64]string),
		regions: make(map[*gorgonia.Node]int), origins: make(map[*gorgonia.Node]*gorgonia.Node),
	}
}

// Err returns the first error met while building the graph.
func (g *Graph) Err() error { return g.err }

// DType returns the type of the numbers in g.
func (g *Graph) DType() tensor.Dtype { return g.dtype }

// Gorgonia returns the graph underneath.
func (g *Graph) Gorgonia() *gorgonia.ExprGraph { return g.g }

// Tokens adds an input of token ids, shaped (batch, seq). [Program.Run] takes ints for it, as [Ints] makes them.
func (g *Graph) Tokens(name string, batch, seq int) Node {
	return g.Input(name, tensor.Int, batch, seq)
}

// Input adds an input of the given type and shape, which [Program.Run] feeds. Numbers must have the type of the graph;
// tensor.Int is for ids and tensor.Bool for masks. Names of inputs and parameters differ from each other.
func (g *Graph) Input(name string, dt tensor.Dtype, shape ...int) Node {
	return g.do("Input "+name, func() (*gorgonia.Node, error) {
		switch {
		case dt == tensor.Float32 || dt == tensor.Float64:
			if dt != g.dtype {
				return nil, errors.Errorf("numbers are %v, those of the graph are %v", dt, g.dtype)
			}
		case dt != tensor.Int && dt != tensor.Bool:
			return nil, errors.Errorf("type %v, want %v, int or bool", dt, g.dtype)
		}
		if err := checkShape(shape); err != nil {
			return nil, err
		}
		if err := g.claim(name); err != nil {
			return nil, err
		}
		if len(shape) == 0 {
			return gorgonia.NewScalar(g.g, dt, gorgonia.WithName(name)), nil
		}
		return gorgonia.NewTensor(g.g, dt, len(shape), gorgonia.WithShape(slices.Clone(shape)...), gorgonia.WithName(name)), nil
	})
}

// claim reserves a name. Gorgonia would merge two inputs of one name.
func (g *Graph) claim(name string) error {
	if name == "" {
		return errors.New("an input needs a name")
	}
	if g.names[name] {
		return errors.Errorf("the name %s is taken", name)
	}
	g.names[name] = true
	return nil
}

// maxSize bounds the elements of a tensor, so that products of sizes cannot overflow.
const maxSize = 1 << 40

func checkShape(shape []int) error {
	size := 1
	for _, d := range shape {
		if d <= 0 || d > maxSize/size {
			return errors.Errorf("shape %v", tensor.Shape(shape))
		}
		size *= d
	}
	return nil
}

// Param adds p to the graph, or returns its node if p is there already.
func (g *Graph) Param(p *Param) Node {
	return g.do("Param", func() (*gorgonia.Node, error) {
		switch {
		case p == nil || p.value == nil && p.err == nil:
			return nil, errors.New("the parameter is missing")
		case p.err != nil:
			return nil, errors.WithMessage(p.err, "the parameter is missing")
		}
		if n, ok := g.params[p]; ok {
			return n, nil
		}
		if p.value.Dtype() != g.dtype {
			return nil, errors.Errorf("%s holds %v, the graph %v", p.name, p.value.Dtype(), g.dtype)
		}
		if err := g.claim(p.name); err != nil {
			return nil, err
		}
		n := gorgonia.NodeFromAny(g.g, p.header(), gorgonia.WithName(p.name))
		g.params[p] = n
		g.order = append(g.order, p)
		g.paths[n.ID()] = p.path()
		return n, nil
	})
}

// Wrap brings the result of a Gorgonia function into g: g.Wrap(gorgonia.Concat(0, a, b)).
func (g *Graph) Wrap(n *gorgonia.Node, err error) Node {
	return g.do("Wrap", func() (*gorgonia.Node, error) { return n, err })
}

// do adds what build returns to the graph of g's, as do does.
func (g *Graph) do(name string, build func() (*gorgonia.Node, error)) Node {
	if g == nil {
		return Node{}
	}
	return do(name, func() (*gorgonia.Node, error) {
		n, err := build()
		return n, errors.WithMessage(err, name)
	}, Node{g: g, n: nil})
}

// do adds what build returns to the graph of its operands. It is the one door through which nodes enter a graph: here
// errors stick and get the layer they happened in, operands of two graphs are refused, and a panic in Gorgonia becomes
// an error. The errors of build say what they are about; name is for the others.
func do(name string, build func() (*gorgonia.Node, error), in ...Node) (out Node) {
	var g *Graph
	for _, x := range in {
		if x.g != nil {
			g = x.g
			break
		}
	}
	if g == nil {
		return Node{}
	}
	out = Node{g: g}
	if g.err != nil {
		return out
	}
	path := g.path(in)
	defer func() {
		if r := recover(); r != nil {
			g.err = errors.Errorf("%s: %v", name, r)
		}
		if g.err != nil && path != "" {
			g.err = errors.WithMessage(g.err, path)
		}
	}()
	for i, x := range in {
		switch {
		case x.g == nil:
			g.err = errors.Errorf("%s: operand %d is no node of a graph", name, i)
			return out
		case x.g != g:
			g.err = errors.Errorf("%s: operand %d belongs to another graph", name, i)
			return out
		}
	}
	n, err := build()
	switch {
	case err != nil:
		g.err = err
	case n == nil:
		g.err = errors.Errorf("%s: no node", name)
	case n.Graph() != g.g:
		g.err = errors.Errorf("%s: the node belongs to another graph", name)
	default:
		out.n = n
		if _, ok := g.paths[n.ID()]; !ok && path != "" {
			g.paths[n.ID()] = path
		}
	}
	return out
}
