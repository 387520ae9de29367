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
	"graph":           {slices.Concat(numbers, files), []string{"gorgonia", "tensor"}},
	"layers":          {slices.Concat(numbers, files, formats, []string{"graph"}), []string{"gorgonia", "tensor"}},
	"loss":            {numbers, []string{"gorgonia", "tensor"}},
	"optim":           {[]string{"internal/kernel"}, []string{"gorgonia", "tensor"}},
	"sampler":         {[]string{"internal/kernel"}, []string{"tensor"}},
	"text":            {nil, nil},

	"sampler/constrain": {[]string{"sampler", "internal/kernel"}, []string{"tensor"}},

	"internal/half":        {nil, nil},
	"internal/weights":     {[]string{"internal/half", "internal/kernel"}, nil},
	"internal/safetensors": {[]string{"internal/weights", "internal/half", "internal/kernel"}, nil},
	"internal/gguf":        {[]string{"internal/weights", "internal/half", "internal/kernel"}, nil},
	"internal/llama2c":     {nil, nil},
}

// Packages that others may import together.
var (
	numbers = []string{"internal/op", "internal/kernel"}
	files   = []string{"internal/safetensors", "internal/weights", "internal/half"}
	formats = []string{"internal/gguf", "internal/llama2c"}
)

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
