package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/text"
)

// Every format takes the model and, where it has a place for one, the tokenizer.
func TestExport(t *testing.T) {
	r, err := run.New(layers.Config{ContextLength: 8, DModel: 8, NumLayers: 1, NumHeads: 2}, text.Bytes{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	model := t.TempDir()
	if err := r.SaveConfig(model); err != nil {
		t.Fatal(err)
	}
	if err := r.SaveModel(model, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		e    layers.Export
		name string
	}{
		{layers.Export{}, "native"},
		{layers.Export{ShardSize: 4000}, "shards"},
		{layers.Export{Numbers: layers.BF16}, "m.safetensors"},
		{layers.Export{Format: layers.HuggingFace, Numbers: layers.F16}, "hf"},
		{layers.Export{Format: layers.Llama2C}, "m.bin"},
		{layers.Export{Format: layers.GGUF, Numbers: layers.Q8_0}, "m.gguf"},
	} {
		out, tokenizer := filepath.Join(t.TempDir(), c.name), ""
		if err := export(c.e, model, "", out); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if filepath.Ext(c.name) != "" {
			tokenizer = model
		}
		got, err := run.Open(out, tokenizer)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got.Model.Config != r.Model.Config {
			t.Errorf("%s: %+v, want %+v", c.name, got.Model.Config, r.Model.Config)
		}
	}
	if err := export(layers.Export{}, model, "", ""); err == nil || !strings.Contains(err.Error(), "-out") {
		t.Errorf("%v, want an error that names -out", err)
	}
}
