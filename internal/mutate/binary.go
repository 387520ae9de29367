package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/pkg/errors"
)

// A binary is the compiled tests of a suite on an instrumented package.
type binary struct {
	suite
	path  string // of the program
	dir   string // in which it runs
	args  []string
	tests []test // the fastest first
}

// writeOverlay instruments a package into dir and returns the name of a file for go build -overlay.
func writeOverlay(root, dir string, p target, files []*source, mutants int) (string, error) {
	replace := make(map[string]string)
	put := func(name string, text []byte) error {
		to := filepath.Join(dir, filepath.Base(name))
		replace[filepath.Join(root, filepath.FromSlash(name))] = to
		return errors.Wrap(os.WriteFile(to, text, 0o666), "mutate: overlay")
	}
	for _, s := range files {
		text, err := s.instrument()
		if err == nil {
			err = put(s.name, text)
		}
		if err != nil {
			return "", err
		}
	}
	if err := put(p.dir+"/mutant_switches.go", switchesFor(files[0].file.Name.Name, mutants)); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", errors.Wrap(err, "mutate: overlay")
	}
	name := filepath.Join(dir, "overlay.json")
	return name, errors.Wrap(os.WriteFile(name, text, 0o666), "mutate: overlay")
}

// compile builds the tests of a suite into dir.
func compile(root, dir, overlay string, s suite) (*binary, error) {
	b := &binary{suite: s, dir: filepath.Join(root, filepath.FromSlash(s.dir))}
	b.path = filepath.Join(dir, strings.ReplaceAll(s.dir, "/", "_")+".test")
	if _, err := os.Stat(b.path); err == nil { // with another environment
		return b, b.quiet()
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", b.path, "./"+s.dir)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, errors.Wrapf(err, "mutate: compile the tests of %s: %s", s.dir, out)
	}
	return b, b.quiet()
}

// quiet keeps tests with package rapid from writing files about what they find, if there are any.
func (b *binary) quiet() error {
	usage, err := exec.Command(b.path, "-h").CombinedOutput()
	if bytes.Contains(usage, []byte("rapid.nofailfile")) {
		b.args = append(b.args, "-rapid.nofailfile")
	}
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		return errors.Wrapf(err, "mutate: flags of the tests of %s", b.suite)
	}
	return nil
}

// A run is what came of some tests.
type run struct {
	passed  bool
	late    bool          // it was stopped at the limit
	cpu     time.Duration // that it took
	culprit string        // the first test that failed
	output  []byte
}

// run runs tests whose names match with variables of the environment. The limits, of processor time and of memory, are kept by
// the shell, so that what other programs do meanwhile decides nothing; a run that sleeps ends too, after a while.
func (b *binary) run(names []string, limit time.Duration, env ...string) (r run, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute+10*limit)
	defer cancel()
	const memory = 6 << 20 // KiB
	script := fmt.Sprintf(`ulimit -d %d; ulimit -t %d; exec "$0" "$@"`, memory, int(limit/time.Second)+1)
	args := append([]string{"-c", script, b.path, "-test.v", "-test.failfast"}, b.args...)
	cmd := exec.CommandContext(ctx, "sh", append(args, "-test.run", "^("+strings.Join(names, "|")+")$")...)
	cmd.Dir = b.dir
	cmd.Env = append(cmd.Environ(), env...)
	if b.env != "" {
		cmd.Env = append(cmd.Env, b.env)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return r, errors.Wrap(err, "mutate: run tests")
	}
	r = run{passed: err == nil, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), output: out.Bytes()}
	r.late = cmd.ProcessState.ExitCode() < 0 && (r.cpu >= limit || ctx.Err() != nil)
	if !r.passed {
		r.culprit = culprit(r.output)
	}
	return r, nil
}

var (
	failure = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)
	start   = regexp.MustCompile(`(?m)^=== (?:RUN|CONT) +(\w+)$`)
)

// culprit returns the test that failed according to what go test printed: the one that was running if it does not say.
func culprit(output []byte) string {
	if m := failure.FindSubmatch(output); m != nil {
		return string(m[1])
	}
	last := "TestMain"
	if all := start.FindAllSubmatch(output, -1); len(all) > 0 {
		last = string(all[len(all)-1][1])
	}
	if bytes.Contains(output, []byte("--- PASS: "+last+" ")) { // all passed, and then something was wrong
		return "TestMain"
	}
	return last
}
