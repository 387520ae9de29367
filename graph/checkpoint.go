package graph

import (
	"io"
	"path/filepath"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/safetensors"
	"github.com/logits-go/logits/internal/weights"
)

// Save writes the parameters to a file in the safetensors format, under their names, with metadata beside them, which
// may be nil. The file appears whole or not at all: it is written beside the old one, made durable, and renamed.
func (ps *Params) Save(path string, metadata map[string]string) error {
	err := weights.WriteFile(path, func(w io.Writer) error { return ps.Write(w, metadata) })
	return errors.WithMessage(err, "graph: Save")
}

// Write writes the parameters to w in the safetensors format, as Save does.
func (ps *Params) Write(w io.Writer, metadata map[string]string) error {
	if ps.err != nil {
		return ps.err
	}
	sources := make(map[string]safetensors.Source)
	for name, p := range ps.All() {
		sources[name] = sourceOf(p.value)
	}
	if metadata == nil {
		metadata = map[string]string{"format": "pt"}
	}
	return safetensors.Write(w, sources, metadata)
}

// Load fills the parameters from a file in the safetensors format, or from the files that an index such as
// model.safetensors.index.json names, and returns the metadata. Numbers are F64, F32, BF16 or F16. If rename is not nil
// it turns names of the file into names of parameters; "" skips a tensor. Every parameter must be there in its shape,
// and nothing else: an error lists all that is missing, unknown or misshapen, and then no parameter has changed. Only
// where another program cuts the file short in the meantime may some have.
func (ps *Params) Load(path string, rename func(name string) string) (metadata map[string]string, err error) {
	if ps.err != nil {
		return nil, ps.err
	}
	f, err := safetensors.Open(weights.Disk, filepath.ToSlash(path))
	if err != nil {
		return nil, errors.WithMessage(err, "graph: Load")
	}
	defer f.Close()
	if err := ps.fill(f, rename); err != nil {
		return nil, errors.WithMessagef(err, "graph: Load %s", filepath.Base(path))
	}
	return f.Metadata, nil
}

// Read fills the parameters from data in the safetensors format, as Load does.
func (ps *Params) Read(data []byte, rename func(name string) string) (metadata map[string]string, err error) {
	if ps.err != nil {
		return nil, ps.err
	}
	f, err := safetensors.Parse(data)
	if err != nil {
		return nil, errors.WithMessage(err, "graph: Read")
	}
	if err := ps.fill(f, rename); err != nil {
		return nil, errors.WithMessage(err, "graph: Read")
	}
	return f.Metadata, nil
}

// fill copies the tensors of f to the parameters.
func (ps *Params) fill(f *weights.File, rename func(name string) string) error {
	if rename != nil {
		if err := f.Rename(rename); err != nil {
			return err
		}
	}
	if err := ps.fits(f); err != nil {
		return err
	}
	return ps.copyFrom(f)
}

// fits returns an error that lists all of f that does not fit the parameters.
func (ps *Params) fits(f *weights.File) error {
	want := make(map[string][]int)
	for name, p := range ps.All() {
		want[name] = p.Shape()
	}
	return f.Check(want)
}

// copyFrom fills the parameters with the numbers of f, which fits.
func (ps *Params) copyFrom(f *weights.File) error {
	for name, p := range ps.All() {
		var err error
		if t := f.Tensors[name]; p.value.Dtype() == tensor.Float64 {
			err = weights.Copy(p.value.Float64s(), t)
		} else {
			err = weights.Copy(p.value.Float32s(), t)
		}
		if err != nil {
			return errors.WithMessage(err, name)
		}
	}
	return nil
}
