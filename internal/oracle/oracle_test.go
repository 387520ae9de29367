package oracle

import "testing"

// Every committed case can be read, and its tensors are as long as their shapes say.
func TestLoad(t *testing.T) {
	entries, err := files.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		c := Load(t, e.Name()[:len(e.Name())-len(".safetensors")])
		for name, v := range c.Tensors {
			n := 1
			for _, d := range v.Shape {
				n *= d
			}
			if got := len(v.Floats) + len(v.Ints) + len(v.Bools); got != n {
				t.Errorf("%s %s: %d values for shape %v", c.Name, name, got, v.Shape)
			}
		}
	}
}
