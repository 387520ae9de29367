package loss_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/loss"
)

// strange returns n numbers, many of which are infinite, NaN, large or equal.
func strange(rng *rand.Rand, n int, some ...float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64() * 3
		if rng.IntN(3) == 0 {
			v[i] = some[rng.IntN(len(some))]
		}
	}
	return v
}

// strangeLoss builds a loss of x (3, 4) with options and operands at random.
func strangeLoss(rng *rand.Rand) (string, builder) {
	pick := func(v ...float64) float64 { return v[rng.IntN(len(v))] }
	targets := []int{rng.IntN(4), rng.IntN(4), rng.IntN(4)}
	if rng.IntN(4) == 0 {
		targets[rng.IntN(3)] = []int{loss.Ignored, 4, -1}[rng.IntN(3)]
	}
	o := loss.Options{
		Reduction: loss.Reduction(rng.IntN(2)), ZLoss: pick(0, 0.01), SoftCap: pick(0, 0, 5), FocalGamma: pick(0, 0.3, 2),
	}
	if o.FocalGamma == 0 {
		o.LabelSmoothing = pick(0, 0.1, 1)
	}
	if rng.IntN(2) == 0 {
		o.Weights = []float64{pick(0, 1), pick(0, 2), 1, 0}
	}
	rows := []float64{pick(0, 1), pick(0, 0.5), pick(0, 1, 1, 1, nan, -1)}
	second := strange(rng, 12, inf, -inf, -inf, -inf, -inf, nan, 1e4, -1e4, 0)
	switch rng.IntN(6) {
	case 0:
		return fmt.Sprintf("CrossEntropy %+v of %v", o, targets), crossEntropy(o, targets...)
	case 1:
		return fmt.Sprintf("CrossEntropy %+v of %v, rows %v", o, targets, rows), weighted(o, rows, targets...)
	case 2:
		o.FocalGamma = 0
		for i := range second {
			second[i] = pick(0, 0, 0.5, 1, 1, 1, nan, inf, -1)
		}
		return fmt.Sprintf("SoftCrossEntropy %+v of %v, rows %v", o, second, rows),
			func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
				return o.SoftCrossEntropyWeighted(x, in.numbers(second, 3, 4), in.numbers(rows))
			}
	case 3:
		d := loss.Distillation{Reduction: o.Reduction, Measure: loss.Measure(rng.IntN(3)), Temperature: pick(0, 0.5, 3)}
		return fmt.Sprintf("Divergence %+v from %v, rows %v", d, second, rows),
			func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
				return d.DivergenceWeighted(x, in.numbers(second, 3, 4), in.numbers(rows))
			}
	case 4:
		b := loss.Binary{Reduction: o.Reduction, FocalGamma: o.FocalGamma, Alpha: pick(0, 0.25), PosWeight: o.Weights}
		for i := range second {
			second[i] = pick(0, 0, 0, 1, 1, 1, 0.5)
		}
		return fmt.Sprintf("Binary %+v of %v", b, second), binary(b, second...)
	default:
		p := loss.PolicyGradient{Reduction: o.Reduction, PerSequence: o.Reduction == loss.Mean, KL: 0.1}
		old, ref := strange(rng, 12, 1e4, -1e4, 0, -50), strange(rng, 12, -1e4, 0, 0, 0)
		mask, advantages := strange(rng, 12, 0, 1), strange(rng, 12, 0, 0, 0, -1, 1)
		for i := range mask {
			mask[i] = max(mask[i], 0)
		}
		return fmt.Sprintf("PolicyGradient %+v before %v, reference %v, advantages %v", p, old, ref, advantages),
			func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
				return p.Loss(loss.Rollout{
					LogProbs: x, Old: in.numbers(old, 3, 4), Reference: in.numbers(ref, 3, 4),
					Advantages: in.numbers(advantages, 3, 4), Weights: in.numbers(mask, 3, 4),
				})
			}
	}
}

// Whatever a loss is given, it is an error, or the loss is a number or +Inf and its gradient finite.
func TestNothingIsSilentlyNaN(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	type outcomes struct{ errors, infinite, finite int }
	all := make(map[string]*outcomes)
	for range 1500 {
		what, build := strangeLoss(rng)
		x := strange(rng, 12, inf, -inf, -inf, -inf, -inf, nan, 1e4, -1e4, 0)
		if rng.IntN(2) == 0 {
			x = strange(rng, 12, 3e38, -3e38, 1e4, -1e4, 0, -inf)
		}
		for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
			kind := strings.Fields(what)[0]
			if all[kind] == nil {
				all[kind] = new(outcomes)
			}
			n := all[kind]
			y, dx, err := edge{x: x, classes: 4, build: build}.run(dt)
			if err != nil {
				n.errors++
				continue
			}
			if y[0]-y[0] == 0 {
				n.finite++
			} else {
				n.infinite++
			}
			if !(y[0] <= inf) || y[0] == -inf {
				t.Fatalf("%v: %s: %v has loss %v", dt, what, x, y)
			}
			for _, d := range dx {
				if d-d != 0 {
					t.Fatalf("%v: %s: %v has loss %v, gradient %v", dt, what, x, y, dx)
				}
			}
		}
	}
	for kind, n := range all {
		t.Logf("%s: %+v", kind, *n)
		if n.errors < 20 || n.finite < 30 {
			t.Errorf("%s: %+v: too few of a kind", kind, *n)
		}
	}
}
