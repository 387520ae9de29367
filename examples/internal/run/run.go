// Package run keeps a trained model in a folder: model.safetensors, config.json and tokenizer.json.
package run

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/text"
)

// A Run is a model with its tokenizer.
type Run struct {
	Params    *graph.Params
	Model     *layers.TransformerLM
	Tokenizer text.Tokenizer
}

// New makes a model of the vocabulary of a tokenizer.
func New(config layers.Config, tok text.Tokenizer, seed uint64) (*Run, error) {
	config.VocabSize = tok.VocabSize()
	params := graph.NewParams(seed)
	model, err := layers.NewTransformerLM(params.Root(), config)
	if err != nil {
		return nil, err
	}
	return &Run{Params: params, Model: model, Tokenizer: tok}, nil
}

// Open reads a model that layers.Open knows, as SaveConfig and SaveModel write it or from elsewhere, and the tokenizer that
// text.ReadFile finds at a path; "" means the folder of the model.
func Open(path, tokenizer string) (*Run, error) {
	model, err := layers.Open(path)
	if err != nil {
		return nil, err
	}
	if tokenizer == "" {
		tokenizer = path
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			tokenizer = filepath.Dir(path)
		}
	}
	tok, err := text.ReadFile(tokenizer)
	if err != nil {
		return nil, err
	}
	if tok.VocabSize() != model.Config.VocabSize {
		return nil, errors.Errorf("%s: a tokenizer of %d tokens and a model of %d", path, tok.VocabSize(), model.Config.VocabSize)
	}
	return &Run{Params: model.Params, Model: model, Tokenizer: tok}, nil
}

// SaveConfig writes config.json and tokenizer.json, which training does not change.
func (r *Run) SaveConfig(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return errors.WithStack(err)
	}
	data, err := json.MarshalIndent(r.Model.Config, "", "  ")
	if err != nil {
		return errors.WithStack(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), append(data, '\n'), 0o644); err != nil {
		return errors.WithStack(err)
	}
	return text.WriteFile(filepath.Join(dir, "tokenizer.json"), r.Tokenizer)
}

// SaveModel writes model.safetensors.
func (r *Run) SaveModel(dir string, metadata map[string]string) error {
	return r.Params.Save(filepath.Join(dir, "model.safetensors"), metadata)
}
