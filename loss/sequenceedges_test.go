package loss_test

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/loss"
)

// sequence makes the log-probability of a sequence of targets, a scalar.
func sequence(o loss.Options, targets ...int) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		return o.SequenceLogProb(x, in.ids(targets...))
	}
}

func TestSequenceEdges(t *testing.T) {
	no := loss.Ignored
	sum, mean, none := loss.Options{Reduction: loss.Sum}, loss.Options{}, loss.Options{Reduction: loss.None}
	for _, e := range []edge{
		{"sum", 2, []float64{0, 0, 1e4, 0, nan, nan}, sequence(sum, 0, 1, no), []float64{-ln2 - 1e4},
			[]float64{0.5, -0.5, -1, 1, 0, 0}, ""},
		{"mean", 2, []float64{0, 0, 1e4, 0, nan, nan}, sequence(mean, 0, 1, no), []float64{(-ln2 - 1e4) / 2},
			[]float64{0.25, -0.25, -0.5, 0.5, 0, 0}, ""},
		{"tokens", 2, []float64{0, 0, 0, 1e4, nan, nan}, sequence(none, 0, 1, no), []float64{-ln2, 0, 0}, nil, ""},
		{"mean of nothing", 2, []float64{nan, 0}, sequence(mean, no), []float64{0}, []float64{0, 0}, ""},
		{"sum of nothing", 2, []float64{nan, 0}, sequence(sum, no), []float64{0}, []float64{0, 0}, ""},
		{"impossible", 2, []float64{0, -inf}, sequence(mean, 1), []float64{-inf}, []float64{-1, 1}, ""},
		{"no class", 2, []float64{0, 0}, sequence(sum, 2), nil, nil,
			"CrossEntropy: target 2 at [0] is none of 2 classes"},
		{"NaN", 2, []float64{0, nan}, sequence(sum, 0), nil, nil, "logits at [0] hold"},
	} {
		e.check(t)
	}
}

// pair makes the loss of one pair of answers, whose chosen one has log-probability x.
func pair(d loss.DPO, rejected float64, ref ...float64) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		p := loss.Pairs{Chosen: x, Rejected: in.numbers([]float64{rejected})}
		if ref != nil {
			p.RefChosen, p.RefRejected = in.numbers(ref[:1]), in.numbers(ref[1:])
		}
		return d.Loss(p)
	}
}

func TestDPOEdges(t *testing.T) {
	plain, free := loss.DPO{}, loss.DPO{ReferenceFree: true}
	for _, e := range []edge{
		{"no margin", 0, []float64{-5}, pair(plain, -7, -3, -5), []float64{ln2}, []float64{-0.05}, ""},
		{"large margin", 0, []float64{0}, pair(free, -1e6), []float64{0}, []float64{0}, ""},
		{"large wrong margin", 0, []float64{-1e6}, pair(free, 0), []float64{1e5}, []float64{-0.1}, ""},
		{"large margin, smoothed", 0, []float64{0}, pair(loss.DPO{ReferenceFree: true, LabelSmoothing: 0.25}, -1e6),
			[]float64{2.5e4}, []float64{0.025}, ""},
		{"IPO at its margin", 0, []float64{-2}, pair(loss.DPO{IPO: true, Beta: 0.25}, -4, -3, -3), []float64{0},
			[]float64{0}, ""},
		{"IPO, large", 0, []float64{-1e4}, pair(loss.DPO{IPO: true, Beta: 0.5, ReferenceFree: true}, 0),
			[]float64{10001 * 10001}, []float64{-20002}, ""},
		{"of scalars", 2, []float64{0, 0}, func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
			chosen, err := loss.SequenceLogProb(x, in.ids(0))
			if err != nil {
				return nil, err
			}
			rejected, err := loss.SequenceLogProb(x, in.ids(1))
			if err != nil {
				return nil, err
			}
			return free.Loss(loss.Pairs{Chosen: chosen, Rejected: rejected})
		}, []float64{ln2}, []float64{-0.05, 0.05}, ""},
		{"impossible chosen", 0, []float64{-inf}, pair(free, 0), nil, nil,
			"DPO: chosen at [0] is -Inf, want a finite log-probability"},
		{"impossible rejected", 0, []float64{0}, pair(free, -inf), nil, nil, "rejected at [0] is -Inf"},
		{"NaN", 0, []float64{nan}, pair(plain, 0, 0, 0), nil, nil, "chosen at [0] is NaN"},
		{"impossible reference", 0, []float64{0}, pair(plain, 0, -inf, 0), nil, nil,
			"reference of chosen at [0] is -Inf"},
		{"reference of NaN", 0, []float64{0}, pair(plain, 0, 0, nan), nil, nil, "reference of rejected at [0] is NaN"},
	} {
		e.check(t)
	}
}

// policy makes the loss of tokens with log-probabilities x.
func policy(p loss.PolicyGradient, old, advantages []float64, more ...[]float64) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		r := loss.Rollout{LogProbs: x, Advantages: in.numbers(advantages)}
		if old != nil {
			r.Old = in.numbers(old)
		}
		if len(more) > 0 {
			r.Weights = in.numbers(more[0])
		}
		if len(more) > 1 {
			r.Reference = in.numbers(more[1])
		}
		return p.Loss(r)
	}
}

func TestPolicyGradientEdges(t *testing.T) {
	sum := loss.PolicyGradient{Reduction: loss.Sum}
	one, bad := []float64{1}, []float64{nan}
	for _, e := range []edge{
		{"on policy", 0, []float64{-3, -1e4}, policy(loss.PolicyGradient{}, nil, []float64{2, -4}), []float64{1},
			[]float64{-1, 2}, ""},
		{"clipped above", 0, []float64{0}, policy(sum, []float64{-1}, one), []float64{-1.2}, []float64{0}, ""},
		{"clipped far above", 0, []float64{0}, policy(sum, []float64{-1e4}, one), []float64{-1.2}, []float64{0}, ""},
		{"clipped below", 0, []float64{-1e4}, policy(sum, []float64{0}, []float64{-1}), []float64{0.8}, []float64{0},
			""},
		{"not clipped below", 0, []float64{-1e4}, policy(sum, []float64{0}, one), []float64{0}, []float64{0}, ""},
		{"not clipped above", 0, []float64{0}, policy(sum, []float64{-1}, []float64{-1}), []float64{math.E},
			[]float64{math.E}, ""},
		{"never clipped", 0, []float64{0}, policy(loss.PolicyGradient{Clip: inf}, []float64{-2}, one),
			[]float64{-math.Exp(2)}, []float64{-math.Exp(2)}, ""},
		{"at the bound", 0, []float64{0}, policy(loss.PolicyGradient{Clip: 1, ClipHigh: 1}, []float64{0}, one),
			[]float64{-1}, []float64{-1}, ""},
		{"no advantage", 0, []float64{0}, policy(sum, []float64{-1e4}, []float64{0}), []float64{0}, []float64{0}, ""},
		{"reference alike", 0, []float64{-2},
			policy(loss.PolicyGradient{KL: 1}, nil, []float64{0}, one, []float64{-2}), []float64{0}, []float64{0}, ""},
		{"reference below", 0, []float64{0},
			policy(loss.PolicyGradient{KL: 1}, nil, []float64{0}, one, []float64{-1e4}), []float64{9999},
			[]float64{1}, ""},
		{"no token", 0, []float64{nan}, policy(loss.PolicyGradient{KL: 1}, bad, bad, []float64{0}, bad), []float64{0},
			[]float64{0}, ""},
		{"no token per sequence", 0, []float64{nan},
			policy(loss.PolicyGradient{PerSequence: true}, bad, bad, []float64{0}), []float64{0}, []float64{0}, ""},
		{"overflow", 0, []float64{0}, policy(sum, []float64{-1e4}, []float64{-1}), nil, nil,
			"PolicyGradient: the loss at [0] would be +Inf, of log-probability 0, before -10000 and advantage -1"},
		{"overflow of the reference", 0, []float64{-1e4},
			policy(loss.PolicyGradient{KL: 1}, nil, one, one, []float64{0}), nil, nil, "of the reference 0"},
		{"impossible token", 0, []float64{-inf}, policy(sum, []float64{0}, one), nil, nil, "log-probability -Inf"},
		{"NaN", 0, []float64{0, nan}, policy(sum, nil, []float64{1, 1}), nil, nil,
			"PolicyGradient: the loss at [1] would be"},
		{"advantage of NaN", 0, []float64{0}, policy(sum, nil, bad), nil, nil, "advantage NaN"},
		{"infinite advantage", 0, []float64{0}, policy(sum, []float64{-1}, []float64{inf}), nil, nil, "advantage +Inf"},
		{"negative weight", 0, []float64{0}, policy(sum, nil, one, []float64{-1}), nil, nil, "the weight at [0] is -1"},
	} {
		e.check(t)
	}
}
