package op

import (
	"math"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// Preference is the loss of pairs of answers, one chosen and one rejected. See kernel.Preference.
type Preference struct {
	Reduction       Reduction
	Beta, Smoothing float64
	Squared         bool
}

// Apply scores the log-probabilities that a policy gives to chosen and rejected answers against those of a reference, all
// of one shape. Both references are nil if there is none. They have no gradient.
func (p Preference) Apply(chosen, rejected, refChosen, refRejected *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(chosen) {
		return preference[float64](p, chosen, rejected, refChosen, refRejected)
	}
	return preference[float32](p, chosen, rejected, refChosen, refRejected)
}

func preference[F kernel.Float](
	p Preference, chosen, rejected, refChosen, refRejected *gorgonia.Node,
) (*gorgonia.Node, error) {
	o := operands{op: "DPO"}
	names := []string{"chosen", "rejected", "reference of chosen", "reference of rejected"}
	in := gorgonia.Nodes{chosen, rejected, refChosen, refRejected}
	if refChosen == nil && refRejected == nil {
		in = in[:2]
	}
	xs := floatShape[F](&o, names[0], chosen)
	for i, n := range in {
		if s := floatShape[F](&o, names[i], n); o.err == nil && !slices.Equal(s, xs) {
			o.fail("%s does not fit %s", show(names[i], n), show(names[0], chosen))
		}
	}
	p.Reduction.check(&o)
	if !(p.Beta > 0) || math.IsInf(p.Beta, 1) {
		o.fail("beta is %v, want a finite number above 0", p.Beta)
	}
	if !(p.Smoothing >= 0 && p.Smoothing < 0.5) {
		o.fail("label smoothing is %v, want a number in [0, 0.5)", p.Smoothing)
	}
	if p.Squared && p.Smoothing != 0 {
		o.fail("there is no label smoothing with a squared loss")
	}
	if o.err != nil {
		return nil, o.err
	}
	rule := kernel.Preference{Beta: p.Beta, Smoothing: p.Smoothing, Squared: p.Squared}
	r, n := p.Reduction, float64(xs.TotalSize())
	// margin returns by how much the policy favours the chosen answer of pair i, from the operands that begin at from.
	margin := func(c *Call, from, i int) (h float64) {
		h = float64(input[F](c, from)[i]) - float64(input[F](c, from+1)[i])
		if len(in) == 4 {
			h -= float64(input[F](c, from+2)[i]) - float64(input[F](c, from+3)[i])
		}
		return h
	}
	return apply(&Op{
		name: o.op, out: results[F](r, xs),
		run: func(c *Call) error {
			losses := rowLosses[F](c, r)
			for i := range losses {
				for k := range in {
					if v := input[F](c, k)[i]; v-v != 0 {
						return errors.Errorf("%s: %s at %v is %v, want a finite log-probability",
							o.op, names[k], index(i, xs), v)
					}
				}
				loss, _ := rule.Loss(margin(c, 0, i))
				losses[i] = F(loss)
			}
			reduceRows(c, r, losses, n)
			return nil
		},
		wrt: first(len(in), 2),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			d, err := apply(&Op{
				name: "DPOBackward", out: []signature{like[F](xs...), like[F](xs...)},
				run: func(c *Call) error {
					g := rowGradient(r, input[F](c, 0), n)
					chosen, rejected := output[F](c, 0), output[F](c, 1)
					for i := range chosen {
						_, slope := rule.Loss(margin(c, 1, i))
						chosen[i] = F(g.Of(i) * slope)
						rejected[i] = -chosen[i]
					}
					return nil
				},
			}, append(gorgonia.Nodes{dy}, in...)...)
			if err != nil {
				return nil, err
			}
			ds, err := parts(d, 2)
			return gradients(len(in), ds...), err
		},
	}, in...)
}
