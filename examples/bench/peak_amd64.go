//go:build !purego

package main

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// fma256 and fma512 take turns, at least one, of twelve fused multiply-adds of vectors of so many bits.
func fma256(turns int)
func fma512(turns int)

// multiplyAdds returns a function that does as many fused multiply-adds as possible for some microseconds, in float32,
// and returns how many operations they were.
func multiplyAdds() (add func() int) {
	const turns, each = 10000, 12
	switch x := cpu.X86; {
	case x.HasAVX512F:
		return func() int { fma512(turns); return turns * each * 16 * 2 }
	case x.HasAVX2 && x.HasFMA:
		return func() int { fma256(turns); return turns * each * 8 * 2 }
	}
	return smallProducts()
}

// read256 reads turns times 256 bytes from p on. There must be at least one turn.
//
//go:noescape
func read256(p *byte, turns int)

// readFloats reads x.
func readFloats(x []float32) {
	const turn = 256 / 4
	if n := len(x) / turn; cpu.X86.HasAVX2 && n > 0 {
		read256((*byte)(unsafe.Pointer(unsafe.SliceData(x))), n)
		x = x[n*turn:]
	}
	sumFloats(x)
}
