package faults

import (
	"bytes"
	le "encoding/binary"
	"encoding/json"
	"strings"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/safetensors"
	"github.com/logits-go/logits/internal/weights"
)

// Model returns the parameters that the files of Malformed are for, or rather are not.
func Model(seed uint64) *graph.Params {
	ps := graph.NewParams(seed)
	ps.Root().At("a").Param("weight", graph.Normal(1), 3, 5)
	ps.Root().At("b").Param("weight", graph.Normal(1), 7)
	return ps
}

// Malformed returns files that a snapshot of Model must not be read from, by what is wrong with them. Each is wrong in one
// way, its checksums are right otherwise.
func Malformed() (map[string][]byte, error) {
	f := &forge{files: make(map[string][]byte)}
	f.start()
	for _, add := range []func(){f.headers, f.fields, f.records, f.contents, f.checksums, f.masses} {
		if f.err == nil {
			add()
		}
	}
	return f.files, f.err
}

// A forge makes malformed files out of a good one.
type forge struct {
	good   []byte
	header string // of the good file
	data   []byte // of its tensors
	files  map[string][]byte
	err    error // the first
}

func (f *forge) fail(err error) {
	if f.err == nil {
		f.err = errors.WithMessage(err, "faults")
	}
}

// start makes the good file.
func (f *forge) start() {
	ps := Model(1)
	s := graph.Snapshot{
		Step: 7, Counts: map[string]uint64{"runs": 3}, States: map[string][]byte{"stream": {0, 1, 255}},
		Metadata: map[string]string{"settings": `{"lr":"0.1"}`}, Tensors: make(map[string]*tensor.Dense),
	}
	for name, p := range ps.All() {
		s.Tensors["exp_avg."+name] = p.Value().(*tensor.Dense)
	}
	var buf bytes.Buffer
	if err := s.Write(&buf, ps); err != nil {
		f.fail(err)
		return
	}
	f.good = buf.Bytes()
	end := 8 + le.LittleEndian.Uint64(f.good)
	f.header, f.data = string(f.good[8:end]), f.good[end:]
	if !bytes.Equal(withHeader(f.header, f.data), f.good) || !bytes.Equal(Reseal(f.good), f.good) {
		f.fail(errors.New("a good file is sealed in another way"))
	}
}

// edited returns the good file with another text in place of one in its header, and the checksum of that.
func (f *forge) edited(old, new string) []byte {
	if n := strings.Count(f.header, old); n != 1 {
		f.fail(errors.Errorf("%q is there %d times in %s", old, n, f.header))
	}
	return withHeader(strings.Replace(f.header, old, new, 1), f.data)
}

// plain returns a file of the parameters alone.
func (f *forge) plain() []byte {
	var buf bytes.Buffer
	if err := Model(1).Write(&buf, nil); err != nil {
		f.fail(err)
	}
	return buf.Bytes()
}

func (f *forge) parsed() *weights.File {
	file, err := safetensors.Parse(f.good)
	if err != nil {
		f.fail(err)
		return &weights.File{}
	}
	return file
}

// content is what a file is made of whose checksums are right whatever it holds.
type content struct {
	tensors  map[string]safetensors.Source
	metadata map[string]string
}

// made returns the good file with another content.
func (f *forge) made(change func(*content)) []byte {
	file := f.parsed()
	c := content{make(map[string]safetensors.Source), map[string]string{"logits.snapshot": file.Metadata["logits.snapshot"]}}
	for name, x := range file.Tensors {
		c.tensors[name] = tensorOf(string(x.DType), x.Data, x.Shape...)
	}
	change(&c)
	var buf bytes.Buffer
	if err := safetensors.WriteSummed(&buf, c.tensors, c.metadata); err != nil {
		f.fail(err)
	}
	return buf.Bytes()
}

func tensorOf(dtype string, data []byte, shape ...int) safetensors.Source {
	return safetensors.Source{DType: weights.DType(dtype), Shape: shape, Data: func() []byte { return data }}
}

// text returns v in JSON.
func (f *forge) text(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		f.fail(err)
	}
	return string(text)
}
