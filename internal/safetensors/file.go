package safetensors

import (
	"io/fs"
	"path"

	"github.com/nlpodyssey/safetensors"
	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/weights"
)

// Open opens a file or, if its name ends in .json, the files of an index such as model.safetensors.index.json. The caller
// closes it.
func Open(fsys fs.FS, name string) (*weights.File, error) {
	if path.Ext(name) == ".json" {
		return openIndex(fsys, name)
	}
	m, err := weights.Map(fsys, name)
	if err != nil {
		return nil, err
	}
	tensors, metadata, err := parse(m.Data, ofAny)
	if err != nil {
		m.Close()
		return nil, errors.WithMessage(err, path.Base(name))
	}
	f, err := weights.New(tensors, m)
	if err != nil {
		return nil, err
	}
	f.Metadata = metadata
	return f, nil
}

// Parse returns the tensors of a file whose bytes are data, which they keep.
func Parse(data []byte) (*weights.File, error) { return parseFile(data, ofAny) }

func parseFile(data []byte, l limits) (*weights.File, error) {
	tensors, metadata, err := parse(data, l)
	if err != nil {
		return nil, err
	}
	f, err := weights.New(tensors)
	if err != nil {
		return nil, err
	}
	f.Metadata = metadata
	return f, nil
}

func parse(data []byte, l limits) (tensors []weights.Tensor, metadata map[string]string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("safetensors: %v", r)
		}
	}()
	if err := l.checkHeader(data); err != nil {
		return nil, nil, errors.WithMessage(err, "safetensors")
	}
	n, header, err := safetensors.ReadMetadata(data)
	if err != nil {
		return nil, nil, errors.Wrap(err, "safetensors")
	}
	data = data[8+n:]
	for name, info := range header.Tensors() {
		t := weights.Tensor{Name: name, DType: weights.DType(info.DType.String())}
		for _, d := range info.Shape {
			if d == 0 || d > uint64(len(data)) {
				return nil, nil, errors.Errorf("safetensors: %s has shape %v", name, info.Shape)
			}
			t.Shape = append(t.Shape, int(d))
		}
		t.Data = data[info.DataOffsets[0]:info.DataOffsets[1]:info.DataOffsets[1]]
		tensors = append(tensors, t)
	}
	return tensors, header.Metadata(), nil
}
