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
	Tensors  map[string]*tensor.Dense // what the optimizer remembers, up to 16 numbers of each parameter: the Tensors of an optim.State
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
	remembered := 0
	for name, t := range s.Tensors {
		switch {
		case t == nil || t.Dtype() == (tensor.Dtype{}):
			return errors.Errorf("the optimizer's %s is no dense tensor of float32 or float64: it is nil or empty", name)
		case t.Dtype() != tensor.Float32 && t.Dtype() != tensor.Float64 || t.RequiresIterator() || t.Shape().TotalSize() == 0:
			return errors.Errorf("the optimizer's %s is no dense tensor of float32 or float64: it is %v %v of strides %v",
				name, t.Dtype(), t.Shape(), t.Strides())
		}
		remembered += t.Shape().TotalSize()
		sources[optimizerNames+name] = sourceOf(t)
	}
	if err := ps.remembers(remembered); err != nil {
		return err
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
//
// The numbers are copied and then checked before the first parameter changes, so that nothing comes of it if data changes
// or ends in the meantime. For this the parameters need memory twice while they are read.
func ReadSnapshot(data []byte, ps *Params) (s Snapshot, err error) {
	sealed, err := openSnapshot(data)
	if err == nil {
		s, err = sealed.open(ps)
	}
	return s, errors.WithMessage(err, "graph: ReadSnapshot")
}

// A sealedSnapshot is a file whose header is as it was written and makes sense. The numbers are yet to be checked.
type sealedSnapshot struct {
	record
	file *safetensors.Sealed
}

// A damagedError is the error of a file whose numbers are not those that were written.
type damagedError struct{ error }

func (e damagedError) Unwrap() error { return e.error }

// openSnapshot checks the header of a file. It is a [VersionError] if the file is newer than this package, and any other
// error means that the file is damaged, or none of ours.
func openSnapshot(data []byte) (s *sealedSnapshot, err error) {
	// Data may lie in a file that somebody else cuts short.
	fault := weights.Each(1, 1, func(int, int) { s, err = openMapped(data) })
	if fault != nil {
		return nil, fault
	}
	return s, err
}

func openMapped(data []byte) (*sealedSnapshot, error) {
	file, err := safetensors.ParseSealed(data)
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

// check returns a damagedError unless all numbers are as they were written.
func (s *sealedSnapshot) check() error {
	if err := s.file.Check(); err != nil {
		return damagedError{err}
	}
	return nil
}

// open fills the parameters, or changes nothing and says all that does not fit. Numbers that are not those that were
// written are a damagedError.
func (s *sealedSnapshot) open(ps *Params) (Snapshot, error) {
	switch {
	case ps == nil:
		return Snapshot{}, errors.New("no parameters")
	case ps.err != nil:
		return Snapshot{}, ps.err
	}
	if err := s.fits(ps); err != nil {
		return Snapshot{}, err
	}
	copies, err := s.copies()
	if err != nil {
		return Snapshot{}, damagedError{err}
	}
	out := s.words()
	for name, t := range copies {
		if rest, ok := strings.CutPrefix(name, optimizerNames); ok {
			if out.Tensors == nil {
				out.Tensors = make(map[string]*tensor.Dense)
			}
			out.Tensors[rest] = t
		} else if p := ps.byName[name]; t.Dtype() == tensor.Float64 {
			copy(p.value.Float64s(), t.Float64s())
		} else {
			copy(p.value.Float32s(), t.Float32s())
		}
	}
	return out, nil
}

// fits returns an error that lists all that does not fit the parameters, of what the header says of the tensors.
func (s *sealedSnapshot) fits(ps *Params) error {
	dtype := weights.F32
	if ps.dtype == tensor.Float64 {
		dtype = weights.F64
	}
	parameters := &weights.File{Tensors: make(map[string]weights.Tensor)}
	remembered := 0
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(s.file.Tensors)) {
		t := s.file.Tensors[name]
		switch ours := strings.HasPrefix(name, optimizerNames); {
		case ours && t.DType != weights.F32 && t.DType != weights.F64:
			wrong = append(wrong, errors.Errorf("%s holds %v, want F32 or F64", name, t.DType).Error())
		case ours:
			remembered += t.Len()
		default:
			parameters.Tensors[name] = t
			if ps.byName[name] != nil && t.DType != dtype {
				wrong = append(wrong, errors.Errorf("%s holds %v, want %v", name, t.DType, dtype).Error())
			}
		}
	}
	if wrong != nil {
		return errors.New(strings.Join(wrong, "; "))
	}
	if err := ps.fits(parameters); err != nil {
		return err
	}
	return ps.remembers(remembered)
}

// remembers returns an error if an optimizer of the parameters cannot remember so many numbers. Adam remembers 2 of each.
func (ps *Params) remembers(numbers int) error {
	if most := 16*ps.Size() + 1<<16; numbers > most {
		return errors.Errorf("the optimizer remembers %d numbers of %d parameters, and at most %d can be", numbers, ps.Size(), most)
	}
	return nil
}

// copies returns the tensors in memory of their own, where they have the right checksums.
func (s *sealedSnapshot) copies() (map[string]*tensor.Dense, error) {
	names := slices.Sorted(maps.Keys(s.file.Tensors))
	list := make([]*tensor.Dense, len(names))
	wrong := make([]error, len(names))
	err := weights.Each(len(names), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			t := s.file.Tensors[names[i]]
			var copied []byte
			if t.DType == weights.F64 {
				list[i], copied = dense[float64](t)
			} else {
				list[i], copied = dense[float32](t)
			}
			wrong[i] = s.file.CheckTensor(names[i], copied)
		}
	})
	if err != nil {
		return nil, err
	}
	byName := make(map[string]*tensor.Dense, len(names))
	for i, name := range names {
		if wrong[i] != nil {
			return nil, wrong[i]
		}
		byName[name] = list[i]
	}
	return byName, nil
}

// dense returns a tensor of a file in memory of its own, and the bytes that it is there.
func dense[F kernel.Float](t weights.Tensor) (*tensor.Dense, []byte) {
	shape := slices.Clone(t.Shape)
	if len(shape) == 0 {
		shape = []int{1} // optimizers keep scalars so
	}
	numbers := kernel.Make[F](t.Len())
	weights.Read(numbers, t, 0)
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(numbers)), weights.Bytes(t.DType, numbers)
}
