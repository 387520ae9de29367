package layers

import (
	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// TransformerLM is a decoder-only Transformer language model.
type TransformerLM struct {
	Config          Config        // complete
	Params          *graph.Params // where the weights are, perhaps among others; nil if NewTransformerLM did not make the model
	TokenEmbeddings *Embedding
	Positions       *Positions // nil unless positions are learned
	Layers          []*Block
	Norm            Layer
	LMHead          *Linear // nil if the embedding is the output layer
}

var _ Layer = (*TransformerLM)(nil)

// NewTransformerLM makes the model that c describes, with parameters named below s. Weights are drawn as in CS336:
// matrices normal with variance 2/(in+out), embeddings with variance 1, both cut at three standard deviations, gains 1.
// A tied embedding has standard deviation 0.02, as in GPT-2, for logits of unit scale.
func NewTransformerLM(s graph.Scope, c Config) (*TransformerLM, error) {
	c, err := c.WithDefaults()
	if err != nil {
		return nil, err
	}
	m := &TransformerLM{Config: c, Params: s.Params()}
	if embeddings := s.At("token_embeddings"); c.TieEmbeddings {
		m.TokenEmbeddings = &Embedding{Weight: embeddings.Param("weight", graph.TruncNormal(0.02), c.VocabSize, c.DModel)}
	} else {
		m.TokenEmbeddings = NewEmbedding(embeddings, c.VocabSize, c.DModel)
	}
	if c.Position == Learned {
		m.Positions = NewPositions(s.At("position_embeddings"), c.ContextLength, c.DModel)
	}
	for i := range c.NumLayers {
		m.Layers = append(m.Layers, NewBlock(s.At("layers", i), c))
	}
	m.Norm = newNorm(s.At("ln_final"), c)
	if !c.TieEmbeddings {
		m.LMHead = NewLinear(s.At("lm_head"), c.DModel, c.VocabSize)
	}
	if err := s.Err(); err != nil {
		return nil, errors.WithMessage(err, "layers: NewTransformerLM")
	}
	return m, nil
}

// Forward maps tokens (batch, seq) to logits (batch, seq, vocab), which are unnormalized.
func (m *TransformerLM) Forward(tokens graph.Node) graph.Node {
	if m.Head() == nil {
		return missing(tokens, "TransformerLM")
	}
	x := m.Hidden(tokens)
	return x.Linear(x.Param(m.Head()))
}

// Head returns the weight (vocab, dim) of the output layer: logits are Hidden(tokens)·Headᵀ.
func (m *TransformerLM) Head() *graph.Param {
	switch {
	case m.LMHead != nil:
		return m.LMHead.Weight
	case m.TokenEmbeddings != nil:
		return m.TokenEmbeddings.Weight
	}
	return nil
}

// Hidden maps tokens (batch, seq) to what the output layer turns into logits, (batch, seq, dim). Training needs no more
// than that: loss.LinearCrossEntropy takes it and Head, and makes a part of the logits at a time.
func (m *TransformerLM) Hidden(tokens graph.Node) graph.Node {
	if m.TokenEmbeddings == nil || m.Norm == nil {
		return missing(tokens, "TransformerLM")
	}
	if seq := tokens.Dim(1); seq > m.Config.ContextLength {
		return tokens.Graph().Wrap(nil, errors.Errorf("layers: TransformerLM: %d tokens exceed a context of %d", seq, m.Config.ContextLength))
	}
	x := m.TokenEmbeddings.Forward(tokens)
	if m.Positions != nil {
		x = m.Positions.Forward(x)
	}
	x = x.Dropout(m.Config.Dropout)
	for _, block := range m.Layers {
		if m.Config.Checkpoint {
			x = graph.Checkpoint(block.Forward, x)
		} else {
			x = block.Forward(x)
		}
	}
	return m.Norm.Forward(x)
}
