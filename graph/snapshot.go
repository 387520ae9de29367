package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/internal/safetensors"
	"github.com/logits-go/logits/internal/weights"
)

// A Snapshot is what training needs beside the parameters to go on where it was and come to the same bits. An [Archive]
// keeps snapshots in files, each with the parameters as they were.
//
// A file is in the safetensors format, which any reader opens: the parameters under their names, what the optimizer
// remembers under "optimizer." and its names, and the rest in the metadata. A CRC32C of every tensor and of the header
// finds damage, which the format alone does not. As with [Params.Load], a function that turns the names that begin with
// "optimizer." into "" takes the parameters alone out of such a file.
type Snapshot struct {
	Step     int                      // steps of training taken
	Tensors  map[string]*tensor.Dense // what the optimizer remembers: the Tensors of an optim.State
	Counts   map[string]uint64        // what else counts on, such as [Program.Runs]
	States   map[string][]byte        // of data streams and random sources, as their MarshalBinary returns them
	Metadata map[string]string        // settings and other words; "format", and what begins with "logits.", is taken
}

// snapshotVersion is the version of the format that this package writes, and the newest that it reads. It reads all
// before.
const snapshotVersion = 1

const (
	reserved       = "logits."         // what begins so in the metadata is ours
	recordKey      = "logits.snapshot" // in the metadata: a record in JSON
	optimizerNames = "optimizer."      // what names of an optimizer's tensors begin with
)

// A record is what the metadata of a file says of a snapshot.
type record struct {
	Version int               `json:"version"`
	Step    int               `json:"step"`
	Counts  map[string]uint64 `json:"counts,omitempty"`
	States  map[string][]byte `json:"states,omitempty"`
}

// A VersionError says that a snapshot is in a newer format than this package reads.
type VersionError struct {
	Version int // of the file
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("the snapshot has format version %d, and this program reads versions up to %d", e.Version, snapshotVersion)
}

// Write writes s and the parameters to w, as a file of an [Archive].
func (s Snapshot) Write(w io.Writer, ps *Params) error {
	return errors.WithMessage(s.write(w, ps), "graph: Snapshot.Write")
}

func (s Snapshot) write(w io.Writer, ps *Params) error {
	if ps == nil {
		return errors.New("no parameters")
	}
	if ps.err != nil {
		return ps.err
	}
	if s.Step < 0 {
		return errors.Errorf("step %d", s.Step)
	}
	sources := make(map[string]safetensors.Source)
	for name, p := range ps.All() {
		if strings.HasPrefix(name, optimizerNames) {
			return errors.Errorf("the parameter %s has the name of an optimizer's tensor", name)
		}
		sources[name] = sourceOf(p.value)
	}
	for name, t := range s.Tensors {
		switch {
		case t == nil || t.Dtype() == (tensor.Dtype{}):
			return errors.Errorf("the optimizer's %s is no dense tensor of float32 or float64: it is nil or empty", name)
		case t.Dtype() != tensor.Float32 && t.Dtype() != tensor.Float64 || t.RequiresIterator() || t.Shape().TotalSize() == 0:
			return errors.Errorf("the optimizer's %s is no dense tensor of float32 or float64: it is %v %v of strides %v",
				name, t.Dtype(), t.Shape(), t.Strides())
		}
		sources[optimizerNames+name] = sourceOf(t)
	}
	metadata := map[string]string{"format": "pt"}
	for key, value := range s.Metadata {
		if strings.HasPrefix(key, reserved) || key == "format" {
			return errors.Errorf("the metadata has the key %s, which is reserved", key)
		}
		metadata[key] = value
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(s.Counts)), slices.Collect(maps.Keys(s.States))) {
		if !utf8.ValidString(name) {
			return errors.Errorf("the name %q of a count or state is not valid UTF-8", name)
		}
	}
	text, err := json.Marshal(record{snapshotVersion, s.Step, s.Counts, s.States})
	if err != nil {
		return errors.WithStack(err)
	}
	metadata[recordKey] = string(text)
	return safetensors.WriteSummed(w, sources, metadata)
}

// sourceOf returns t as a tensor of a file.
func sourceOf(t *tensor.Dense) safetensors.Source {
	if t.Dtype() == tensor.Float64 {
		return source(weights.F64, t.Shape(), t.Float64s())
	}
	return source(weights.F32, t.Shape(), t.Float32s())
}

func source[F kernel.Float](d weights.DType, shape []int, numbers []F) safetensors.Source {
	return safetensors.Source{DType: d, Shape: slices.Clone(shape), Data: func() []byte { return weights.Bytes(d, numbers) }}
}

// ReadSnapshot fills the parameters from data, which [Snapshot.Write] has written, and returns what else is there. All
// parameters must be there, in their shapes and types, and nothing else: after an error none has changed.
func ReadSnapshot(data []byte, ps *Params) (s Snapshot, err error) {
	sealed, err := openSnapshot(data)
	if err == nil {
		s, err = sealed.open(ps)
	}
	return s, errors.WithMessage(err, "graph: ReadSnapshot")
}

// A sealedSnapshot is a file whose checksums are right and whose metadata makes sense.
type sealedSnapshot struct {
	record
	file *weights.File
}

// openSnapshot checks a file. It is a [VersionError] if the file is newer than this package, and any other error means
// that the file is damaged, or none of ours.
func openSnapshot(data []byte) (s *sealedSnapshot, err error) {
	// Data may lie in a file that somebody else cuts short.
	fault := weights.Each(1, 1, func(int, int) { s, err = openMapped(data) })
	if fault != nil {
		return nil, fault
	}
	return s, err
}

func openMapped(data []byte) (*sealedSnapshot, error) {
	file, err := safetensors.ParseSummed(data)
	if err != nil {
		return nil, err
	}
	text, ok := file.Metadata[recordKey]
	if !ok {
		return nil, errors.Errorf("the metadata has no %s", recordKey)
	}
	s := &sealedSnapshot{file: file}
	// The version comes first, since another version may have another record.
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, errors.Wrap(err, recordKey)
	}
	switch {
	case v.Version > snapshotVersion:
		return nil, errors.WithStack(&VersionError{v.Version})
	case v.Version < 1:
		return nil, errors.Errorf("%s has version %d", recordKey, v.Version)
	}
	if err := json.Unmarshal([]byte(text), &s.record); err != nil {
		return nil, errors.Wrap(err, recordKey)
	}
	// What Marshal would have written otherwise has a key twice, in capitals, unknown, or something behind.
	if again, err := json.Marshal(s.record); err != nil || string(again) != text {
		return nil, errors.Errorf("%s is not written as it should be", recordKey)
	}
	if s.Step < 0 {
		return nil, errors.Errorf("%s is at step %d", recordKey, s.Step)
	}
	return s, nil
}

// words returns the snapshot without tensors.
func (s *sealedSnapshot) words() Snapshot {
	out := Snapshot{Step: s.Step, Counts: s.Counts, States: s.States, Metadata: make(map[string]string)}
	for key, value := range s.file.Metadata {
		if !strings.HasPrefix(key, reserved) && key != "format" {
			out.Metadata[key] = value
		}
	}
	return out
}

// open fills the parameters, or changes nothing and says all that does not fit.
func (s *sealedSnapshot) open(ps *Params) (Snapshot, error) {
	switch {
	case ps == nil:
		return Snapshot{}, errors.New("no parameters")
	case ps.err != nil:
		return Snapshot{}, ps.err
	}
	out := s.words()
	dtype := weights.F32
	if ps.dtype == tensor.Float64 {
		dtype = weights.F64
	}
	parameters := &weights.File{Tensors: make(map[string]weights.Tensor)}
	var remembered []weights.Tensor
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(s.file.Tensors)) {
		t := s.file.Tensors[name]
		switch rest, ok := strings.CutPrefix(name, optimizerNames); {
		case ok && t.DType != weights.F32 && t.DType != weights.F64:
			wrong = append(wrong, errors.Errorf("%s holds %v, want F32 or F64", name, t.DType).Error())
		case ok:
			t.Name = rest
			remembered = append(remembered, t)
		default:
			parameters.Tensors[name] = t
			if ps.byName[name] != nil && t.DType != dtype {
				wrong = append(wrong, errors.Errorf("%s holds %v, want %v", name, t.DType, dtype).Error())
			}
		}
	}
	if wrong != nil {
		return Snapshot{}, errors.New(strings.Join(wrong, "; "))
	}
	if len(remembered) > 0 {
		out.Tensors = make(map[string]*tensor.Dense)
	}
	// Whatever may fail comes before the parameters change.
	if err := ps.fits(parameters); err != nil {
		return Snapshot{}, err
	}
	for _, t := range remembered {
		var err error
		if out.Tensors[t.Name], err = dense(t); err != nil {
			return Snapshot{}, err
		}
	}
	return out, ps.copyFrom(parameters)
}

// dense returns a tensor of a file in memory of its own.
func dense(t weights.Tensor) (*tensor.Dense, error) {
	shape := slices.Clone(t.Shape)
	if len(shape) == 0 {
		shape = []int{1} // optimizers keep scalars so
	}
	if t.DType == weights.F64 {
		numbers := kernel.Make[float64](t.Len())
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(numbers)), weights.Copy(numbers, t)
	}
	numbers := kernel.Make[float32](t.Len())
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(numbers)), weights.Copy(numbers, t)
}
