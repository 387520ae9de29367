package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pkg/errors"
)

// A test is one of a binary: a test, an example or the seeds of a fuzz target.
type test struct {
	name  string
	cpu   time.Duration // that it takes alone
	sites map[int]bool  // those that run, by their first mutant
}

// patience is how long a single test may take.
const patience = 5 * time.Minute

// trace lists the tests of b and finds out what each of them takes and runs. It is an error if one fails: nothing has been
// mutated yet.
func (b *binary) trace(dir string, workers int) error {
	out, err := exec.Command(b.path, "-test.list", ".").Output()
	if err != nil {
		return errors.Wrapf(err, "mutate: list the tests of %s", b.suite)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if !strings.HasPrefix(name, "Benchmark") {
			b.tests = append(b.tests, test{name: name})
		}
	}
	if err := each(len(b.tests), workers, func(i int) error { return b.traceOne(dir, &b.tests[i]) }); err != nil {
		return err
	}
	slices.SortStableFunc(b.tests, func(x, y test) int { return cmp.Compare(x.cpu, y.cpu) })
	return nil
}

func (b *binary) traceOne(dir string, t *test) error {
	name := filepath.Join(dir, fmt.Sprintf("%s.%s.trace", filepath.Base(b.path), t.name))
	defer os.Remove(name)
	r, err := b.run([]string{t.name}, patience, traceVariable+"="+name)
	if err == nil && !r.passed { // a test of allocations may fail where traces are written
		r, err = b.run([]string{t.name}, patience)
	}
	if err != nil {
		return err
	}
	if !r.passed {
		return errors.Errorf("mutate: %s of %s fails without a mutant:\n%s", t.name, b.suite, r.output)
	}
	t.cpu = r.cpu
	text, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return errors.Wrap(err, "mutate: trace")
	}
	t.sites = make(map[int]bool)
	for field := range strings.FieldsSeq(string(text)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return errors.Wrap(err, "mutate: trace")
		}
		t.sites[n] = true
	}
	return nil
}

// each calls f for 0 to n-1 on so many goroutines and returns the first error of the least i.
func each(n, workers int, f func(i int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	done := make(chan struct{})
	for range workers {
		go func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = f(i)
			}
			done <- struct{}{}
		}()
	}
	for range workers {
		<-done
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
