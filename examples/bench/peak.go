package main

import (
	"sync"
	"time"

	"github.com/logits-go/logits/internal/kernel"
)

// peakTries is how often the peak is tried in one go.
const peakTries = 6

// measurePeak returns the most GFLOP/s that the threads have reached together in fused multiply-adds. It is the machine's
// and depends on no kernel.
func measurePeak(threads int) (best float64) {
	for range peakTries {
		rates := make([]float64, threads)
		var ready, done sync.WaitGroup
		ready.Add(threads)
		for t := range rates {
			done.Go(func() {
				add := multiplyAdds()
				ready.Done()
				ready.Wait()
				start, flops := time.Now(), 0
				for time.Since(start) < 20*time.Millisecond {
					flops += add()
				}
				rates[t] = float64(flops) / time.Since(start).Seconds() / 1e9
			})
		}
		done.Wait()
		var sum float64
		for _, r := range rates {
			sum += r
		}
		best = max(best, sum)
	}
	return best
}

// smallProducts is multiplyAdds where there is no assembly for it: products that stay in the first cache.
func smallProducts() (add func() int) {
	const m, n, k, times = 48, 32, 128, 10
	a, b, c := kernel.Make[float32](m*k), kernel.Make[float32](k*n), kernel.Make[float32](m*n)
	return func() int {
		for range times {
			kernel.GemmSerial(false, false, m, n, k, a, k, b, n, c, n, false)
		}
		return 2 * m * n * k * times
	}
}
