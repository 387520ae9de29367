package layers

import (
	"io"
	"io/fs"
	"math"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/llama2c"
	"github.com/logits-go/logits/internal/weights"
)

// What llama2.c's files do not say, as its program has it built in.
const (
	llama2cEps   = 1e-5
	llama2cTheta = 10000
)

// A flat file holds tensors one behind the other. Their names here are those of Hugging Face.
type flat struct {
	numbers []byte
	turns   int // cosines and sines, which a model computes, before the output layer or at the end
}

func openLlama2C(fsys fs.FS, name string) (*checkpoint, error) {
	m, err := weights.Map(fsys, name)
	if err != nil {
		return nil, err
	}
	h, numbers, err := llama2c.Parse(m.Data)
	if err != nil {
		m.Close()
		return nil, err
	}
	f, err := weights.New(nil, m)
	if err != nil {
		return nil, err
	}
	return &checkpoint{
		config: Config{
			VocabSize: h.Vocab, ContextLength: h.Context, DModel: h.Dim, DFF: h.Hidden,
			NumLayers: h.Layers, NumHeads: h.Heads, NumKVHeads: h.KVHeads, TieEmbeddings: h.Tied,
			NormEps: llama2cEps, RoPETheta: llama2cTheta,
		},
		weights:   f,
		templates: llamaTemplates(),
		flat:      &flat{numbers: numbers, turns: h.Turns()},
	}, nil
}

// cut returns the tensors of a model with such slots.
func (f *flat) cut(slots []slot) map[string]weights.Tensor {
	tensors := make(map[string]weights.Tensor)
	rest := f.numbers
	for _, s := range slots {
		if s.name == "lm_head.weight" {
			rest = rest[4*f.turns:]
		}
		t := weights.Tensor{Name: s.name, DType: weights.F32, Shape: s.shape()}
		t.Data, rest = rest[:4*t.Len()], rest[4*t.Len():]
		tensors[s.name] = t
	}
	return tensors
}

// writeLlama2C writes m as a .bin file of llama2.c.
func writeLlama2C(w io.Writer, m *TransformerLM) error {
	c := m.Config
	if err := c.isLlama(); err != nil {
		return err
	}
	if c.Bias {
		return errors.New("llama2.c has no Bias")
	}
	if c.NormEps != llama2cEps || c.RoPETheta != llama2cTheta {
		return errors.Errorf("layers: llama2.c has NormEps %v and RoPETheta %v, the model %v and %v", llama2cEps, llama2cTheta, c.NormEps, c.RoPETheta)
	}
	slots, err := m.slots(llamaTemplates(), false)
	if err != nil {
		return err
	}
	h := llama2c.Header{
		Dim: c.DModel, Hidden: c.DFF, Layers: c.NumLayers, Heads: c.NumHeads, KVHeads: c.NumKVHeads,
		Vocab: c.VocabSize, Context: c.ContextLength, Tied: c.TieEmbeddings,
	}
	data, err := h.Append(nil)
	if err != nil {
		return err
	}
	write := func(numbers []float32) {
		data = weights.Append(data, weights.F32, numbers)
		if err == nil {
			_, err = w.Write(data)
		}
		data = data[:0]
	}
	turned := false
	turn := func() {
		if !turned {
			write(turns(c, math.Cos))
			write(turns(c, math.Sin))
		}
		turned = true
	}
	for _, s := range slots {
		if s.name == "lm_head.weight" {
			turn()
		}
		write(s.numbers())
	}
	turn()
	return errors.WithStack(err)
}

// turns returns f of the angles of all positions (context, headDim/2).
func turns(c Config, f func(float64) float64) (out []float32) {
	head := c.DModel / c.NumHeads
	for at := range c.ContextLength {
		for i := 0; i < head; i += 2 {
			out = append(out, float32(f(float64(at)*math.Pow(c.RoPETheta, -float64(i)/float64(head)))))
		}
	}
	return out
}
