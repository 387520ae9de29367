package layers

import (
	"encoding/json"
	"io"
	"io/fs"
	"strings"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/gguf"
	"github.com/logits-go/logits/internal/weights"
)

// ggufFileTypes are llama.cpp's numbers for what most tensors of a file hold.
var ggufFileTypes = map[weights.DType]uint32{weights.F32: 0, weights.F16: 1, weights.Q8_0: 7, weights.BF16: 32}

func openGGUF(fsys fs.FS, name string) (*checkpoint, error) {
	m, err := weights.Map(fsys, name)
	if err != nil {
		return nil, err
	}
	values, tensors, err := gguf.Parse(m.Data)
	if err != nil {
		m.Close()
		return nil, err
	}
	f, err := weights.New(tensors, m)
	if err != nil {
		m.Close()
		return nil, err
	}
	c := &checkpoint{weights: f}
	if err := c.configureGGUF(values); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

// configureGGUF reads llama.cpp's settings of a Llama or a GPT-2. Settings of other programs, of the tokenizer and of the
// author are not for the model.
func (c *checkpoint) configureGGUF(values map[string]any) error {
	architecture, _ := values["general.architecture"].(string)
	s := &settings{values: make(map[string]json.RawMessage)}
	for key, v := range values {
		if strings.HasPrefix(key, architecture+".") || strings.HasPrefix(key, "split.") {
			value, err := json.Marshal(v) // which writes the shortest number that is the same float32
			if err != nil {
				return errors.Wrap(err, key)
			}
			s.values[key] = value
		}
	}
	switch architecture {
	case "llama":
		c.config, c.templates = ggufLlama(s), ggufTemplates()
		_, c.config.Bias = c.weights.Tensors["blk.0.attn_q.bias"] // and then all of them are wanted
	case "gpt2":
		c.config, c.templates = ggufGPT2(s), gpt2GGUF
		// Earlier versions of llama.cpp want the embedding once more as the output layer, which GPT-2 does not have.
		if err := c.dropCopy("output.weight", "token_embd.weight"); err != nil {
			return err
		}
	default:
		return errors.Errorf("general.architecture %v is not supported, want llama or gpt2", values["general.architecture"])
	}
	_, untied := c.weights.Tensors["output.weight"]
	c.config.TieEmbeddings = !untied
	if shape := c.weights.Tensors["token_embd.weight"].Shape; len(shape) == 2 {
		c.config.VocabSize = shape[0]
	} else {
		s.fail("missing token_embd.weight (vocab, dim)")
	}
	want(s, architecture+".vocab_size", c.config.VocabSize)
	want(s, "split.count", 0)
	s.skip("split.no", "split.tensors.count")
	return s.err()
}

// ggufSizes reads what Llama and GPT-2 have in common.
func ggufSizes(s *settings, architecture string) Config {
	c := Config{
		ContextLength: s.size(architecture + ".context_length"),
		DModel:        s.size(architecture + ".embedding_length"),
		NumLayers:     s.size(architecture + ".block_count"),
		DFF:           s.size(architecture + ".feed_forward_length"),
		NumHeads:      s.size(architecture + ".attention.head_count"),
	}
	if c.NumHeads > 0 {
		want(s, architecture+".attention.key_length", c.DModel/c.NumHeads)
		want(s, architecture+".attention.value_length", c.DModel/c.NumHeads)
	}
	return c
}

func ggufLlama(s *settings) Config {
	c := ggufSizes(s, "llama")
	c.NumKVHeads = s.size("llama.attention.head_count_kv", c.NumHeads)
	c.NormEps = s.positive("llama.attention.layer_norm_rms_epsilon", 0)
	c.RoPETheta = s.positive("llama.rope.freq_base", 10000)
	if c.NumHeads > 0 {
		want(s, "llama.rope.dimension_count", c.DModel/c.NumHeads)
	}
	want(s, "llama.rope.scaling.type", "none")
	return c
}

func ggufGPT2(s *settings) Config {
	c := ggufSizes(s, "gpt2")
	c.Norm, c.Position, c.Activation, c.Bias = NormLayer, Learned, GELUTanh, true
	c.NormEps = s.positive("gpt2.attention.layer_norm_epsilon", 0)
	want(s, "gpt2.attention.head_count_kv", c.NumHeads)
	return c
}

// writeGGUF writes m, with a tokenizer if there is one, as a file of llama.cpp.
func writeGGUF(w io.Writer, m *TransformerLM, d weights.DType, tokenizer []byte) error {
	c := m.Config
	var architecture string
	var templates []template
	var values []gguf.Setting
	switch llama, gpt2 := c.isLlama(), c.isGPT2(); {
	case llama == nil:
		architecture, templates = "llama", ggufTemplates()
		values = []gguf.Setting{
			{Key: "llama.attention.head_count_kv", Value: uint32(c.NumKVHeads)},
			{Key: "llama.attention.layer_norm_rms_epsilon", Value: float32(c.NormEps)},
			{Key: "llama.rope.dimension_count", Value: uint32(c.DModel / c.NumHeads)},
			{Key: "llama.rope.freq_base", Value: float32(c.RoPETheta)},
		}
	case gpt2 == nil && c.Activation != GELUTanh:
		return errors.Errorf("llama.cpp's GPT-2 has activation %v, the model %v", GELUTanh, c.Activation)
	case gpt2 == nil:
		architecture, templates = "gpt2", gpt2GGUF
		values = []gguf.Setting{{Key: "gpt2.attention.layer_norm_epsilon", Value: float32(c.NormEps)}}
	default:
		return errors.Errorf("no architecture of llama.cpp: %v, and %v", llama, gpt2)
	}
	slots, err := m.slots(templates, false)
	if err != nil {
		return err
	}
	values = append([]gguf.Setting{
		{Key: "general.architecture", Value: architecture},
		{Key: "general.file_type", Value: ggufFileTypes[d]},
		{Key: architecture + ".vocab_size", Value: uint32(c.VocabSize)},
		{Key: architecture + ".context_length", Value: uint32(c.ContextLength)},
		{Key: architecture + ".embedding_length", Value: uint32(c.DModel)},
		{Key: architecture + ".block_count", Value: uint32(c.NumLayers)},
		{Key: architecture + ".feed_forward_length", Value: uint32(c.DFF)},
		{Key: architecture + ".attention.head_count", Value: uint32(c.NumHeads)},
	}, values...)
	if tokenizer != nil {
		more, err := gguf.Tokenizer(tokenizer, c.VocabSize)
		if err != nil {
			return err
		}
		values = append(values, more...)
	}
	var sources []gguf.Source
	for _, s := range slots {
		d := ggufType(d, s)
		sources = append(sources, gguf.Source{Name: s.name, DType: d, Shape: s.shape(), Data: func() []byte {
			return weights.Append(nil, d, s.numbers())
		}})
	}
	return gguf.Write(w, values, sources)
}

// ggufPositions are learned positions.
const ggufPositions = "position_embd.weight"

// ggufType returns the type of a tensor in a file of type d. llama.cpp wants vectors in float32 and leaves positions so,
// and blocks fill rows.
func ggufType(d weights.DType, s slot) weights.DType {
	switch shape := s.shape(); {
	case len(shape) == 1 || s.name == ggufPositions:
		return weights.F32
	case d == weights.Q8_0 && !weights.Blocks(shape[1]):
		return weights.F16
	}
	return d
}
