package graph_test

import (
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
)

// A profile counts the calls and the work of the runs it was on for.
func TestProfile(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 3, 4)
	w := g.Param(graph.NewParams(1).Root().At("layer").Param("weight", graph.Ones, 5, 4))
	prog, err := graph.Compile(x.Linear(w).Softmax())
	if err != nil {
		t.Fatal(err)
	}
	feed := graph.Feed{x: graph.Floats(floats(12, 1), 3, 4)}
	run := func() {
		if err := prog.Run(t.Context(), feed); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := len(prog.Profile().Steps); n != 0 {
		t.Errorf("%d steps measured without SetProfile", n)
	}
	prog.SetProfile(true)
	run()
	run()
	f := prog.Profile()
	s := f.Steps[0]
	if s.Op != "Linear" || s.Layer != "layer" || s.Calls != 2 || s.FLOPs != 2*2*3*4*5 || s.Bytes != 2*4*(12+20+15) || s.Time <= 0 {
		t.Errorf("measured %+v", s)
	}
	if table := f.String(); strings.Count(table, "\n") != 3 || !strings.Contains(table, "Softmax") {
		t.Errorf("table:\n%s", table)
	}
}
