package sampler

import (
	"reflect"
	"slices"

	"github.com/pkg/errors"
)

// A Step reshapes a distribution, knowing the text so far. Most steps are a setting of the method of
// [Distribution] that bears their name; the documentation of both holds for both. Anything else with an Apply
// can stand among them. Apply must not change h and must do the same if it is called again.
type Step interface {
	Apply(d *Distribution, h *History) error
}

// A Learner is a step that wants to know which token was drawn from the distribution that is left at the end
// of the chain. Its state is its own: a Learner is a pointer and has a Clone.
type Learner interface {
	Step
	Learn(d *Distribution, token int)
	Clone() Step
}

// A Chain is a list of steps, applied in order. No two chains share a [Learner].
type Chain []Step

// Apply runs the steps one after the other. An error names the step; the distribution is not to be used then.
func (c Chain) Apply(d *Distribution, h *History) error {
	for i, step := range c {
		if err := c.apply(i, step, d, h); err != nil {
			return err
		}
	}
	return nil
}

func (c Chain) apply(i int, step Step, d *Distribution, h *History) error {
	if absent(step) {
		return errors.Errorf("sampler: step %d of %d is nil: %T", i, len(c), step)
	}
	if err := step.Apply(d, h); err != nil {
		return errors.WithMessagef(err, "sampler: step %d of %d, %s", i, len(c), stepName(step))
	}
	return nil
}

func (c Chain) learn(d *Distribution, token int) {
	for _, step := range c {
		if l, ok := step.(Learner); ok {
			l.Learn(d, token)
		}
	}
}

// Clone returns a chain that goes on by itself: its Learners are cloned, all other steps shared, as they do not
// change. A pointer that is no Learner is an error, for who knows what it holds.
func (c Chain) Clone() (Chain, error) {
	out := slices.Clone(c)
	for i, step := range out {
		if l, ok := step.(Learner); ok {
			out[i] = l.Clone()
		} else if step != nil && reflect.TypeOf(step).Kind() == reflect.Pointer {
			return nil, errors.Errorf("sampler: step %d of %d, a %T, has no Clone", i, len(c), step)
		}
	}
	return out, nil
}

// stepName is the name of a step's type without its package.
func stepName(step Step) string {
	t := reflect.TypeOf(step)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// Temperature is [Distribution.Temperature] as a step.
type Temperature float64

// Apply divides the logits.
func (t Temperature) Apply(d *Distribution, _ *History) error { return d.Temperature(float64(t)) }

// DynamicTemperature is [Distribution.DynamicTemperature] as a step.
type DynamicTemperature struct{ Low, High, Exponent float64 }

// Apply divides the logits.
func (t DynamicTemperature) Apply(d *Distribution, _ *History) error {
	return d.DynamicTemperature(t.Low, t.High, t.Exponent)
}

// TopK is [Distribution.TopK] as a step.
type TopK int

// Apply keeps the most probable tokens.
func (k TopK) Apply(d *Distribution, _ *History) error { return d.TopK(int(k)) }

// TopKTies is [Distribution.TopKTies] as a step.
type TopKTies int

// Apply keeps the most probable tokens.
func (k TopKTies) Apply(d *Distribution, _ *History) error { return d.TopKTies(int(k)) }

// TopP is [Distribution.TopP] as a step.
type TopP float64

// Apply keeps the nucleus.
func (p TopP) Apply(d *Distribution, _ *History) error { return d.TopP(float64(p)) }

// MinP is [Distribution.MinP] as a step.
type MinP float64

// Apply keeps the tokens that are probable enough.
func (p MinP) Apply(d *Distribution, _ *History) error { return d.MinP(float64(p)) }

// TypicalP is [Distribution.TypicalP] as a step.
type TypicalP float64

// Apply keeps the typical tokens.
func (p TypicalP) Apply(d *Distribution, _ *History) error { return d.TypicalP(float64(p)) }

// Epsilon is [Distribution.Epsilon] as a step.
type Epsilon float64

// Apply keeps the tokens that are probable enough.
func (e Epsilon) Apply(d *Distribution, _ *History) error { return d.Epsilon(float64(e)) }

// Eta is [Distribution.Eta] as a step.
type Eta float64

// Apply keeps the tokens that are probable enough.
func (e Eta) Apply(d *Distribution, _ *History) error { return d.Eta(float64(e)) }

// PLess is [Distribution.PLess] as a step.
type PLess struct{}

// Apply keeps the tokens that are probable enough.
func (PLess) Apply(d *Distribution, _ *History) error { return d.PLess() }

// TopNSigma is [Distribution.TopNSigma] as a step.
type TopNSigma float64

// Apply keeps the tokens near the top.
func (n TopNSigma) Apply(d *Distribution, _ *History) error { return d.TopNSigma(float64(n)) }

// TopH is [Distribution.TopH] as a step.
type TopH float64

// Apply keeps the most probable tokens within a part of the entropy.
func (h TopH) Apply(d *Distribution, _ *History) error { return d.TopH(float64(h)) }

// XTC excludes the top choices, as [Distribution.XTC] does, with a chance of Probability: where the history's
// Toss is less. A probability of 0 switches it off, at 1 it always does. Both numbers are checked either way.
// If fewer than MinKeep tokens would be left it does nothing; 0 and 1 are no bound.
type XTC struct {
	Probability float64
	Threshold   float64
	MinKeep     int
}

// Apply excludes the top choices or not.
func (x XTC) Apply(d *Distribution, h *History) error {
	if !(x.Probability >= 0 && x.Probability <= 1) {
		return errors.Errorf("sampler: the probability of xtc is %v, want 0 to 1", x.Probability)
	}
	if err := checkXTC(x.Threshold); err != nil {
		return err
	}
	if err := checkMinKeep(x.MinKeep); err != nil {
		return err
	}
	if h == nil {
		return errors.New("sampler: no history")
	}
	if err := checkUniform(h.Toss); err != nil {
		return err
	}
	if h.Toss >= x.Probability {
		return d.ready()
	}
	return d.xtc(x.Threshold, x.MinKeep)
}

// A TypicalRule is TypicalP with the choices that systems make differently. With the zero value for all but P
// it is [Distribution.TypicalP].
type TypicalRule struct {
	P       float64
	Ties    bool // keep all that are as typical as the last, as Hugging Face does
	Exceed  bool // go on until the mass exceeds P, as llama.cpp does; a P of 0 then keeps one token
	MinKeep int  // number of the most typical tokens to keep at least; 0 and 1 are no bound
}

// Apply keeps the typical tokens.
func (r TypicalRule) Apply(d *Distribution, _ *History) error { return d.typical(r) }

func (r *TypicalRule) check() error {
	if !(r.P >= 0 && r.P <= 1) {
		return errors.Errorf("sampler: typical-p is %v, want 0 to 1", r.P)
	}
	return checkMinKeep(r.MinKeep)
}

func checkMinKeep(n int) error {
	if n < 0 {
		return errors.Errorf("sampler: keep at least %d tokens, want a number of at least 0", n)
	}
	return nil
}

// AtLeast runs Step, a TopP or MinP, and where that leaves fewer than N tokens it keeps the N most probable
// instead: the min_keep of llama.cpp.
type AtLeast struct {
	N    int
	Step Step
}

// Apply filters.
func (a AtLeast) Apply(d *Distribution, h *History) error {
	if err := checkMinKeep(a.N); err != nil {
		return err
	}
	switch a.Step.(type) {
	case TopP, MinP:
	default:
		return errors.Errorf("sampler: at least %d tokens of a %T, want a TopP or MinP", a.N, a.Step)
	}
	if a.N < 2 {
		return a.Step.Apply(d, h)
	}
	if err := d.ready(); err != nil {
		return err
	}
	head := slices.Clone(d.head(a.N))
	if err := a.Step.Apply(d, h); err != nil || d.Len() >= len(head) {
		return err
	}
	// What is left is the beginning of the head.
	slices.SortFunc(head, func(a, b cand) int { return int(a.id) - int(b.id) })
	d.row, d.ids, d.logits, d.weighed = nil, d.ids[:0], d.logits[:0], false
	for _, c := range head {
		d.keep(int(c.id), c.logit)
	}
	return nil
}
