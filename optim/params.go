package optim

import (
	"fmt"
	"math"
	"reflect"
	"sync"
	"unsafe"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// A weight is a parameter and its gradient, as slices: of float32 or of float64.
type weight struct {
	param    gorgonia.ValueGrad
	place    int // in the list of parameters
	shape    tensor.Shape
	w32, g32 []float32
	w64, g64 []float64
}

func (w *weight) name() string { return nameOf(w.param, w.place) }

// same reports whether w and v are the same memory. Weights without elements are not.
func (w *weight) same(v *weight) bool {
	return len(w.w32) > 0 && len(v.w32) > 0 && &w.w32[0] == &v.w32[0] || len(w.w64) > 0 && len(v.w64) > 0 && &w.w64[0] == &v.w64[0]
}

// nameOf returns the name of a parameter, or its place if it has none.
func nameOf(p gorgonia.ValueGrad, i int) string {
	if name := namedBy(p); name != "" {
		return name
	}
	return fmt.Sprint(i)
}

// namedBy returns the name of a parameter, or "".
func namedBy(p gorgonia.ValueGrad) string {
	if n, ok := p.(interface{ Name() string }); ok {
		return n.Name()
	}
	return ""
}

// open fills ws, which it may have filled before, with the slices of params, whose gradients must be there, fit and be
// finite. It also returns the sum of the squares of all gradients.
func open(ws []weight, params []gorgonia.ValueGrad) ([]weight, float64, error) {
	before := ws
	ws = ws[:0]
	if len(params) == 0 {
		return ws, 0, errors.New("no parameters")
	}
	known := len(before) == len(params) // the parameters are those of the last time
	var squares float64
	for i, p := range params {
		w, err := openOne(p, i)
		if err != nil {
			return ws[:0], 0, err
		}
		var sum float64
		if w.w64 != nil {
			sum = kernel.SumSquares(w.g64)
		} else {
			sum = kernel.SumSquares(w.g32)
		}
		// float32 squares cannot overflow in float64; those of float64 may, while the gradient is finite.
		if sum-sum != 0 && !finite(w) {
			return ws[:0], 0, errors.WithStack(&NonFiniteError{w.name(), w.shape.Clone()})
		}
		squares += sum
		known = known && before[i].same(&w)
		ws = append(ws, w)
	}
	if !known {
		if err := distinct(ws); err != nil {
			return ws[:0], 0, err
		}
	}
	return ws, squares, nil
}

// A NonFiniteError says that a step was not taken because a gradient holds a NaN or an infinity. Nothing has changed.
type NonFiniteError struct {
	Param string       // the first parameter whose gradient does, or "" if all are finite and their norm together is not
	Shape tensor.Shape // of that parameter
}

func (e *NonFiniteError) Error() string {
	if e.Param == "" {
		return "the norm of the gradients overflows"
	}
	return fmt.Sprintf("the gradient of %s %v holds NaN or Inf", e.Param, e.Shape)
}

// nothing reports whether there is no value: none, or a tensor that is nil or was never given anything.
func nothing(v gorgonia.Value) bool {
	d, ok := v.(*tensor.Dense)
	return v == nil || ok && (d == nil || d.Dtype() == tensor.Dtype{})
}

// openOne returns the slices of the parameter at a place.
func openOne(p gorgonia.ValueGrad, place int) (w weight, err error) {
	if p == nil || reflect.ValueOf(p).Kind() == reflect.Pointer && reflect.ValueOf(p).IsNil() {
		return w, errors.Errorf("parameter %d is nil", place)
	}
	if !reflect.TypeOf(p).Comparable() {
		return w, errors.Errorf("parameter %d is a %T, which cannot be told from others; pass a pointer", place, p)
	}
	value := p.Value()
	if nothing(value) {
		return w, errors.Errorf("parameter %s has no value", nameOf(p, place))
	}
	grad, err := p.Grad()
	if err != nil {
		return w, errors.WithMessagef(err, "parameter %s", nameOf(p, place))
	}
	if nothing(grad) {
		return w, errors.Errorf("parameter %s has no gradient", nameOf(p, place))
	}
	if !value.Shape().Eq(grad.Shape()) || value.Dtype() != grad.Dtype() {
		return w, errors.Errorf("parameter %s is %v %v, its gradient %v %v", nameOf(p, place), value.Dtype(), value.Shape(), grad.Dtype(), grad.Shape())
	}
	w = weight{param: p, place: place, shape: value.Shape()}
	switch value.Dtype() {
	case tensor.Float32:
		w.w32, w.g32 = numbers[float32](value), numbers[float32](grad)
	case tensor.Float64:
		w.w64, w.g64 = numbers[float64](value), numbers[float64](grad)
	}
	if w.w32 == nil && w.w64 == nil || len(w.w32) != len(w.g32) || len(w.w64) != len(w.g64) {
		return w, errors.Errorf("parameter %s is %T of %v, want a dense tensor of float32 or float64", w.name(), value, value.Dtype())
	}
	return w, nil
}

// distinct returns an error if two parameters are the same memory.
func distinct(ws []weight) error {
	for i := range ws {
		for j := range i {
			if ws[i].same(&ws[j]) {
				return errors.Errorf("parameters %s and %s are the same memory", ws[j].name(), ws[i].name())
			}
		}
	}
	return nil
}

// numbers returns the elements of v, or nil if v is no plain memory of type F.
func numbers[F kernel.Float](v gorgonia.Value) []F {
	switch v := v.(type) {
	case *tensor.Dense:
		if v == nil || v.RequiresIterator() {
			return nil
		}
		switch {
		case v.Dtype() == tensor.Float32 && unsafe.Sizeof(F(0)) == 4:
			return asF[F](v.Float32s())
		case v.Dtype() == tensor.Float64 && unsafe.Sizeof(F(0)) == 8:
			return asF[F](v.Float64s())
		}
		return nil
	case *gorgonia.F32:
		return unsafe.Slice((*F)(unsafe.Pointer(v)), 1)
	case *gorgonia.F64:
		return unsafe.Slice((*F)(unsafe.Pointer(v)), 1)
	}
	return nil
}

// asF returns x as a slice of F, which is the type of its elements.
func asF[F, E kernel.Float](x []E) []F { return *(*[]F)(unsafe.Pointer(&x)) }

func finite(w weight) bool {
	for _, g := range w.g32 {
		if g-g != 0 {
			return false
		}
	}
	for _, g := range w.g64 {
		if g-g != 0 {
			return false
		}
	}
	return true
}

// GradNorm returns the norm of all gradients together: the root of the sum of their squares.
func GradNorm(params []gorgonia.ValueGrad) (float64, error) {
	_, squares, err := open(nil, params)
	if err == nil && math.IsInf(squares, 1) {
		err = errors.WithStack(&NonFiniteError{})
	}
	return math.Sqrt(squares), errors.WithMessage(err, "optim: GradNorm")
}

// ClipGradNorm scales all gradients so that their norm together is at most limit, as PyTorch's clip_grad_norm_ does, and
// returns the norm they had. It does so in float64, block by block in a fixed order. A gradient that is NaN or infinite
// is an error that names the parameter and changes nothing.
func ClipGradNorm(params []gorgonia.ValueGrad, limit float64) (norm float64, err error) {
	if !(limit > 0) || math.IsInf(limit, 1) {
		return 0, errors.Errorf("optim: ClipGradNorm: limit %v, want a finite number above 0", limit)
	}
	list, ok := weightLists.Get().(*[]weight)
	if !ok {
		list = new([]weight)
	}
	defer weightLists.Put(list)
	ws, squares, err := open(*list, params)
	*list = ws
	if err == nil && math.IsInf(squares, 1) {
		err = errors.WithStack(&NonFiniteError{})
	}
	if err != nil {
		return 0, errors.WithMessage(err, "optim: ClipGradNorm")
	}
	norm = math.Sqrt(squares)
	if scale := clipFactor(norm, limit); scale < 1 {
		for _, w := range ws {
			kernel.Scale(w.g32, w.g32, float32(scale))
			kernel.Scale(w.g64, w.g64, scale)
		}
	}
	return norm, nil
}

var weightLists sync.Pool // of *[]weight

// clipFactor returns what gradients of a norm are scaled by so that it is at most limit; 0 stands for no limit.
func clipFactor(norm, limit float64) float64 {
	if limit == 0 {
		return 1
	}
	return min(1, limit/(norm+1e-6))
}

// clip returns the factor of the gradients whose squares have the given sum, and their norm.
func clip(squares, limit float64) (factor, norm float64, err error) {
	switch norm = math.Sqrt(squares); {
	case !(limit >= 0) || math.IsInf(limit, 1):
		return 0, 0, errors.Errorf("MaxNorm %v, want a finite number of at least 0", limit)
	case limit > 0 && math.IsInf(norm, 1):
		return 0, 0, errors.WithStack(&NonFiniteError{})
	}
	return clipFactor(norm, limit), norm, nil
}

// ZeroGrad sets gradients to zero, for machines that add to them. Parameters without a gradient are passed over.
func ZeroGrad(params []gorgonia.ValueGrad) error {
	for i, p := range params {
		if p == nil {
			return errors.Errorf("optim: ZeroGrad: parameter %d is nil", i)
		}
		if grad, err := p.Grad(); err == nil && grad != nil {
			clear(numbers[float32](only(grad, tensor.Float32)))
			clear(numbers[float64](only(grad, tensor.Float64)))
		}
	}
	return nil
}

// only returns v if it has the given type.
func only(v gorgonia.Value, dt tensor.Dtype) gorgonia.Value {
	if v.Dtype() == dt {
		return v
	}
	return nil
}

// Matrices reports whether a parameter has two axes or more: weight decay for those alone spares gains and biases, as
// in nanoGPT.
func Matrices(p gorgonia.ValueGrad) bool {
	v := p.Value()
	return v != nil && v.Shape().Dims() >= 2
}
