package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// resumes stops training after every step and goes on in other objects and on another number of threads.
func resumes(ctx context.Context, _ settings, _ string) (sc score, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	whole, err := newTraining(tiny)
	if err != nil {
		return sc, err
	}
	var cuts [][]byte
	for range steps {
		file, err := whole.file()
		if err != nil {
			return sc, err
		}
		cuts = append(cuts, file)
		if err := whole.step(context.Background()); err != nil {
			return sc, err
		}
	}
	want, err := whole.hash()
	if err != nil {
		return sc, err
	}
	for at, file := range cuts {
		for threads := 1; threads <= 2; threads++ {
			if ctx.Err() != nil {
				sc.short = true
				return sc, nil
			}
			runtime.GOMAXPROCS(threads)
			t, err := newTraining(tiny)
			if err != nil {
				return sc, err
			}
			s, err := graph.ReadSnapshot(file, t.params)
			if err == nil {
				err = t.restore(s)
			}
			if err != nil {
				return sc, err
			}
			for range steps - at {
				if err := t.step(context.Background()); err != nil {
					return sc, err
				}
			}
			got, err := t.hash()
			if err != nil {
				return sc, err
			}
			sc.tries++
			if got != want {
				sc.wrong++
			}
		}
	}
	sc.note = "all that ends with the same bits"
	return sc, nil
}

// kills starts training in processes and kills them, until each training has come to its end after all.
func kills(ctx context.Context, s settings, dir string) (sc score, err error) {
	// The first child is left alone.
	reference, err := run(ctx, filepath.Join(dir, "reference"), 2, nil)
	if err != nil {
		return sc, err
	}
	rng := rand.New(rand.NewPCG(s.seed, 1))
	lost, damaged, unequal, ended := 0, 0, 0, 0
	for sc.tries < s.kills && ctx.Err() == nil {
		work := filepath.Join(dir, fmt.Sprint("run", ended))
		acknowledged := 0
		for {
			var e *end
			if sc.tries < s.kills {
				e = &end{saves: rng.IntN(steps / 2), part: rng.Float64(), start: reference.start}
			}
			p, err := run(ctx, work, 1+rng.IntN(2), e)
			if err != nil {
				return sc, err
			}
			if p.loaded >= 0 && p.loaded < acknowledged {
				lost++
			}
			damaged += p.skipped
			acknowledged = max(acknowledged, p.saved)
			if ctx.Err() != nil {
				break
			}
			if p.end != "" {
				if ended++; p.end != reference.end {
					unequal++
				}
				break
			}
			sc.tries++
		}
		if err := os.RemoveAll(work); err != nil {
			return sc, errors.WithStack(err)
		}
	}
	sc.short = ctx.Err() != nil
	sc.wrong = lost + damaged + unequal
	sc.note = fmt.Sprintf("%d checkpoints lost, %d damaged; %d of %d trainings end with other bits", lost, damaged, unequal, ended)
	return sc, nil
}

// An end is when a process is killed: after some saves, and part of the time that it takes to start, or that two saves
// take.
type end struct {
	saves int
	part  float64
	start time.Duration
}

// A process is what a child has said before its end.
type process struct {
	start   time.Duration // until it had loaded
	loaded  int           // the step it went on from, -1 if it did not come to that
	saved   int           // the last step it has saved, 0 if none
	skipped int
	end     string // its result, "" if it was killed before
}

// run starts a child that trains in a folder. It is killed at a given end, if there is one, or when that of ctx comes.
func run(ctx context.Context, dir string, threads int, e *end) (p process, err error) {
	cmd, err := command(ctx, "train", dir, "GOMAXPROCS="+strconv.Itoa(threads))
	if err != nil {
		return p, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return p, errors.WithStack(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		return p, errors.WithStack(err)
	}
	after := func(d time.Duration) {
		time.AfterFunc(time.Duration(e.part*float64(d)), func() { _ = cmd.Process.Kill() }) // it may have ended
	}
	if e != nil && e.saves == 0 {
		after(e.start)
	}
	p.loaded = -1
	said, last, saves := "", began, 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "loaded":
			p.loaded, err = strconv.Atoi(rest)
			p.start = time.Since(began)
		case "saved":
			p.saved, err = strconv.Atoi(rest)
			if saves++; e != nil && saves == e.saves {
				after(2 * time.Since(last))
			}
			last = time.Now()
		case "skipped":
			p.skipped++
		case "end":
			p.end = rest
		default:
			said = lines.Text()
		}
		if err != nil {
			said = lines.Text()
		}
	}
	err = cmd.Wait()
	if p.end == "" && e == nil && ctx.Err() == nil || said != "" {
		return p, errors.Errorf("a child ends with %v and says %q", err, said)
	}
	return p, nil
}
