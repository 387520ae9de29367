package op

import (
	"math"
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
	SoftCap   float64   // bound of the logits; 0 means none
	Focal     float64   // exponent of the focal loss; 0 means none
}

// Apply scores logits (..., classes) against targets (...), with a weight of every row unless weights is nil. The mean is
// over the rows that are kept, each counting as its weight times that of its target, and 0 if there are none. A target
// that is no class is an error of the run.
func (e CrossEntropy) Apply(logits, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(logits) {
		return crossEntropy[float64](e, logits, targets, weights)
	}
	return crossEntropy[float32](e, logits, targets, weights)
}

func crossEntropy[F kernel.Float](e CrossEntropy, logits, targets, weights *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "CrossEntropy"}
	xs, ts := floatShape[F](&o, "logits", logits), o.ids("targets", targets)
	if o.err == nil && (len(xs) < 2 || !slices.Equal(xs[:len(xs)-1], ts)) {
		o.fail("%s does not fit %s", show("logits", logits), show("targets", targets))
	}
	weights = rowWeights[F](&o, weights, ts)
	if o.err != nil {
		return nil, o.err
	}
	s := newScoring[F](&o, e, show("logits", logits), xs[len(xs)-1], ts)
	if o.err != nil {
		return nil, o.err
	}
	out := append(results[F](s.reduction, ts), s.sums(ts.TotalSize())) // last
	in := given(logits, targets, weights)
	return apply(&Op{
		name: "CrossEntropy", out: out,
		run: func(c *Call) error {
			targets, weights := ints(c.In[1]), optional[F](c, 2)
			losses, sums := rowLosses[F](c, s.reduction), output[F](c, len(out)-1)
			if err := s.check(targets, weights); err != nil {
				return err
			}
			s.rule.Forward(losses, sums, input[F](c, 0), targets, weights)
			return s.reduce(c, losses, sums, targets, weights)
		},
		wrt: first(len(in), 1),
		grad: func(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			sums, err := part(y, len(out)-1)
			if err != nil {
				return nil, err
			}
			dx, err := apply(&Op{
				name: "CrossEntropyBackward", out: []signature{like[F](xs...)}, inPlace: true,
				run: func(c *Call) error {
					dy, targets, weights := input[F](c, 1), ints(c.In[3]), optional[F](c, 4)
					rows, weight := s.kept(targets, weights)
					main, z := rowGradient(s.reduction, dy, weight), rowGradient(s.reduction, dy, rows)
					main.Weights, z.Weights = weights, weights
					s.rule.Backward(output[F](c, 0), input[F](c, 2), input[F](c, 0), targets, main, z)
					return nil
				},
			}, append(gorgonia.Nodes{in[0], dy, sums}, in[1:]...)...)
			return gradients(len(in), dx), err
		},
	}, in...)
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
	e.Reduction.check(o)
	smoothing(o, e.Smoothing)
	amount(o, "factor of the z-loss", e.ZLoss)
	softCap[F](o, e.SoftCap)
	amount(o, "exponent of the focal loss", e.Focal)
	if e.Focal != 0 && e.Smoothing != 0 {
		o.fail("there is no focal loss with label smoothing")
	}
	classWeights(o, e.Weights, what, classes)
	ignore := slices.Clone(e.Ignore)
	s := &scoring[F]{op: o.op, reduction: e.Reduction, rows: rows}
	s.rule = kernel.CrossEntropy[F]{
		Classes:   classes,
		Ignore:    func(t int) bool { return slices.Contains(ignore, t) },
		Smoothing: e.Smoothing,
		ZLoss:     e.ZLoss,
		SoftCap:   e.SoftCap,
		Focal:     e.Focal,
	}
	for _, w := range e.Weights {
		s.rule.Weights = append(s.rule.Weights, F(w))
	}
	return s
}

// smoothing checks a share of label smoothing.
func smoothing(o *operands, s float64) {
	if !(s >= 0 && s <= 1) {
		o.fail("label smoothing is %v, want a number in [0, 1]", s)
	}
}

// amount checks a setting that is finite and not negative.
func amount(o *operands, what string, v float64) {
	if !(v >= 0) || v-v != 0 {
		o.fail("%s is %v, want a finite number of at least 0", what, v)
	}
}

// softCap checks a bound of logits, which must not vanish in the type of the logits.
func softCap[F kernel.Float](o *operands, limit float64) {
	if f := F(limit); limit != 0 && (!(f > 0) || f-f != 0) {
		o.fail("soft cap is %v, want a finite number of at least 0", limit)
	}
}

// classWeights checks weights of classes, if there are any.
func classWeights(o *operands, weights []float64, what string, classes int) {
	if weights != nil && len(weights) != classes {
		o.fail("%d class weights do not fit %s", len(weights), what)
	}
	for i, w := range weights {
		if !(w >= 0) || w-w != 0 {
			o.fail("weight %d is %v, want a finite number of at least 0", i, w)
		}
	}
}

// sums is the type and shape of what the forward pass finds of n rows, for the backward pass.
func (s *scoring[F]) sums(n int) signature { return like[F](n, 2) }

// check returns an error if a weight is none, or if a target is no class and not to be left out.
func (s *scoring[F]) check(targets []int, weights []F) error {
	if err := checkWeights(s.op, weights, s.rows); err != nil {
		return err
	}
	for i, t := range targets {
		if (t < 0 || t >= s.rule.Classes) && !s.out(i, t, weights) {
			return errors.Errorf("%s: target %d at %v is none of %d classes", s.op, t, index(i, s.rows), s.rule.Classes)
		}
	}
	return nil
}

// out reports whether a row is left out.
func (s *scoring[F]) out(row, target int, weights []F) bool {
	return weights != nil && weights[row] == 0 || s.rule.Ignore(target)
}

// kept returns how many rows count, and their weight: the sum of their weights, and of these times those of the targets.
func (s *scoring[F]) kept(targets []int, weights []F) (rows, weight float64) {
	for i, t := range targets {
		if s.out(i, t, weights) {
			continue
		}
		w := 1.0
		if weights != nil {
			w = float64(weights[i])
		}
		rows += w
		if s.rule.Weights != nil {
			w *= float64(s.rule.Weights[t])
		}
		weight += w
	}
	return rows, weight
}

// reduce checks the losses of rows and writes what the reduction makes of them.
func (s *scoring[F]) reduce(c *Call, losses, sums []F, targets []int, weights []F) error {
	if err := checkLosses(s.op, losses, s.rows); err != nil {
		return err
	}
	rows, weight := s.kept(targets, weights)
	if s.reduction == ReduceMean && s.rule.Weights != nil && s.rule.ZLoss != 0 {
		output[F](c, 0)[0] = F(s.meanWithZ(losses, sums, targets, weights, rows, weight))
		return nil
	}
	reduceRows(c, s.reduction, losses, weight)
	return nil
}

// meanWithZ returns the mean of losses whose two parts have different means: the cross-entropy is divided by the weight of
// the rows, the z-loss by that without the weights of classes.
func (s *scoring[F]) meanWithZ(losses, sums []F, targets []int, weights []F, rows, weight float64) (mean float64) {
	var z float64
	for i, t := range targets {
		if s.out(i, t, weights) {
			continue
		}
		l := kernel.LogSum(sums, i)
		part := s.rule.ZLoss * l * l
		if weights != nil {
			part *= float64(weights[i])
		}
		z += part
	}
	if math.IsInf(z, 1) {
		return z
	}
	if weight > 0 {
		mean = (kernel.Sum(losses) - z) / weight
	}
	if rows > 0 {
		mean += z / rows
	}
	return mean
}
