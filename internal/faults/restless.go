package faults

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// Restless is a folder on disk whose files another program changes while they are read: it turns over the bytes of the last
// part of a file, one after the other and back again, or cuts the file short, until the file is released.
type Restless struct {
	graph.Dir
	Part  int           // of how many bytes at the end of a file; 0 means that it is cut short to half
	After time.Duration // when it begins
}

// Open opens the file and lets the other program begin.
func (r Restless) Open(name string) (data []byte, release func() error, err error) {
	data, unmap, err := r.Dir.Open(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(filepath.Join(string(r.Dir), name), os.O_RDWR, 0)
	if err != nil {
		unmap()
		return nil, nil, errors.WithStack(err)
	}
	done, size := make(chan struct{}), len(data)
	var change error
	var other sync.WaitGroup
	other.Go(func() {
		time.Sleep(r.After)
		if r.Part == 0 {
			change = f.Truncate(int64(size / 2))
			return
		}
		for i := 0; change == nil; i++ {
			select {
			case <-done:
				return
			default:
				change = flip(f, int64(size-1-i%r.Part))
			}
		}
	})
	return data, func() error {
		close(done)
		other.Wait()
		for _, err := range []error{f.Close(), unmap()} {
			if change == nil {
				change = err
			}
		}
		return change
	}, nil
}

// flip turns over the bits of a byte of a file, and back again.
func flip(f *os.File, at int64) error {
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return errors.WithStack(err)
	}
	for range 2 {
		b[0] = ^b[0]
		if _, err := f.WriteAt(b[:], at); err != nil {
			return errors.WithStack(err)
		}
	}
	return nil
}
