package graph

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nlpodyssey/safetensors"
	"github.com/pkg/errors"
	"gorgonia.org/tensor"
)

// Save writes the parameters to a file in the safetensors format, under their names, with metadata beside them, which
// may be nil. The file appears whole or not at all: it is written beside the old one, made durable, and renamed.
func (ps *Params) Save(path string, metadata map[string]string) error {
	err := writeFile(path, func(w io.Writer) error { return ps.Write(w, metadata) })
	return errors.WithMessage(err, "graph: Save")
}

// Write writes the parameters to w in the safetensors format, as Save does.
func (ps *Params) Write(w io.Writer, metadata map[string]string) error {
	if ps.err != nil {
		return ps.err
	}
	views := make(map[string]view)
	for name, p := range ps.All() {
		views[name] = view{p.value}
	}
	if metadata == nil {
		metadata = map[string]string{"format": "pt"}
	}
	return errors.Wrap(safetensors.SerializeToWriter(views, metadata, w), "safetensors")
}

// Load fills the parameters from a file in the safetensors format and returns its metadata. If rename is not nil it
// turns names of the file into names of parameters; "" skips a tensor. Every parameter must be there in its shape, and
// nothing else: an error lists all that is missing, unknown or misshapen, and then no parameter has changed.
func (ps *Params) Load(path string, rename func(name string) string) (metadata map[string]string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.Wrap(err, "graph: Load")
	}
	metadata, err = ps.Read(data, rename)
	return metadata, errors.WithMessagef(err, "graph: Load %s", filepath.Base(path))
}

// Read fills the parameters from data in the safetensors format, as Load does.
func (ps *Params) Read(data []byte, rename func(name string) string) (metadata map[string]string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Errorf("safetensors: %v", r)
		}
	}()
	if ps.err != nil {
		return nil, ps.err
	}
	file, err := safetensors.Deserialize(data)
	if err != nil {
		return nil, errors.Wrap(err, "safetensors")
	}
	_, header, err := safetensors.ReadMetadata(data)
	if err != nil {
		return nil, errors.Wrap(err, "safetensors")
	}
	found := make(map[*Param]safetensors.TensorView)
	var wrong []string
	for _, t := range file.Tensors() {
		name := t.Name
		if rename != nil {
			if name = rename(name); name == "" {
				continue
			}
		}
		p := ps.byName[name]
		if p == nil {
			wrong = append(wrong, "unknown "+t.Name)
			continue
		}
		if _, twice := found[p]; twice {
			wrong = append(wrong, "a second "+name)
		}
		found[p] = t.TensorView
		var shape tensor.Shape
		for _, d := range t.TensorView.Shape() {
			shape = append(shape, int(d))
		}
		if !slices.Equal(shape, p.Shape()) {
			wrong = append(wrong, errors.Errorf("%s is %v, want %v", t.Name, shape, p.Shape()).Error())
		}
		if dt := t.TensorView.DType(); dt != safetensors.F32 && dt != safetensors.F64 && dt != safetensors.BF16 {
			wrong = append(wrong, errors.Errorf("%s holds %v, want F32, F64 or BF16", t.Name, dt).Error())
		}
	}
	for name, p := range ps.All() {
		if _, ok := found[p]; !ok {
			wrong = append(wrong, "missing "+name)
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	for p, v := range found {
		fill(p.value, v)
	}
	return header.Metadata(), nil
}

// fill copies v to dst, converting between types.
func fill(dst *tensor.Dense, v safetensors.TensorView) {
	data, le := v.Data(), binary.LittleEndian
	var at func(i int) float64
	switch v.DType() {
	case safetensors.F64:
		at = func(i int) float64 { return math.Float64frombits(le.Uint64(data[8*i:])) }
	case safetensors.BF16:
		at = func(i int) float64 { return float64(math.Float32frombits(uint32(le.Uint16(data[2*i:])) << 16)) }
	default:
		at = func(i int) float64 { return float64(math.Float32frombits(le.Uint32(data[4*i:]))) }
	}
	if dst.Dtype() == tensor.Float64 {
		for i, out := 0, dst.Float64s(); i < len(out); i++ {
			out[i] = at(i)
		}
		return
	}
	for i, out := 0, dst.Float32s(); i < len(out); i++ {
		out[i] = float32(at(i))
	}
}

// view shows a tensor to the safetensors library.
type view struct{ t *tensor.Dense }

func (v view) DType() safetensors.DType {
	if v.t.Dtype() == tensor.Float64 {
		return safetensors.F64
	}
	return safetensors.F32
}

func (v view) Shape() (shape []uint64) {
	for _, d := range v.t.Shape() {
		shape = append(shape, uint64(d))
	}
	return shape
}

func (v view) DataLen() uint64 { return uint64(v.t.Shape().TotalSize()) * v.DType().Size() }

func (v view) Data() []byte {
	data := make([]byte, 0, v.DataLen())
	if v.t.Dtype() == tensor.Float64 {
		for _, x := range v.t.Float64s() {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
		}
		return data
	}
	for _, x := range v.t.Float32s() {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return data
}

// writeFile makes a file of what write writes, whole or not at all.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return errors.WithStack(err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<20)
	if err := write(buf); err != nil {
		return err
	}
	for _, step := range []func() error{
		buf.Flush,
		func() error { return f.Chmod(0o644) },
		f.Sync,
		f.Close,
		func() error { return os.Rename(f.Name(), path) },
		func() error { return syncDir(filepath.Dir(path)) },
	} {
		if err := step(); err != nil {
			return errors.WithStack(err)
		}
	}
	return nil
}

// syncDir makes the names in a folder durable, where the system can.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some systems cannot sync a folder; the file itself is durable there too.
	_ = d.Sync()
	return nil
}
