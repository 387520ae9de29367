package kernel

import (
	"runtime"
	"sync"
)

// Parallel calls f on ranges [lo, hi) that together cover [0, n) once, on several threads when n is large.
// Every range but the last has a multiple of grain elements. f must not depend on where the ranges end.
func Parallel(n, grain int, f func(lo, hi int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+grain-1)/grain)
	if workers <= 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	size := ((n+grain-1)/grain + workers - 1) / workers * grain
	var wg sync.WaitGroup
	for lo := size; lo < n; lo += size {
		wg.Go(func() { f(lo, min(lo+size, n)) })
	}
	f(0, size)
	wg.Wait()
}
