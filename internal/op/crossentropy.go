package op

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// CrossEntropy is the cross-entropy of logits against integer targets.
type CrossEntropy struct {
	Reduction Reduction
	Ignore    []int     // targets whose rows are left out
	Weights   []float64 // of each class; nil means 1
	Smoothing float64   // share of each target spread evenly over all classes
	ZLoss     float64   // factor of the square of log Σ e**logit
}

// Apply scores logits (..., classes) against targets (...). The mean is over the rows that are kept, each counting as
// the weight of its target, and 0 if there are none. A target that is no class is an error of the run.
func (e CrossEntropy) Apply(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(logits) {
		return crossEntropy[float64](e, logits, targets)
	}
	return crossEntropy[float32](e, logits, targets)
}

func crossEntropy[F kernel.Float](e CrossEntropy, logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "CrossEntropy"}
	xs, ts := floatShape[F](&o, "logits", logits), o.ids("targets", targets)
	if o.err == nil && (len(xs) < 2 || !slices.Equal(xs[:len(xs)-1], ts)) {
		o.fail("%s does not fit %s", show("logits", logits), show("targets", targets))
	}
	if o.err != nil {
		return nil, o.err
	}
	s := newScoring[F](&o, e, show("logits", logits), xs[len(xs)-1], ts)
	if o.err != nil {
		return nil, o.err
	}
	out := append(results[F](s.reduction, ts), like[F](ts...)) // last: log Σ e**logit
	return apply(&Op{
		name: "CrossEntropy", out: out,
		run: func(c *Call) error {
			targets, losses, lse := ints(c.In[1]), rowLosses[F](c, s.reduction), output[F](c, len(out)-1)
			if err := s.check(targets); err != nil {
				return err
			}
			s.rule.Forward(losses, lse, input[F](c, 0), targets)
			return s.reduce(c, losses, lse, targets)
		},
		wrt: []bool{true, false},
		grad: func(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			lse, err := part(y, len(out)-1)
			if err != nil {
				return nil, err
			}
			dx, err := apply(&Op{
				name: "CrossEntropyBackward", out: []signature{like[F](xs...)},
				run: func(c *Call) error {
					dy, targets := input[F](c, 0), ints(c.In[3])
					rows, weight := s.kept(targets)
					s.rule.Backward(output[F](c, 0), input[F](c, 2), input[F](c, 1), targets,
						rowGradient(s.reduction, dy, weight), rowGradient(s.reduction, dy, rows))
					return nil
				},
			}, dy, in[0], lse, in[1])
			return gorgonia.Nodes{dx, nil}, err
		},
	}, logits, targets)
}

// scoring is how a cross-entropy scores rows and makes one number of them.
type scoring[F kernel.Float] struct {
	op        string
	rule      kernel.CrossEntropy[F]
	reduction Reduction
	rows      tensor.Shape
}

// newScoring checks the settings of e for rows of logits with the given number of classes, which what has.
func newScoring[F kernel.Float](o *operands, e CrossEntropy, what string, classes int, rows tensor.Shape) *scoring[F] {
	switch {
	case e.Reduction < ReduceMean || e.Reduction > ReduceNone:
		o.fail("unknown reduction %d", e.Reduction)
	case !(e.Smoothing >= 0 && e.Smoothing <= 1):
		o.fail("label smoothing is %v, want a number in [0, 1]", e.Smoothing)
	case !(e.ZLoss >= 0) || e.ZLoss-e.ZLoss != 0:
		o.fail("factor of the z-loss is %v, want a finite number of at least 0", e.ZLoss)
	case e.Weights != nil && len(e.Weights) != classes:
		o.fail("%d class weights do not fit %s", len(e.Weights), what)
	}
	for i, w := range e.Weights {
		if !(w >= 0) || w-w != 0 {
			o.fail("weight %d is %v, want a finite number of at least 0", i, w)
		}
	}
	ignore := slices.Clone(e.Ignore)
	s := &scoring[F]{op: o.op, reduction: e.Reduction, rows: rows}
	s.rule = kernel.CrossEntropy[F]{
		Classes:   classes,
		Ignore:    func(t int) bool { return slices.Contains(ignore, t) },
		Smoothing: e.Smoothing,
		ZLoss:     e.ZLoss,
	}
	for _, w := range e.Weights {
		s.rule.Weights = append(s.rule.Weights, F(w))
	}
	return s
}

// check returns an error if a target is no class and not to be left out.
func (s *scoring[F]) check(targets []int) error {
	for i, t := range targets {
		if (t < 0 || t >= s.rule.Classes) && !s.rule.Ignore(t) {
			return errors.Errorf("%s: target %d at %v is none of %d classes", s.op, t, index(i, s.rows), s.rule.Classes)
		}
	}
	return nil
}

// kept returns how many rows count, and their weight.
func (s *scoring[F]) kept(targets []int) (rows, weight float64) {
	for _, t := range targets {
		switch {
		case s.rule.Ignore(t):
			continue
		case s.rule.Weights != nil:
			weight += float64(s.rule.Weights[t])
		default:
			weight++
		}
		rows++
	}
	return rows, weight
}

// reduce checks the losses of rows and writes what the reduction makes of them.
func (s *scoring[F]) reduce(c *Call, losses, lse []F, targets []int) error {
	if err := checkLosses(s.op, losses, s.rows); err != nil {
		return err
	}
	rows, weight := s.kept(targets)
	if s.reduction == ReduceMean && s.rule.Weights != nil && s.rule.ZLoss != 0 {
		return meanWithZ(c, &s.rule, losses, lse, targets, rows, weight)
	}
	reduceRows(c, s.reduction, losses, weight)
	return nil
}

// meanWithZ reduces losses whose two parts have different means: the cross-entropy is divided by the weight of the
// rows, the z-loss by their number.
func meanWithZ[F kernel.Float](c *Call, rule *kernel.CrossEntropy[F], losses, lse []F, targets []int, rows, weight float64) error {
	var z float64
	for i, t := range targets {
		if !rule.Ignore(t) {
			z += rule.ZLoss * float64(lse[i]) * float64(lse[i])
		}
	}
	total := 0.0
	if weight > 0 {
		total = (kernel.Sum(losses) - z) / weight
	}
	if rows > 0 {
		total += z / rows
	}
	output[F](c, 0)[0] = F(total)
	return nil
}
