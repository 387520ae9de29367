package weights

import (
	"bufio"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/errors"
)

// WriteFile makes a file of what write writes. The file appears whole or not at all: it is written beside the old one,
// made durable, and renamed.
func WriteFile(path string, write func(io.Writer) error) error {
	s := Stage{Dir: filepath.Dir(path)}
	defer s.Discard()
	if err := s.Write(filepath.Base(path), write); err != nil {
		return err
	}
	return s.Place()
}

// A Stage holds files of a folder that are written and durable, and wait under other names for all of them to take their
// places together.
type Stage struct {
	Dir   string
	files []staged
}

type staged struct{ temp, name string }

// Write writes a file that is to have a name in the folder.
func (s *Stage) Write(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(s.Dir, name+".*.tmp")
	if err != nil {
		return errors.WithStack(err)
	}
	s.files = append(s.files, staged{filepath.Base(f.Name()), name})
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<20)
	if err := write(buf); err != nil {
		return err
	}
	for _, step := range []func() error{
		buf.Flush,
		func() error { return f.Chmod(0o644) },
		f.Sync,
		f.Close,
	} {
		if err := step(); err != nil {
			return errors.WithStack(err)
		}
	}
	return nil
}

// Place removes files of the folder that are stale, in their order, and renames those of the stage in the order in which
// they were written. The first happens only when the stale are gone for good, the last only when all others have their
// places, even if the machine stops in between: a folder that the last file makes valid is never half one and half the
// other.
func (s *Stage) Place(stale ...string) error {
	for _, name := range stale {
		if err := os.Remove(filepath.Join(s.Dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return errors.WithStack(err)
		}
	}
	sync := len(stale) > 0
	for len(s.files) > 0 {
		if sync || len(s.files) == 1 {
			if err := syncDir(s.Dir); err != nil {
				return errors.WithStack(err)
			}
		}
		sync = false
		f := s.files[0]
		if err := os.Rename(filepath.Join(s.Dir, f.temp), filepath.Join(s.Dir, f.name)); err != nil {
			return errors.WithStack(err)
		}
		s.files = s.files[1:]
	}
	return errors.WithStack(syncDir(s.Dir))
}

// Discard removes the files that have not taken their places.
func (s *Stage) Discard() {
	for _, f := range s.files {
		os.Remove(filepath.Join(s.Dir, f.temp))
	}
	s.files = nil
}

// syncDir makes the names in a folder durable, where the system can.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some systems cannot sync a folder; the file itself is durable there too.
	_ = d.Sync()
	return nil
}
