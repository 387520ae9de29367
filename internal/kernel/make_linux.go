package kernel

import "golang.org/x/sys/unix"

// advise asks for huge pages under the whole ones of memory. Without them the program is slower and right all the same.
func advise(memory []byte) {
	_ = unix.Madvise(memory[:len(memory)/hugePage*hugePage], unix.MADV_HUGEPAGE)
}
