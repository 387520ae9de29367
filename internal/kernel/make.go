package kernel

import "unsafe"

// Sizes in bytes: of the parts of memory that a processor fetches, and of the pages that large tensors lie on if the
// system has such. There are so few of those that their addresses stay known to the processor, which with pages of 4 KiB
// costs more than the arithmetic in an optimizer.
const (
	cacheLine = 64
	hugePage  = 2 << 20
)

// Make returns n zeros that begin at a cache line and never right behind those of another call. A large slice lies on huge pages where the system can do so.
func Make[F Float](n int) []F {
	size := int(unsafe.Sizeof(F(0)))
	align := cacheLine
	if n*size >= hugePage {
		align = hugePage
	}
	s := make([]F, n+align/size)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(s)))&uintptr(align-1)) / size
	s = s[skip : skip+n : skip+n]
	if align == hugePage {
		advise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), n*size))
	}
	return s
}
