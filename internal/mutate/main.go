// Mutate checks that the tests notice when a comparison is wrong. In the packages that tokens and losses come from it swaps
// every comparison, && and ||, min and max for another, one at a time, and runs the tests: < becomes <= and >=, == becomes
// !=, and so on. What caught each of these mutants stands in lists in testdata:
//
//	go run ./internal/mutate
//
// brings them up to date. It runs the mutants of functions that have changed since and those that the list says have
// survived, and with -all every one. Most are caught within a second; one that survives costs all the tests that get to it,
// unless -longest leaves out the slow ones, so start with -longest 1s and see what is left.
//
// A mutant that survives asks for a test, or for code without the comparison. One that does what the original does goes into
// the table of equivalents, with the reason.
//
// All mutants of a package are compiled at once: a copy of it, which only the compiler sees, asks at each comparison whether
// it is the one to be swapped.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("mutate: ")
	var o options
	packages := flag.String("packages", "", "only those `folders`, separated by commas")
	only := flag.String("run", "", "only mutants of functions that match a `regexp`, such as 'sampler/topk.go'")
	flag.BoolVar(&o.all, "all", false, "run those too of which the verdict is known")
	flag.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "how many mutants to run at once")
	flag.DurationVar(&o.longest, "longest", patience, "leave out tests that take longer")
	flag.Parse()
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		log.Fatal(err)
	}
	if o.workers < 1 {
		log.Fatalf("%d workers, want at least 1", o.workers)
	}
	root, err := moduleRoot()
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range targets {
		if *packages != "" && !slices.Contains(strings.Split(*packages, ","), p.dir) {
			continue
		}
		if err := o.update(root, p); err != nil {
			log.Fatal(err)
		}
	}
}

// options are the flags of the program.
type options struct {
	only    *regexp.Regexp // functions
	all     bool
	workers int
	longest time.Duration // of a test
}

// moduleRoot returns the folder of the module that the program has been started in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
	return "", errors.Wrap(err, "working directory")
}

// update brings the list of a package up to date.
func (o *options) update(root string, p target) error {
	begin := time.Now()
	files, count, err := parsePackage(root, p)
	if err != nil {
		return err
	}
	mutants := mutantsOf(files)
	name := listName(root, p)
	if earlier, err := readList(name); err == nil {
		reuse(mutants, earlier)
	} else if !os.IsNotExist(errors.Cause(err)) {
		return err
	}
	var todo []*mutant
	for i := range mutants {
		if m := &mutants[i]; o.only.MatchString(m.place) && (o.all || !m.settled()) {
			todo = append(todo, m)
		}
	}
	if len(todo) > 0 {
		save := func() error {
			excuse(mutants)
			return writeList(name, p.dir, mutants)
		}
		if err := o.examine(root, p, files, count, todo, save); err != nil {
			return err
		}
	}
	if err := writeList(name, p.dir, mutants); err != nil {
		return err
	}
	left := 0
	for i := range mutants {
		if m := &mutants[i]; !m.settled() {
			left++
			log.Printf("%s: %s with %s: %s", m.place, m.text, m.operator, m.verdict)
		}
	}
	log.Printf("%s: ran %d of %d mutants in %v, %d left", p.dir, len(todo), count, time.Since(begin).Round(time.Second), left)
	return nil
}
