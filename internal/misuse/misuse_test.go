// Package misuse holds the tests that every mistake is an error, one that says what is wrong and where.
package misuse

import (
	"fmt"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/pkg/errors"
)

// A mistake is what somebody might do, and what its error must say.
type mistake struct {
	name string
	do   func() error
	want []string
}

// An area is a part of the module with the mistakes to make there.
type area struct {
	name     string
	mistakes func(t *testing.T) []mistake
}

var areas = []area{
	{"building graphs", building},
	{"parameters", parameters},
	{"compiling", compiling},
	{"feeding and running", running},
	{"decoders", decoders},
	{"checkpoints", checkpoints},
	{"layers and configs", models},
	{"model files", modelFiles},
	{"losses", losses},
	{"optimizers", optimizers},
	{"sampler settings", samplers},
	{"distributions", distributions},
	{"chains of other systems", presets},
	{"generation", generation},
	{"constraints", constraints},
	{"tokenizers", tokenizers},
	{"tokenizer files", tokenizerFiles},
	{"tokens and texts", texts},
}

// A tally is how the mistakes of an area ended.
type tally struct{ cases, panics, silent, vague int }

// attempt makes a mistake and returns its error, or the panic.
func attempt(do func() error) (err error, panicked any) {
	defer func() { panicked = recover() }()
	return do(), nil
}

// Every mistake is an error that names what it is about. None panics, and none is accepted.
func TestMisuse(t *testing.T) {
	var all tally
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "area\tmistakes\tpanics\tsilent\tvague\t")
	for _, a := range areas {
		var n tally
		names := make(map[string]bool)
		for _, m := range a.mistakes(t) {
			if names[m.name] {
				t.Errorf("%s: two mistakes are named %s", a.name, m.name)
			}
			names[m.name] = true
			n.cases++
			err, panicked := attempt(m.do)
			switch {
			case panicked != nil:
				n.panics++
				t.Errorf("%s: %s: panic: %v", a.name, m.name, panicked)
			case err == nil:
				n.silent++
				t.Errorf("%s: %s: no error", a.name, m.name)
			case !says(err, m.want):
				n.vague++
				t.Errorf("%s: %s: %q, want %q in it", a.name, m.name, err, m.want)
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", a.name, n.cases, n.panics, n.silent, n.vague)
		all = tally{all.cases + n.cases, all.panics + n.panics, all.silent + n.silent, all.vague + n.vague}
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t\n", all.cases, all.panics, all.silent, all.vague)
	w.Flush()
	t.Logf("\n%s", table.String())
	if all.cases < 300 {
		t.Errorf("%d mistakes, want at least 300", all.cases)
	}
}

func says(err error, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			return false
		}
	}
	return len(parts) > 0
}

// What the test is for is noticed: a panic, no error, and an error that does not say what is wrong.
func TestNotices(t *testing.T) {
	if err, p := attempt(func() error { panic("boom") }); err != nil || p != "boom" {
		t.Errorf("%v, %v", err, p)
	}
	if says(errors.New("Add: x (2)"), []string{"Add", "(3)"}) || says(errors.New("Add"), nil) {
		t.Error("an error that does not say what is wrong passes")
	}
}
