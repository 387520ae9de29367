// Package oracle reads the reference values that tests compare with.
//
// make_oracle.py computed them with PyTorch in float64, one safetensors file a case:
// in.NAME is an input, out.NAME a result, gy the gradient that flows into out.y and
// grad.NAME the gradient of in.NAME. Settings of a case stand in its metadata.
// make_losses.py adds a case of every option of package loss, and make_sampler.py those
// of package sampler, which are among its own tests.
package oracle

import (
	"embed"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/nlpodyssey/safetensors"
)

//go:embed testdata/*.safetensors
var files embed.FS

// A Tensor is one array of a case. Floats holds its numbers whatever their type in the file;
// Ints holds ids and Bools masks.
type Tensor struct {
	Shape  []int
	Floats []float64
	Ints   []int
	Bools  []bool
}

// Float32s returns the numbers of t in float32.
func (t Tensor) Float32s() []float32 {
	out := make([]float32, len(t.Floats))
	for i, v := range t.Floats {
		out[i] = float32(v)
	}
	return out
}

// A Case is the content of one file.
type Case struct {
	Name    string
	Tensors map[string]Tensor
	Meta    map[string]string
}

// Load reads the case of the given name, such as "rmsnorm", and fails the test if it cannot.
func Load(t testing.TB, name string) *Case {
	t.Helper()
	data, err := files.ReadFile("testdata/" + name + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return Decode(t, name, data)
}

// Decode is Load of a file's content, for cases that are kept where they are used.
func Decode(t testing.TB, name string, data []byte) *Case {
	t.Helper()
	st, err := safetensors.Deserialize(data)
	if err != nil {
		t.Fatalf("oracle %s: %v", name, err)
	}
	_, meta, err := safetensors.ReadMetadata(data)
	if err != nil {
		t.Fatalf("oracle %s: %v", name, err)
	}
	c := &Case{Name: name, Tensors: make(map[string]Tensor), Meta: meta.Metadata()}
	for _, nt := range st.Tensors() {
		c.Tensors[nt.Name] = decode(t, nt)
	}
	return c
}

// Get returns a tensor of the case and fails the test if there is none of that name.
func (c *Case) Get(t testing.TB, name string) Tensor {
	t.Helper()
	v, ok := c.Tensors[name]
	if !ok {
		t.Fatalf("oracle %s has no tensor %s", c.Name, name)
	}
	return v
}

// With returns the tensors whose names start with prefix, without the prefix.
func (c *Case) With(prefix string) map[string]Tensor {
	out := make(map[string]Tensor)
	for name, v := range c.Tensors {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			out[rest] = v
		}
	}
	return out
}

func decode(t testing.TB, nt safetensors.NamedTensorView) (out Tensor) {
	t.Helper()
	data := nt.TensorView.Data()
	out.Shape = []int{}
	for _, d := range nt.TensorView.Shape() {
		out.Shape = append(out.Shape, int(d))
	}
	le := binary.LittleEndian
	switch dt := nt.TensorView.DType(); dt {
	case safetensors.F32:
		for ; len(data) > 0; data = data[4:] {
			out.Floats = append(out.Floats, float64(math.Float32frombits(le.Uint32(data))))
		}
	case safetensors.F64:
		for ; len(data) > 0; data = data[8:] {
			out.Floats = append(out.Floats, math.Float64frombits(le.Uint64(data)))
		}
	case safetensors.I64:
		for ; len(data) > 0; data = data[8:] {
			out.Ints = append(out.Ints, int(int64(le.Uint64(data))))
		}
	case safetensors.U8:
		for _, b := range data {
			out.Ints = append(out.Ints, int(b))
		}
	case safetensors.BOOL:
		for _, b := range data {
			out.Bools = append(out.Bools, b != 0)
		}
	default:
		t.Fatalf("oracle: tensor %s has type %v", nt.Name, dt)
	}
	return out
}

// Check fails the test where |got - want| > tol + tol·|want|, naming what was compared and the worst place.
// Equal infinities agree.
func Check[F float32 | float64](t testing.TB, what string, got []F, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	worst, at := 0.0, -1
	for i, w := range want {
		g := float64(got[i])
		if g == w {
			continue
		}
		d := math.Abs(g-w) / (tol + tol*math.Abs(w))
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		if d > worst {
			worst, at = d, i
		}
	}
	if worst > 1 {
		t.Errorf("%s: element %d is %v, want %v (%.3g times the tolerance %g)", what, at, got[at], want[at], worst, tol)
	}
}

// CheckData is Check of the data of a Gorgonia value: numbers of either type, or a slice of them.
func CheckData(t testing.TB, what string, data any, want []float64, tol float64) {
	t.Helper()
	switch got := data.(type) {
	case []float32:
		Check(t, what, got, want, tol)
	case []float64:
		Check(t, what, got, want, tol)
	case float32:
		Check(t, what, []float32{got}, want, tol)
	case float64:
		Check(t, what, []float64{got}, want, tol)
	default:
		t.Errorf("%s: data is %T", what, got)
	}
}
