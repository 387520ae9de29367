package weights

import (
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/internal/half"
)

// Numbers that a type can hold come back from any position on.
func TestAppendRead(t *testing.T) {
	x := make([]float32, 96)
	for i := range x {
		x[i] = float32(i - 48)
	}
	x[0], x[32], x[64] = -127, 127, -127 // for Q8_0 to have a scale of 1
	for _, d := range floats {
		tensor := Tensor{DType: d, Shape: []int{3, 32}, Data: Append(nil, d, x)}
		if len(tensor.Data) != d.Bytes(tensor.Len()) {
			t.Errorf("%v: %d bytes, want %d", d, len(tensor.Data), d.Bytes(tensor.Len()))
		}
		for from := range x {
			for _, n := range []int{0, 1, 2, len(x) - from} {
				if from+n > len(x) {
					continue
				}
				got, got64 := make([]float32, n), make([]float64, n)
				Read(got, tensor, from)
				Read(got64, tensor, from)
				for i := range got {
					if got[i] != x[from+i] || got64[i] != float64(x[from+i]) {
						t.Fatalf("%v: number %d is %v and %v, want %v", d, from+i, got[i], got64[i], x[from+i])
					}
				}
			}
		}
	}
}

// Bytes are those of Append, without a copy where the type is that of the numbers.
func TestBytes(t *testing.T) {
	x32, x64 := []float32{1, -2, 3.5}, []float64{1, -2, 3.5}
	for _, d := range []DType{F64, F32, F16, BF16} {
		if !slices.Equal(Bytes(d, x32), Append(nil, d, x32)) || !slices.Equal(Bytes(d, x64), Append(nil, d, x64)) {
			t.Errorf("%v: %v and %v", d, Bytes(d, x32), Bytes(d, x64))
		}
	}
	if n := testing.AllocsPerRun(10, func() { Bytes(F32, x32); Bytes(F64, x64) }); little && n != 0 {
		t.Errorf("%v allocations", n)
	}
	if b := Bytes(F32, []float32{}); len(b) != 0 {
		t.Errorf("no numbers are %v", b)
	}
}

// Blocks of Q8_0 are those of ggml's quantize_row_q8_0_ref, restated here in float64 where that changes nothing.
func TestBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		x := make([]float32, 32)
		for i := range x {
			x[i] = float32(rng.NormFloat64() * math.Pow(10, float64(round%9-4)))
		}
		data := Append(nil, Q8_0, x)
		if len(data) != 34 {
			t.Fatalf("a block of %d bytes, want 34", len(data))
		}
		largest := 0.0
		for _, v := range x {
			largest = max(largest, math.Abs(float64(v)))
		}
		d := float32(largest) / 127
		if got := binary.LittleEndian.Uint16(data); got != half.ToF16(d) {
			t.Errorf("scale %#x, want %#x", got, half.ToF16(d))
		}
		id := 1 / d
		for i, v := range x {
			if got, want := int8(data[2+i]), int8(math.Round(float64(v*id))); got != want {
				t.Errorf("%v in a block of scale %v is %d, want %d", v, d, got, want)
			}
		}
		// Away from where F16 runs out of digits a number is off by half a step and the rounding of the scale.
		if d < 1e-4 || d > 1e4 {
			continue
		}
		back := make([]float32, 32)
		Read(back, Tensor{DType: Q8_0, Data: data}, 0)
		for i := range x {
			if e := math.Abs(float64(back[i] - x[i])); e > float64(d)*0.5+largest/2000 {
				t.Errorf("%v comes back as %v with a step of %v", x[i], back[i], d)
			}
		}
	}
	if data := Append(nil, Q8_0, make([]float32, 32)); slices.Max(data) != 0 {
		t.Errorf("zeros become %v", data)
	}
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		x, back := make([]float32, 32), make([]float32, 32)
		x[7] = bad
		Read(back, Tensor{DType: Q8_0, Data: Append(nil, Q8_0, x)}, 0)
		if v := float64(back[7]); !math.IsNaN(v) {
			t.Errorf("%v comes back as %v", bad, v)
		}
	}
}

// Check names everything that is wrong, and nothing else.
func TestCheck(t *testing.T) {
	f, err := New([]Tensor{
		{Name: "good", DType: F16, Shape: []int{2}},
		{Name: "long", DType: F32, Shape: []int{2, 3}},
		{Name: "mask", DType: "BOOL", Shape: []int{2}},
		{Name: "other", DType: F32},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = f.Check(map[string][]int{"good": {2}, "long": {3, 2}, "mask": {2}, "absent": {1}})
	const want = "long is (2, 3), want (3, 2); mask holds BOOL, want one of [F64 F32 F16 BF16 Q8_0]; missing absent; unknown other"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := f.Check(map[string][]int{"good": {2}, "long": {2, 3}, "other": nil}); err == nil || err.Error() != "unknown mask" {
		t.Errorf("%v, want unknown mask", err)
	}
	if _, err := New([]Tensor{{Name: "a"}, {Name: "a"}}); err == nil {
		t.Error("two tensors of one name pass")
	}
}

func TestRename(t *testing.T) {
	f, err := New([]Tensor{{Name: "a"}, {Name: "b"}, {Name: "c"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Rename(func(string) string { return "x" }); err == nil || !strings.Contains(err.Error(), "a second x") {
		t.Errorf("%v, want a second x", err)
	}
	err = f.Rename(func(name string) string { return strings.Replace("x."+name, "x.b", "", 1) })
	if _, ok := f.Tensors["x.a"]; err != nil || !ok || len(f.Tensors) != 2 || f.Tensors["x.a"].Name != "x.a" {
		t.Errorf("%v, %v", f.Tensors, err)
	}
}

// A file that cannot be written leaves the old one and nothing else.
func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, failing); err == nil {
		t.Error("no error")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if data, _ := os.ReadFile(path); err != nil || len(entries) != 1 || string(data) != "old" {
		t.Errorf("%v with %q, %v", entries, data, err)
	}
}

// The files of a stage take their places together, instead of stale ones, or not at all.
func TestStage(t *testing.T) {
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		}
	}
	for _, c := range []struct {
		name  string
		third func(io.Writer) error
		want  map[string]string
	}{
		{"whole", text("new c"), map[string]string{"a": "new a", "b": "new b", "c": "new c", "other": "old"}},
		{"failing", failing, map[string]string{"a": "old", "c": "old", "stale": "old", "other": "old"}},
	} {
		dir := t.TempDir()
		for _, name := range []string{"a", "c", "stale", "other"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		s := Stage{Dir: dir}
		if err := errors.Join(s.Write("a", text("new a")), s.Write("b", text("new b"))); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || string(data) != "old" {
			t.Errorf("%s: before its time a is %q, %v", c.name, data, err)
		}
		if err := s.Write("c", c.third); err == nil {
			if err := s.Place("stale", "stale of which there is none"); err != nil {
				t.Error(err)
			}
		}
		s.Discard()
		got := make(map[string]string)
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, _ := os.ReadFile(filepath.Join(dir, e.Name()))
			got[e.Name()] = string(data)
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: files %v, want %v", c.name, got, c.want)
		}
	}
}

func failing(w io.Writer) error {
	io.WriteString(w, "new")
	return io.ErrShortWrite
}
