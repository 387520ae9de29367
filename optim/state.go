package optim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// State is what an optimizer remembers between steps: what a checkpoint has to keep beside the weights.
type State struct {
	Step    int // steps taken
	Tensors map[string]*tensor.Dense
}

// memory holds some tensors for every parameter an optimizer has met, such as the two moments of Adam.
type memory struct {
	kinds []string // names of the tensors, as in PyTorch
	slots map[gorgonia.ValueGrad][]*tensor.Dense
	names map[string]gorgonia.ValueGrad // who has them, of those in slots that have names
}

// of returns the tensors of a parameter, which are zeros when it is new. A new one under the name of another is an error:
// it is likely to be the same weights in another object, such as after a restart, for which zeros would be wrong.
func (m *memory) of(p gorgonia.ValueGrad, w weight) ([]*tensor.Dense, error) {
	if ts, ok := m.slots[p]; ok {
		if !fits(ts[0], w) {
			return nil, errors.Errorf("parameter %s has changed to %v", w.name(), w.shape)
		}
		return ts, nil
	}
	if other := m.names[namedBy(p)]; other != nil {
		return nil, errors.Errorf("parameter %s is not the one that the optimizer remembers under this name; hand State of the old ones to SetState with the new ones", w.name())
	}
	if m.slots == nil {
		m.slots, m.names = make(map[gorgonia.ValueGrad][]*tensor.Dense), make(map[string]gorgonia.ValueGrad)
	}
	ts := make([]*tensor.Dense, len(m.kinds))
	for i := range ts {
		ts[i] = newLike(w)
	}
	m.take(p, ts)
	return ts, nil
}

// take makes ts the tensors of a parameter.
func (m *memory) take(p gorgonia.ValueGrad, ts []*tensor.Dense) {
	m.slots[p] = ts
	if name := namedBy(p); name != "" {
		m.names[name] = p
	}
}

func newLike(w weight) *tensor.Dense {
	// A scalar is kept as a vector of one element.
	shape := append(tensor.Shape{}, w.shape...)
	if len(shape) == 0 {
		shape = tensor.Shape{1}
	}
	if w.w64 != nil {
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(kernel.Make[float64](len(w.w64))))
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(kernel.Make[float32](len(w.w32))))
}

// fits reports whether t could have been made for w.
func fits(t *tensor.Dense, w weight) bool {
	shape := w.shape
	if len(shape) == 0 {
		shape = tensor.Shape{1}
	}
	dt := tensor.Float32
	if w.w64 != nil {
		dt = tensor.Float64
	}
	return t != nil && t.Dtype() == dt && slices.Equal(t.Shape(), shape)
}

// state returns copies of the tensors of params under names such as "exp_avg.lm_head.weight".
func (m *memory) state(params []gorgonia.ValueGrad, step int) State {
	s := State{Step: step, Tensors: make(map[string]*tensor.Dense)}
	for i, p := range params {
		for k, t := range m.slots[p] {
			s.Tensors[m.kinds[k]+"."+nameOf(p, i)] = t.Clone().(*tensor.Dense)
		}
	}
	return s
}

// setState takes the tensors of params from s, which must hold all of them and nothing else, or none in step 0.
func (m *memory) setState(params []gorgonia.ValueGrad, s State) error {
	if s.Step < 0 {
		return errors.Errorf("step %d", s.Step)
	}
	if s.Step == 0 && len(s.Tensors) == 0 {
		m.slots, m.names = nil, nil
		return nil
	}
	slots := make(map[gorgonia.ValueGrad][]*tensor.Dense)
	used := make(map[string]bool)
	var wrong []string
	for i, p := range params {
		if p == nil || nothing(p.Value()) {
			return errors.Errorf("parameter %d has no value", i)
		}
		w := weight{param: p, place: i, shape: p.Value().Shape()}
		name := w.name()
		if p.Value().Dtype() == tensor.Float64 {
			w.w64 = []float64{}
		}
		for _, kind := range m.kinds {
			t, ok := s.Tensors[kind+"."+name]
			switch {
			case !ok:
				wrong = append(wrong, "missing "+kind+"."+name)
			case nothing(t):
				wrong = append(wrong, kind+"."+name+" is nil")
			case !fits(t, w):
				wrong = append(wrong, fmt.Sprintf("%s.%s does not fit %v: it is %v %v", kind, name, w.shape, t.Dtype(), t.Shape()))
			default:
				slots[p] = append(slots[p], t.Clone().(*tensor.Dense))
			}
			if ok {
				used[kind+"."+name] = true
			}
		}
	}
	var extra []string
	for _, name := range slices.Sorted(maps.Keys(s.Tensors)) {
		if !used[name] {
			extra = append(extra, name)
		}
	}
	if len(extra) > 0 {
		wrong = append(wrong, fmt.Sprintf("%d tensors of no parameter: %s", len(extra), strings.Join(extra, ", ")))
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	m.slots, m.names = make(map[gorgonia.ValueGrad][]*tensor.Dense), make(map[string]gorgonia.ValueGrad)
	for p, ts := range slots {
		m.take(p, ts)
	}
	return nil
}
