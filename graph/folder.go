package graph

import (
	stderrors "errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/weights"
)

// A Folder is the files of an [Archive]. [Dir] is one on disk. Names are those of files in the folder, without a path.
type Folder interface {
	// List returns the names of all files, none if there is no folder yet.
	List() ([]string, error)
	// Open returns the content of a file, which nobody changes until it is released.
	Open(name string) (data []byte, release func() error, err error)
	// Create makes a file to be written, or empties the one that is there, and the folder if there is none.
	Create(name string) (File, error)
	// Rename gives a file another name, in one step, and replaces the file that has it.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// Sync makes durable what Create, Rename and Remove have done.
	Sync() error
}

// A File is a file of a [Folder] that is being written. Sync makes what was written durable.
type File interface {
	Write(p []byte) (int, error)
	Sync() error
	Close() error
}

// Dir is a [Folder] on disk: the path of a folder.
type Dir string

var _ Folder = Dir("")

// path returns the path of a file.
func (d Dir) path(name string) (string, error) {
	if name == "." || filepath.Base(name) != name || !filepath.IsLocal(name) {
		return "", errors.Errorf("%q is no file in the folder", name)
	}
	return filepath.Join(string(d), name), nil
}

// List returns the names of the files and folders in d, sorted.
func (d Dir) List() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// Open maps a file into memory, or reads it where the system cannot do so.
func (d Dir) Open(name string) (data []byte, release func() error, err error) {
	path, err := d.path(name)
	if err != nil {
		return nil, nil, err
	}
	// Opening a pipe would wait for somebody to write to it.
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		if err == nil {
			err = errors.Errorf("%s is not a regular file", path)
		}
		return nil, nil, err
	}
	m, err := weights.Map(weights.Disk, path)
	if err != nil {
		return nil, nil, err
	}
	return m.Data, m.Close, nil
}

// Create makes a file, and the folder and those above if they are not there.
func (d Dir) Create(name string) (File, error) {
	path, err := d.path(name)
	if err != nil {
		return nil, err
	}
	if err := makeDir(filepath.Clean(string(d))); err != nil {
		return nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err // not a File that holds nil
	}
	return f, nil
}

// Rename renames a file.
func (d Dir) Rename(from, to string) error {
	old, err := d.path(from)
	if err != nil {
		return err
	}
	path, err := d.path(to)
	if err != nil {
		return err
	}
	return os.Rename(old, path)
}

// Remove removes a file.
func (d Dir) Remove(name string) error {
	path, err := d.path(name)
	if err != nil {
		return err
	}
	return os.Remove(path)
}

// Sync makes the names in the folder durable.
func (d Dir) Sync() error { return syncDir(filepath.Clean(string(d))) }

// makeDir makes a folder, and those above it, durable.
func makeDir(path string) error {
	if _, err := os.Stat(path); err == nil || !os.IsNotExist(err) {
		return err
	}
	above := filepath.Dir(path)
	if err := makeDir(above); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !os.IsExist(err) {
		return err
	}
	return syncDir(above)
}

// syncDir makes the names in a folder durable. Windows and some file systems have no such call, and then renaming is as
// durable as it gets.
func syncDir(path string) error {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, stderrors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
