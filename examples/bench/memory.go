package main

import (
	"math"
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
	const tries, over = 8, -1
	best := math.Inf(1)
	for range tries {
		var x atomic.Int64 // odd numbers are messages of one side, even ones answers
		var done sync.WaitGroup
		done.Go(func() {
			for i := int64(1); ; i += 2 {
				for x.Load() != i {
					if x.Load() == over {
						return
					}
				}
				x.Store(i + 1)
			}
		})
		start, sent := time.Now(), int64(0)
		for time.Since(start) < 2*time.Millisecond {
			for range 100 {
				x.Store(sent + 1)
				sent += 2
				for x.Load() != sent {
				}
			}
		}
		best = min(best, float64(time.Since(start).Nanoseconds())/float64(sent))
		x.Store(over)
		done.Wait()
	}
	return best
}
