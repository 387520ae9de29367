package graph_test

import (
	"fmt"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
)

// A lossBuilder builds a loss of parameters and whatever inputs it takes.
type lossBuilder = func(g *graph.Graph, p []graph.Node) graph.Node

// weightedCE is the loss of logits (2, 4, 4), or of an output layer if there are two parameters, with weights of rows.
func weightedCE(o loss.Options, mask bool) lossBuilder {
	return func(g *graph.Graph, p []graph.Node) graph.Node {
		ids, weights := g.Tokens("ids", 2, 4), tokenWeights(g, mask, 2, 4)
		if len(p) == 1 {
			return graph.Apply3(o.CrossEntropyWeighted, p[0], ids, weights)
		}
		return g.Wrap(o.LinearCrossEntropyWeighted(p[0].Gorgonia(), p[1].Gorgonia(), ids.Gorgonia(), weights.Gorgonia()))
	}
}

// tokenWeights is an input of weights, or a mask.
func tokenWeights(g *graph.Graph, mask bool, shape ...int) graph.Node {
	if mask {
		return g.Input("mask", tensor.Bool, shape...)
	}
	return g.Input("weights", g.DType(), shape...)
}

func softCE(o loss.Options) lossBuilder {
	return func(g *graph.Graph, p []graph.Node) graph.Node {
		probs, weights := g.Input("targets", g.DType(), 2, 3, 5), tokenWeights(g, false, 2, 3)
		return graph.Apply3(o.SoftCrossEntropyWeighted, p[0], probs, weights)
	}
}

func binaryOf(b loss.Binary) lossBuilder {
	return func(g *graph.Graph, p []graph.Node) graph.Node {
		return graph.Apply2(b.CrossEntropy, p[0], g.Input("targets", g.DType(), p[0].Shape()...))
	}
}

func weightedBinary(b loss.Binary) lossBuilder {
	return func(g *graph.Graph, p []graph.Node) graph.Node {
		s := p[0].Shape()
		return graph.Apply3(b.CrossEntropyWeighted, p[0], g.Input("targets", g.DType(), s...), tokenWeights(g, false, s...))
	}
}

func divergenceOf(d loss.Distillation) lossBuilder {
	return func(g *graph.Graph, p []graph.Node) graph.Node {
		return graph.Apply2(d.Divergence, p[0], g.Input("numbers", g.DType(), p[0].Shape()...))
	}
}

func sequences(o loss.Options) lossBuilder {
	return func(g *graph.Graph, p []graph.Node) graph.Node {
		ids := g.Tokens("ids", 2, 4)
		if len(p) == 1 {
			return graph.Apply2(o.SequenceLogProb, p[0], ids)
		}
		return graph.Apply3(o.LinearSequenceLogProb, p[0], p[1], ids)
	}
}

func pairsOf(d loss.DPO) lossBuilder {
	return func(g *graph.Graph, p []graph.Node) graph.Node {
		pairs := loss.Pairs{Chosen: p[0].Gorgonia(), Rejected: p[1].Gorgonia()}
		if !d.ReferenceFree {
			pairs.RefChosen = g.Input("numbers", g.DType(), p[0].Shape()...).Gorgonia()
			pairs.RefRejected = g.Input("others", g.DType(), p[0].Shape()...).Gorgonia()
		}
		return g.Wrap(d.Loss(pairs))
	}
}

// policyOf is the loss of tokens whose weights and advantages, of tokens or of sequences, are inputs. Where it is compared
// with differences, ratios must not be clipped near those that it meets.
func policyOf(l loss.PolicyGradient, old bool, advantages ...int) lossBuilder {
	return func(g *graph.Graph, p []graph.Node) graph.Node {
		s := p[0].Shape()
		r := loss.Rollout{LogProbs: p[0].Gorgonia(), Advantages: g.Input("numbers", g.DType(), advantages...).Gorgonia()}
		r.Weights = tokenWeights(g, false, s...).Gorgonia()
		if old {
			r.Old = g.Input("others", g.DType(), s...).Gorgonia()
		}
		if l.KL != 0 {
			r.Reference = g.Input("more", g.DType(), s...).Gorgonia()
		}
		return g.Wrap(l.Loss(r))
	}
}

// lossGradientCases are those of losses with every reduction.
func lossGradientCases() (cs []gradientCase) {
	add := func(name string, build lossBuilder, shapes ...[]int) {
		cs = append(cs, gradientCase{name: name, shapes: shapes, build: build})
	}
	logits, x, w := []int{2, 4, 4}, []int{2, 4, 3}, []int{4, 3}
	classes := []float64{1, 0.5, 2, 0}
	for _, r := range []loss.Reduction{loss.Mean, loss.Sum, loss.None} {
		for name, o := range map[string]loss.Options{
			"plain": {}, "soft cap": {SoftCap: 0.8}, "focal": {FocalGamma: 2}, "slightly focal": {FocalGamma: 0.3, Weights: classes},
			"all":         {Weights: classes, LabelSmoothing: 0.1, ZLoss: 0.2, Ignore: []int{1}, SoftCap: 1.5},
			"focal z cap": {Weights: classes, FocalGamma: 1, ZLoss: 0.2, SoftCap: 1.5},
		} {
			o.Reduction = r
			for _, mask := range []bool{false, true} {
				add(fmt.Sprint("CrossEntropyWeighted ", name, r, mask), weightedCE(o, mask), logits)
				add(fmt.Sprint("LinearCrossEntropyWeighted ", name, r, mask), weightedCE(o, mask), x, w)
			}
		}
		for name, o := range map[string]loss.Options{
			"plain": {}, "soft cap": {SoftCap: 0.8}, "weights": {Weights: []float64{1, 0, 2, 0.5, 1}},
			"all": {Weights: []float64{1, 0, 2, 0.5, 1}, LabelSmoothing: 0.1, ZLoss: 0.2, SoftCap: 1.5},
		} {
			o.Reduction = r
			add(fmt.Sprint("SoftCrossEntropyWeighted ", name, r), softCE(o), []int{2, 3, 5})
		}
		for name, b := range map[string]loss.Binary{
			"plain": {}, "weights": {PosWeight: []float64{0.5, 0, 2}}, "focal": {FocalGamma: 2, Alpha: 0.25},
			"slightly focal": {FocalGamma: 0.5, PosWeight: []float64{3}},
		} {
			b.Reduction = r
			add(fmt.Sprint("Binary ", name, r), binaryOf(b), []int{2, 4, 3})
			add(fmt.Sprint("Binary weighted ", name, r), weightedBinary(b), []int{5, 3})
		}
		for _, m := range []loss.Measure{loss.ForwardKL, loss.ReverseKL, loss.JensenShannon} {
			for _, temperature := range []float64{0, 2.5} {
				d := loss.Distillation{Reduction: r, Measure: m, Temperature: temperature}
				add(fmt.Sprint("Divergence ", m, temperature, r), divergenceOf(d), []int{2, 3, 5})
			}
		}
		gkd := loss.Distillation{Reduction: r, Measure: loss.JensenShannon, Beta: 0.1}
		add(fmt.Sprint("Divergence of GKD", r), divergenceOf(gkd), []int{6, 5})
		o := loss.Options{Reduction: r, Ignore: []int{1}, SoftCap: 2}
		add(fmt.Sprint("SequenceLogProb ", r), sequences(o), logits)
		add(fmt.Sprint("LinearSequenceLogProb ", r), sequences(o), x, w)
		for name, d := range map[string]loss.DPO{
			"plain": {}, "smoothing": {Beta: 0.7, LabelSmoothing: 0.2}, "free": {Beta: 2, ReferenceFree: true},
			"IPO": {IPO: true, Beta: 0.4},
		} {
			d.Reduction = r
			add(fmt.Sprint("DPO ", name, r), pairsOf(d), []int{5}, []int{5})
		}
		add(fmt.Sprint("PolicyGradient ", r), policyOf(loss.PolicyGradient{Reduction: r, Clip: 0.4}, true, 3, 4), []int{3, 4})
		grpo := loss.PolicyGradient{Reduction: r, Clip: 0.55, ClipHigh: 1.15, KL: 0.3}
		add(fmt.Sprint("PolicyGradient with reference ", r), policyOf(grpo, true, 3), []int{3, 4})
	}
	grpo := loss.PolicyGradient{PerSequence: true, Clip: 0.4, KL: 0.3}
	add("PolicyGradient per sequence", policyOf(grpo, true, 3), []int{3, 5})
	return cs
}

// A gradient of another loss that looks much like it is far off, for every option.
func TestWrongLossGradientsFail(t *testing.T) {
	logits, linear, rows := [][]int{{2, 4, 4}}, [][]int{{2, 4, 3}, {4, 3}}, [][]int{{2, 3, 5}}
	pair, tokens := [][]int{{5}, {5}}, [][]int{{3, 5}}
	unweighted := func(g *graph.Graph, p []graph.Node) graph.Node {
		return graph.Apply2(loss.CrossEntropy, p[0], g.Tokens("ids", 2, 4))
	}
	for _, tt := range []struct {
		name         string
		shapes       [][]int
		right, wrong lossBuilder
	}{
		{"without weights of rows", logits, weightedCE(loss.Options{}, false), unweighted},
		{"without a mask", logits, weightedCE(loss.Options{}, true), unweighted},
		{"without a cap", logits, weightedCE(loss.Options{SoftCap: 10}, false), weightedCE(loss.Options{}, false)},
		{"of another cap", linear,
			weightedCE(loss.Options{SoftCap: 10}, false),
			weightedCE(loss.Options{SoftCap: 11}, false)},
		{"without focus", logits, weightedCE(loss.Options{FocalGamma: 0.01}, false), weightedCE(loss.Options{}, false)},
		{"without focus, linear", linear,
			weightedCE(loss.Options{FocalGamma: 0.01}, false),
			weightedCE(loss.Options{}, false)},
		{"soft, without weights of classes", rows,
			softCE(loss.Options{Weights: []float64{1, 1.01, 1, 1, 1}}),
			softCE(loss.Options{})},
		{"soft, without smoothing", rows, softCE(loss.Options{LabelSmoothing: 0.01}), softCE(loss.Options{})},
		{"soft, without z-loss", rows, softCE(loss.Options{ZLoss: 0.01}), softCE(loss.Options{})},
		{"soft, without a cap", rows, softCE(loss.Options{SoftCap: 10}), softCE(loss.Options{})},
		{"binary, without weight of yes", rows,
			binaryOf(loss.Binary{PosWeight: []float64{1.01}}),
			binaryOf(loss.Binary{})},
		{"binary, without focus", rows, binaryOf(loss.Binary{FocalGamma: 0.01}), binaryOf(loss.Binary{})},
		{"binary, without balance", rows, binaryOf(loss.Binary{Alpha: 0.49}), binaryOf(loss.Binary{Alpha: 0.5})},
		{"binary, without weights", rows, weightedBinary(loss.Binary{}), binaryOf(loss.Binary{})},
		{"divergence, the other way round", rows,
			divergenceOf(loss.Distillation{Measure: loss.ReverseKL}),
			divergenceOf(loss.Distillation{})},
		{"divergence, of another temperature", rows,
			divergenceOf(loss.Distillation{Temperature: 1.01}),
			divergenceOf(loss.Distillation{})},
		{"divergence, of another beta", rows,
			divergenceOf(loss.Distillation{Measure: loss.JensenShannon}),
			divergenceOf(loss.Distillation{Measure: loss.JensenShannon, Beta: 0.49})},
		{"sequences, of all tokens", logits, sequences(loss.Options{Ignore: []int{1}}), sequences(loss.Options{})},
		{"sequences, summed", linear, sequences(loss.Options{}), sequences(loss.Options{Reduction: loss.Sum})},
		{"DPO, of another beta", pair, pairsOf(loss.DPO{}), pairsOf(loss.DPO{Beta: 0.101})},
		{"DPO, without smoothing", pair, pairsOf(loss.DPO{LabelSmoothing: 0.01}), pairsOf(loss.DPO{})},
		{"DPO, without a reference", pair, pairsOf(loss.DPO{}), pairsOf(loss.DPO{ReferenceFree: true})},
		{"IPO, of another beta", pair, pairsOf(loss.DPO{IPO: true}), pairsOf(loss.DPO{IPO: true, Beta: 0.101})},
		{"policy, without a reference", tokens,
			policyOf(loss.PolicyGradient{Clip: 0.4, KL: 0.01}, true, 3),
			policyOf(loss.PolicyGradient{Clip: 0.4}, true, 3)},
		{"policy, of the same policy", tokens,
			policyOf(loss.PolicyGradient{Clip: 0.4}, true, 3),
			policyOf(loss.PolicyGradient{Clip: 0.4}, false, 3)},
		{"policy, per sequence", tokens,
			policyOf(loss.PolicyGradient{PerSequence: true, Clip: 0.4}, true, 3),
			policyOf(loss.PolicyGradient{Clip: 0.4}, true, 3)},
		{"policy, clipped elsewhere", tokens,
			policyOf(loss.PolicyGradient{Clip: 0.4, ClipHigh: 2}, true, 3, 5),
			policyOf(loss.PolicyGradient{Clip: 0.4}, true, 3, 5)},
	} {
		t.Run(tt.name, func(t *testing.T) { otherGradientFails(t, tt.name, tt.shapes, tt.right, tt.wrong) })
	}
}

// A policy that has not changed since its tokens were drawn has the gradient of the advantages, though its ratios are 1
// whatever its log-probabilities.
func TestPolicyGradientOnPolicy(t *testing.T) {
	build := policyOf(loss.PolicyGradient{Reduction: loss.Sum}, false, 3, 4)
	c := gradientCase{name: "on policy", shapes: [][]int{{3, 4}}, build: build}
	want := sines(12 + 9)[len("numbers"):][:12]
	for i := range want {
		want[i] *= -float64((i+1)%4) / 2
	}
	alike(t, "gradient", c.gradients(t)["p0"], want, 1e-12)
}
