package layers

import (
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// Config describes a Transformer language model. The first five fields are needed; the zero values of the others give
// the model of Stanford's CS336 and of Llama.
type Config struct {
	VocabSize     int `json:"vocab_size"`
	ContextLength int `json:"context_length"` // longest sequence in tokens
	DModel        int `json:"d_model"`        // width of the residual stream
	NumLayers     int `json:"num_layers"`
	NumHeads      int `json:"num_heads"`

	NumKVHeads int `json:"num_kv_heads,omitempty"` // heads of keys and values; 0 means NumHeads
	// DFF is the width of the feed-forward network; 0 means 8/3·DModel rounded up to a multiple of 64 for SwiGLU, and
	// 4·DModel for the others.
	DFF int `json:"d_ff,omitempty"`

	Activation Activation `json:"activation,omitzero"`
	Norm       Norm       `json:"norm,omitzero"`
	NormEps    float64    `json:"norm_eps,omitempty"` // 0 means 1e-5
	Position   Position   `json:"position,omitzero"`
	RoPETheta  float64    `json:"rope_theta,omitempty"` // 0 means 10000
	SplitRoPE  bool       `json:"split_rope,omitempty"` // pair elements half a head apart, as Hugging Face's Llama does

	Bias          bool `json:"bias,omitempty"`           // of the linear layers in blocks
	TieEmbeddings bool `json:"tie_embeddings,omitempty"` // use the embedding as the output layer too
	// Dropout is the share of elements that training drops after the embedding and from what attention and
	// feed-forward network add, as in GPT-2. Attention itself drops nothing.
	Dropout float64 `json:"dropout,omitempty"`
	// Checkpoint has training compute the inside of every block again in the backward pass instead of keeping it: less
	// memory, more time, the same results. See graph.Checkpoint.
	Checkpoint bool `json:"checkpoint,omitempty"`
}

// An Activation is the kind of a feed-forward network.
type Activation int

// The feed-forward networks.
const (
	GatedSiLU Activation = iota // SwiGLU, with three matrices
	GELU                        // with two matrices, as are the following
	GELUTanh                    // as in GPT-2
	ReLU
	SiLU
)

var activations = []string{"swiglu", "gelu", "gelu_tanh", "relu", "silu"}

// apply applies an activation other than GatedSiLU, which is no function of one operand.
func (a Activation) apply(x graph.Node) graph.Node {
	switch a {
	case GELU:
		return x.GELU()
	case GELUTanh:
		return x.GELUTanh()
	case ReLU:
		return x.ReLU()
	case SiLU:
		return x.SiLU()
	}
	return x.Graph().Wrap(nil, errors.Errorf("layers: FFN: no activation %d (%v)", int(a), a))
}

// A Norm is a kind of normalization.
type Norm int

// The normalizations.
const (
	NormRMS Norm = iota
	NormLayer
)

var norms = []string{"rmsnorm", "layernorm"}

// A Position says how a model knows the order of tokens.
type Position int

// The kinds of positions.
const (
	Rotary    Position = iota // RoPE
	Learned                   // a vector for each position
	Unordered                 // none: only the causal mask tells tokens apart
)

var positions = []string{"rope", "learned", "none"}

// MarshalText and UnmarshalText, here and below, give the kinds their names in config.json.
func (a Activation) MarshalText() ([]byte, error) { return marshal("activation", activations, int(a)) }
func (a *Activation) UnmarshalText(text []byte) error {
	return unmarshal("activation", activations, a, text)
}
func (a Activation) String() string { return name(activations, int(a)) }

func (n Norm) MarshalText() ([]byte, error)     { return marshal("norm", norms, int(n)) }
func (n *Norm) UnmarshalText(text []byte) error { return unmarshal("norm", norms, n, text) }
func (n Norm) String() string                   { return name(norms, int(n)) }

func (p Position) MarshalText() ([]byte, error)     { return marshal("position", positions, int(p)) }
func (p *Position) UnmarshalText(text []byte) error { return unmarshal("position", positions, p, text) }
func (p Position) String() string                   { return name(positions, int(p)) }

func name(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return "invalid"
	}
	return names[i]
}

func marshal(what string, names []string, i int) ([]byte, error) {
	if i < 0 || i >= len(names) {
		return nil, errors.Errorf("layers: %s %d", what, i)
	}
	return []byte(names[i]), nil
}

func unmarshal[K ~int](what string, names []string, k *K, text []byte) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return errors.Errorf("layers: %s %q, want one of %q", what, text, names)
	}
	*k = K(i)
	return nil
}

// maxWidth bounds the sizes of a model, so that their products cannot overflow.
const maxWidth = 1 << 28

// WithDefaults returns c with its optional fields filled in, or an error if c makes no model.
func (c Config) WithDefaults() (Config, error) {
	for _, f := range []struct {
		name string
		v    int
	}{
		{"VocabSize", c.VocabSize}, {"ContextLength", c.ContextLength}, {"DModel", c.DModel},
		{"NumLayers", c.NumLayers}, {"NumHeads", c.NumHeads},
	} {
		if f.v <= 0 || f.v > maxWidth {
			return c, errors.Errorf("layers: %s is %d", f.name, f.v)
		}
	}
	switch {
	case c.Activation < GatedSiLU || c.Activation > SiLU:
		return c, errors.Errorf("layers: activation %d", c.Activation)
	case c.Norm < NormRMS || c.Norm > NormLayer:
		return c, errors.Errorf("layers: norm %d", c.Norm)
	case c.Position < Rotary || c.Position > Unordered:
		return c, errors.Errorf("layers: position %d", c.Position)
	}
	if c.NumKVHeads == 0 {
		c.NumKVHeads = c.NumHeads
	}
	if c.DFF == 0 {
		c.DFF = 4 * c.DModel
		if c.Activation == GatedSiLU {
			c.DFF = (8*c.DModel + 3*64 - 1) / (3 * 64) * 64
		}
	}
	if c.NormEps == 0 {
		c.NormEps = 1e-5
	}
	if c.RoPETheta == 0 && c.Position == Rotary {
		c.RoPETheta = 10000
	}
	switch {
	case c.DModel%c.NumHeads != 0:
		return c, errors.Errorf("layers: %d heads do not divide DModel %d", c.NumHeads, c.DModel)
	case c.NumKVHeads < 0 || c.NumHeads%c.NumKVHeads != 0:
		return c, errors.Errorf("layers: %d heads of keys and values do not divide %d heads", c.NumKVHeads, c.NumHeads)
	case c.DFF < 0 || c.DFF > maxWidth:
		return c, errors.Errorf("layers: DFF is %d", c.DFF)
	case !(c.NormEps > 0 && c.NormEps < 1):
		return c, errors.Errorf("layers: NormEps is %v", c.NormEps)
	case c.Position == Rotary && c.DModel/c.NumHeads%2 != 0:
		return c, errors.Errorf("layers: RoPE needs heads of even width, %d heads of DModel %d are not", c.NumHeads, c.DModel)
	case c.Position == Rotary && (!(c.RoPETheta > 0) || c.RoPETheta-c.RoPETheta != 0):
		return c, errors.Errorf("layers: RoPETheta is %v", c.RoPETheta)
	case c.Position != Rotary && (c.RoPETheta != 0 || c.SplitRoPE):
		return c, errors.Errorf("layers: options of RoPE with %v positions", c.Position)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return c, errors.Errorf("layers: Dropout is %v", c.Dropout)
	}
	return c, nil
}
