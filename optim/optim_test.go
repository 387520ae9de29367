package optim_test

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/optim"
)

// param is the least that an optimizer needs.
type param struct {
	name        string
	value, grad gorgonia.Value
}

func (p *param) Name() string          { return p.name }
func (p *param) Value() gorgonia.Value { return p.value }
func (p *param) Grad() (gorgonia.Value, error) {
	if p.grad == nil {
		return nil, errors.New("no gradient")
	}
	return p.grad, nil
}

func dense(dt tensor.Dtype, shape []int, data []float64) *tensor.Dense {
	if dt == tensor.Float64 {
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(data)))
	}
	f := make([]float32, len(data))
	for i, v := range data {
		f[i] = float32(v)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(f))
}

// vector returns a parameter of one axis.
func vector(name string, w, g []float64) *param {
	return &param{name, dense(tensor.Float32, []int{len(w)}, w), dense(tensor.Float32, []int{len(g)}, g)}
}

func check(t *testing.T, what string, v gorgonia.Value, want []float64, tol float64) {
	t.Helper()
	oracle.CheckData(t, what, v.Data(), want, tol)
}

var precisions = []struct {
	dtype tensor.Dtype
	tol   float64
}{{tensor.Float32, 1e-5}, {tensor.Float64, 1e-9}}

// Twelve steps on given gradients end where PyTorch's end.
func TestStepsAgreeWithPyTorch(t *testing.T) {
	lr := optim.Constant(1e-2)
	for name, make := range map[string]func() gorgonia.Solver{
		"optim_adamw": func() gorgonia.Solver { return &optim.AdamW{LR: lr, Beta2: 0.95, WeightDecay: 0.1} },
		"optim_adam":  func() gorgonia.Solver { return &optim.Adam{LR: lr} },
		"optim_sgd_momentum": func() gorgonia.Solver {
			return &optim.SGD{LR: lr, Momentum: 0.9, Nesterov: true, WeightDecay: 0.01}
		},
	} {
		for _, p := range precisions {
			t.Run(fmt.Sprint(name, "/", p.dtype), func(t *testing.T) {
				c := oracle.Load(t, name)
				var ps []gorgonia.ValueGrad
				for _, k := range []string{"a", "b"} {
					w := c.Get(t, "in."+k)
					ps = append(ps, &param{name: k, value: dense(p.dtype, w.Shape, w.Floats)})
				}
				opt := make()
				for step := range 12 {
					for _, vg := range ps {
						g := c.Get(t, fmt.Sprintf("in.grad.%d.%s", step, vg.(*param).name))
						vg.(*param).grad = dense(p.dtype, g.Shape, g.Floats)
					}
					if err := opt.Step(ps); err != nil {
						t.Fatal(err)
					}
					for _, vg := range ps {
						name := fmt.Sprintf("out.step%d.%s", step+1, vg.(*param).name)
						if want, ok := c.Tensors[name]; ok {
							check(t, name, vg.Value(), want.Floats, p.tol)
						}
					}
				}
			})
		}
	}
}

func TestClipGradNormAgreesWithPyTorch(t *testing.T) {
	c := oracle.Load(t, "clip_global_norm")
	for _, p := range precisions {
		var ps []gorgonia.ValueGrad
		for _, k := range []string{"a", "b"} {
			g := c.Get(t, "in."+k)
			ps = append(ps, &param{k, dense(p.dtype, g.Shape, g.Floats), dense(p.dtype, g.Shape, g.Floats)})
		}
		before, err := optim.GradNorm(ps)
		if err != nil {
			t.Fatal(err)
		}
		norm, err := optim.ClipGradNorm(ps, 0.01)
		if err != nil || norm != before {
			t.Fatalf("ClipGradNorm = %v, %v, GradNorm = %v", norm, err, before)
		}
		oracle.Check(t, "norm", []float64{norm}, c.Get(t, "out.norm").Floats, 1e-9)
		for _, vg := range ps {
			check(t, vg.(*param).name, vg.(*param).grad, c.Get(t, "out."+vg.(*param).name).Floats, p.tol)
		}
		// Small gradients stay as they are.
		if norm, err := optim.ClipGradNorm(ps, 1); err != nil || norm > 0.01 {
			t.Errorf("clipped norm %v, %v", norm, err)
		}
	}
}

func TestSchedules(t *testing.T) {
	want := oracle.Load(t, "schedule_cosine").Get(t, "out.lr").Floats
	var got []float64
	for i := range want {
		got = append(got, optim.Cosine{Peak: 1, Floor: 0.1, Warmup: 7, Steps: 21}.At(i))
	}
	oracle.Check(t, "cosine", got, want, 1e-12)
	for _, tt := range []struct {
		s    optim.Schedule
		want []float64 // of steps 1, 2, ...
	}{
		{optim.Constant(0.5), []float64{0.5, 0.5}},
		{optim.WSD{Peak: 1, Warmup: 2, Decay: 4, Steps: 8}, []float64{0.5, 1, 1, 1, 0.75, 0.5, 0.25, 0, 0}},
		{optim.WSD{Peak: 1, Floor: 0.2, Decay: 4, Steps: 4, Root: true}, []float64{0.6, 1 - 0.8*math.Sqrt(0.5), 1 - 0.8*math.Sqrt(0.75), 0.2}},
	} {
		var got []float64
		for i := range tt.want {
			got = append(got, tt.s.At(i+1))
		}
		oracle.Check(t, fmt.Sprintf("%+v", tt.s), got, tt.want, 1e-12)
	}
}

// A gradient that is not finite can be told from other errors.
func TestNonFiniteError(t *testing.T) {
	good, bad := vector("good", []float64{1}, []float64{1}), vector("bad", []float64{1, 2}, []float64{0, math.NaN()})
	var found *optim.NonFiniteError
	err := new(optim.AdamW).Step([]gorgonia.ValueGrad{good, bad})
	if !errors.As(err, &found) || found.Param != "bad" || found.Shape.TotalSize() != 2 {
		t.Errorf("%v, want a NonFiniteError of bad", err)
	}
	if err := new(optim.AdamW).Step(nil); err == nil || errors.As(err, &found) {
		t.Errorf("%v, want another error", err)
	}
}

// What makes no sense is an error that says so, and nothing changes.
func TestErrorsChangeNothing(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name string
		opt  gorgonia.Solver
		ps   func(p *param) []gorgonia.ValueGrad
		want string
	}{
		{"nan gradient", &optim.AdamW{}, func(p *param) []gorgonia.ValueGrad {
			return []gorgonia.ValueGrad{p, vector("bad", []float64{1}, []float64{nan})}
		}, "gradient of bad (1) holds NaN or Inf"},
		{"infinite gradient", &optim.SGD{}, func(p *param) []gorgonia.ValueGrad {
			return []gorgonia.ValueGrad{p, vector("bad", []float64{1}, []float64{math.Inf(-1)})}
		}, "gradient of bad"},
		{"no gradient", &optim.Adam{}, func(p *param) []gorgonia.ValueGrad {
			return []gorgonia.ValueGrad{p, &param{name: "bare", value: p.value}}
		}, "parameter bare: no gradient"},
		{"misshapen", &optim.AdamW{}, func(p *param) []gorgonia.ValueGrad {
			return []gorgonia.ValueGrad{p, vector("odd", []float64{1}, []float64{1, 2})}
		}, "parameter odd is float32 (1), its gradient float32 (2)"},
		{"twice", &optim.AdamW{}, func(p *param) []gorgonia.ValueGrad { return []gorgonia.ValueGrad{p, p} }, "same memory"},
		{"nil", &optim.AdamW{}, func(p *param) []gorgonia.ValueGrad { return []gorgonia.ValueGrad{p, nil} }, "parameter 1 is nil"},
		{"typed nil", &optim.AdamW{}, func(p *param) []gorgonia.ValueGrad { return []gorgonia.ValueGrad{(*param)(nil)} }, "parameter 0 is nil"},
		{"none", &optim.AdamW{}, func(*param) []gorgonia.ValueGrad { return nil }, "no parameters"},
		{"beta", &optim.AdamW{Beta1: 1}, one, "betas 1 and 0.999"},
		{"beta nan", &optim.Adam{Beta2: nan}, one, "betas"},
		{"eps", &optim.AdamW{Eps: -2}, one, "eps -2"},
		{"decay", &optim.AdamW{WeightDecay: -3}, one, "weight decay -3"},
		{"rate", &optim.AdamW{LR: optim.Constant(nan)}, one, "learning rate of step 1 is NaN"},
		{"schedule", &optim.AdamW{LR: optim.Cosine{Peak: 1, Warmup: 9, Steps: 5}}, one, "schedule"},
		{"wsd", &optim.AdamW{LR: optim.WSD{Peak: 1, Warmup: 9, Decay: 9, Steps: 10}}, one, "schedule"},
		{"momentum", &optim.SGD{Momentum: 1}, one, "momentum 1"},
		{"nesterov", &optim.SGD{Nesterov: true}, one, "Nesterov needs momentum"},
		{"max norm", &optim.AdamW{MaxNorm: -1}, one, "MaxNorm -1"},
		{"max norm nan", &optim.SGD{MaxNorm: nan}, one, "MaxNorm NaN"},
		{"max norm infinite", &optim.Adam{MaxNorm: math.Inf(1)}, one, "MaxNorm +Inf"},
		{"dampening", &optim.SGD{Dampening: 0.5}, one, "without momentum"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := vector("p", []float64{1, 2}, []float64{3, 4})
			err := tt.opt.Step(tt.ps(p))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Step: %v, want an error with %q", err, tt.want)
			}
			check(t, "p", p.value, []float64{1, 2}, 0)
			if n := tt.opt.(interface{ Steps() int }).Steps(); n != 0 {
				t.Errorf("Steps() = %d after an error", n)
			}
		})
	}
	for _, limit := range []float64{0, -1, nan, math.Inf(1)} {
		if _, err := optim.ClipGradNorm(one(vector("p", []float64{1}, []float64{1})), limit); err == nil {
			t.Errorf("ClipGradNorm takes limit %v", limit)
		}
	}
	p := vector("p", []float64{1, 2}, []float64{nan, 4})
	if _, err := optim.ClipGradNorm(one(p), 1); err == nil || p.grad.Data().([]float32)[1] != 4 {
		t.Errorf("ClipGradNorm of NaN: %v, gradient %v", err, p.grad.Data())
	}
}

func one(p *param) []gorgonia.ValueGrad { return []gorgonia.ValueGrad{p} }

// Weight decay obeys its filter, and None switches a default off.
func TestDecay(t *testing.T) {
	matrix := &param{"m", dense(tensor.Float64, []int{1, 1}, []float64{1}), dense(tensor.Float64, []int{1, 1}, []float64{0})}
	gain := &param{"g", dense(tensor.Float64, []int{1}, []float64{1}), dense(tensor.Float64, []int{1}, []float64{0})}
	ps := []gorgonia.ValueGrad{matrix, gain}
	if err := (&optim.AdamW{LR: optim.Constant(0.5), WeightDecay: 0.1, Decay: optim.Matrices}).Step(ps); err != nil {
		t.Fatal(err)
	}
	check(t, "matrix", matrix.value, []float64{0.95}, 1e-15)
	check(t, "gain", gain.value, []float64{1}, 0)
	if err := (&optim.AdamW{LR: optim.Constant(0.5), WeightDecay: optim.None}).Step(ps); err != nil {
		t.Fatal(err)
	}
	check(t, "matrix", matrix.value, []float64{0.95}, 1e-15)
	if err := (&optim.AdamW{LR: optim.Constant(0.5)}).Step(ps); err != nil {
		t.Fatal(err)
	}
	check(t, "matrix", matrix.value, []float64{0.95 * (1 - 0.5*0.01)}, 1e-15)
}

// An optimizer goes on from its state with the same bits, at one thread and at two.
func TestResume(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const n = 70000
	run := func(opt func() solver, stop int) []float32 {
		w, g := make([]float64, n), make([]float64, n)
		for i := range w {
			w[i] = math.Sin(float64(i))
		}
		p := vector("p", w, g)
		ps := one(p)
		o := opt()
		for step := range 6 {
			for i, d := 0, p.grad.Data().([]float32); i < n; i++ {
				d[i] = float32(math.Cos(float64(i * (step + 1))))
			}
			if step == stop {
				fresh := opt()
				if err := fresh.SetState(ps, o.State(ps)); err != nil {
					t.Fatal(err)
				}
				o = fresh
			}
			if _, err := optim.ClipGradNorm(ps, 1); err != nil {
				t.Fatal(err)
			}
			if err := o.Step(ps); err != nil {
				t.Fatal(err)
			}
		}
		return p.value.Data().([]float32)
	}
	for name, opt := range map[string]func() solver{
		"adamw": func() solver { return &optim.AdamW{LR: optim.Cosine{Peak: 1e-2, Warmup: 2, Steps: 6}} },
		"sgd":   func() solver { return &optim.SGD{LR: optim.Constant(0.1), Momentum: 0.9} },
	} {
		want := run(opt, -1)
		for _, threads := range []int{1, 2} {
			runtime.GOMAXPROCS(threads)
			for _, stop := range []int{-1, 0, 1, 3, 5} {
				if !slices.Equal(run(opt, stop), want) {
					t.Errorf("%s stopped at %d with %d threads ends elsewhere", name, stop, threads)
				}
			}
		}
	}
}

type solver interface {
	gorgonia.Solver
	State([]gorgonia.ValueGrad) optim.State
	SetState([]gorgonia.ValueGrad, optim.State) error
}

// State that does not fit is refused with all that is wrong.
func TestSetStateIsStrict(t *testing.T) {
	p, q := vector("p", []float64{1}, []float64{1}), vector("q", []float64{1, 2}, []float64{1, 2})
	a := new(optim.AdamW)
	if err := a.Step(one(p)); err != nil {
		t.Fatal(err)
	}
	s := a.State(one(p))
	s.Tensors["exp_avg.x"] = s.Tensors["exp_avg.p"]
	s.Tensors["exp_avg.q"] = s.Tensors["exp_avg.p"]
	err := new(optim.AdamW).SetState([]gorgonia.ValueGrad{p, q}, s)
	for _, part := range []string{"missing exp_avg_sq.q", "exp_avg.q does not fit (2)", "1 tensors of no parameter"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("SetState: %v, want %q", err, part)
		}
	}
}

// Weights that come in another object, as after a restart, do not lose their moments: a step with the new object is an error
// that changes nothing, and SetState with it goes on where the old one was.
func TestAnotherObject(t *testing.T) {
	for name, make := range map[string]func() solver{
		"adamw": func() solver { return &optim.AdamW{LR: optim.Constant(0.1)} },
		"adam":  func() solver { return &optim.Adam{LR: optim.Constant(0.1)} },
		"sgd":   func() solver { return &optim.SGD{LR: optim.Constant(0.1), Momentum: 0.9} },
	} {
		old, opt := vector("w", []float64{1, 2}, []float64{3, 4}), make()
		step := func(p *param) {
			t.Helper()
			if err := opt.Step(one(p)); err != nil {
				t.Fatal(name, err)
			}
		}
		step(old)
		restored := make()
		if err := restored.SetState(one(old), opt.State(one(old))); err != nil {
			t.Fatal(name, err)
		}
		again := &param{"w", old.value.(*tensor.Dense).Clone().(*tensor.Dense), old.grad}
		for _, o := range []solver{opt, restored} {
			before := again.value.(*tensor.Dense).Clone().(*tensor.Dense)
			if err := o.Step(one(again)); err == nil || !strings.Contains(err.Error(), "parameter w is not the one") {
				t.Errorf("%s: %v, want an error", name, err)
			}
			if !before.Eq(again.value) {
				t.Errorf("%s: the weight has changed", name)
			}
		}
		if err := restored.SetState(one(again), opt.State(one(old))); err != nil {
			t.Fatal(name, err)
		}
		step(old)
		if err := restored.Step(one(again)); err != nil || !old.value.(*tensor.Dense).Eq(again.value) {
			t.Errorf("%s: %v, want %v, %v", name, again.value, old.value, err)
		}
		// Parameters without names are told apart by the objects alone.
		step(&param{"", again.value, again.grad})
		step(vector("", []float64{1}, []float64{1}))
	}
}

// A step with MaxNorm goes where ClipGradNorm and a step go, at any limit, and leaves gradients as they are.
func TestMaxNorm(t *testing.T) {
	type limited interface {
		gorgonia.Solver
		GradNorm() float64
	}
	const rate = optim.Constant(0.1)
	for name, make := range map[string]func(limit float64) limited{
		"adamw": func(limit float64) limited { return &optim.AdamW{LR: rate, Eps: 0.1, MaxNorm: limit} },
		"adam":  func(limit float64) limited { return &optim.Adam{LR: rate, Eps: 0.1, WeightDecay: 0.1, MaxNorm: limit} },
		"sgd":   func(limit float64) limited { return &optim.SGD{LR: rate, WeightDecay: 0.1, MaxNorm: limit} },
		"momentum": func(limit float64) limited {
			return &optim.SGD{LR: rate, Momentum: 0.9, Nesterov: true, MaxNorm: limit}
		},
	} {
		for _, p := range precisions {
			for _, limit := range []float64{0, 0.5, 5, 50} { // the norm is 13
				t.Run(fmt.Sprint(name, "/", p.dtype, "/", limit), func(t *testing.T) {
					fresh := func() []gorgonia.ValueGrad {
						return []gorgonia.ValueGrad{
							&param{"a", dense(p.dtype, []int{2}, []float64{1, 2}), dense(p.dtype, []int{2}, []float64{3, -4})},
							&param{"b", dense(p.dtype, []int{1}, []float64{3}), dense(p.dtype, []int{1}, []float64{12})},
						}
					}
					together, apart := fresh(), fresh()
					a, b := make(limit), make(0)
					for range 3 {
						if err := a.Step(together); err != nil {
							t.Fatal(err)
						}
						before := fresh()
						for i, vg := range apart {
							vg.(*param).grad = before[i].(*param).grad
						}
						if limit > 0 {
							if _, err := optim.ClipGradNorm(apart, limit); err != nil {
								t.Fatal(err)
							}
						}
						if err := b.Step(apart); err != nil {
							t.Fatal(err)
						}
					}
					oracle.Check(t, "norm", []float64{a.GradNorm()}, []float64{13}, 1e-12)
					oracle.Check(t, "clipped norm", []float64{b.GradNorm()}, []float64{min(13, cmp.Or(limit, 13))}, 1e-6)
					for i, vg := range together {
						check(t, vg.(*param).name, vg.Value(), numbers(apart[i].Value()), p.tol)
						check(t, "gradient", vg.(*param).grad, numbers(fresh()[i].(*param).grad), 0)
					}
				})
			}
		}
	}
}

func numbers(v gorgonia.Value) []float64 {
	if f, ok := v.Data().([]float64); ok {
		return f
	}
	var f []float64
	for _, x := range v.Data().([]float32) {
		f = append(f, float64(x))
	}
	return f
}

// Memory that becomes that of another parameter is found although it was not in the step before.
func TestSameMemoryLater(t *testing.T) {
	p, q := vector("p", []float64{1, 2}, []float64{3, 4}), vector("q", []float64{1, 2}, []float64{3, 4})
	ps := []gorgonia.ValueGrad{p, q}
	opt := new(optim.AdamW)
	for range 2 {
		if err := opt.Step(ps); err != nil {
			t.Fatal(err)
		}
	}
	q.value = p.value
	for range 2 { // the error does not pass for known
		if err := opt.Step(ps); err == nil || !strings.Contains(err.Error(), "parameters p and q are the same memory") {
			t.Errorf("Step: %v", err)
		}
		if _, err := optim.ClipGradNorm(ps, 1); err == nil {
			t.Error("ClipGradNorm takes the same memory twice")
		}
	}
}

// Steps allocate nothing once the moments exist, nor does clipping.
func TestStepAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	var ps []gorgonia.ValueGrad
	for i := range 30 {
		ps = append(ps, vector(fmt.Sprint("layers.", i, ".weight"), make([]float64, 1000*i+1), make([]float64, 1000*i+1)))
	}
	steps := func(opt gorgonia.Solver) func() error { return func() error { return opt.Step(ps) } }
	for name, f := range map[string]func() error{
		"adamw":    steps(&optim.AdamW{MaxNorm: 1}),
		"adam":     steps(new(optim.Adam)),
		"sgd":      steps(&optim.SGD{MaxNorm: 1}),
		"momentum": steps(&optim.SGD{Momentum: 0.9}),
		"clip":     func() error { _, err := optim.ClipGradNorm(ps, 1); return err },
	} {
		if n := testing.AllocsPerRun(50, func() {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a step", name, n)
		}
	}
}

func BenchmarkAdamW(b *testing.B) {
	const n = 1 << 20
	ps := one(vector("p", make([]float64, n), make([]float64, n)))
	opt := new(optim.AdamW)
	b.SetBytes(28 * n) // read weight, gradient and moments; write all but the gradient
	for b.Loop() {
		if err := opt.Step(ps); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/parameter")
}
