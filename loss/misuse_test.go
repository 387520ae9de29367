package loss_test

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/loss"
)

// Every mistake of a graph, and every option that would have no effect, is an error when the loss is built. None panics.
func TestMisuse(t *testing.T) {
	g := gorgonia.NewGraph()
	names := 0
	input := func(dt tensor.Dtype, shape ...int) *gorgonia.Node {
		names++
		name := gorgonia.WithName(strings.Repeat("n", names))
		if len(shape) == 0 {
			return gorgonia.NewScalar(g, dt, name)
		}
		return gorgonia.NewTensor(g, dt, len(shape), gorgonia.WithShape(shape...), name)
	}
	f := func(shape ...int) *gorgonia.Node { return input(tensor.Float32, shape...) }
	x, ids := f(2, 3, 4), input(tensor.Int, 2, 3)
	hidden, w := f(2, 3, 5), f(4, 5)
	other := gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Float32, 2, gorgonia.WithShape(2, 3), gorgonia.WithName("other"))
	double := input(tensor.Float64, 2, 3)
	type node = *gorgonia.Node
	var plain loss.Options
	js := loss.Distillation{Measure: loss.JensenShannon}
	for _, tt := range []struct {
		name string
		do   func() (node, error)
		want string
	}{
		{"weights", func() (node, error) { return plain.CrossEntropyWeighted(x, ids, f(2)) },
			"CrossEntropy: weights (2) nnnnnn do not fit rows (2, 3)"},
		{"weights of logits", func() (node, error) { return plain.CrossEntropyWeighted(x, ids, x) },
			"weights (2, 3, 4)"},
		{"weights of ids", func() (node, error) { return plain.CrossEntropyWeighted(x, ids, ids) },
			"holds int, want float32"},
		{"weights of float64", func() (node, error) { return plain.CrossEntropyWeighted(x, ids, double) },
			"holds float64, want float32"},
		{"no weights", func() (node, error) { return plain.CrossEntropyWeighted(x, ids, nil) },
			"loss: CrossEntropy: weights are missing"},
		{"weights of another graph", func() (node, error) { return plain.CrossEntropyWeighted(x, ids, other) },
			"weights (2, 3) other belongs to another graph"},
		{"mask", func() (node, error) { return plain.CrossEntropyWeighted(x, ids, input(tensor.Bool, 3, 2)) },
			"weights (3, 2)"},
		{"linear weights", func() (node, error) { return plain.LinearCrossEntropyWeighted(hidden, w, ids, f(6)) },
			"LinearCrossEntropy: weights (6)"},
		{"no linear weights", func() (node, error) { return plain.LinearCrossEntropyWeighted(hidden, w, ids, nil) },
			"LinearCrossEntropy: weights are missing"},
		{"linear shapes", func() (node, error) { return plain.LinearCrossEntropyWeighted(x, w, ids, f(2, 3)) },
			"LinearCrossEntropy: x (2, 3, 4)"},
		{"negative cap", func() (node, error) { return loss.Options{SoftCap: -1}.CrossEntropy(x, ids) },
			"soft cap is -1"},
		{"cap of NaN", func() (node, error) { return loss.Options{SoftCap: nan}.CrossEntropy(x, ids) },
			"soft cap is NaN"},
		{"infinite cap",
			func() (node, error) { return loss.Options{SoftCap: inf}.LinearCrossEntropy(hidden, w, ids) },
			"soft cap is +Inf"},
		{"cap that vanishes", func() (node, error) { return loss.Options{SoftCap: 1e-60}.CrossEntropy(x, ids) },
			"soft cap is 1e-60"},
		{"negative focus", func() (node, error) { return loss.Options{FocalGamma: -1}.CrossEntropy(x, ids) },
			"focal loss is -1"},
		{"focus of NaN",
			func() (node, error) { return loss.Options{FocalGamma: nan}.LinearCrossEntropy(hidden, w, ids) },
			"focal loss is NaN"},
		{"focus and smoothing",
			func() (node, error) { return loss.Options{FocalGamma: 1, LabelSmoothing: 0.1}.CrossEntropy(x, ids) },
			"no focal loss with label smoothing"},

		{"soft shapes", func() (node, error) { return plain.SoftCrossEntropy(x, f(2, 3, 5)) },
			"SoftCrossEntropy: logits (2, 3, 4)"},
		{"soft reduction", func() (node, error) { return loss.SoftCrossEntropy(x, x, 7) }, "unknown reduction 7"},
		{"soft ignore", func() (node, error) { return loss.Options{Ignore: []int{0}}.SoftCrossEntropy(x, x) },
			"no ids to ignore"},
		{"soft focus", func() (node, error) { return loss.Options{FocalGamma: 1}.SoftCrossEntropy(x, x) },
			"no focal loss"},
		{"soft smoothing", func() (node, error) { return loss.Options{LabelSmoothing: 2}.SoftCrossEntropy(x, x) },
			"label smoothing is 2"},
		{"soft z-loss", func() (node, error) { return loss.Options{ZLoss: -1}.SoftCrossEntropy(x, x) }, "z-loss is -1"},
		{"soft cap", func() (node, error) { return loss.Options{SoftCap: nan}.SoftCrossEntropy(x, x) },
			"soft cap is NaN"},
		{"soft class weights",
			func() (node, error) { return loss.Options{Weights: []float64{1}}.SoftCrossEntropy(x, x) },
			"1 class weights do not fit logits (2, 3, 4)"},
		{"soft weights", func() (node, error) { return plain.SoftCrossEntropyWeighted(x, x, f(3)) }, "weights (3)"},
		{"no soft weights", func() (node, error) { return plain.SoftCrossEntropyWeighted(x, x, nil) },
			"weights are missing"},
		{"soft of nothing", func() (node, error) { return plain.SoftCrossEntropy(nil, x) }, "logits is missing"},

		{"binary shapes", func() (node, error) { return loss.BinaryCrossEntropy(x, f(2, 3)) },
			"BinaryCrossEntropy: logits (2, 3, 4)"},
		{"binary ids", func() (node, error) { return loss.BinaryCrossEntropy(double, ids) }, "holds int, want float64"},
		{"binary weights", func() (node, error) { return loss.Binary{}.CrossEntropyWeighted(x, x, f(2, 3)) },
			"weights (2, 3)"},
		{"no binary weights", func() (node, error) { return loss.Binary{}.CrossEntropyWeighted(x, x, nil) },
			"weights are missing"},
		{"weights of yes", func() (node, error) { return loss.Binary{PosWeight: []float64{1, 2}}.CrossEntropy(x, x) },
			"2 weights of yes do not fit logits (2, 3, 4)"},
		{"no weights of yes", func() (node, error) { return loss.Binary{PosWeight: []float64{}}.CrossEntropy(x, x) },
			"0 weights of yes"},
		{"weight of yes", func() (node, error) { return loss.Binary{PosWeight: []float64{-1}}.CrossEntropy(x, x) },
			"weight of yes is -1"},
		{"alpha", func() (node, error) { return loss.Binary{Alpha: 1}.CrossEntropy(x, x) }, "alpha is 1"},
		{"binary focus", func() (node, error) { return loss.Binary{FocalGamma: nan}.CrossEntropy(x, x) },
			"focal loss is NaN"},
		{"binary reduction", func() (node, error) { return loss.Binary{Reduction: -1}.CrossEntropy(x, x) },
			"unknown reduction -1"},

		{"divergence shapes", func() (node, error) { return js.Divergence(x, w) },
			"JensenShannonDivergence: student (2, 3, 4)"},
		{"divergence of a vector", func() (node, error) { return js.Divergence(f(4), f(4)) }, "student (4)"},
		{"divergence weights", func() (node, error) { return js.DivergenceWeighted(x, x, f(2)) }, "weights (2)"},
		{"no divergence weights", func() (node, error) { return js.DivergenceWeighted(x, x, nil) },
			"weights are missing"},
		{"temperature", func() (node, error) { return loss.Distillation{Temperature: -1}.Divergence(x, x) },
			"temperature is -1"},
		{"infinite temperature", func() (node, error) { return loss.Distillation{Temperature: inf}.Divergence(x, x) },
			"temperature is +Inf"},
		{"beta",
			func() (node, error) { return loss.Distillation{Measure: loss.JensenShannon, Beta: 1}.Divergence(x, x) },
			"beta is 1"},
		{"beta of KL", func() (node, error) { return loss.Distillation{Beta: 0.5}.Divergence(x, x) },
			"a setting of JensenShannon alone"},
		{"measure", func() (node, error) { return loss.Distillation{Measure: 9}.Divergence(x, x) },
			"unknown measure 9"},

		{"sequence shapes", func() (node, error) { return loss.SequenceLogProb(w, ids) },
			"SequenceLogProb: CrossEntropy: logits (4, 5)"},
		{"sequence smoothing",
			func() (node, error) { return loss.Options{LabelSmoothing: 0.1}.SequenceLogProb(x, ids) },
			"make no log-probabilities"},
		{"sequence class weights",
			func() (node, error) { return loss.Options{Weights: []float64{}}.SequenceLogProb(x, ids) },
			"make no log-probabilities"},
		{"sequence z-loss",
			func() (node, error) { return loss.Options{ZLoss: 1}.LinearSequenceLogProb(hidden, w, ids) },
			"make no log-probabilities"},
		{"sequence focus", func() (node, error) { return loss.Options{FocalGamma: 1}.SequenceLogProb(x, ids) },
			"make no log-probabilities"},
		{"sequence reduction", func() (node, error) { return loss.Options{Reduction: 3}.SequenceLogProb(x, ids) },
			"unknown reduction 3"},
		{"sequence cap", func() (node, error) { return loss.Options{SoftCap: -3}.SequenceLogProb(x, ids) },
			"soft cap is -3"},
		{"tokens of nothing", func() (node, error) { return loss.TokenLogProb(x, nil) }, "targets is missing"},

		{"DPO shapes", func() (node, error) {
			return loss.DPO{ReferenceFree: true}.Loss(loss.Pairs{Chosen: f(3), Rejected: f(4)})
		}, "DPO: rejected (4)"},
		{"DPO of one", func() (node, error) { return loss.DPO{ReferenceFree: true}.Loss(loss.Pairs{Chosen: f(3)}) },
			"rejected is missing"},
		{"DPO without reference", func() (node, error) { return loss.DPO{}.Loss(loss.Pairs{Chosen: w, Rejected: w}) },
			"reference are missing"},
		{"DPO with half a reference",
			func() (node, error) { return loss.DPO{}.Loss(loss.Pairs{Chosen: w, Rejected: w, RefChosen: w}) },
			"reference of rejected is missing"},
		{"DPO with a reference too many", func() (node, error) {
			return loss.DPO{ReferenceFree: true}.Loss(loss.Pairs{Chosen: w, Rejected: w, RefChosen: w, RefRejected: w})
		}, "ReferenceFree is set"},
		{"DPO beta", func() (node, error) {
			return loss.DPO{Beta: -1}.Loss(loss.Pairs{Chosen: w, Rejected: w, RefChosen: w, RefRejected: w})
		}, "beta is -1"},
		{"DPO smoothing", func() (node, error) {
			return loss.DPO{LabelSmoothing: 0.5}.Loss(loss.Pairs{Chosen: w, Rejected: w, RefChosen: w, RefRejected: w})
		}, "label smoothing is 0.5, want a number in [0, 0.5)"},
		{"IPO smoothing", func() (node, error) {
			return loss.DPO{IPO: true, LabelSmoothing: 0.1}.Loss(loss.Pairs{Chosen: w, Rejected: w, RefChosen: w, RefRejected: w})
		}, "no label smoothing with a squared loss"},

		{"policy of nothing", func() (node, error) { return loss.PolicyGradient{}.Loss(loss.Rollout{}) }, "missing"},
		{"policy without advantages", func() (node, error) { return loss.PolicyGradient{}.Loss(loss.Rollout{LogProbs: w}) },
			"PolicyGradient: log-probabilities or advantages are missing"},
		{"policy of advantages alone", func() (node, error) { return loss.PolicyGradient{}.Loss(loss.Rollout{Advantages: w}) },
			"PolicyGradient: log-probabilities or advantages are missing"},
		{"policy of a scalar",
			func() (node, error) { return loss.PolicyGradient{}.Loss(loss.Rollout{LogProbs: f(), Advantages: f()}) },
			"at least 1 axis"},
		{"advantages",
			func() (node, error) { return loss.PolicyGradient{}.Loss(loss.Rollout{LogProbs: w, Advantages: f(5)}) },
			"PolicyGradient: advantages (5)"},
		{"old", func() (node, error) {
			return loss.PolicyGradient{}.Loss(loss.Rollout{LogProbs: w, Advantages: f(4), Old: f(4)})
		}, "old log-probabilities (4)"},
		{"policy weights", func() (node, error) {
			return loss.PolicyGradient{}.Loss(loss.Rollout{LogProbs: w, Advantages: f(4), Weights: f(4)})
		}, "weights (4)"},
		{"reference without factor", func() (node, error) {
			return loss.PolicyGradient{}.Loss(loss.Rollout{LogProbs: w, Advantages: w, Reference: w})
		}, "go together"},
		{"factor without reference", func() (node, error) {
			return loss.PolicyGradient{KL: 1}.Loss(loss.Rollout{LogProbs: w, Advantages: w})
		}, "go together"},
		{"clip", func() (node, error) {
			return loss.PolicyGradient{Clip: -1}.Loss(loss.Rollout{LogProbs: w, Advantages: w})
		}, "1 - -1"},
		{"clip of NaN", func() (node, error) {
			return loss.PolicyGradient{ClipHigh: nan}.Loss(loss.Rollout{LogProbs: w, Advantages: w})
		}, "1 + NaN"},
		{"sum per sequence", func() (node, error) {
			return loss.PolicyGradient{PerSequence: true, Reduction: loss.Sum}.Loss(loss.Rollout{LogProbs: w, Advantages: w})
		}, "only a mean"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := tt.do()
			if err == nil || n != nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "loss: ") {
				t.Errorf("%v, error %v; want %q in it", n, err, tt.want)
			}
		})
	}
}
