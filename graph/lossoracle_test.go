package graph_test

import (
	"testing"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/loss"
)

type (
	nodes  = map[string]graph.Node
	symbol = *gorgonia.Node
)

// wrapped brings a loss of some nodes into their graph.
func wrapped(in nodes, f func(n func(name string) symbol) (symbol, error)) graph.Node {
	for _, x := range in {
		return x.Graph().Wrap(f(func(name string) symbol { return in[name].Gorgonia() }))
	}
	return graph.Node{}
}

// scoreCases build the losses of cases of the oracle, from their inputs and the weights of classes in them.
var scoreCases = map[string]func(in nodes, weights []float64) graph.Node{
	"ce_soft_cap": func(in nodes, _ []float64) graph.Node { return ce(loss.Options{SoftCap: 5})(in) },
	"ce_focal":    func(in nodes, _ []float64) graph.Node { return ce(loss.Options{FocalGamma: 2})(in) },
	"ce_focal_weights": func(in nodes, w []float64) graph.Node {
		return weighted(loss.Options{FocalGamma: 0.5, Weights: w})(in)
	},
	"ce_tokens":       func(in nodes, _ []float64) graph.Node { return weighted(loss.Options{})(in) },
	"ce_tokens_all":   func(in nodes, w []float64) graph.Node { return weighted(everything(w))(in) },
	"ce_tokens_large": func(in nodes, _ []float64) graph.Node { return weighted(loss.Options{SoftCap: 2e4})(in) },
	"linear_ce_tokens_all": func(in nodes, w []float64) graph.Node {
		return wrapped(in, func(n func(string) symbol) (symbol, error) {
			return everything(w).LinearCrossEntropyWeighted(n("x"), n("w"), n("targets"), n("token"))
		})
	},
	"linear_ce_focal": func(in nodes, _ []float64) graph.Node {
		return graph.Apply3(loss.Options{FocalGamma: 2}.LinearCrossEntropy, in["x"], in["w"], in["targets"])
	},
	"soft_ce_all": func(in nodes, w []float64) graph.Node {
		return graph.Apply3(everything(w).SoftCrossEntropyWeighted, in["logits"], in["probs"], in["token"])
	},
	"soft_ce_large": func(in nodes, w []float64) graph.Node {
		return graph.Apply3(loss.Options{Weights: w}.SoftCrossEntropyWeighted, in["logits"], in["probs"], in["token"])
	},
	"bce":       func(in nodes, _ []float64) graph.Node { return bce(loss.Binary{})(in) },
	"bce_large": func(in nodes, _ []float64) graph.Node { return bce(loss.Binary{})(in) },
	"bce_none":  func(in nodes, _ []float64) graph.Node { return bce(loss.Binary{Reduction: loss.None})(in) },
	"bce_focal": func(in nodes, _ []float64) graph.Node { return bce(loss.Binary{FocalGamma: 2, Alpha: 0.25})(in) },
	"bce_weights": func(in nodes, pos []float64) graph.Node {
		return graph.Apply3(loss.Binary{PosWeight: pos}.CrossEntropyWeighted, in["logits"], in["targets"], in["token"])
	},
	"divergence_forward":             distil(loss.Distillation{}),
	"divergence_forward_large":       distil(loss.Distillation{}),
	"divergence_forward_temperature": distil(loss.Distillation{Temperature: 2.5}),
	"divergence_reverse":             distil(loss.Distillation{Measure: loss.ReverseKL}),
	"divergence_reverse_large":       distil(loss.Distillation{Measure: loss.ReverseKL}),
	"divergence_reverse_temperature": distil(loss.Distillation{Measure: loss.ReverseKL, Temperature: 2.5}),
	"divergence_js":                  distil(loss.Distillation{Measure: loss.JensenShannon, Beta: 0.3}),
	"divergence_js_large":            distil(loss.Distillation{Measure: loss.JensenShannon, Beta: 0.3}),
	"divergence_js_temperature":      distil(loss.Distillation{Measure: loss.JensenShannon, Beta: 0.3, Temperature: 2.5}),
	"divergence_tokens": func(in nodes, _ []float64) graph.Node {
		d := loss.Distillation{Measure: loss.JensenShannon, Temperature: 2}
		return graph.Apply3(d.DivergenceWeighted, in["student"], in["teacher"], in["token"])
	},
	"sequence_sum": func(in nodes, _ []float64) graph.Node {
		return graph.Apply2(loss.SequenceLogProb, in["logits"], in["targets"])
	},
	"sequence_mean": func(in nodes, _ []float64) graph.Node {
		return graph.Apply2(loss.Options{}.SequenceLogProb, in["logits"], in["targets"])
	},
	"linear_sequence_sum": func(in nodes, _ []float64) graph.Node {
		return graph.Apply3(loss.Options{Reduction: loss.Sum}.LinearSequenceLogProb, in["x"], in["w"], in["targets"])
	},
	"linear_sequence_mean": func(in nodes, _ []float64) graph.Node {
		return graph.Apply3(loss.Options{}.LinearSequenceLogProb, in["x"], in["w"], in["targets"])
	},
	"dpo":              dpo(loss.DPO{}),
	"dpo_smoothing":    dpo(loss.DPO{Beta: 0.3, LabelSmoothing: 0.2}),
	"dpo_ipo":          dpo(loss.DPO{Beta: 0.5, IPO: true}),
	"dpo_free":         dpo(loss.DPO{ReferenceFree: true}),
	"dpo_large":        dpo(loss.DPO{ReferenceFree: true}),
	"policy_tokens":    rollout(loss.PolicyGradient{ClipHigh: 0.3, KL: 0.1}),
	"policy_sequences": rollout(loss.PolicyGradient{PerSequence: true}),
	"policy_none":      rollout(loss.PolicyGradient{Reduction: loss.None}),
}

// everything returns all options that go together.
func everything(weights []float64) loss.Options {
	return loss.Options{Weights: weights, LabelSmoothing: 0.1, ZLoss: 0.01, SoftCap: 5}
}

func weighted(o loss.Options) func(in nodes) graph.Node {
	return func(in nodes) graph.Node {
		return graph.Apply3(o.CrossEntropyWeighted, in["logits"], in["targets"], in["token"])
	}
}

func bce(b loss.Binary) func(in nodes) graph.Node {
	return func(in nodes) graph.Node { return graph.Apply2(b.CrossEntropy, in["logits"], in["targets"]) }
}

func distil(d loss.Distillation) func(in nodes, _ []float64) graph.Node {
	return func(in nodes, _ []float64) graph.Node {
		return graph.Apply2(d.Divergence, in["student"], in["teacher"])
	}
}

func dpo(d loss.DPO) func(in nodes, _ []float64) graph.Node {
	return func(in nodes, _ []float64) graph.Node {
		return wrapped(in, func(n func(string) symbol) (symbol, error) {
			return d.Loss(loss.Pairs{
				Chosen: n("chosen"), Rejected: n("rejected"), RefChosen: n("ref_chosen"), RefRejected: n("ref_rejected"),
			})
		})
	}
}

func rollout(p loss.PolicyGradient) func(in nodes, _ []float64) graph.Node {
	return func(in nodes, _ []float64) graph.Node {
		return wrapped(in, func(n func(string) symbol) (symbol, error) {
			return p.Loss(loss.Rollout{
				LogProbs: n("now"), Advantages: n("advantages"), Old: n("old"), Reference: n("ref"), Weights: n("mask"),
			})
		})
	}
}

// Every loss agrees with what PyTorch makes of its formula, as do its gradients.
func TestLossOracle(t *testing.T) {
	for name, build := range scoreCases {
		inputs := oracle.Load(t, name).With("in.")
		weights := append(inputs["weight"].Floats, inputs["pos"].Floats...)
		for _, p := range precisions {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				checkCase(t, name, func(in nodes) graph.Node { return build(in, weights) }, p.dtype, p.tol)
			})
		}
	}
}
