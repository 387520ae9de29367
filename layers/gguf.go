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
	c := &checkpoint{weights: f, templates: ggufTemplates()}
	if c.config, err = ggufConfig(values, f.Tensors); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

// ggufConfig reads llama.cpp's settings of a Llama. Settings of other programs, of the tokenizer and of the author are
// not for the model.
func ggufConfig(values map[string]any, tensors map[string]weights.Tensor) (Config, error) {
	if a := values["general.architecture"]; a != "llama" {
		return Config{}, errors.Errorf("general.architecture %v is not supported, want llama", a)
	}
	s := &settings{values: make(map[string]json.RawMessage)}
	for key, v := range values {
		if strings.HasPrefix(key, "llama.") || strings.HasPrefix(key, "split.") {
			value, err := json.Marshal(v) // which writes the shortest number that is the same float32
			if err != nil {
				return Config{}, errors.Wrap(err, key)
			}
			s.values[key] = value
		}
	}
	_, untied := tensors["output.weight"]
	c := Config{
		ContextLength: s.size("llama.context_length"),
		DModel:        s.size("llama.embedding_length"),
		NumLayers:     s.size("llama.block_count"),
		DFF:           s.size("llama.feed_forward_length"),
		NumHeads:      s.size("llama.attention.head_count"),
		NormEps:       s.positive("llama.attention.layer_norm_rms_epsilon", 0),
		RoPETheta:     s.positive("llama.rope.freq_base", 10000),
		TieEmbeddings: !untied,
	}
	c.NumKVHeads = s.size("llama.attention.head_count_kv", c.NumHeads)
	if shape := tensors["token_embd.weight"].Shape; len(shape) == 2 {
		c.VocabSize = shape[0]
	} else {
		s.fail("missing token_embd.weight (vocab, dim)")
	}
	want(s, "llama.vocab_size", c.VocabSize)
	if c.NumHeads > 0 {
		for _, key := range []string{"llama.rope.dimension_count", "llama.attention.key_length", "llama.attention.value_length"} {
			want(s, key, c.DModel/c.NumHeads)
		}
	}
	want(s, "llama.rope.scaling.type", "none")
	want(s, "split.count", 0)
	s.skip("split.no", "split.tensors.count")
	return c, s.err()
}

// writeGGUF writes m, with a tokenizer if there is one, as a file of llama.cpp.
func writeGGUF(w io.Writer, m *TransformerLM, d weights.DType, tokenizer []byte) error {
	c := m.Config
	if err := c.isLlama(); err != nil {
		return err
	}
	slots, err := m.slots(ggufTemplates(), false)
	if err != nil {
		return err
	}
	values := []gguf.Setting{
		{Key: "general.architecture", Value: "llama"},
		{Key: "general.file_type", Value: ggufFileTypes[d]},
		{Key: "llama.vocab_size", Value: uint32(c.VocabSize)},
		{Key: "llama.context_length", Value: uint32(c.ContextLength)},
		{Key: "llama.embedding_length", Value: uint32(c.DModel)},
		{Key: "llama.block_count", Value: uint32(c.NumLayers)},
		{Key: "llama.feed_forward_length", Value: uint32(c.DFF)},
		{Key: "llama.attention.head_count", Value: uint32(c.NumHeads)},
		{Key: "llama.attention.head_count_kv", Value: uint32(c.NumKVHeads)},
		{Key: "llama.attention.layer_norm_rms_epsilon", Value: float32(c.NormEps)},
		{Key: "llama.rope.dimension_count", Value: uint32(c.DModel / c.NumHeads)},
		{Key: "llama.rope.freq_base", Value: float32(c.RoPETheta)},
	}
	if tokenizer != nil {
		more, err := gguf.Tokenizer(tokenizer, c.VocabSize)
		if err != nil {
			return err
		}
		values = append(values, more...)
	}
	var sources []gguf.Source
	for _, s := range slots {
		d := ggufType(d, s.shape())
		sources = append(sources, gguf.Source{Name: s.name, DType: d, Shape: s.shape(), Data: func() []byte {
			return weights.Append(nil, d, s.numbers())
		}})
	}
	return gguf.Write(w, values, sources)
}

// ggufType returns the type of a tensor in a file of type d. llama.cpp wants vectors in float32, and blocks fill rows.
func ggufType(d weights.DType, shape []int) weights.DType {
	switch {
	case len(shape) == 1:
		return weights.F32
	case d == weights.Q8_0 && !weights.Blocks(shape[1]):
		return weights.F16
	}
	return d
}
