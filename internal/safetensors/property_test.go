package safetensors

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/logits-go/logits/internal/weights"
)

// Any tensors of any type, shape and name come back from what Write and WriteSummed write, with their metadata.
func TestWriteProperties(t *testing.T) {
	name := rapid.StringN(1, 30, -1).Filter(func(s string) bool { return s != "__metadata__" })
	rapid.Check(t, func(t *rapid.T) {
		sources := make(map[string]Source)
		for _, name := range rapid.SliceOfNDistinct(name, 1, 6, rapid.ID).Draw(t, "names") {
			shape := rapid.SliceOfN(rapid.IntRange(1, 5), 1, 4).Draw(t, "shape")
			n := 1
			for _, d := range shape {
				n *= d
			}
			d := rapid.SampledFrom([]weights.DType{weights.F64, weights.F32, weights.F16, weights.BF16}).Draw(t, "type")
			data := rapid.SliceOfN(rapid.Byte(), d.Bytes(n), d.Bytes(n)).Draw(t, "data")
			sources[name] = Source{d, shape, func() []byte { return data }}
		}
		metadata := rapid.MapOfN(rapid.StringN(0, 10, -1).Filter(func(s string) bool { return !strings.HasPrefix(s, "logits.") }),
			rapid.String(), 1, 4).Draw(t, "metadata")
		for _, format := range []struct {
			write func(b *bytes.Buffer) error
			read  func(data []byte) (*weights.File, error)
		}{
			{func(b *bytes.Buffer) error { return Write(b, sources, metadata) }, Parse},
			{func(b *bytes.Buffer) error { return WriteSummed(b, sources, metadata) }, ParseSummed},
		} {
			var b bytes.Buffer
			if err := format.write(&b); err != nil {
				t.Fatal(err)
			}
			f, err := format.read(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(f.Metadata, metadata) || len(f.Tensors) != len(sources) {
				t.Fatalf("metadata %q, want %q; %d tensors, want %d", f.Metadata, metadata, len(f.Tensors), len(sources))
			}
			for name, s := range sources {
				got, ok := f.Tensors[name]
				if !ok || got.DType != s.DType || !slices.Equal(got.Shape, s.Shape) || !bytes.Equal(got.Data, s.Data()) {
					t.Fatalf("%q is %v %v, want %v %v", name, got.DType, got.Shape, s.DType, s.Shape)
				}
			}
		}
	})
}
