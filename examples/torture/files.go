package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/faults"
)

// stages are trainings after 1, 2, ... steps, to be saved.
func stages(ctx context.Context, s size) (list []*training, err error) {
	for n := range 4 {
		t, err := trained(ctx, s, n+1)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// saveAll saves stages until one fails, and returns how many were saved.
func saveAll(a graph.Archive, list []*training) (saved int, err error) {
	for i, t := range list {
		s, err := t.snapshot()
		if err != nil {
			return i, err
		}
		if _, err := a.Save(t.params, s); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

// holds reports whether the archive loads at least what was saved, as it was.
func holds(a graph.Archive, list []*training, saved int) (bool, error) {
	t, err := newTraining(list[0].size)
	if err != nil {
		return false, err
	}
	s, skipped, err := a.Load(t.params)
	if errors.Is(err, graph.ErrNoSnapshot) {
		return saved == 0, nil
	}
	if err != nil && saved == 0 {
		return true, nil // the first may be there in part
	}
	if err != nil || len(skipped) > 0 && s.Step < saved || s.Step < saved || s.Step > len(list) || t.restore(s) != nil {
		return false, nil
	}
	got, err := t.hash()
	if err != nil {
		return false, err
	}
	want, err := list[s.Step-1].hash()
	return got == want, err
}

// callFaults lets every call fail once that saving makes: of the folder and of its files.
func callFaults(ctx context.Context, _ settings, dir string) (sc score, err error) {
	list, err := stages(context.WithoutCancel(ctx), tiny)
	if err != nil {
		return sc, err
	}
	for at := 1; ; at++ {
		if ctx.Err() != nil {
			sc.short = true
			return sc, nil
		}
		work := filepath.Join(dir, "faults")
		good := graph.Archive{Folder: graph.Dir(work)}
		faulty := &faults.Faulty{Folder: good.Folder, FailAt: at}
		saved, err := saveAll(graph.Archive{Folder: faulty}, list)
		if faulty.Failed == "" {
			if err != nil {
				return sc, err
			}
			sc.note = "every error is returned, and no earlier checkpoint lost"
			return sc, os.RemoveAll(work)
		}
		sc.tries++
		ok, trouble := holds(good, list, saved)
		if trouble != nil {
			return sc, trouble
		}
		_, again := saveAll(good, list)
		if !errors.Is(err, faults.ErrInjected) || !ok || again != nil {
			sc.wrong++
			sc.note += fmt.Sprintf("%s fails: %v; ", faulty.Failed, err)
		}
		if err := os.RemoveAll(work); err != nil {
			return sc, errors.WithStack(err)
		}
	}
}

// fullDisk lets the disk be full after some bytes.
func fullDisk(ctx context.Context, s settings, _ string) (sc score, err error) {
	list, err := stages(context.WithoutCancel(ctx), tiny)
	if err != nil {
		return sc, err
	}
	file, err := list[1].file()
	if err != nil {
		return sc, err
	}
	for room := range evenly(len(file), s.rooms) {
		if ctx.Err() != nil {
			sc.short = true
			return sc, nil
		}
		memory := &faults.Memory{}
		good := graph.Archive{Folder: memory}
		if _, err := saveAll(good, list[:1]); err != nil {
			return sc, err
		}
		_, err := saveAll(graph.Archive{Folder: &faults.Faulty{Folder: memory, Full: true, Room: room}}, list[1:2])
		ok, trouble := holds(good, list, 1)
		if trouble != nil {
			return sc, trouble
		}
		names, trouble := memory.List()
		if trouble != nil {
			return sc, trouble
		}
		sc.tries++
		if !ok || !errors.Is(err, syscall.ENOSPC) || len(names) != 1 {
			sc.wrong++
		}
	}
	sc.note = "the error is ENOSPC, and nothing is left of the attempt"
	return sc, nil
}

// evenly iterates over at most count of the numbers below n.
func evenly(n, count int) iter.Seq[int] {
	return func(yield func(int) bool) {
		count = min(count, n)
		for i := range count {
			if !yield(i * n / count) {
				return
			}
		}
	}
}

// powerLoss takes the power at every call, with any of what was not durable lost.
func powerLoss(ctx context.Context, s settings, _ string) (sc score, err error) {
	list, err := stages(context.WithoutCancel(ctx), tiny)
	if err != nil {
		return sc, err
	}
	sc.note = "what was saved before is there"
	for at := 1; ; at++ {
		for round := range s.power {
			if ctx.Err() != nil {
				sc.short = true
				return sc, nil
			}
			memory := &faults.Memory{CrashAt: at}
			a := graph.Archive{Folder: memory, Keep: 1 + round%2}
			saved, err := saveAll(a, list)
			if err == nil && memory.Calls < at {
				return sc, nil
			}
			if err != nil && !errors.Is(err, faults.ErrPower) {
				return sc, err
			}
			a.Folder = memory.Crash(rand.New(rand.NewPCG(s.seed, uint64(at*s.power+round))))
			ok, trouble := holds(a, list, saved)
			if trouble != nil {
				return sc, trouble
			}
			sc.tries++
			if !ok {
				sc.wrong++
			}
		}
	}
}
