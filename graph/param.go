package graph

import (
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// A Param is a named tensor that training changes.
type Param struct {
	name  string
	value *tensor.Dense
	grad  gorgonia.Value
	err   error       // why there is no value
	bound atomic.Bool // somebody works on the storage of value, which stays where it is from then on
}

var _ gorgonia.ValueGrad = (*Param)(nil)

// Name returns the full name of p, such as "layers.0.attn.q_proj.weight".
func (p *Param) Name() string { return p.name }

// Shape returns the shape of p.
func (p *Param) Shape() tensor.Shape {
	if p.value == nil {
		return nil
	}
	return p.value.Shape().Clone()
}

// Value returns the storage of p, which every graph shares. Writing to it changes them all.
func (p *Param) Value() gorgonia.Value { return p.value }

// Grad returns the gradient found by the last run of a training program, or an error if there is none. The next run
// overwrites it.
func (p *Param) Grad() (gorgonia.Value, error) {
	if p.grad == nil {
		return nil, errors.Errorf("graph: parameter %s has no gradient", p.name)
	}
	return p.grad, nil
}

func (p *Param) String() string { return fmt.Sprintf("%s %v", p.name, p.Shape()) }

// path returns the layer of p: its name without the last part.
func (p *Param) path() string {
	if i := strings.LastIndexByte(p.name, '.'); i >= 0 {
		return p.name[:i]
	}
	return p.name
}

// header returns a new tensor over the storage of p. Gorgonia changes tensors while it works on them, so each graph and
// each program needs its own.
func (p *Param) header() *tensor.Dense {
	p.bound.Store(true)
	shape := tensor.WithShape(p.value.Shape().Clone()...)
	if p.value.Dtype() == tensor.Float64 {
		return tensor.New(shape, tensor.WithBacking(p.value.Float64s()))
	}
	return tensor.New(shape, tensor.WithBacking(p.value.Float32s()))
}

// Params holds the parameters of a model in the order they were made: its state dict. The zero value is an empty set of
// float32 with the seed 0.
type Params struct {
	seed   uint64
	dtype  tensor.Dtype
	blank  bool // values are loaded, so none are drawn
	list   []*Param
	byName map[string]*Param
	err    error
}

// NewParams returns an empty set. The seed and the name of a parameter alone decide its first value, so adding or
// reordering layers leaves the others as they were. The options that apply are [DType] and [Blank].
func NewParams(seed uint64, opts ...Option) *Params {
	o := collect(opts)
	if o.err == nil && (o.decode || o.seeded || o.int8 != nil) {
		o.err = errors.New("graph: Decode, Int8 and Seed are options of a graph, not of parameters")
	}
	return &Params{seed: seed, dtype: o.dtype, blank: o.blank, byName: make(map[string]*Param), err: o.err}
}

// Err returns the first error met while making parameters.
func (ps *Params) Err() error { return ps.err }

// Root returns the scope of top-level names.
func (ps *Params) Root() Scope { return Scope{params: ps} }

// All iterates over the parameters by name, in the order they were made.
func (ps *Params) All() iter.Seq2[string, *Param] {
	return func(yield func(string, *Param) bool) {
		for _, p := range ps.list {
			if !yield(p.name, p) {
				return
			}
		}
	}
}

// Get returns the parameter of a name, or nil.
func (ps *Params) Get(name string) *Param { return ps.byName[name] }

// ValueGrads returns the parameters as optimizers take them.
func (ps *Params) ValueGrads() []gorgonia.ValueGrad {
	vs := make([]gorgonia.ValueGrad, len(ps.list))
	for i, p := range ps.list {
		vs[i] = p
	}
	return vs
}

// Size returns how many numbers the parameters hold.
func (ps *Params) Size() (n int) {
	for _, p := range ps.list {
		n += p.value.Shape().TotalSize()
	}
	return n
}

// A Scope names the parameters made through it. The zero Scope makes none.
type Scope struct {
	params *Params
	prefix string
}

// At returns the scope below s with the given path: s.At("layers", 0, "attn").
func (s Scope) At(path ...any) Scope {
	for _, e := range path {
		s.prefix = strings.TrimPrefix(fmt.Sprintf("%s.%v", s.prefix, e), ".")
	}
	return s
}

// Params returns the set that s makes parameters in.
func (s Scope) Params() *Params { return s.params }

// Err returns the first error met while making parameters in the set of s.
func (s Scope) Err() error {
	if s.params == nil {
		return errors.New("graph: the scope belongs to no parameters")
	}
	return s.params.err
}

// Param makes a parameter. A mistake, such as a name that is taken, is reported by [Params.Err], and by any graph that
// uses the parameter.
func (s Scope) Param(name string, init Init, shape ...int) *Param {
	p := &Param{name: s.At(name).prefix}
	ps := s.params
	if ps == nil {
		return p
	}
	defer func() {
		if r := recover(); r != nil {
			ps.err = errors.Errorf("graph: parameter %s: its initial value: %v", p.name, r)
		}
		if p.value == nil {
			p.err = ps.err
		}
	}()
	if ps.err != nil {
		return p
	}
	switch err := checkShape(shape); {
	case err != nil:
		ps.err = errors.WithMessagef(err, "graph: parameter %s", p.name)
	case len(shape) == 0:
		ps.err = errors.Errorf("graph: parameter %s is a scalar, want at least 1 axis", p.name)
	case name == "":
		ps.err = errors.Errorf("graph: a parameter of %q has no name", s.prefix)
	case ps.byName[p.name] != nil:
		ps.err = errors.Errorf("graph: two parameters are named %s", p.name)
	case init == nil:
		ps.err = errors.Errorf("graph: parameter %s has no initial value", p.name)
	}
	if ps.err != nil {
		return p
	}
	var rng *rand.Rand
	if !ps.blank {
		h := fnv.New64a()
		h.Write([]byte(p.name))
		rng = rand.New(rand.NewPCG(ps.seed, h.Sum64()))
	}
	size := tensor.Shape(shape).TotalSize()
	var value *tensor.Dense
	if ps.dtype == tensor.Float64 {
		value = draw(kernel.Make[float64](size), shape, init, rng)
	} else {
		value = draw(kernel.Make[float32](size), shape, init, rng)
	}
	if value == nil {
		ps.err = errors.Errorf("graph: parameter %s %v: an initial value is NaN or infinite", p.name, tensor.Shape(shape))
		return p
	}
	p.value = value
	if ps.byName == nil {
		ps.byName = make(map[string]*Param)
	}
	ps.byName[p.name] = p
	ps.list = append(ps.list, p)
	return p
}

// draw fills memory with first values, and returns nil if one is not finite. Without rng it stays as it is.
func draw[F kernel.Float](memory []F, shape []int, init Init, rng *rand.Rand) *tensor.Dense {
	if rng != nil {
		for i := range memory {
			memory[i] = F(init(rng))
			if memory[i]-memory[i] != 0 {
				return nil
			}
		}
	}
	return tensor.New(tensor.WithShape(slices.Clone(shape)...), tensor.WithBacking(memory))
}
