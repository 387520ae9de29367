//go:build !unix

package weights

import (
	"os"

	"github.com/pkg/errors"
)

// mapFile maps nothing: the file is read.
func mapFile(*os.File, int) ([]byte, error) { return nil, errors.New("files cannot be mapped") }

// unmapFile has nothing to end.
func unmapFile([]byte) error { return nil }
