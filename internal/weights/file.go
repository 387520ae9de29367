package weights

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// A Tensor is a tensor of a file.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte // little-endian, in row-major order
}

// A File holds the tensors of a file, or of several that belong together.
type File struct {
	Metadata map[string]string // what a safetensors file says beside its tensors
	Tensors  map[string]Tensor // by name
	mappings []*Mapping
}

// New returns a file of tensors, no two of one name, whose data lies in mappings. Closing it unmaps them.
func New(tensors []Tensor, mappings ...*Mapping) (*File, error) {
	f := &File{Tensors: make(map[string]Tensor, len(tensors)), mappings: mappings}
	for _, t := range tensors {
		if _, ok := f.Tensors[t.Name]; ok {
			return nil, errors.Errorf("two tensors are named %s", t.Name)
		}
		f.Tensors[t.Name] = t
	}
	return f, nil
}

// Close ends the use of the file and of the data of its tensors.
func (f *File) Close() error {
	var first error
	for _, m := range f.mappings {
		if err := m.Close(); err != nil && first == nil {
			first = err
		}
	}
	f.mappings, f.Tensors = nil, nil
	return first
}

// Numbers returns how many numbers the file holds.
func (f *File) Numbers() (n int) {
	for _, t := range f.Tensors {
		n += t.Len()
	}
	return n
}

// Rename gives the tensors the names that rename makes of theirs, and forgets those that become "".
func (f *File) Rename(rename func(name string) string) error {
	renamed := make(map[string]Tensor, len(f.Tensors))
	var wrong []string
	for _, old := range slices.Sorted(maps.Keys(f.Tensors)) {
		name := rename(old)
		if name == "" {
			continue
		}
		if _, ok := renamed[name]; ok {
			wrong = append(wrong, "a second "+name)
		}
		t := f.Tensors[old]
		t.Name = name
		renamed[name] = t
	}
	if wrong != nil {
		return errors.New(strings.Join(wrong, "; "))
	}
	f.Tensors = renamed
	return nil
}

// Check reports all tensors that are missing, unknown, misshapen or do not hold numbers of a model, where want has the
// shapes of all by name.
func (f *File) Check(want map[string][]int) error {
	var wrong []string
	for name, t := range f.Tensors {
		shape, ok := want[name]
		switch {
		case !ok:
			wrong = append(wrong, "unknown "+name)
		case !slices.Equal(shape, t.Shape):
			wrong = append(wrong, errors.Errorf("%s is %s, want %s", name, show(t.Shape), show(shape)).Error())
		}
		if ok && !t.DType.Floats() {
			wrong = append(wrong, errors.Errorf("%s holds %v, want one of %v", name, t.DType, floats).Error())
		}
	}
	for name := range want {
		if _, ok := f.Tensors[name]; !ok {
			wrong = append(wrong, "missing "+name)
		}
	}
	if wrong == nil {
		return nil
	}
	slices.Sort(wrong)
	return errors.New(strings.Join(wrong, "; "))
}

// show writes a shape as Gorgonia does.
func show(shape []int) string {
	return strings.NewReplacer("[", "(", "]", ")", " ", ", ").Replace(fmt.Sprint(shape))
}

// A Mapping is the content of a file in memory.
type Mapping struct {
	Data   []byte
	mapped bool
}

// Map maps a file into memory, so that opening it takes no time however large it is, or reads it where the system cannot
// do so. The caller closes the mapping.
func Map(fsys fs.FS, name string) (*Mapping, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, errors.WithStack(err)
	}
	defer file.Close() // a mapping outlives it
	info, err := file.Stat()
	if err != nil {
		return nil, errors.WithStack(err)
	}
	size := info.Size()
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.Errorf("%s is not a regular file", name)
	case size < 0 || size >= math.MaxInt:
		return nil, errors.Errorf("%s is too large for this system", name)
	}
	f, ok := file.(*os.File)
	if !ok {
		data, err := io.ReadAll(io.LimitReader(file, size+1)) // which believes no size
		if err == nil && int64(len(data)) != size {
			return nil, errors.Errorf("%s does not have the %d bytes that it claims", name, size)
		}
		return &Mapping{Data: data}, errors.WithStack(err)
	}
	if size > 0 {
		if data, err := mapFile(f, int(size)); err == nil {
			return &Mapping{Data: data, mapped: true}, nil
		}
	}
	data := make([]byte, size) // some file systems cannot map
	_, err = io.ReadFull(f, data)
	return &Mapping{Data: data}, errors.WithStack(err)
}

// Close unmaps the file.
func (m *Mapping) Close() error {
	data, mapped := m.Data, m.mapped
	m.Data, m.mapped = nil, false
	if !mapped {
		return nil
	}
	return errors.WithStack(unmapFile(data))
}
