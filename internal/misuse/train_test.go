package misuse

import (
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
)

type gnode = *gorgonia.Node

// losses are made in Gorgonia's own graphs.
func losses(*testing.T) []mistake {
	// scored returns the error of f for logits (6, 4), targets (6) and a vector of numbers (6).
	scored := func(f func(logits, targets, numbers gnode) (gnode, error)) func() error {
		return func() error {
			g := gorgonia.NewGraph()
			_, err := f(gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(6, 4), gorgonia.WithName("logits")),
				gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(6), gorgonia.WithName("targets")),
				gorgonia.NewVector(g, tensor.Float32, gorgonia.WithShape(6), gorgonia.WithName("numbers")))
			return err
		}
	}
	with := func(o loss.Options) func() error {
		return scored(func(x, t, _ gnode) (gnode, error) { return o.CrossEntropy(x, t) })
	}
	linear := func(o loss.Options) func() error {
		return scored(func(x, _, _ gnode) (gnode, error) {
			t := gorgonia.NewVector(x.Graph(), tensor.Int, gorgonia.WithShape(6), gorgonia.WithName("t"))
			return o.LinearCrossEntropy(x, x, t)
		})
	}
	binary := func(b loss.Binary) func() error {
		return scored(func(x, _, _ gnode) (gnode, error) { return b.CrossEntropy(x, x) })
	}
	distilled := func(d loss.Distillation) func() error {
		return scored(func(x, _, _ gnode) (gnode, error) { return d.Divergence(x, x) })
	}
	preferred := func(d loss.DPO) func() error {
		return scored(func(_, _, n gnode) (gnode, error) {
			return d.Loss(loss.Pairs{Chosen: n, Rejected: n, RefChosen: n, RefRejected: n})
		})
	}
	policy := func(p loss.PolicyGradient) func() error {
		return scored(func(x, _, _ gnode) (gnode, error) { return p.Loss(loss.Rollout{LogProbs: x, Advantages: x, Old: x}) })
	}
	return []mistake{
		{"targets of numbers", scored(func(x, _, n gnode) (gnode, error) { return loss.CrossEntropy(x, n) }), []string{"CrossEntropy", "targets (6) numbers", "float32, want int"}},
		{"targets and logits turned round", scored(func(x, t, _ gnode) (gnode, error) { return loss.CrossEntropy(t, x) }), []string{"CrossEntropy", "(6) targets"}},
		{"no targets", scored(func(x, _, _ gnode) (gnode, error) { return loss.CrossEntropy(x, nil) }), []string{"CrossEntropy", "targets is missing"}},
		{"no logits", scored(func(_, t, _ gnode) (gnode, error) { return loss.CrossEntropy(nil, t) }), []string{"CrossEntropy", "logits is missing"}},
		{"targets of another graph", scored(func(x, _, _ gnode) (gnode, error) {
			return loss.CrossEntropy(x, gorgonia.NewVector(gorgonia.NewGraph(), tensor.Int, gorgonia.WithShape(6), gorgonia.WithName("far")))
		}), []string{"CrossEntropy", "far", "another graph"}},
		{"a linear layer of another graph", scored(func(x, t, _ gnode) (gnode, error) {
			return loss.LinearCrossEntropy(x, gorgonia.NewMatrix(gorgonia.NewGraph(), tensor.Float32, gorgonia.WithShape(9, 4), gorgonia.WithName("far")), t)
		}), []string{"LinearCrossEntropy", "far", "another graph"}},
		{"no linear layer", scored(func(x, t, _ gnode) (gnode, error) { return loss.LinearCrossEntropy(x, nil, t) }), []string{"LinearCrossEntropy", "w is missing"}},
		{"smoothing negative", with(loss.Options{LabelSmoothing: -0.1}), []string{"CrossEntropy", "smoothing is -0.1"}},
		{"smoothing NaN", with(loss.Options{LabelSmoothing: nan}), []string{"CrossEntropy", "smoothing is NaN"}},
		{"z-loss negative", with(loss.Options{ZLoss: -1}), []string{"CrossEntropy", "z-loss is -1"}},
		{"z-loss infinite", with(loss.Options{ZLoss: inf}), []string{"CrossEntropy", "z-loss is +Inf"}},
		{"soft cap infinite", with(loss.Options{SoftCap: inf}), []string{"CrossEntropy", "soft cap is +Inf"}},
		{"class weights too many", with(loss.Options{Weights: make([]float64, 5)}), []string{"CrossEntropy", "5 class weights", "(6, 4)"}},
		{"no class weights", with(loss.Options{Weights: []float64{}}), []string{"CrossEntropy", "0 class weights", "(6, 4)"}},
		{"class weight NaN", with(loss.Options{Weights: []float64{1, 1, nan, 1}}), []string{"CrossEntropy", "weight 2 is NaN"}},
		{"class weight infinite", with(loss.Options{Weights: []float64{1, inf, 1, 1}}), []string{"CrossEntropy", "weight 1 is +Inf"}},
		{"reduction negative", with(loss.Options{Reduction: -1}), []string{"CrossEntropy", "unknown reduction -1"}},
		{"focus infinite", with(loss.Options{FocalGamma: inf}), []string{"CrossEntropy", "focal loss is +Inf"}},
		{"linear soft cap NaN", linear(loss.Options{SoftCap: nan}), []string{"LinearCrossEntropy", "soft cap is NaN"}},
		{"linear focus and smoothing", linear(loss.Options{FocalGamma: 2, LabelSmoothing: 0.1}), []string{"LinearCrossEntropy", "no focal loss with label smoothing"}},
		{"linear class weights", linear(loss.Options{Weights: make([]float64, 5)}), []string{"LinearCrossEntropy", "5 class weights", "(6, 4)"}},
		{"binary weights of yes", binary(loss.Binary{PosWeight: make([]float64, 3)}), []string{"BinaryCrossEntropy", "3 weights of yes", "(6, 4)"}},
		{"binary alpha negative", binary(loss.Binary{Alpha: -0.1}), []string{"BinaryCrossEntropy", "alpha is -0.1"}},
		{"binary focus negative", binary(loss.Binary{FocalGamma: -1}), []string{"BinaryCrossEntropy", "focal loss is -1"}},
		{"binary of nothing", func() error { _, err := loss.BinaryCrossEntropy(nil, nil); return err }, []string{"BinaryCrossEntropy", "missing"}},
		{"temperature NaN", distilled(loss.Distillation{Temperature: nan}), []string{"temperature is NaN"}},
		{"beta negative", distilled(loss.Distillation{Measure: loss.JensenShannon, Beta: -0.5}), []string{"JensenShannonDivergence", "beta is -0.5"}},
		{"beta of reverse KL", distilled(loss.Distillation{Measure: loss.ReverseKL, Beta: 0.5}), []string{"a setting of JensenShannon alone"}},
		{"measure negative", distilled(loss.Distillation{Measure: -1}), []string{"unknown measure -1"}},
		{"divergence of nothing", func() error { _, err := loss.KLDivergence(nil, nil, loss.Mean); return err }, []string{"KLDivergence", "missing"}},
		{"preference beta NaN", preferred(loss.DPO{Beta: nan}), []string{"DPO", "beta is NaN"}},
		{"preference smoothing negative", preferred(loss.DPO{LabelSmoothing: -0.1}), []string{"DPO", "label smoothing is -0.1"}},
		{"preference reduction", preferred(loss.DPO{Reduction: 8}), []string{"DPO", "unknown reduction 8"}},
		{"preference of nothing", func() error { _, err := loss.DPO{}.Loss(loss.Pairs{}); return err }, []string{"DPO", "missing"}},
		{"policy reduction", policy(loss.PolicyGradient{Reduction: 8}), []string{"PolicyGradient", "unknown reduction 8"}},
		{"policy clip NaN", policy(loss.PolicyGradient{Clip: nan}), []string{"PolicyGradient", "NaN"}},
		{"policy KL negative", policy(loss.PolicyGradient{KL: -1}), []string{"PolicyGradient", "-1"}},
		{"log-probabilities of nothing", func() error { _, err := loss.TokenLogProb(nil, nil); return err }, []string{"LogProb", "logits is missing"}},
		{"soft targets of ids", scored(func(x, t, _ gnode) (gnode, error) { return loss.SoftCrossEntropy(x, t, loss.Mean) }), []string{"SoftCrossEntropy", "targets (6)", "int, want float32"}},
		{"row weights too many", scored(func(x, t, _ gnode) (gnode, error) { return loss.Options{}.CrossEntropyWeighted(x, t, x) }), []string{"CrossEntropy", "weights (6, 4)"}},
	}
}

// A param is the least that an optimizer takes.
type param struct {
	name        string
	value, grad gorgonia.Value
	err         error
}

func (p *param) Name() string                  { return p.name }
func (p *param) Value() gorgonia.Value         { return p.value }
func (p *param) Grad() (gorgonia.Value, error) { return p.grad, p.err }

func vector(values ...float32) *tensor.Dense { return tensor.New(tensor.WithBacking(values)) }

func optimizers(*testing.T) []mistake {
	type list = []gorgonia.ValueGrad
	good := func() *param { return &param{"w", vector(1, 2), vector(3, 4), nil} }
	// stepped returns the error of a step on a parameter that is well and the one given, none of which may change.
	stepped := func(opt gorgonia.Solver, p gorgonia.ValueGrad) func() error {
		return func() error {
			w := good()
			err := opt.Step(list{w, p})
			if v := w.value.Data().([]float32); v[0] != 1 || v[1] != 2 {
				return errors.Errorf("w has become %v", v)
			}
			return err
		}
	}
	of := func(opt gorgonia.Solver) func() error { return stepped(opt, &param{"v", vector(1), vector(1), nil}) }
	grad := func(v gorgonia.Value) func() error {
		return stepped(&optim.AdamW{}, &param{"layers.0.v", vector(1, 2), v, nil})
	}
	state := func(change func(s *optim.State)) func() error {
		return func() error {
			opt, ps := &optim.AdamW{}, list{good()}
			if err := opt.Step(ps); err != nil {
				return nil
			}
			s := opt.State(ps)
			change(&s)
			return opt.SetState(ps, s)
		}
	}
	wide := tensor.New(tensor.WithBacking(make([]float64, 2)))
	nanSchedule := optim.Constant(nan)
	return []mistake{
		{"no gradient", stepped(&optim.AdamW{}, &param{"layers.0.v", vector(1), nil, errors.New("no gradient")}), []string{"optim", "layers.0.v", "no gradient"}},
		{"a nil gradient", grad(nil), []string{"layers.0.v", "gradient"}},
		{"a gradient of another shape", grad(vector(1, 2, 3)), []string{"layers.0.v", "(3)", "(2)"}},
		{"a gradient of another type", grad(wide), []string{"layers.0.v", "float64", "float32"}},
		{"a gradient of NaN", grad(vector(0, float32(nan))), []string{"layers.0.v", "(2)", "NaN"}},
		{"an infinite gradient", grad(vector(float32(inf), 0)), []string{"layers.0.v", "(2)"}},
		{"a gradient that is a view", grad(func() gorgonia.Value {
			d := tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(make([]float32, 4)))
			v, err := d.Slice(nil, gorgonia.S(0))
			if err != nil {
				panic(err)
			}
			return v
		}()), []string{"layers.0.v"}},
		{"a gradient that is a nil tensor", grad((*tensor.Dense)(nil)), []string{"layers.0.v"}},
		{"a parameter of ids", stepped(&optim.AdamW{}, &param{"ids", tensor.New(tensor.WithBacking([]int{1})), tensor.New(tensor.WithBacking([]int{1})), nil}), []string{"ids", "int"}},
		{"a parameter without a value", stepped(&optim.AdamW{}, &param{"v", nil, vector(1), nil}), []string{"v"}},
		{"a nil parameter", stepped(&optim.AdamW{}, nil), []string{"optim", "1"}},
		{"a parameter twice", func() error { w := good(); return new(optim.AdamW).Step(list{w, w}) }, []string{"optim", "w"}},
		{"no parameters", func() error { return new(optim.AdamW).Step(nil) }, []string{"optim", "no parameters"}},
		{"learning rate negative", of(&optim.AdamW{LR: optim.Constant(-1)}), []string{"AdamW", "learning rate", "-1"}},
		{"learning rate NaN", of(&optim.AdamW{LR: nanSchedule}), []string{"AdamW", "learning rate", "NaN"}},
		{"learning rate infinite", of(&optim.SGD{LR: optim.Constant(inf)}), []string{"SGD", "learning rate", "+Inf"}},
		{"beta1 of 1", of(&optim.AdamW{Beta1: 1}), []string{"AdamW", "betas 1"}},
		{"beta2 NaN", of(&optim.AdamW{Beta2: nan}), []string{"AdamW", "betas 0.9 and NaN"}},
		{"beta2 negative", of(&optim.Adam{Beta2: -0.5}), []string{"Adam:", "betas 0.9 and -0.5"}},
		{"eps negative", of(&optim.AdamW{Eps: -1e-8}), []string{"AdamW", "eps -1e-08"}},
		{"eps NaN", of(&optim.Adam{Eps: nan}), []string{"Adam:", "eps NaN"}},
		{"weight decay negative", of(&optim.AdamW{WeightDecay: -0.5}), []string{"AdamW", "weight decay -0.5"}},
		{"weight decay NaN", of(&optim.SGD{WeightDecay: nan}), []string{"SGD", "weight decay NaN"}},
		{"norm negative", of(&optim.AdamW{MaxNorm: -1}), []string{"AdamW", "MaxNorm -1"}},
		{"norm NaN", of(&optim.SGD{MaxNorm: nan}), []string{"SGD", "MaxNorm NaN"}},
		{"momentum negative", of(&optim.SGD{Momentum: -0.9}), []string{"SGD", "momentum -0.9"}},
		{"momentum NaN", of(&optim.SGD{Momentum: nan}), []string{"SGD", "momentum NaN"}},
		{"Nesterov without momentum", of(&optim.SGD{Nesterov: true}), []string{"SGD", "Nesterov"}},
		{"dampening without momentum", of(&optim.SGD{Dampening: 0.5}), []string{"SGD", "ampening"}},
		{"dampening of Nesterov", of(&optim.SGD{Momentum: 0.9, Nesterov: true, Dampening: 0.5}), []string{"SGD", "ampening"}},
		{"a state of a negative step", state(func(s *optim.State) { s.Step = -1 }), []string{"SetState", "step -1"}},
		{"a state without a moment", state(func(s *optim.State) {
			for name := range s.Tensors {
				delete(s.Tensors, name)
				break
			}
		}), []string{"SetState", "missing exp_avg"}},
		{"a state with a moment of nobody", state(func(s *optim.State) { s.Tensors["exp_avg.none"] = vector(1) }), []string{"SetState", "1 tensors of no parameter: exp_avg.none"}},
		{"a state of another shape", state(func(s *optim.State) {
			for name := range s.Tensors {
				s.Tensors[name] = vector(1, 2, 3)
			}
		}), []string{"SetState", "exp_avg.w", "(3)", "(2)"}},
		{"a state of nil tensors", state(func(s *optim.State) {
			for name := range s.Tensors {
				s.Tensors[name] = nil
			}
		}), []string{"SetState", "exp_avg.w is nil"}},
		{"another parameter under the name of an old one", func() error {
			opt := &optim.AdamW{}
			if err := opt.Step(list{good()}); err != nil {
				return nil
			}
			return opt.Step(list{good()})
		}, []string{"AdamW", "parameter w is not the one that the optimizer remembers"}},
		{"clipping to a negative norm", func() error { _, err := optim.ClipGradNorm(list{good()}, -1); return err }, []string{"ClipGradNorm", "-1"}},
		{"clipping to NaN", func() error { _, err := optim.ClipGradNorm(list{good()}, nan); return err }, []string{"ClipGradNorm", "NaN"}},
		{"clipping a gradient of NaN", func() error {
			_, err := optim.ClipGradNorm(list{good(), &param{"v", vector(1), vector(float32(nan)), nil}}, 1)
			return err
		}, []string{"v", "NaN"}},
		{"the norm of no gradient", func() error { _, err := optim.GradNorm(list{&param{"v", vector(1), nil, nil}}); return err }, []string{"v"}},
		{"the norm of no parameter", func() error { _, err := optim.GradNorm(list{nil}); return err }, []string{"optim"}},
		{"a step before a run", func() error {
			ps := graph.NewParams(1)
			ps.Root().Param("w", graph.Ones, 2)
			return new(optim.AdamW).Step(ps.ValueGrads())
		}, []string{"w has no gradient"}},
	}
}
