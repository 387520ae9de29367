package main

import (
	"log"
	"os"
	"strconv"
	"time"

	"github.com/pkg/errors"
)

// examine runs mutants of a package against its suites and sets their verdicts. After each suite it
// calls save, which excuses survivors: those do not go on to the next suite.
func (o *options) examine(root string, p target, files []*source, count int, todo []*mutant, save func() error) error {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return errors.Wrap(err, "mutate: folder for tests")
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(root, dir, p, files, count)
	if err != nil {
		return err
	}
	for _, m := range todo {
		m.verdict = unseen
	}
	left := todo
	for _, s := range p.suites {
		if len(left) == 0 {
			break
		}
		b, err := compile(root, dir, overlay, s)
		if err == nil {
			err = b.trace(dir, o.workers)
		}
		if err != nil {
			return err
		}
		log.Printf("%s: %d mutants meet the tests of %s", p.dir, len(left), s)
		if err := each(len(left), o.workers, func(i int) error { return b.meet(left[i], p, o.longest) }); err != nil {
			return err
		}
		if err := save(); err != nil {
			return err
		}
		var survivors []*mutant
		for _, m := range left {
			if !m.settled() {
				survivors = append(survivors, m)
			}
		}
		left = survivors
	}
	return nil
}

// meet runs the tests that get to the site of a mutant, the fastest first, until one fails. It leaves out those that take
// longer than longest.
func (b *binary) meet(m *mutant, p target, longest time.Duration) error {
	const first = 250 * time.Millisecond // how long the tests of the first process take together
	names, took, bound := []string(nil), time.Duration(0), first
	flush := func() error {
		if len(names) == 0 {
			return nil
		}
		r, err := b.run(names, time.Second+10*took, mutantVariable+"="+strconv.Itoa(m.number))
		names, took, bound = nil, 0, 4*bound
		if err != nil || r.passed {
			return err
		}
		by := caughtBy
		if r.late {
			by = byLimit
		}
		m.verdict = by + r.culprit
		if b.suite != p.suites[0] {
			m.verdict += " of " + b.suite.String()
		}
		return nil
	}
	for _, t := range b.tests {
		if !t.sites[m.site] {
			continue
		}
		m.verdict = survives
		if t.cpu > longest {
			break
		}
		if names, took = append(names, t.name), took+t.cpu; took >= bound {
			if err := flush(); err != nil || m.settled() {
				return err
			}
		}
	}
	return flush()
}
