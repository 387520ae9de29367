package weights

import (
	"io"
	"io/fs"
	"os"

	"github.com/pkg/errors"
)

// Disk is the file system of the machine. Its names are paths as the machine has them, with slashes.
var Disk fs.FS = disk{}

type disk struct{}

func (disk) Open(name string) (fs.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err // and no *os.File that is nil
	}
	return f, nil
}

func (disk) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// ReadFile returns the content of a file of up to most bytes.
func ReadFile(fsys fs.FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, errors.WithStack(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, errors.Errorf("%s has more than the %d bytes that are allowed", name, most)
	}
	return data, errors.WithStack(err)
}
