package loss_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/loss"
)

// inputs makes the nodes of a test in one type.
type inputs struct {
	g     *gorgonia.ExprGraph
	dtype tensor.Dtype
	n     int // inputs so far
}

// numbers adds an input of numbers. A shape of nothing is that of a vector.
func (in *inputs) numbers(v []float64, shape ...int) *gorgonia.Node {
	if in.dtype == tensor.Float64 {
		return in.add(slices.Clone(v), in.dtype, len(v), shape)
	}
	f := make([]float32, len(v))
	for i := range v {
		f[i] = float32(v[i])
	}
	return in.add(f, in.dtype, len(v), shape)
}

func (in *inputs) ids(v ...int) *gorgonia.Node { return in.add(v, tensor.Int, len(v), nil) }

func (in *inputs) mask(v ...bool) *gorgonia.Node { return in.add(v, tensor.Bool, len(v), nil) }

func (in *inputs) add(data any, dt tensor.Dtype, n int, shape []int) *gorgonia.Node {
	if len(shape) == 0 {
		shape = []int{n}
	}
	in.n++
	return gorgonia.NewTensor(in.g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprint("in", in.n)),
		gorgonia.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))))
}

// A builder makes the loss of x, and whatever else it takes.
type builder = func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error)

// An edge is a case at the limits of a loss of x: rows of classes, or a vector if classes is 0. It has a loss, a scalar or
// of every row, and, if that is a scalar, a gradient for x; or an error that says something.
type edge struct {
	name    string
	classes int
	x       []float64
	build   builder
	loss    []float64
	grad    []float64
	err     string
}

// run runs an edge in Gorgonia's tape machine. A mistake of building counts as one of running.
func (e edge) run(dt tensor.Dtype) (y, dx []float64, err error) {
	in := &inputs{g: gorgonia.NewGraph(), dtype: dt}
	shape := []int{len(e.x)}
	if e.classes > 0 {
		shape = []int{len(e.x) / e.classes, e.classes}
	}
	x := in.numbers(e.x, shape...)
	cost, err := e.build(in, x)
	if err != nil {
		return nil, nil, err
	}
	var value, slope gorgonia.Value
	gorgonia.Read(cost, &value)
	if cost.IsScalar() {
		ds, err := gorgonia.Grad(cost, x)
		if err != nil {
			return nil, nil, err
		}
		gorgonia.Read(ds[0], &slope)
	}
	vm := gorgonia.NewTapeMachine(in.g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return nil, nil, err
	}
	if slope != nil {
		dx = wide(slope.Data())
	}
	return wide(value.Data()), dx, nil
}

func wide(data any) (out []float64) {
	switch v := data.(type) {
	case float32:
		return []float64{float64(v)}
	case float64:
		return []float64{v}
	case []float64:
		return slices.Clone(v)
	case []float32:
		for _, f := range v {
			out = append(out, float64(f))
		}
	}
	return out
}

func (e edge) check(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		t.Run(fmt.Sprint(e.name, "/", dt), func(t *testing.T) {
			y, dx, err := e.run(dt)
			switch {
			case e.err != "" && err == nil:
				t.Fatalf("loss %v, want an error", y)
			case e.err != "":
				if !strings.Contains(err.Error(), e.err) {
					t.Fatalf("error %q, want %q in it", err, e.err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			near(t, "loss", y, e.loss)
			if e.grad != nil {
				near(t, "gradient", dx, e.grad)
			}
			for _, d := range dx {
				if d-d != 0 {
					t.Errorf("gradient %v", dx)
				}
			}
		})
	}
}

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = got[i] == want[i] || math.Abs(got[i]-want[i]) <= 2e-6*max(1e-30, math.Abs(want[i]))
	}
	if !same {
		t.Errorf("%s %v, want %v", what, got, want)
	}
}

var inf, nan, ln2 = math.Inf(1), math.NaN(), math.Ln2

func crossEntropy(o loss.Options, targets ...int) func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		return o.CrossEntropy(x, in.ids(targets...))
	}
}

// linear is the same of an output layer whose weight is the identity, so that its logits are x.
func linear(o loss.Options, targets ...int) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		return o.LinearCrossEntropy(x, in.numbers([]float64{1, 0, 0, 1}, 2, 2), in.ids(targets...))
	}
}

// doubled makes a loss count twice.
func doubled(build builder) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		cost, err := build(in, x)
		if err != nil {
			return nil, err
		}
		return gorgonia.Add(cost, cost)
	}
}

func weighted(o loss.Options, weights []float64, targets ...int) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		return o.CrossEntropyWeighted(x, in.ids(targets...), in.numbers(weights))
	}
}

func masked(o loss.Options, mask []bool, targets ...int) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		return o.CrossEntropyWeighted(x, in.ids(targets...), in.mask(mask...))
	}
}

// What the table in the package's documentation says of cross-entropy.
func TestCrossEntropyEdges(t *testing.T) {
	var plain loss.Options
	no := loss.Ignored
	sum := loss.Options{Reduction: loss.Sum}
	focal := loss.Options{FocalGamma: 2}
	capped := loss.Options{SoftCap: 30}
	third := []float64{1. / 3, -2. / 3, 1. / 3}
	for _, e := range []edge{
		{"every target ignored", 2, []float64{1, 2, nan, inf}, crossEntropy(plain, no, no), []float64{0},
			[]float64{0, 0, 0, 0}, ""},
		{"every target ignored, summed", 2, []float64{1, nan}, crossEntropy(sum, no), []float64{0}, []float64{0, 0},
			""},
		{"every target ignored, linear", 2, []float64{1, 2, 3, 4}, linear(plain, no, no), []float64{0},
			[]float64{0, 0, 0, 0}, ""},
		{"target beyond", 2, []float64{1, 2, 3, 4}, crossEntropy(plain, 0, 2), nil, nil,
			"CrossEntropy: target 2 at [1] is none of 2 classes"},
		{"target below", 2, []float64{1, 2}, crossEntropy(plain, -1), nil, nil, "target -1 at [0]"},
		{"target beyond, linear", 2, []float64{1, 2}, linear(plain, 7), nil, nil,
			"LinearCrossEntropy: target 7 at [0]"},
		{"class without weight", 2, []float64{0, 5}, crossEntropy(loss.Options{Weights: []float64{1, 0}}, 1),
			[]float64{0}, []float64{0, 0}, ""},
		{"classes without weight", 2, []float64{0, 5}, crossEntropy(loss.Options{Weights: []float64{0, 0}}, 1),
			[]float64{0}, []float64{0, 0}, ""},
		{"-Inf of a class without weight", 2, []float64{0, -inf},
			crossEntropy(loss.Options{Weights: []float64{1, 0}}, 1), []float64{0}, []float64{0, 0}, ""},
		{"-Inf", 3, []float64{0, 0, -inf}, crossEntropy(plain, 0), []float64{ln2}, []float64{-0.5, 0.5, 0}, ""},
		{"-Inf of the target", 3, []float64{0, 0, -inf}, crossEntropy(plain, 2), []float64{inf},
			[]float64{0.5, 0.5, -1}, ""},
		{"-Inf under smoothing", 2, []float64{0, -inf}, crossEntropy(loss.Options{LabelSmoothing: 0.2}, 0),
			[]float64{inf}, []float64{0.1, -0.1}, ""},
		{"-Inf and a z-loss", 3, []float64{0, 0, -inf}, crossEntropy(loss.Options{ZLoss: 1}, 0),
			[]float64{ln2 + ln2*ln2}, []float64{-0.5 + ln2, 0.5 + ln2, 0}, ""},
		{"-Inf alone", 2, []float64{-inf, -inf}, crossEntropy(plain, 0), nil, nil,
			"CrossEntropy: logits at [0] hold NaN, +Inf or nothing but -Inf"},
		{"+Inf", 2, []float64{0, 1, inf, 0}, crossEntropy(plain, 0, 0), nil, nil, "logits at [1] hold"},
		{"NaN", 2, []float64{nan, 0}, crossEntropy(plain, 1), nil, nil, "logits at [0] hold"},
		{"NaN, linear, by row", 2, []float64{nan, 0}, linear(loss.Options{Reduction: loss.None}, 1), nil, nil,
			"LinearCrossEntropy: logits at [0] hold"},
		{"linear, doubled", 2, []float64{0, 0}, doubled(linear(plain, 1)), []float64{2 * ln2}, []float64{1, -1}, ""},
		{"NaN, linear", 2, []float64{nan, 0}, linear(plain, 1), nil, nil, "LinearCrossEntropy: logits at [0] hold"},
		{"large", 3, []float64{1e4, -1e4, 1e4}, crossEntropy(plain, 0), []float64{ln2}, []float64{-0.5, 0, 0.5}, ""},
		{"large, wrong", 2, []float64{1e4, -1e4}, crossEntropy(plain, 1), []float64{2e4}, []float64{1, -1}, ""},
		{"equal, as large as may be", 3, []float64{-3e38, -3e38, -3e38}, crossEntropy(plain, 1),
			[]float64{math.Log(3)}, third, ""},

		{"mask of nothing", 2, []float64{nan, 0, 1, 2}, masked(plain, []bool{false, false}, 7, 0), []float64{0},
			[]float64{0, 0, 0, 0}, ""},
		{"weights of 0", 2, []float64{nan, 0, 1, 2}, weighted(plain, []float64{0, 0}, 7, 0), []float64{0},
			[]float64{0, 0, 0, 0}, ""},
		{"a weight and classes without", 2, []float64{1, 0},
			weighted(loss.Options{Weights: []float64{0, 1}}, []float64{3}, 0), []float64{0}, []float64{0, 0}, ""},
		{"mask of a row", 2, []float64{nan, inf, 0, 0}, masked(plain, []bool{false, true}, -5, 1), []float64{ln2},
			[]float64{0, 0, 0.5, -0.5}, ""},
		{"weights", 2, []float64{0, 0, 1e4, 0}, weighted(plain, []float64{3, 1}, 0, 1), []float64{(3*ln2 + 1e4) / 4},
			[]float64{-0.375, 0.375, 0.25, -0.25}, ""},
		{"weights of ignored rows", 2, []float64{0, 0, 1, 0}, weighted(plain, []float64{1, 7}, 0, no), []float64{ln2},
			[]float64{-0.5, 0.5, 0, 0}, ""},
		{"tiny weights", 2, []float64{0, 0, 0, 0}, weighted(plain, []float64{1e-30, 1e-30}, 0, 1), []float64{ln2},
			[]float64{-0.25, 0.25, 0.25, -0.25}, ""},
		{"weight of -Inf at the target", 2, []float64{0, -inf}, weighted(plain, []float64{0.5}, 1), []float64{inf},
			[]float64{1, -1}, ""},
		{"negative weight", 2, []float64{0, 0, 0, 0}, weighted(plain, []float64{1, -1}, 0, 1), nil, nil,
			"CrossEntropy: the weight at [1] is -1"},
		{"weight of NaN", 2, []float64{0, 0}, weighted(plain, []float64{nan}, 0), nil, nil, "the weight at [0] is NaN"},
		{"infinite weight", 2, []float64{0, 0}, weighted(plain, []float64{inf}, 0), nil, nil,
			"the weight at [0] is +Inf"},

		{"capped", 2, []float64{1e4, -1e4}, crossEntropy(capped, 1), []float64{60}, []float64{0, 0}, ""},
		{"capped far from it", 2, []float64{1e-3, 0}, crossEntropy(loss.Options{SoftCap: 1e6}, 0),
			[]float64{0.69264730555}, []float64{-0.49975000002, 0.49975000002}, ""},
		{"capped -Inf", 3, []float64{0, 0, -inf}, crossEntropy(capped, 0), []float64{ln2}, []float64{-0.5, 0.5, 0}, ""},
		{"capped -Inf of the target", 3, []float64{0, 0, -inf}, crossEntropy(capped, 2), []float64{inf},
			[]float64{0.5, 0.5, 0}, ""},
		{"capped +Inf", 2, []float64{0, inf}, crossEntropy(capped, 0), nil, nil, "logits at [0] hold"},
		{"capped -Inf alone", 2, []float64{-inf, -inf}, crossEntropy(capped, 0), nil, nil, "logits at [0] hold"},
		{"capped NaN, linear", 2, []float64{0, nan}, linear(capped, 0), nil, nil, "logits at [0] hold"},

		{"focal of what is certain", 2, []float64{1e4, 0}, crossEntropy(focal, 0), []float64{0}, []float64{0, 0}, ""},
		{"slightly focal of what is certain", 2, []float64{1e4, 0}, crossEntropy(loss.Options{FocalGamma: 0.1}, 0),
			[]float64{0}, []float64{0, 0}, ""},
		{"focal of what is not", 2, []float64{0, 1e4}, crossEntropy(focal, 0), []float64{1e4}, []float64{-1, 1}, ""},
		{"focal of -Inf", 3, []float64{0, 0, -inf}, crossEntropy(focal, 2), []float64{inf}, []float64{0.5, 0.5, -1},
			""},
		{"focal of -Inf, linear", 2, []float64{0, -1e30}, linear(focal, 1), []float64{1e30}, []float64{1, -1}, ""},
		{"focal of a class without weight", 2, []float64{0, -inf},
			crossEntropy(loss.Options{FocalGamma: 2, Weights: []float64{1, 0}}, 1), []float64{0}, []float64{0, 0}, ""},
		{"focal of one class", 1, []float64{3}, crossEntropy(focal, 0), []float64{0}, []float64{0}, ""},
	} {
		e.check(t)
	}
}

func soft(o loss.Options, probs ...float64) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		return o.SoftCrossEntropy(x, in.numbers(probs, x.Shape()...))
	}
}

func TestSoftCrossEntropyEdges(t *testing.T) {
	var plain loss.Options
	off := func(mask ...bool) builder {
		return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
			return plain.SoftCrossEntropyWeighted(x, in.numbers([]float64{nan, 0, 1, 0}, 2, 2), in.mask(mask...))
		}
	}
	for _, e := range []edge{
		{"-Inf at a target of 0", 3, []float64{0, 0, -inf}, soft(plain, 0.5, 0.5, 0), []float64{ln2},
			[]float64{0, 0, 0}, ""},
		{"-Inf at a target", 3, []float64{0, 0, -inf}, soft(plain, 0.5, 0, 0.5), []float64{inf},
			[]float64{0, 0.5, -0.5}, ""},
		{"-Inf under smoothing", 2, []float64{0, -inf}, soft(loss.Options{LabelSmoothing: 0.5}, 1, 0), []float64{inf},
			[]float64{0.25, -0.25}, ""},
		{"-Inf of a class without weight", 2, []float64{0, -inf},
			soft(loss.Options{Weights: []float64{1, 0}}, 0.5, 0.5), []float64{0}, []float64{0, 0}, ""},
		{"targets of 0", 2, []float64{0, 1}, soft(plain, 0, 0), []float64{0}, []float64{0, 0}, ""},
		{"no distribution", 2, []float64{0, 1}, soft(plain, 2, 2), []float64{4*math.Log(1+math.E) - 2},
			[]float64{4/(1+math.E) - 2, 2 - 4/(1+math.E)}, ""},
		{"large", 2, []float64{1e4, -1e4}, soft(plain, 0.5, 0.5), []float64{1e4}, []float64{0.5, -0.5}, ""},
		{"capped", 2, []float64{1e4, -1e4}, soft(loss.Options{SoftCap: 30}, 0.5, 0.5), []float64{30}, []float64{0, 0},
			""},
		{"capped -Inf at a target of 0", 2, []float64{0, -inf}, soft(loss.Options{SoftCap: 30}, 1, 0), []float64{0},
			[]float64{0, 0}, ""},
		{"-Inf alone", 2, []float64{-inf, -inf}, soft(plain, 0.5, 0.5), nil, nil,
			"SoftCrossEntropy: logits at [0] hold NaN, +Inf or nothing but -Inf"},
		{"-Inf alone, targets of 0", 2, []float64{-inf, -inf}, soft(plain, 0, 0), nil, nil, "logits at [0] hold"},
		{"+Inf", 2, []float64{0, inf}, soft(plain, 1, 0), nil, nil, "logits at [0] hold"},
		{"+Inf, capped", 2, []float64{0, inf}, soft(loss.Options{SoftCap: 30}, 1, 0), nil, nil, "logits at [0] hold"},
		{"NaN", 2, []float64{0, 0, nan, 0}, soft(plain, 1, 0, 0, 1), nil, nil, "logits at [1] hold"},
		{"target of NaN", 2, []float64{0, 0}, soft(plain, 1, nan), nil, nil,
			"SoftCrossEntropy: targets at [0] are no probabilities"},
		{"negative target", 2, []float64{0, -inf}, soft(plain, 1, -1), nil, nil, "targets at [0] are no probabilities"},
		{"infinite target", 2, []float64{0, 0}, soft(plain, inf, 0), nil, nil, "targets at [0] are no probabilities"},
		{"mask of nothing", 2, []float64{nan, 0, 1, 2}, off(false, false), []float64{0}, []float64{0, 0, 0, 0}, ""},
		{"mask of a row", 2, []float64{nan, 0, 2, 2}, off(false, true), []float64{ln2}, []float64{0, 0, -0.5, 0.5}, ""},
	} {
		e.check(t)
	}
}

func binary(b loss.Binary, targets ...float64) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		return b.CrossEntropy(x, in.numbers(targets, x.Shape()...))
	}
}

func TestBinaryEdges(t *testing.T) {
	var plain loss.Binary
	focal := loss.Binary{FocalGamma: 2}
	sum := loss.Binary{Reduction: loss.Sum}
	off := func(mask ...bool) builder {
		return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
			return plain.CrossEntropyWeighted(x, in.numbers([]float64{nan, 1, 7}), in.mask(mask...))
		}
	}
	for _, e := range []edge{
		{"even", 0, []float64{0, 0}, binary(plain, 0, 1), []float64{ln2}, []float64{0.25, -0.25}, ""},
		{"large and right", 0, []float64{1e4, -1e4}, binary(plain, 1, 0), []float64{0}, []float64{0, 0}, ""},
		{"large and wrong", 0, []float64{1e4, -1e4}, binary(plain, 0, 1), []float64{1e4}, []float64{0.5, -0.5}, ""},
		{"infinite and right", 0, []float64{inf, -inf}, binary(plain, 1, 0), []float64{0}, []float64{0, 0}, ""},
		{"infinite and wrong", 0, []float64{inf, -inf}, binary(plain, 0, 1), []float64{inf}, []float64{0.5, -0.5}, ""},
		{"infinite and undecided", 0, []float64{inf}, binary(plain, 0.5), []float64{inf}, []float64{0.5}, ""},
		{"small probabilities", 0, []float64{-40}, binary(plain, 0), []float64{math.Exp(-40)},
			[]float64{math.Exp(-40)}, ""},
		{"focal, large and right", 0, []float64{1e4, -1e4}, binary(focal, 1, 0), []float64{0}, []float64{0, 0}, ""},
		{"focal, infinite and wrong", 0, []float64{inf, -inf}, binary(focal, 0, 1), []float64{inf},
			[]float64{0.5, -0.5}, ""},
		{"slightly focal, infinite and right", 0, []float64{inf, -inf}, binary(loss.Binary{FocalGamma: 0.1}, 1, 0),
			[]float64{0}, []float64{0, 0}, ""},
		{"yes without weight", 2, []float64{0, 0, -inf, 0},
			binary(loss.Binary{Reduction: loss.Sum, PosWeight: []float64{0, 1}}, 1, 1, 1, 0), []float64{2 * ln2},
			[]float64{0, -0.5, 0, 0.5}, ""},
		{"NaN", 0, []float64{0, nan}, binary(plain, 0, 1), nil, nil, "BinaryCrossEntropy: the logit at [1] is NaN"},
		{"NaN of a class without weight", 0, []float64{nan}, binary(loss.Binary{PosWeight: []float64{0}}, 1), nil,
			nil, "the logit at [0] is NaN"},
		{"target above 1", 0, []float64{0, 0}, binary(plain, 0, 1.5), nil, nil,
			"the target at [1] is 1.5, want a number in [0, 1]"},
		{"target below 0", 2, []float64{0, 0}, binary(sum, 0, -1), nil, nil, "the target at [0 1] is -1"},
		{"target of NaN", 0, []float64{0}, binary(plain, nan), nil, nil, "the target at [0] is NaN"},
		{"mask of nothing", 0, []float64{nan, 0, 0}, off(false, false, false), []float64{0}, []float64{0, 0, 0}, ""},
		{"mask of one", 0, []float64{nan, 0, 0}, off(false, true, false), []float64{ln2}, []float64{0, -0.5, 0}, ""},
	} {
		e.check(t)
	}
}

func distil(d loss.Distillation, teacher ...float64) builder {
	return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
		return d.Divergence(x, in.numbers(teacher, x.Shape()...))
	}
}

func TestDivergenceEdges(t *testing.T) {
	kl := loss.Distillation{}
	reverse := loss.Distillation{Measure: loss.ReverseKL}
	js := loss.Distillation{Measure: loss.JensenShannon}
	warm := loss.Distillation{Temperature: 2}
	off := func(d loss.Distillation) builder {
		return func(in *inputs, x *gorgonia.Node) (*gorgonia.Node, error) {
			return d.DivergenceWeighted(x, in.numbers([]float64{0, nan}, 1, 2), in.mask(false))
		}
	}
	for _, e := range []edge{
		{"alike", 3, []float64{1e4, 1e4, -inf}, distil(kl, 5, 5, -inf), []float64{0}, []float64{0, 0, 0}, ""},
		{"large", 2, []float64{1e4, -1e4}, distil(kl, -1e4, 1e4), []float64{2e4}, []float64{1, -1}, ""},
		{"large and warm", 2, []float64{1e4, -1e4}, distil(warm, -1e4, 1e4), []float64{4e4}, []float64{2, -2}, ""},
		{"student rules out", 2, []float64{0, -inf}, distil(kl, 0, 0), []float64{inf}, []float64{0.5, -0.5}, ""},
		{"teacher rules out", 2, []float64{0, 0}, distil(kl, 0, -inf), []float64{ln2}, []float64{-0.5, 0.5}, ""},
		{"reverse, alike", 3, []float64{1e4, 1e4, -inf}, distil(reverse, 5, 5, -inf), []float64{0},
			[]float64{0, 0, 0}, ""},
		{"reverse, large", 2, []float64{1e4, -1e4}, distil(reverse, -1e4, 1e4), []float64{2e4}, []float64{0, 0}, ""},
		{"reverse, student rules out", 2, []float64{0, -inf}, distil(reverse, 0, 0), []float64{ln2}, []float64{0, 0},
			""},
		{"reverse, teacher rules out", 2, []float64{0, 0}, distil(reverse, 0, -inf), nil, nil,
			"ReverseKLDivergence: teacher at [0] rules out a class that the student does not"},
		{"Jensen-Shannon, alike", 3, []float64{1e4, 1e4, -inf}, distil(js, 5, 5, -inf), []float64{0},
			[]float64{0, 0, 0}, ""},
		{"Jensen-Shannon, large", 2, []float64{1e4, -1e4}, distil(js, -1e4, 1e4), []float64{ln2}, []float64{0, 0}, ""},
		{"Jensen-Shannon, both rule out", 2, []float64{0, -inf}, distil(js, -inf, 0), []float64{ln2}, []float64{0, 0},
			""},
		{"student of NaN", 2, []float64{0, nan}, distil(kl, 0, 0), nil, nil,
			"KLDivergence: logits of the student at [0] hold NaN"},
		{"student of -Inf", 2, []float64{-inf, -inf}, distil(js, 0, 0), nil, nil,
			"JensenShannonDivergence: logits of the student at [0]"},
		{"teacher of NaN", 2, []float64{0, 0, 0, 0}, distil(reverse, 0, 0, 0, nan), nil, nil,
			"logits of the teacher at [1] hold"},
		{"teacher of +Inf", 2, []float64{0, 0}, distil(js, 0, inf), nil, nil, "logits of the teacher at [0] hold"},
		{"teacher of -Inf", 2, []float64{0, 0}, distil(warm, -inf, -inf), nil, nil,
			"logits of the teacher at [0] hold"},
		{"mask of nothing", 2, []float64{nan, 0}, off(kl), []float64{0}, []float64{0, 0}, ""},
		{"Jensen-Shannon, mask of nothing", 2, []float64{nan, 0}, off(js), []float64{0}, []float64{0, 0}, ""},
	} {
		e.check(t)
	}
}
