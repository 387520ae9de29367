package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/logits-go/logits/internal/kernel"
)

// measureBandwidth returns the most bytes a second, in units of 10⁹, that the threads have read together from memory
// larger than any cache.
func measureBandwidth(threads int) (best float64) {
	const size, tries = 1 << 26, 8 // floats of all threads
	parts := make([][]float32, threads)
	for t := range parts {
		parts[t] = kernel.Make[float32](size / threads)
		for i := range parts[t] {
			parts[t][i] = 1
		}
	}
	for range tries {
		var done sync.WaitGroup
		start := time.Now()
		for _, x := range parts {
			done.Go(func() { readFloats(x) })
		}
		done.Wait()
		best = max(best, 4*size/time.Since(start).Seconds()/1e9)
	}
	return best
}

// sumFloats reads x in Go. The sum is kept where a compiler cannot tell that nobody wants it.
func sumFloats(x []float32) {
	var s [4]float32
	for ; len(x) >= 4; x = x[4:] {
		s[0] += x[0]
		s[1] += x[1]
		s[2] += x[2]
		s[3] += x[3]
	}
	if s[0]+s[1]+s[2]+s[3] < 0 {
		panic("a sum of what is positive")
	}
}

// measureMessage returns how many nanoseconds pass until a thread sees what another has written: the least of several
// means. Virtual machines move their processors between places that are near each other and others that are not, which
// is felt wherever threads share short work.
func measureMessage() float64 {
	const messages, tries = 20000, 8
	best := 0.0
	for range tries {
		var x atomic.Int64
		var done sync.WaitGroup
		start := time.Now()
		for side := range int64(2) {
			done.Go(func() {
				for i := side; i < messages; i += 2 {
					for x.Load() != i {
					}
					x.Store(i + 1)
				}
			})
		}
		done.Wait()
		if t := float64(time.Since(start).Nanoseconds()) / messages; best == 0 || t < best {
			best = t
		}
	}
	return best
}
