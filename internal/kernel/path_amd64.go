//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// supportedPaths lists the paths this processor can take, the fastest last.
func supportedPaths() []string {
	paths := []string{pathPortable}
	x := cpu.X86
	if x.HasAVX2 && x.HasFMA {
		paths = append(paths, pathAVX2)
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasBMI2 {
			paths = append(paths, pathAVX512)
		}
	}
	return paths
}

// hasVNNI reports whether this processor adds up products of bytes in vectors of AVX-512.
var hasVNNI = cpu.X86.HasAVX512VNNI
