package op

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// PolicyGradient is the clipped loss of tokens that a policy has generated. See kernel.Ratio.
type PolicyGradient struct {
	Reduction     Reduction
	PerSequence   bool // the mean is over sequences, and of each over its tokens
	Low, High, KL float64
}

// Rollout is what a policy has generated: log-probabilities of tokens (..., seq) now, when they were drawn and of a
// reference, their advantages (..., seq) or (...), and their weights. All but now and advantages may be nil: then there is
// one policy, no reference, and all tokens weigh 1.
type Rollout struct{ Now, Advantages, Old, Reference, Weights *gorgonia.Node }

// Apply scores a rollout. Now alone has a gradient. The mean divides by the weight of the tokens.
func (p PolicyGradient) Apply(r Rollout) (*gorgonia.Node, error) {
	if is64(r.Now) {
		return policyGradient[float64](p, r)
	}
	return policyGradient[float32](p, r)
}

// tokens scores the tokens of rollouts of one shape.
type tokens[F kernel.Float] struct {
	PolicyGradient
	rule                           kernel.Ratio
	shape                          tensor.Shape
	seq                            int // tokens of a sequence
	each                           int // tokens that share an advantage
	old, reference, weights, count int // where these are among the operands, if they are, and how many operands there are
}

func policyGradient[F kernel.Float](p PolicyGradient, r Rollout) (*gorgonia.Node, error) {
	o := operands{op: "PolicyGradient"}
	xs := floatShape[F](&o, "log-probabilities", r.Now)
	if o.err == nil && len(xs) == 0 {
		o.fail("log-probabilities are a scalar, want at least 1 axis")
	}
	as := floatShape[F](&o, "advantages", r.Advantages)
	t := &tokens[F]{PolicyGradient: p, rule: kernel.Ratio{Low: p.Low, High: p.High, KL: p.KL}, shape: xs, each: 1}
	if o.err == nil {
		t.seq = xs[len(xs)-1]
		switch {
		case slices.Equal(as, xs):
		case slices.Equal(as, xs[:len(xs)-1]):
			t.each = t.seq
		default:
			o.fail("%s do not fit %s", show("advantages", r.Advantages), show("log-probabilities", r.Now))
		}
	}
	in := gorgonia.Nodes{r.Now, r.Advantages}
	add := func(what string, n *gorgonia.Node) int {
		if n == nil {
			return 0
		}
		if s := floatShape[F](&o, what, n); o.err == nil && !slices.Equal(s, xs) {
			o.fail("%s do not fit %s", show(what, n), show("log-probabilities", r.Now))
		}
		in = append(in, n)
		return len(in) - 1
	}
	t.old = add("old log-probabilities", r.Old)
	t.reference = add("reference log-probabilities", r.Reference)
	t.weights = add("weights", rowWeights[F](&o, r.Weights, xs))
	t.count = len(in)
	t.checkSettings(&o)
	if o.err != nil {
		return nil, o.err
	}
	return apply(&Op{
		name: o.op, out: results[F](p.Reduction, xs),
		run: t.run,
		wrt: first(len(in), 1),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := apply(&Op{
				name: "PolicyGradientBackward", out: []signature{like[F](xs...)},
				run: t.runBackward,
			}, append(slices.Clone(in), dy)...)
			return gradients(len(in), dx), err
		},
	}, in...)
}

func (t *tokens[F]) checkSettings(o *operands) {
	t.Reduction.check(o)
	amount(o, "factor of the divergence", t.KL)
	if !(t.Low > 0) || !(t.High > 0) {
		o.fail("ratios are clipped at 1 - %v and 1 + %v, want numbers above 0", t.Low, t.High)
	}
	if (t.KL != 0) != (t.reference != 0) {
		o.fail("a factor of the divergence, which is %v, and reference log-probabilities go together", t.KL)
	}
	if t.PerSequence && t.Reduction != ReduceMean {
		o.fail("only a mean is one of sequences")
	}
}

// loss returns the loss of token i, and its derivative.
func (t *tokens[F]) loss(c *Call, i int) (loss, slope float64) {
	now := float64(input[F](c, 0)[i])
	old, reference := now, 0.0
	if t.old != 0 {
		old = float64(input[F](c, t.old)[i])
	}
	if t.reference != 0 {
		reference = float64(input[F](c, t.reference)[i])
	}
	return t.rule.Loss(now, old, reference, float64(input[F](c, 1)[i/t.each]))
}

// tokenWeights returns the weights of the tokens, or nil.
func (t *tokens[F]) tokenWeights(c *Call) []F {
	if t.weights == 0 {
		return nil
	}
	return input[F](c, t.weights)
}

func (t *tokens[F]) weight(c *Call, i int) float64 {
	if t.weights == 0 {
		return 1
	}
	return float64(input[F](c, t.weights)[i])
}

// divisor returns by what the losses of the sequence of token i, each times its weight, are divided; 0 if nothing counts.
func (t *tokens[F]) divisor(c *Call, i int) float64 {
	weights := t.tokenWeights(c)
	switch {
	case t.Reduction != ReduceMean:
		return 1
	case !t.PerSequence:
		return totalWeight(weights, t.shape.TotalSize())
	case weights == nil:
		return float64(t.shape.TotalSize())
	}
	sequences := 0.0
	for at := 0; at < len(weights); at += t.seq {
		if kernel.Sum(weights[at:][:t.seq]) > 0 {
			sequences++
		}
	}
	return sequences * kernel.Sum(weights[i/t.seq*t.seq:][:t.seq])
}

func (t *tokens[F]) run(c *Call) error {
	losses := rowLosses[F](c, t.Reduction)
	if err := checkWeights("PolicyGradient", t.tokenWeights(c), t.shape); err != nil {
		return err
	}
	var total, divisor float64
	for i := range losses {
		losses[i] = 0
		if i%t.seq == 0 {
			divisor = t.divisor(c, i)
		}
		weight := t.weight(c, i)
		if weight == 0 {
			continue
		}
		loss, slope := t.loss(c, i)
		if l, s := F(loss), F(slope); !t.finite(c, i) || l-l != 0 || s-s != 0 {
			return errors.Errorf("PolicyGradient: the loss at %v would be %v, of %s",
				index(i, t.shape), loss, t.describe(c, i))
		}
		losses[i] = F(weight * loss)
		total += weight * loss / divisor
	}
	if t.Reduction != ReduceNone {
		output[F](c, 0)[0] = F(total)
	}
	return nil
}

// finite reports whether the operands of token i are.
func (t *tokens[F]) finite(c *Call, i int) bool {
	for k := range t.count {
		at := i
		if k == 1 {
			at = i / t.each
		}
		if v := input[F](c, k)[at]; v-v != 0 {
			return false
		}
	}
	return true
}

// describe lists the operands of token i.
func (t *tokens[F]) describe(c *Call, i int) string {
	s := "log-probability " + fmt.Sprint(input[F](c, 0)[i])
	if t.old != 0 {
		s += ", before " + fmt.Sprint(input[F](c, t.old)[i])
	}
	if t.reference != 0 {
		s += ", of the reference " + fmt.Sprint(input[F](c, t.reference)[i])
	}
	return s + " and advantage " + fmt.Sprint(input[F](c, 1)[i/t.each])
}

func (t *tokens[F]) runBackward(c *Call) error {
	dx, dy := output[F](c, 0), input[F](c, t.count)
	var divisor float64
	for i := range dx {
		dx[i] = 0
		if i%t.seq == 0 {
			divisor = t.divisor(c, i)
		}
		weight := t.weight(c, i)
		if weight == 0 {
			continue
		}
		g := float64(dy[0])
		if t.Reduction == ReduceNone {
			g = float64(dy[i])
		}
		_, slope := t.loss(c, i)
		dx[i] = F(g * weight / divisor * slope)
	}
	return nil
}
