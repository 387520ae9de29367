package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/logits-go/logits/internal/kernel"
)

// threads returns the number of threads that n stands for.
func threads(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// measurePeak returns how many GFLOP/s the threads reach together in a product that stays in their first caches.
func measurePeak(n int) float64 {
	n = threads(n)
	var best float64
	for range 10 {
		var wg sync.WaitGroup
		rates := make([]float64, n)
		for t := range rates {
			wg.Go(func() {
				const m, n, k = 112, 32, 192
				a, b, c := kernel.Make[float32](m*k), kernel.Make[float32](k*n), kernel.Make[float32](m*n)
				start := time.Now()
				const times = 2000
				for range times {
					kernel.GemmSerial(false, false, m, n, k, a, k, b, n, c, n, false)
				}
				rates[t] = 2 * m * n * k * times / time.Since(start).Seconds() / 1e9
			})
		}
		wg.Wait()
		var sum float64
		for _, r := range rates {
			sum += r
		}
		best = max(best, sum)
	}
	return best
}

// A shape is one product of a training step.
type shape struct {
	name    string
	ta, tb  bool
	m, n, k int
}

// shapes lists the different products of the linear layers of the three models: outputs and both gradients.
func shapes() (list []shape) {
	for _, name := range []string{"tiny", "small", "ts"} {
		s := sizes[name]
		c, rows := s.config, s.tokens()
		for _, l := range []struct {
			name    string
			in, out int
		}{{"d->d", c.DModel, c.DModel}, {"d->ff", c.DModel, c.DFF}, {"ff->d", c.DFF, c.DModel}, {"d->V", c.DModel, c.VocabSize}} {
			list = append(list,
				shape{name + " " + l.name + " y", false, true, rows, l.out, l.in},
				shape{name + " " + l.name + " dx", false, false, rows, l.in, l.out},
				shape{name + " " + l.name + " dw", true, false, l.out, l.in, rows})
		}
	}
	return list
}

// products prints the speed of each shape on one thread and on all.
func products(s settings) error {
	path, err := kernel.Path()
	if err != nil {
		return err
	}
	list := shapes()
	counts := []int{1}
	if n := threads(s.threads); n > 1 {
		counts = append(counts, n)
	}
	speeds := make([][]float64, len(counts))
	for i, n := range counts {
		kernel.SetThreads(n)
		for _, p := range list {
			speeds[i] = append(speeds[i], p.speed())
		}
	}
	fmt.Printf("kernels: %s; GFLOP/s, medians\n%-18s %20s", path, "product", "m x n x k")
	for _, n := range counts {
		fmt.Printf(" %7d thr", n)
	}
	fmt.Println()
	for k, p := range list {
		fmt.Printf("%-18s %20s", p.name, fmt.Sprintf("%dx%dx%d", p.m, p.n, p.k))
		for i := range counts {
			fmt.Printf(" %11.1f", speeds[i][k])
		}
		fmt.Println()
	}
	for i, n := range counts {
		slices.Sort(speeds[i])
		median, peak := speeds[i][len(list)/2], measurePeak(n)
		fmt.Printf("%d threads: median %.1f, %.1f%% of %.1f; slowest %.1f\n", n, median, 100*median/peak, peak, speeds[i][0])
	}
	return nil
}

// speed returns the median of some measurements, in GFLOP/s.
func (p shape) speed() float64 {
	a, b, c := kernel.Make[float32](p.m*p.k), kernel.Make[float32](p.k*p.n), kernel.Make[float32](p.m*p.n)
	for i := range a {
		a[i] = float32(i%31) - 15
	}
	for i := range b {
		b[i] = float32(i%29) - 14
	}
	lda, ldb := p.k, p.n
	if p.ta {
		lda = p.m
	}
	if p.tb {
		ldb = p.k
	}
	work := 2 * float64(p.m) * float64(p.n) * float64(p.k)
	times := 1 + int(5e8/work)
	var rates []float64
	for range 9 {
		start := time.Now()
		for range times {
			kernel.Gemm(p.ta, p.tb, p.m, p.n, p.k, a, lda, b, ldb, c, p.n, false)
		}
		rates = append(rates, work*float64(times)/time.Since(start).Seconds()/1e9)
	}
	slices.Sort(rates)
	return rates[len(rates)/2]
}
