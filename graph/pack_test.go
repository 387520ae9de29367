package graph_test

import (
	"bytes"
	"slices"
	"testing"
	"unsafe"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
)

// adjacent reports whether the storage of parameters lies one behind the other.
func adjacent(ps ...*graph.Param) bool {
	for i, p := range ps[1:] {
		before := ps[i].Value()
		if uintptr(unsafe.Pointer(unsafe.SliceData(p.Value().Data().([]float32)))) !=
			uintptr(unsafe.Pointer(unsafe.SliceData(before.Data().([]float32))))+before.MemSize() {
			return false
		}
	}
	return true
}

// packable makes parameters a, b and c of rows of 3 numbers.
func packable(seed uint64) (ps *graph.Params, a, b, c *graph.Param) {
	ps = graph.NewParams(seed)
	s := ps.Root()
	return ps, s.Param("a", graph.Normal(1), 4, 3), s.Param("b", graph.Normal(1), 1, 3), s.Param("c", graph.Normal(1), 2, 3)
}

// Packing changes where parameters lie and nothing else: not their names, shapes and values, nor how they are saved and
// loaded.
func TestPack(t *testing.T) {
	plain, _, _, _ := packable(1)
	ps, a, b, c := packable(1)
	graph.Pack(c, a, b)
	if !adjacent(c, a, b) {
		t.Error("c, a and b lie apart")
	}
	var want, got bytes.Buffer
	if err := plain.Write(&want, nil); err != nil {
		t.Fatal(err)
	}
	if err := ps.Write(&got, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Error("packed parameters are saved otherwise")
	}
	other, _, _, _ := packable(2)
	want.Reset()
	if err := other.Write(&want, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ps.Read(want.Bytes(), nil); err != nil {
		t.Fatal(err)
	}
	for name, p := range other.All() {
		if !p.Value().(*tensor.Dense).Eq(ps.Get(name).Value()) {
			t.Errorf("%s is not what was loaded", name)
		}
	}
	if !adjacent(c, a, b) {
		t.Error("c, a and b lie apart after loading")
	}
	// Writing beyond the end of one is no way into the next.
	if d := c.Value().Data().([]float32); cap(d) != len(d) {
		t.Errorf("c has room for %d numbers, want %d", cap(d), len(d))
	}
	graph.Pack(a, b)
	if !adjacent(a, b) {
		t.Error("a and b lie apart after the second time")
	}
}

// What a graph works on stays where it is: a program would not see what training changes. So does everything if
// something is wrong.
func TestPackLeavesAlone(t *testing.T) {
	for _, tt := range []struct {
		name string
		pack func(a, b, c *graph.Param)
	}{
		{"nothing", func(a, b, c *graph.Param) { graph.Pack() }},
		{"nil", func(a, b, c *graph.Param) { graph.Pack(c, a, nil) }},
		{"not made", func(a, b, c *graph.Param) { graph.Pack(c, a, graph.Scope{}.Param("d", graph.Ones, 3, 3)) }},
		{"another type", func(a, b, c *graph.Param) {
			graph.Pack(c, a, graph.NewParams(1, graph.DType(tensor.Float64)).Root().Param("d", graph.Ones, 3, 3))
		}},
		{"in a graph", func(a, b, c *graph.Param) { graph.New().Param(b); graph.Pack(c, a, b) }},
	} {
		_, a, b, c := packable(1)
		was := []*float32{}
		for _, p := range []*graph.Param{a, b, c} {
			was = append(was, unsafe.SliceData(p.Value().Data().([]float32)))
		}
		tt.pack(a, b, c)
		for i, p := range []*graph.Param{a, b, c} {
			if unsafe.SliceData(p.Value().Data().([]float32)) != was[i] {
				t.Errorf("%s: %s has moved", tt.name, p.Name())
			}
		}
	}
}

// A program sees what is written to packed parameters, and its gradients are theirs.
func TestPackedParametersTrain(t *testing.T) {
	_, a, b, c := packable(1)
	graph.Pack(a, b, c)
	g := graph.New()
	x := g.Input("x", tensor.Float32, 1, 3)
	y := x.Linears([]graph.Node{g.Param(a), g.Param(b), g.Param(c)})
	prog, err := graph.CompileTrain(y.Sum(), y)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range []*graph.Param{a, b, c} {
		data := p.Value().Data().([]float32)
		for j := range data {
			data[j] = float32(i + 1)
		}
	}
	run(t, prog, graph.Feed{x: graph.Floats([]float32{1, 2, 3}, 1, 3)})
	v, err := prog.Value(y)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := v.Data().([]float32), []float32{6, 6, 6, 6, 12, 18, 18}; !slices.Equal(got, want) {
		t.Errorf("computed %v, want %v", got, want)
	}
	for _, p := range []*graph.Param{a, b, c} {
		for i, d := range grad(t, p) {
			if d != float64(i%3+1) {
				t.Errorf("gradient %d of %s is %v", i, p.Name(), d)
			}
		}
	}
}
