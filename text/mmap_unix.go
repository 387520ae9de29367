//go:build unix

package text

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps size bytes of f into memory, to be read.
func mapFile(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

// unmapFile ends the mapping data, which is nil if there is none.
func unmapFile(data []byte) error {
	if data == nil {
		return nil
	}
	return unix.Munmap(data)
}
