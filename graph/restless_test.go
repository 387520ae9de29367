//go:build unix

package graph_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/faults"
)

// wideParams takes long enough to read for another program to come in between.
func wideParams(seed uint64) *graph.Params {
	ps := graph.NewParams(seed)
	for _, name := range []string{"a", "b", "c", "d"} {
		ps.Root().At(name).Param("weight", graph.Uniform(1), 64, 512)
	}
	return ps
}

// Where another program changes a checkpoint, or cuts it short, at any time while it is read, all parameters come to be
// what was saved or all stay as they were, and the optimizer's tensors come whole or not at all.
func TestArchiveRestless(t *testing.T) {
	saved, fresh := wideParams(1), wideParams(2)
	moments := make(map[string]*tensor.Dense)
	for name, p := range saved.All() {
		moments["exp_avg."+name] = p.Value().(*tensor.Dense)
	}
	a := graph.Archive{Folder: graph.Dir(t.TempDir())}
	name, err := a.Save(saved, graph.Snapshot{Step: 1, Tensors: moments})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(string(a.Folder.(graph.Dir)), name)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole, refused := 0, 0
	for round := range 120 {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		f := faults.Restless{Dir: a.Folder.(graph.Dir), After: time.Duration(round/2) * 25 * time.Microsecond}
		if round%2 == 0 {
			f.Part = len(file) * 3 / 4
		}
		ps := wideParams(2)
		s, skipped, err := graph.Archive{Folder: f}.Load(ps)
		if err != nil {
			refused++
			if len(skipped) != 1 {
				t.Errorf("%v, and skipped are %v", err, skipped)
			}
			sameParams(t, ps, fresh)
			continue
		}
		whole++
		sameParams(t, ps, saved)
		for name, m := range moments {
			if got := s.Tensors[name]; got == nil || !got.Eq(m) {
				t.Errorf("%s has changed", name)
			}
		}
	}
	t.Logf("%d times whole, %d times refused", whole, refused)
	if refused == 0 {
		t.Error("nothing was changed in time")
	}
}
