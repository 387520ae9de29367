package safetensors

import (
	"io"
	"unicode/utf8"

	"github.com/nlpodyssey/safetensors"
	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/weights"
)

// A Source is a tensor that is yet to be written: Data is called when its turn has come, and not changed.
type Source struct {
	DType weights.DType
	Shape []int
	Data  func() []byte
}

// Write writes tensors by name, with metadata beside them.
func Write(w io.Writer, tensors map[string]Source, metadata map[string]string) error {
	if w == nil {
		return errors.New("safetensors: no writer")
	}
	// JSON would hold another text instead.
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return errors.Errorf("safetensors: the metadata %q: %.40q is not valid UTF-8", key, value)
		}
	}
	views := make(map[string]view, len(tensors))
	for name, s := range tensors {
		if !utf8.ValidString(name) {
			return errors.Errorf("safetensors: the name %q is not valid UTF-8", name)
		}
		d, err := safetensors.ParseDType(string(s.DType))
		if err != nil {
			return errors.Wrapf(err, "safetensors: %s", name)
		}
		v := view{dtype: d, size: d.Size(), data: s.Data}
		for _, n := range s.Shape {
			v.shape = append(v.shape, uint64(n))
			v.size *= uint64(n)
		}
		views[name] = v
	}
	return errors.Wrap(safetensors.SerializeToWriter(views, metadata, w), "safetensors")
}

// view shows a Source to the module that writes the format.
type view struct {
	dtype safetensors.DType
	shape []uint64
	size  uint64
	data  func() []byte
}

func (v view) DType() safetensors.DType { return v.dtype }
func (v view) Shape() []uint64          { return v.shape }
func (v view) DataLen() uint64          { return v.size }
func (v view) Data() []byte             { return v.data() }
