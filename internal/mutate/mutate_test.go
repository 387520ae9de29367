package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The lists name the comparisons that there are, in the order in which they stand, and all mutants are caught by tests that
// there are or known to be equivalent.
func TestListsAreUpToDate(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[[3]string]bool)
	for _, p := range targets {
		files, _, err := parsePackage(root, p)
		if err != nil {
			t.Fatal(err)
		}
		list, err := readList(listName(root, p))
		if err != nil {
			t.Fatal(err)
		}
		tests := make(map[string]map[string]bool) // by package
		for _, s := range p.suites {
			tests[s.dir] = testsOf(t, filepath.Join(root, s.dir))
		}
		now := mutantsOf(files)
		for i, m := range now {
			if i == len(list) || list[i].key() != m.key() {
				t.Errorf("the list of %s is stale at %q; go run ./internal/mutate -packages %s", p.dir, m.key(), p.dir)
				break
			}
			if !list[i].settled() {
				t.Errorf("%s: %s with %s: %s", m.place, m.text, m.operator, list[i].verdict)
			}
			if name, dir, ok := list[i].catcher(p); ok && name != "TestMain" && !tests[dir][name] {
				t.Errorf("%s: %s with %s is caught by %s, which %s has not", m.place, m.text, m.operator, name, dir)
			}
			if why, ok := strings.CutPrefix(list[i].verdict, equivalent); ok {
				used[m.key()] = true
				if why != equivalents[m.key()] {
					t.Errorf("%s: %s with %s is listed as %q, want %q", m.place, m.text, m.operator, why, equivalents[m.key()])
				}
			}
		}
		if len(list) > len(now) {
			t.Errorf("the list of %s has %d mutants, its files have %d", p.dir, len(list), len(now))
		}
	}
	for key := range equivalents {
		if !used[key] {
			t.Errorf("no mutant survives that would be the equivalent %q", key)
		}
	}
}

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Example|Fuzz)\w*)\(`)

// testsOf returns the names of the tests in a folder.
func testsOf(t *testing.T, dir string) map[string]bool {
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests := make(map[string]bool)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
	}
	return tests
}

// Some of the mutants of package sampler are caught by the tests that the list names, which pass without them.
func TestSomeAreCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the tests of package sampler")
	}
	const some = 12
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	p, dir := targets[0], t.TempDir()
	files, count, err := parsePackage(root, p)
	if err != nil {
		t.Fatal(err)
	}
	list, err := readList(listName(root, p))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != count {
		t.Fatalf("the list has %d mutants, the package has %d", len(list), count)
	}
	overlay, err := writeOverlay(root, dir, p, files, count)
	if err != nil {
		t.Fatal(err)
	}
	b, err := compile(root, dir, overlay, p.suites[0])
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var mutants []mutant
	for i := range some {
		at := (2*i + 1) * count / (2 * some)
		for !strings.HasPrefix(list[at].verdict, caughtBy+"Test") || strings.Contains(list[at].verdict, " of ") {
			at = (at + 1) % count
		}
		name, _, _ := list[at].catcher(p)
		list[at].number = at + 1
		names, mutants = append(names, name), append(mutants, list[at])
	}
	if r, err := b.run(names, 20*time.Second); err != nil || !r.passed {
		t.Fatalf("without a mutant tests fail: %v\n%s", err, r.output)
	}
	err = each(some, runtime.GOMAXPROCS(0), func(i int) error {
		m := mutants[i]
		r, err := b.run(names[i:i+1], 20*time.Second, mutantVariable+"="+strconv.Itoa(m.number))
		if r.passed {
			t.Errorf("%s: %s passes %s with %s", m.place, names[i], m.text, m.operator)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
