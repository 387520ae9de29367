package loss_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/gradcheck"
	"github.com/logits-go/logits/internal/oracle"
)

// A provedLoss is a loss with its gradients, on operands whose memory is in data.
type provedLoss struct {
	vm    gorgonia.VM
	cost  gorgonia.Value
	value gorgonia.Value
	grads []gorgonia.Value
	data  map[string]any
}

// prove builds the loss of operands of the oracle, which change may change.
func prove(c *oracle.Case, f function, config []byte, kind string, dt tensor.Dtype, change func(name string, v *oracle.Tensor)) (p *provedLoss, err error) {
	p = &provedLoss{data: make(map[string]any)}
	g, made := gorgonia.NewGraph(), make(map[string]node)
	in := func(name string) node {
		if n := made[name]; n != nil {
			return n
		}
		v := c.Tensors["in."+f.family+"."+kind+"."+name]
		v.Floats, v.Ints = slices.Clone(v.Floats), slices.Clone(v.Ints)
		if change != nil {
			change(name, &v)
		}
		kind, data := dt, any(v.Floats)
		switch {
		case v.Ints != nil:
			kind, data = tensor.Int, v.Ints
		case dt == tensor.Float32:
			data = v.Float32s()
		}
		p.data[name] = data
		made[name] = gorgonia.NewTensor(g, kind, len(v.Shape), gorgonia.WithShape(v.Shape...), gorgonia.WithName(name),
			gorgonia.WithValue(tensor.New(tensor.WithShape(v.Shape...), tensor.WithBacking(data))))
		return made[name]
	}
	y, err := f.build(config, in)
	if err != nil {
		return nil, err
	}
	cost := y
	gorgonia.Read(y, &p.value)
	if !y.IsScalar() && y.Shape().TotalSize() == 0 { // Gorgonia cannot multiply it
		p.vm = gorgonia.NewTapeMachine(g)
		return p, p.vm.RunAll()
	}
	if !y.IsScalar() {
		change = func(_ string, v *oracle.Tensor) {
			if y.Dims() < len(v.Shape) { // of sequences
				v.Floats = []float64{v.Floats[0], v.Floats[3]}
			}
			v.Shape = y.Shape()
		}
		if cost, err = gorgonia.HadamardProd(y, in("gy")); err == nil {
			cost, err = gorgonia.Sum(cost)
		}
		if err != nil {
			return nil, err
		}
	}
	var trained gorgonia.Nodes
	for _, name := range f.trained {
		trained = append(trained, made[name])
	}
	ds, err := gorgonia.Grad(cost, trained...)
	if err != nil {
		return nil, err
	}
	p.grads = make([]gorgonia.Value, len(ds))
	for i, d := range ds {
		gorgonia.Read(d, &p.grads[i])
	}
	gorgonia.Read(cost, &p.cost)
	p.vm = gorgonia.NewTapeMachine(g)
	return p, p.vm.RunAll()
}

func (p *provedLoss) again() float64 {
	p.vm.Reset()
	if err := p.vm.RunAll(); err != nil {
		return nan
	}
	return wide(p.cost.Data())[0]
}

// Every function with every option has the loss and the gradients that PyTorch finds by itself, on plain numbers, on
// numbers of 1e4, and with infinities; on plain ones finite differences find the same to 1e-9, do not if one element is
// off by a millionth, and do not if the option is left out.
func TestEveryLossIsProved(t *testing.T) {
	c := oracle.Load(t, "loss_options")
	var cases [][3]json.RawMessage
	if err := json.Unmarshal([]byte(c.Meta["cases"]), &cases); err != nil {
		t.Fatal(err)
	}
	alone := make(map[string]bool) // options that have a case of their own
	out, counts := c.Get(t, "out").Floats, make(map[string]int)
	for _, cs := range cases {
		var name, kind string
		var fields map[string]any
		for i, to := range []any{&name, &fields, &kind} {
			if err := json.Unmarshal(cs[i], to); err != nil {
				t.Fatal(err)
			}
		}
		f, ok := functions[name]
		if !ok {
			t.Fatalf("the oracle has %s, which is no function here", name)
		}
		counts[name+" "+kind]++
		what := fmt.Sprintf("%s %s %s", name, cs[1], kind)
		for _, precision := range []struct {
			dtype tensor.Dtype
			tol   float64
		}{{tensor.Float32, 1e-5}, {tensor.Float64, 1e-11}} {
			p, err := prove(c, f, cs[1], kind, precision.dtype, nil)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			rest := out
			take := func(what string, v gorgonia.Value) {
				got := wide(v.Data())
				oracle.Check(t, what+" "+precision.dtype.String(), got, rest[:len(got)], precision.tol)
				rest = rest[len(got):]
			}
			take(what, p.value)
			for i, d := range p.grads {
				take(what+", gradient of "+f.trained[i], d)
			}
			if precision.dtype == tensor.Float64 {
				out = rest
				if kind == "plain" {
					checkDifferences(t, what, c, f, p, cs[1], fields)
				}
			}
			p.vm.Close()
		}
		if len(fields) == 1 || len(fields) == 2 && fields["Measure"] != nil && fields["Beta"] != nil {
			for field := range fields {
				alone[name+" "+field] = true
			}
		}
	}
	if len(out) != 0 {
		t.Errorf("%d numbers of the oracle are left", len(out))
	}
	for name, f := range functions {
		if counts[name+" plain"] == 0 || counts[name+" large"] == 0 {
			t.Errorf("%s has %d plain and %d large cases", name, counts[name+" plain"], counts[name+" large"])
		}
		for i := range f.config.NumField() {
			field := f.config.Field(i).Name
			if alone[name+" "+field] {
				continue
			}
			config := fmt.Sprintf(`{%q:%s}`, field, values[field])
			if _, err := prove(c, f, []byte(config), "plain", tensor.Float64, nil); err == nil || values[field] == "" {
				t.Errorf("%s has no case of %s in the oracle, and does not refuse it: %v", name, field, err)
			}
		}
	}
}

func checkDifferences(t *testing.T, what string, c *oracle.Case, f function, p *provedLoss, config []byte, fields map[string]any) {
	t.Helper()
	grads := make([][]float64, len(p.grads))
	for i, d := range p.grads {
		grads[i] = wide(d.Data())
	}
	var without [][]float64 // the gradients if the option is left out
	if len(fields) == 1 {
		q, err := prove(c, f, []byte("{}"), "plain", tensor.Float64, nil)
		if err != nil {
			t.Fatalf("%s, without: %v", what, err)
		}
		for _, d := range q.grads {
			without = append(without, wide(d.Data()))
		}
		q.vm.Close()
	}
	wrong := 0.0
	for i, name := range f.trained {
		numeric := gradcheck.Differences(p.again, p.data[name].([]float64), 5e-3)
		if off := gradcheck.Off(grads[i], numeric); !(off <= 1e-9) {
			t.Errorf("%s: the gradient of %s is off by %g", what, name, off)
		}
		at := 0
		for j, d := range grads[i] {
			if math.Abs(d) > math.Abs(grads[i][at]) {
				at = j
			}
		}
		grads[i][at] *= 1 + 1e-6
		if off := gradcheck.Off(grads[i], numeric); !(off > 1e-9) {
			t.Errorf("%s: the gradient of %s with an element wrong is off by %g", what, name, off)
		}
		if without != nil {
			wrong = max(wrong, gradcheck.Off(without[i], numeric))
		}
	}
	if without != nil && !(wrong > 1e-4) {
		t.Errorf("%s: the gradients without the option are off by %g", what, wrong)
	}
}
