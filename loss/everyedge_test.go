package loss_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/loss"
)

// An operand that is longer than the others is an error of building every function, as is one that is missing, and so is
// a list of weights that does not fit.
func TestEveryLossChecksShapes(t *testing.T) {
	c := oracle.Load(t, "loss_options")
	for name, f := range functions {
		for _, operand := range f.operands {
			_, err := prove(c, f, []byte("{}"), "plain", tensor.Float64, func(name string, v *oracle.Tensor) {
				if name == operand {
					axis := len(v.Shape) - 1
					if f.family == "scores" && operand == "logits" {
						axis-- // the last has as many classes as there may be
					}
					v.Shape = slices.Clone(v.Shape)
					v.Shape[axis]++
					n := tensor.Shape(v.Shape).TotalSize()
					if v.Ints != nil {
						v.Ints = make([]int, n)
					} else {
						v.Floats = make([]float64, n)
					}
				}
			})
			if err == nil || !strings.HasPrefix(err.Error(), "loss: ") || !strings.Contains(err.Error(), "(") {
				t.Errorf("%s with a longer %s: %v", name, operand, err)
			}
			_, err = f.build([]byte("{}"), func(name string) node {
				if name == operand {
					return nil
				}
				v := c.Get(t, "in."+f.family+".plain."+name)
				return gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Float64, len(v.Shape), gorgonia.WithShape(v.Shape...), gorgonia.WithName(name))
			})
			if optional := operand == "old" || operand == "weights" && name == "PolicyGradient.Loss"; (err == nil || !strings.HasPrefix(err.Error(), "loss: ")) && !optional {
				t.Errorf("%s without %s: %v", name, operand, err)
			}
		}
		for _, field := range []string{"Weights", "PosWeight"} {
			if _, ok := f.config.FieldByName(field); ok {
				if _, err := prove(c, f, fmt.Appendf(nil, `{%q:[1,2]}`, field), "plain", tensor.Float64, nil); err == nil {
					t.Errorf("%s takes 2 %s of 5 classes", name, field)
				}
			}
		}
	}
}

// What the package's documentation says of edges holds of every function that has them, under each of the options that
// could bring them about.
func TestEveryLossHasEdges(t *testing.T) {
	c := oracle.Load(t, "loss_options")
	set := func(operand string, all bool, to float64) func(name string, v *oracle.Tensor) {
		return func(name string, v *oracle.Tensor) {
			if name != operand {
				return
			}
			for i := range v.Floats {
				if i == 0 || all {
					v.Floats[i] = to
				}
			}
			for i := range v.Ints {
				if i == 0 || all {
					v.Ints[i] = int(to)
				}
			}
		}
	}
	for name, f := range functions {
		configs := []string{"{}"}
		for _, config := range []string{
			`{"Reduction":1}`, `{"Reduction":2}`, `{"Measure":1}`, `{"Measure":2}`, `{"PerSequence":true}`, `{"IPO":true}`,
			`{"SoftCap":5}`, `{"FocalGamma":2}`, `{"LabelSmoothing":0.1}`, `{"ZLoss":0.1}`, `{"Weights":[1,2,1,1,1]}`,
		} {
			if _, err := prove(c, f, []byte(config), "plain", tensor.Float64, nil); err == nil {
				configs = append(configs, config)
			}
		}
		type change = func(name string, v *oracle.Tensor)
		refused := func(edge string, change change) {
			for i, config := range configs {
				if p, err := prove(c, f, []byte(config), "plain", []tensor.Dtype{tensor.Float32, tensor.Float64}[i%2], change); err == nil {
					t.Errorf("%s %s, %s: the loss is %v, want an error", name, config, edge, p.value)
				}
			}
		}
		zeroOf := func(config, edge string, change change) {
			p, err := prove(c, f, []byte(config), "plain", tensor.Float64, change)
			if err != nil {
				t.Errorf("%s %s, %s: %v", name, config, edge, err)
				return
			}
			for _, v := range append(p.grads, p.value) {
				if v.Size() == 0 && !v.Shape().IsScalar() {
					continue // of an empty batch
				}
				for _, x := range wide(v.Data()) {
					if x != 0 {
						t.Errorf("%s %s, %s: the loss is %v, the gradients are %v", name, config, edge, p.value, p.grads)
						return
					}
				}
			}
		}
		zero := func(edge string, change change) {
			for _, config := range configs {
				zeroOf(config, edge, change)
			}
		}
		if slices.Contains(configs, `{"Weights":[1,2,1,1,1]}`) {
			zeroOf(`{"Weights":[0,0,0,0,0]}`, "classes without weight", nil)
			zeroOf(`{"Weights":[0,0,0,0,0],"Reduction":1,"LabelSmoothing":0.1}`, "classes without weight", nil)
		}
		for _, operand := range f.operands {
			switch {
			case operand == "weights":
				refused("a negative weight", set(operand, false, -1))
				refused("a weight of NaN", set(operand, false, nan))
				refused("an infinite weight", set(operand, false, inf))
				zero("weights of 0", set(operand, true, 0))
			case operand == "targets" && f.family != "binary":
				refused("a target beyond", set(operand, false, 5))
				refused("a negative target", set(operand, false, -1))
				zero("all targets ignored", set(operand, true, loss.Ignored))
			case operand == "targets" || operand == "probs":
				refused("a target of NaN", set(operand, false, nan))
				refused("a negative target", set(operand, false, -1))
				refused("an infinite target", set(operand, false, inf))
			default:
				refused("NaN in "+operand, set(operand, false, nan))
				if f.family != "binary" { // where it is a certain answer
					refused("+Inf in "+operand, set(operand, false, inf))
				}
				if operand != "x" && operand != "w" && f.family != "binary" {
					refused("-Inf alone in "+operand, set(operand, true, -inf))
				}
			}
		}
		zero("an empty batch", func(name string, v *oracle.Tensor) {
			if name != "w" {
				v.Shape = slices.Clone(v.Shape)
				v.Shape[0] = 0
				v.Floats, v.Ints = v.Floats[:0], v.Ints[:0]
			}
		})
	}
}
