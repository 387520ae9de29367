package layers_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
)

// precisions are the types models run in and how closely they must agree with PyTorch in float64.
var precisions = []struct {
	name  string
	dtype tensor.Dtype
	tol   float64
}{{"float32", tensor.Float32, 2e-5}, {"float64", tensor.Float64, 1e-9}}

// config returns the model that the metadata of a case describes.
func config(t testing.TB, meta map[string]string) layers.Config {
	t.Helper()
	num := func(key string) int {
		v, err := strconv.Atoi(meta[key])
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	c := layers.Config{
		VocabSize: num("V"), ContextLength: num("T"), DModel: num("d"), NumLayers: num("layers"),
		NumHeads: num("heads"), NumKVHeads: num("kv_heads"), DFF: num("ff"), TieEmbeddings: meta["tied"] == "True",
	}
	// The names of the kinds are those of config.json.
	kinds, err := json.Marshal(map[string]string{"norm": meta["norm"], "position": meta["pos"], "activation": meta["ffn"]})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(kinds, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// newModel makes the model of a case, with its parameters.
func newModel(t testing.TB, c *oracle.Case, dt tensor.Dtype) (*graph.Params, *layers.TransformerLM) {
	t.Helper()
	ps := graph.NewParams(1, graph.DType(dt))
	m, err := layers.NewTransformerLM(ps.Root(), config(t, c.Meta))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range ps.All() {
		v := c.Get(t, "in."+name)
		if !p.Shape().Eq(tensor.Shape(v.Shape)) {
			t.Fatalf("%s is %v, want %v", name, p.Shape(), v.Shape)
		}
		switch data := p.Value().Data().(type) {
		case []float32:
			copy(data, v.Float32s())
		case []float64:
			copy(data, v.Floats)
		}
	}
	return ps, m
}

func check(t *testing.T, what string, v gorgonia.Value, want []float64, tol float64) {
	t.Helper()
	oracle.CheckData(t, what, v.Data(), want, tol)
}

// Logits, loss and every gradient of four language models agree with PyTorch.
func TestModelsAgreeWithPyTorch(t *testing.T) {
	for _, name := range []string{"lm", "lm_gqa_tied", "lm_learned_gelu", "lm_layernorm"} {
		for _, p := range precisions {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				c := oracle.Load(t, name)
				ps, m := newModel(t, c, p.dtype)
				ids, targets := c.Get(t, "in.ids"), c.Get(t, "in.targets")
				g := graph.New(graph.DType(p.dtype))
				x := g.Tokens("tokens", ids.Shape[0], ids.Shape[1])
				y := g.Tokens("targets", ids.Shape[0], ids.Shape[1])
				logits := m.Forward(x)
				cost := graph.Apply2(loss.CrossEntropy, logits, y)
				prog, err := graph.CompileTrain(cost, logits)
				if err != nil {
					t.Fatal(err)
				}
				feed := graph.Feed{x: graph.Ints(ids.Ints, ids.Shape...), y: graph.Ints(targets.Ints, ids.Shape...)}
				if err := prog.Run(t.Context(), feed); err != nil {
					t.Fatal(err)
				}
				for node, want := range map[graph.Node]string{logits: "out.logits", cost: "out.y"} {
					v, err := prog.Value(node)
					if err != nil {
						t.Fatal(err)
					}
					check(t, want, v, c.Get(t, want).Floats, p.tol)
				}
				for name, param := range ps.All() {
					v, err := param.Grad()
					if err != nil {
						t.Fatal(err)
					}
					check(t, "grad."+name, v, c.Get(t, "grad."+name).Floats, p.tol)
				}
			})
		}
	}
}

// A generating graph agrees with one over whole sequences, token by token and in chunks.
func TestDecodeAgreesWithForward(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config layers.Config
	}{
		{"llama", layers.Config{}},
		{"grouped tied", layers.Config{NumKVHeads: 2, TieEmbeddings: true, SplitRoPE: true}},
		{"gpt2", layers.Config{Norm: layers.NormLayer, Position: layers.Learned, Activation: layers.GELUTanh, Bias: true, Dropout: 0.5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const seq = 75
			c := tt.config
			c.VocabSize, c.ContextLength, c.DModel, c.NumLayers, c.NumHeads = 31, 80, 32, 2, 4
			m, err := layers.NewTransformerLM(graph.NewParams(3).Root(), c)
			if err != nil {
				t.Fatal(err)
			}
			ids := make([]int, seq)
			for i := range ids {
				ids[i] = i * 7 % 31
			}
			g := graph.New()
			tokens := g.Tokens("tokens", 1, seq)
			logits := m.Forward(tokens)
			prog, err := graph.Compile(logits)
			if err != nil {
				t.Fatal(err)
			}
			if err := prog.Run(t.Context(), graph.Feed{tokens: graph.Ints(ids, 1, seq)}); err != nil {
				t.Fatal(err)
			}
			v, err := prog.Value(logits)
			if err != nil {
				t.Fatal(err)
			}
			all := v.Data().([]float32)
			dec, err := graph.NewDecoder(m.Forward, 80)
			if err != nil {
				t.Fatal(err)
			}
			at := 0
			for _, n := range []int{1, 1, 40, 3, 1, 29} {
				got, err := dec.Next(t.Context(), ids[at:at+n]...)
				if err != nil {
					t.Fatal(err)
				}
				at += n
				var want []float64
				for _, w := range all[(at-1)*31 : at*31] {
					want = append(want, float64(w))
				}
				oracle.Check(t, "logits after "+strconv.Itoa(at), got, want, 1e-5)
			}
			if dec.Len() != seq {
				t.Errorf("Len() = %d, want %d", dec.Len(), seq)
			}
		})
	}
}
