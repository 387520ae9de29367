package loss_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/loss"
)

type node = *gorgonia.Node

// A function makes a loss of operands, which in gives by name. All functions of the package are in functions, and every
// field of their configurations is in a case of the oracle, or refused: TestEveryLossIsProved fails otherwise.
type function struct {
	family   string // of operands in the oracle
	operands []string
	trained  []string
	config   reflect.Type
	build    func(config []byte, in func(name string) node) (node, error)
}

// of makes a function with a configuration.
func of[C any](family, operands, trained string, build func(c C, in func(name string) node) (node, error)) function {
	return function{
		family: family, operands: strings.Fields(operands), trained: strings.Fields(trained), config: reflect.TypeFor[C](),
		build: func(config []byte, in func(name string) node) (node, error) {
			var c C
			dec := json.NewDecoder(strings.NewReader(string(config)))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&c); err != nil {
				return nil, err
			}
			return build(c, in)
		},
	}
}

// two and three are functions of so many operands.
func two[C any](family, operands string, f func(c C, a, b node) (node, error)) function {
	names := strings.Fields(operands)
	return of(family, operands, names[0], func(c C, in func(string) node) (node, error) { return f(c, in(names[0]), in(names[1])) })
}

func three[C any](family, operands, trained string, f func(c C, a, b, d node) (node, error)) function {
	names := strings.Fields(operands)
	return of(family, operands, trained, func(c C, in func(string) node) (node, error) {
		return f(c, in(names[0]), in(names[1]), in(names[2]))
	})
}

// nothing is a configuration without options, and reduction one with the reduction alone.
type (
	nothing   struct{}
	reduction struct{ Reduction loss.Reduction }
)

var functions = map[string]function{
	"CrossEntropy":                 two("scores", "logits targets", func(_ nothing, a, b node) (node, error) { return loss.CrossEntropy(a, b) }),
	"Options.CrossEntropy":         two("scores", "logits targets", loss.Options.CrossEntropy),
	"Options.CrossEntropyWeighted": three("scores", "logits targets weights", "logits", loss.Options.CrossEntropyWeighted),
	"LinearCrossEntropy": three("linear", "x w targets", "x w", func(_ nothing, a, b, c node) (node, error) {
		return loss.LinearCrossEntropy(a, b, c)
	}),
	"Options.LinearCrossEntropy": three("linear", "x w targets", "x w", loss.Options.LinearCrossEntropy),
	"Options.LinearCrossEntropyWeighted": of("linear", "x w targets weights", "x w", func(o loss.Options, in func(string) node) (node, error) {
		return o.LinearCrossEntropyWeighted(in("x"), in("w"), in("targets"), in("weights"))
	}),
	"SequenceLogProb":               two("scores", "logits targets", func(_ nothing, a, b node) (node, error) { return loss.SequenceLogProb(a, b) }),
	"TokenLogProb":                  two("scores", "logits targets", func(_ nothing, a, b node) (node, error) { return loss.TokenLogProb(a, b) }),
	"Options.SequenceLogProb":       two("scores", "logits targets", loss.Options.SequenceLogProb),
	"Options.LinearSequenceLogProb": three("linear", "x w targets", "x w", loss.Options.LinearSequenceLogProb),
	"SoftCrossEntropy": two("soft", "logits probs", func(c reduction, a, b node) (node, error) {
		return loss.SoftCrossEntropy(a, b, c.Reduction)
	}),
	"Options.SoftCrossEntropy":         two("soft", "logits probs", loss.Options.SoftCrossEntropy),
	"Options.SoftCrossEntropyWeighted": three("soft", "logits probs weights", "logits", loss.Options.SoftCrossEntropyWeighted),
	"BinaryCrossEntropy":               two("binary", "logits targets", func(_ nothing, a, b node) (node, error) { return loss.BinaryCrossEntropy(a, b) }),
	"Binary.CrossEntropy":              two("binary", "logits targets", loss.Binary.CrossEntropy),
	"Binary.CrossEntropyWeighted":      three("binary", "logits targets weights", "logits", loss.Binary.CrossEntropyWeighted),
	"KLDivergence": two("divergence", "student teacher", func(c reduction, a, b node) (node, error) {
		return loss.KLDivergence(a, b, c.Reduction)
	}),
	"Distillation.Divergence":         two("divergence", "student teacher", loss.Distillation.Divergence),
	"Distillation.DivergenceWeighted": three("divergence", "student teacher weights", "student", loss.Distillation.DivergenceWeighted),
	"DPO.Loss": of("pairs", "chosen rejected ref_chosen ref_rejected", "chosen rejected", func(d loss.DPO, in func(string) node) (node, error) {
		p := loss.Pairs{Chosen: in("chosen"), Rejected: in("rejected")}
		if !d.ReferenceFree {
			p.RefChosen, p.RefRejected = in("ref_chosen"), in("ref_rejected")
		}
		return d.Loss(p)
	}),
	"PolicyGradient.Loss": of("rollout", "now advantages old weights", "now", func(p loss.PolicyGradient, in func(string) node) (node, error) {
		r := loss.Rollout{LogProbs: in("now"), Advantages: in("advantages"), Old: in("old"), Weights: in("weights")}
		if p.KL != 0 {
			r.Reference = in("reference")
		}
		return p.Loss(r)
	}),
}

// values are some for every field, for those that a function must refuse.
var values = map[string]string{
	"Ignore": "[1]", "Weights": "[1,1,2,1,1]", "LabelSmoothing": "0.1", "ZLoss": "0.1", "FocalGamma": "1",
}

// The functions are those of the package.
func TestEveryLossIsListed(t *testing.T) {
	var all []string
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 2 {
				continue
			}
			if pointer, ok := f.Type.Results.List[0].Type.(*ast.StarExpr); !ok || pointer.X.(*ast.SelectorExpr).Sel.Name != "Node" {
				continue
			}
			name := f.Name.Name
			if f.Recv != nil {
				name = f.Recv.List[0].Type.(*ast.Ident).Name + "." + name
			}
			all = append(all, name)
		}
	}
	slices.Sort(all)
	if here := slices.Sorted(maps.Keys(functions)); !slices.Equal(all, here) {
		t.Errorf("the package has %v; with proofs are %v", all, here)
	}
}
