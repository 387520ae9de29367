// Package imports holds the test that keeps imports going one way.
package imports

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/logits-go/logits/"

// may lists what a package may import, directly or not: packages of this module, and modules of others where they
// matter. loss, optim, sampler and text each serve people who use nothing else.
var may = map[string]struct {
	ours   []string
	theirs []string // of gorgonia.org
}{
	"internal/kernel": {},
	"internal/op":     {[]string{"internal/kernel"}, []string{"gorgonia", "tensor"}},
	"graph":           {[]string{"internal/op", "internal/kernel"}, []string{"gorgonia", "tensor"}},
	"layers":          {[]string{"graph", "internal/op", "internal/kernel"}, []string{"gorgonia", "tensor"}},
	"loss":            {[]string{"internal/op", "internal/kernel"}, []string{"gorgonia", "tensor"}},
	"optim":           {[]string{"internal/kernel"}, []string{"gorgonia", "tensor"}},
	"sampler":         {[]string{"internal/kernel"}, []string{"tensor"}},
	"text":            {nil, nil},
}

// Imports go one way.
func TestDirection(t *testing.T) {
	for pkg, allowed := range may {
		out, err := exec.Command("go", "list", "-deps", module+pkg).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", pkg, err)
		}
		for _, dep := range strings.Fields(string(out)) {
			if name, ok := strings.CutPrefix(dep, module); ok && name != pkg && !slices.Contains(allowed.ours, name) {
				t.Errorf("%s imports %s", pkg, name)
			}
			if name, ok := strings.CutPrefix(dep, "gorgonia.org/"); ok {
				if name, _, _ = strings.Cut(name, "/"); (name == "gorgonia" || name == "tensor") && !slices.Contains(allowed.theirs, name) {
					t.Errorf("%s imports %s", pkg, dep)
				}
			}
		}
	}
}
