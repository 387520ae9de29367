package graph_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
)

func someParams(seed uint64, dt tensor.Dtype) *graph.Params {
	ps := graph.NewParams(seed, graph.DType(dt))
	ps.Root().At("a").Param("weight", graph.Normal(1), 3, 5)
	ps.Root().At("b").Param("weight", graph.Normal(1), 7)
	return ps
}

// Parameters come back bit for bit, under the names they had, with their metadata.
func TestSaveLoad(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		from, to := someParams(1, dt), someParams(2, dt)
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := from.Save(path, map[string]string{"step": "7"}); err != nil {
			t.Fatal(err)
		}
		meta, err := to.Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if meta["step"] != "7" {
			t.Errorf("metadata %v, want step 7", meta)
		}
		for name, p := range from.All() {
			if !p.Value().(*tensor.Dense).Eq(to.Get(name).Value()) {
				t.Errorf("%v: %s differs after Load", dt, name)
			}
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Errorf("Save left %v, %v", entries, err)
		}
	}
}

// A file that does not fit is refused with all that is wrong, and changes nothing.
func TestLoadIsStrict(t *testing.T) {
	other := graph.NewParams(1)
	other.Root().At("a").Param("weight", graph.Ones, 5, 3)
	other.Root().At("c").Param("weight", graph.Ones, 2)
	var buf bytes.Buffer
	if err := other.Write(&buf, nil); err != nil {
		t.Fatal(err)
	}
	ps, want := someParams(1, tensor.Float32), someParams(1, tensor.Float32)
	_, err := ps.Read(buf.Bytes(), nil)
	for _, part := range []string{"a.weight is (5, 3), want (3, 5)", "unknown c.weight", "missing b.weight"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("Read: %v, want an error with %q", err, part)
		}
	}
	for name, p := range ps.All() {
		if !p.Value().(*tensor.Dense).Eq(want.Get(name).Value()) {
			t.Errorf("%s changed", name)
		}
	}
	// Whatever the file holds, there is no panic.
	whole := buf.Bytes()
	for n := range whole {
		if _, err := ps.Read(whole[:n], nil); err == nil {
			t.Fatalf("Read accepts the first %d of %d bytes", n, len(whole))
		}
	}
}

// The seed and the name of a parameter decide its value, not the order in which parameters are made.
func TestInitialValuesDoNotDependOnOrder(t *testing.T) {
	a, b := graph.NewParams(5), graph.NewParams(5)
	a1 := a.Root().Param("x", graph.Normal(1), 4)
	a.Root().Param("y", graph.Normal(1), 4)
	b.Root().Param("y", graph.Normal(1), 9)
	b1 := b.Root().Param("x", graph.Normal(1), 4)
	if !a1.Value().(*tensor.Dense).Eq(b1.Value()) {
		t.Errorf("x is %v and %v", a1.Value(), b1.Value())
	}
	cut := graph.NewParams(1).Root().Param("cut", graph.TruncNormal(2), 10000)
	for _, v := range cut.Value().Data().([]float32) {
		if math.Abs(float64(v)) > 6 {
			t.Fatalf("TruncNormal(2) drew %v", v)
		}
	}
}

// Blank parameters are zeros, which need not be drawn, whatever their initial values would be.
func TestBlank(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		ps := graph.NewParams(1, graph.Blank(), graph.DType(dt))
		p := ps.Root().Param("x", graph.Ones, 2, 3)
		if ps.Err() != nil || !p.Value().(*tensor.Dense).Eq(tensor.New(tensor.Of(dt), tensor.WithShape(2, 3))) {
			t.Errorf("%v, %v, want zeros", p.Value(), ps.Err())
		}
	}
}
