package layers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// A template describes tensors of a file format. In its names # stands for the number of each layer.
type template struct {
	name   string   // in the file
	params []string // of the parameters that the tensor holds one behind the other, as in a model made at the root
	layout layout
}

// A slot is a tensor of a file and the parameters that it holds.
type slot struct {
	name   string
	params []*graph.Param
	layout layout
	head   int // rows of a head, if the layout is of rotary positions
}

// slots returns the tensors of m in a format, in the order of its templates. split says how the format pairs elements
// under rotary positions, as Config.SplitRoPE does. A template whose parameters m does not have has no slots, but a
// parameter without a slot is an error. Without templates the tensors are the parameters under their own names.
func (m *TransformerLM) slots(templates []template, split bool) ([]slot, error) {
	all, err := m.named()
	if err != nil {
		return nil, err
	}
	var slots []slot
	if templates == nil {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			slots = append(slots, slot{name: name, params: []*graph.Param{all[name]}})
		}
		return slots, nil
	}
	left := maps.Clone(all)
	for _, t := range templates {
		copies := 1
		if strings.Contains(t.name, "#") {
			copies = len(m.Layers)
		}
		for i := range copies {
			number := strings.NewReplacer("#", fmt.Sprint(i))
			s := slot{name: number.Replace(t.name), layout: t.layout.of(m.Config.SplitRoPE, split), head: m.Config.DModel / m.Config.NumHeads}
			for _, name := range t.params {
				name = number.Replace(name)
				if p := all[name]; p != nil {
					s.params = append(s.params, p)
					delete(left, name)
				}
			}
			switch len(s.params) {
			case len(t.params):
				slots = append(slots, s)
			case 0:
			default:
				return nil, errors.Errorf("layers: %s needs all of %q", s.name, t.params)
			}
		}
	}
	if len(left) > 0 {
		return nil, errors.Errorf("layers: the format has no place for %s", strings.Join(slices.Sorted(maps.Keys(left)), ", "))
	}
	return slots, nil
}

// named returns the parameters of m under the names they have in a model that is made at the root.
func (m *TransformerLM) named() (map[string]*graph.Param, error) {
	n := naming{params: make(map[string]*graph.Param)}
	n.layer("token_embeddings", m.TokenEmbeddings)
	if m.Positions != nil {
		n.layer("position_embeddings", m.Positions)
	}
	for i, b := range m.Layers {
		path := fmt.Sprintf("layers.%d.", i)
		n.layer(path+"ln1", b.Norm1)
		n.layer(path+"attn.q_proj", b.Attn.Q)
		n.layer(path+"attn.k_proj", b.Attn.K)
		n.layer(path+"attn.v_proj", b.Attn.V)
		n.layer(path+"attn.output_proj", b.Attn.Out)
		n.layer(path+"ln2", b.Norm2)
		n.layer(path+"ffn", b.FFN)
	}
	n.layer("ln_final", m.Norm)
	if m.LMHead != nil {
		n.layer("lm_head", m.LMHead)
	}
	return n.params, n.err
}

// naming collects parameters by name.
type naming struct {
	params map[string]*graph.Param
	err    error
}

func (n *naming) layer(path string, l any) {
	switch l := l.(type) {
	case *Embedding:
		n.params[path+".weight"] = l.Weight
	case *Positions:
		n.params[path+".weight"] = l.Weight
	case *Linear:
		n.params[path+".weight"] = l.Weight
		if l.Bias != nil {
			n.params[path+".bias"] = l.Bias
		}
	case *RMSNorm:
		n.params[path+".weight"] = l.Weight
	case *LayerNorm:
		n.params[path+".weight"], n.params[path+".bias"] = l.Weight, l.Bias
	case *SwiGLU:
		n.layer(path+".w1", l.W1)
		n.layer(path+".w2", l.W2)
		n.layer(path+".w3", l.W3)
	case *FFN:
		n.layer(path+".w1", l.W1)
		n.layer(path+".w2", l.W2)
	default:
		if n.err == nil {
			n.err = errors.Errorf("layers: %s is a %T, which no format describes", path, l)
		}
	}
}
