package layers_test

import (
	"path/filepath"
	"testing"

	"github.com/logits-go/logits/layers"
)

// BenchmarkOpen opens a model of 89 MB, whose file the system has in memory.
func BenchmarkOpen(b *testing.B) {
	c := sizes[2].config
	c.ContextLength = 256
	m := generator(b, c)
	for _, e := range []layers.Export{{}, {Numbers: layers.BF16}, {Format: layers.GGUF, Numbers: layers.Q8_0}} {
		path := filepath.Join(b.TempDir(), "model.safetensors")
		if e.Format == layers.GGUF {
			path = filepath.Join(b.TempDir(), "model.gguf")
		}
		if err := e.Write(path, m); err != nil {
			b.Fatal(err)
		}
		b.Run(e.Numbers.String()+filepath.Ext(path), func(b *testing.B) {
			for b.Loop() {
				open(b, path)
			}
		})
	}
}
