package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/faults"
)

// mostMemory is what refusing a checkpoint may take, in bytes.
const mostMemory = 64 << 20

// malformed reads checkpoints that are wrong, each in its way, some of which claim a terabyte and lie on the disk as holes.
// All must be refused, with little memory.
func malformed(ctx context.Context, _ settings, dir string) (sc score, err error) {
	files, err := faults.Malformed()
	if err != nil {
		return sc, err
	}
	sparse, err := faults.Sparse()
	if err != nil {
		return sc, err
	}
	r := refuser{params: faults.Model(1)}
	if r.before, err = r.file(); err != nil {
		return sc, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if sc.short = ctx.Err() != nil; sc.short {
			break
		}
		if err := r.refuse(name, files[name]); err != nil {
			return sc, err
		}
	}
	path := filepath.Join(dir, "sparse")
	for _, file := range sparse {
		if sc.short = sc.short || ctx.Err() != nil; sc.short {
			break
		}
		if err := file.Write(path); err != nil {
			r.note += "; a disk that knows no holes"
			break
		}
		data, release, err := graph.Dir(dir).Open(filepath.Base(path))
		if err != nil {
			return sc, err
		}
		err = r.refuse(file.Name, data)
		if release(); err != nil {
			return sc, err
		}
	}
	sc.tries, sc.wrong = r.tries, r.wrong
	if sc.tries > 0 {
		sc.note = fmt.Sprintf("at most %.1f MiB; at most %v, for %s%s", float64(r.memory)/(1<<20), r.time.Round(time.Millisecond), r.slowest, r.note)
	}
	return sc, nil
}

// A refuser counts the files that are not refused.
type refuser struct {
	params  *graph.Params
	before  []byte
	tries   int
	wrong   int
	note    string
	memory  uint64        // that a file took at most: all that was ever allocated for it
	time    time.Duration // that a file took at most
	slowest string
}

func (r *refuser) file() ([]byte, error) {
	var buf bytes.Buffer
	err := r.params.Write(&buf, nil)
	return buf.Bytes(), err
}

// refuse reads a file.
func (r *refuser) refuse(name string, file []byte) error {
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	began := time.Now()
	_, refused := graph.ReadSnapshot(file, r.params)
	took := time.Since(began)
	runtime.ReadMemStats(&end)
	after, err := r.file()
	if err != nil {
		return err
	}
	memory := end.TotalAlloc - start.TotalAlloc
	r.tries++
	if refused == nil || !bytes.Equal(after, r.before) || memory > mostMemory {
		r.wrong++
		r.note += fmt.Sprintf("; %s: %v, %d bytes", name, refused, memory)
	}
	r.memory = max(r.memory, memory)
	if took > r.time {
		r.time, r.slowest = took, name
	}
	return nil
}
