package kernel

import (
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// Rows that end where memory does are read and written no further.
func TestLinearRowsStayInside(t *testing.T) {
	page := syscall.Getpagesize()
	var ends [][]float32 // pages of numbers before pages that nobody may touch
	for range 8 {
		m, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Munmap(m)
		if err := syscall.Mprotect(m[page:], syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, unsafe.Slice((*float32)(unsafe.Pointer(&m[0])), page/4))
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	onEachPath(t, func(t *testing.T) {
		for _, c := range rowCases {
			for n := range 101 {
				var operands [][]float32
				for _, x := range ends[:c.out+c.in] {
					operands = append(operands, x[len(x)-n:])
				}
				c.run(operands[:c.out], operands[c.out:])
			}
		}
	})
}
