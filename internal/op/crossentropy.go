package op

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

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
	switch {
	case o.err != nil:
		return nil, o.err
	case len(xs) < 2 || !slices.Equal(xs[:len(xs)-1], ts):
		o.fail("%s does not fit %s", show("logits", logits), show("targets", targets))
	case e.Reduction < ReduceMean || e.Reduction > ReduceNone:
		o.fail("unknown reduction %d", e.Reduction)
	case !(e.Smoothing >= 0 && e.Smoothing <= 1):
		o.fail("label smoothing is %v, want a number in [0, 1]", e.Smoothing)
	case !(e.ZLoss >= 0) || e.ZLoss-e.ZLoss != 0:
		o.fail("factor of the z-loss is %v, want a finite number of at least 0", e.ZLoss)
	case e.Weights != nil && len(e.Weights) != xs[len(xs)-1]:
		o.fail("%d class weights do not fit %s", len(e.Weights), show("logits", logits))
	}
	for i, w := range e.Weights {
		if !(w >= 0) || w-w != 0 {
			o.fail("weight %d is %v, want a finite number of at least 0", i, w)
		}
	}
	if o.err != nil {
		return nil, o.err
	}
	ignore := slices.Clone(e.Ignore)
	rule := kernel.CrossEntropy[F]{
		Classes:   xs[len(xs)-1],
		Ignore:    func(t int) bool { return slices.Contains(ignore, t) },
		Smoothing: e.Smoothing,
		ZLoss:     e.ZLoss,
	}
	for _, w := range e.Weights {
		rule.Weights = append(rule.Weights, F(w))
	}
	// kept returns how many rows count, and their weight.
	kept := func(targets []int) (rows, weight float64) {
		for _, t := range targets {
			switch {
			case rule.Ignore(t):
				continue
			case rule.Weights != nil:
				weight += float64(rule.Weights[t])
			default:
				weight++
			}
			rows++
		}
		return rows, weight
	}
	r := e.Reduction
	out := append(results[F](r, ts), like[F](ts...)) // last: log Σ e**logit
	return apply(&Op{
		name: "CrossEntropy", out: out,
		run: func(c *Call) error {
			targets, losses := ints(c.In[1]), rowLosses[F](c, r)
			for i, t := range targets {
				if (t < 0 || t >= rule.Classes) && !rule.Ignore(t) {
					return errors.Errorf("CrossEntropy: target %d at %v is none of %d classes", t, index(i, ts), rule.Classes)
				}
			}
			rule.Forward(losses, output[F](c, len(out)-1), input[F](c, 0), targets)
			if err := checkLosses("CrossEntropy", losses, ts); err != nil {
				return err
			}
			rows, weight := kept(targets)
			if r == ReduceMean && rule.Weights != nil && rule.ZLoss != 0 {
				return meanWithZ(c, &rule, losses, output[F](c, len(out)-1), targets, rows, weight)
			}
			reduceRows(c, r, losses, weight)
			return nil
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
					rows, weight := kept(targets)
					rule.Backward(output[F](c, 0), input[F](c, 2), input[F](c, 1), targets,
						rowGradient(r, dy, weight), rowGradient(r, dy, rows))
					return nil
				},
			}, dy, in[0], lse, in[1])
			return gorgonia.Nodes{dx, nil}, err
		},
	}, logits, targets)
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
