package kernel

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// withThreads runs f with n threads, on more processors than the machine may have.
func withThreads(t testing.TB, n int, f func()) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(n, runtime.GOMAXPROCS(0))))
	defer SetThreads(int(maxThreads.Load()))
	SetThreads(n)
	if got := Threads(); got != n {
		t.Fatalf("SetThreads(%d): Threads() = %d", n, got)
	}
	f()
}

func TestParallelCoversEachElementOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 5} {
		withThreads(t, threads, func() {
			for _, n := range []int{-1, 0, 1, 2, 7, 8, 9, 63, 64, 65, 1000} {
				for _, grain := range []int{-1, 0, 1, 3, 8, 64, 5000} {
					visits := make([]int32, max(n, 0))
					Parallel(n, grain, func(lo, hi int) {
						if lo%max(grain, 1) != 0 || hi != n && hi%max(grain, 1) != 0 || lo >= hi {
							t.Errorf("%d threads: Parallel(%d, %d): range [%d, %d)", threads, n, grain, lo, hi)
						}
						for i := lo; i < hi; i++ {
							atomic.AddInt32(&visits[i], 1)
						}
					})
					for i, v := range visits {
						if v != 1 {
							t.Fatalf("%d threads: Parallel(%d, %d): element %d visited %d times", threads, n, grain, i, v)
						}
					}
				}
			}
		})
	}
}

// A helper must take part even when it has gone to sleep since the last call.
func TestParallelUsesHelpers(t *testing.T) {
	withThreads(t, 2, func() {
		for round := range 6 {
			var met sync.WaitGroup
			met.Add(2)
			Parallel(2, 1, func(lo, hi int) {
				for range hi - lo {
					met.Done()
				}
				met.Wait() // returns only if another thread works on the other element
			})
			if round%2 == 1 {
				time.Sleep(2 * spinTime)
			}
		}
	})
}

func TestParallelNestedAndConcurrent(t *testing.T) {
	withThreads(t, 4, func() {
		var callers sync.WaitGroup
		for caller := range 8 {
			callers.Go(func() {
				for round := range 50 {
					var sum atomic.Int64
					Parallel(40, 2, func(lo, hi int) {
						for i := lo; i < hi; i++ {
							Parallel(i, 1, func(lo, hi int) { sum.Add(int64(hi - lo)) })
						}
					})
					if got, want := sum.Load(), int64(40*39/2); got != want {
						t.Errorf("caller %d, round %d: nested sum = %d, want %d", caller, round, got, want)
					}
				}
			})
		}
		callers.Wait()
	})
}

// The number of threads may change while other goroutines compute.
func TestSetThreadsDuringCalls(t *testing.T) {
	withThreads(t, 4, func() {
		var callers sync.WaitGroup
		callers.Go(func() {
			for i := range 300 {
				SetThreads(1 + i%4)
				runtime.Gosched()
			}
		})
		for range 300 {
			var sum atomic.Int64
			Parallel(100, 1, func(lo, hi int) { sum.Add(int64(hi - lo)) })
			if got := sum.Load(); got != 100 {
				t.Fatalf("visited %d elements, want 100", got)
			}
		}
		callers.Wait()
	})
}

func TestParallelPanicReachesCaller(t *testing.T) {
	withThreads(t, 3, func() {
		for element := range 12 {
			got := func() (v any) {
				defer func() { v = recover() }()
				Parallel(12, 1, func(lo, hi int) {
					if lo <= element && element < hi {
						panic(element)
					}
					time.Sleep(10 * time.Microsecond)
				})
				return nil
			}()
			if got != element {
				t.Fatalf("f panics with %d: Parallel panics with %v", element, got)
			}
		}
		var sum atomic.Int64
		Parallel(12, 1, func(lo, hi int) { sum.Add(int64(hi - lo)) })
		if got := sum.Load(); got != 12 {
			t.Fatalf("after a panic: visited %d elements, want 12", got)
		}
	})
}

// Garbage collections stop the world, which spinning and sleeping helpers must let happen.
func TestParallelDuringCollections(t *testing.T) {
	withThreads(t, 3, func() {
		for range 20 {
			Parallel(64, 1, func(lo, hi int) {
				if lo == 0 {
					runtime.GC()
				}
			})
		}
	})
}

func TestParallelDoesNotAllocate(t *testing.T) {
	withThreads(t, 2, func() {
		f := func(lo, hi int) {}
		if got := testing.AllocsPerRun(100, func() { Parallel(100, 1, f) }); got != 0 {
			t.Errorf("Parallel allocates %v times a call, want 0", got)
		}
	})
}

func ExampleParallel() {
	squares := make([]int, 10)
	Parallel(len(squares), 4, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			squares[i] = i * i
		}
	})
	fmt.Println(squares)
	// Output: [0 1 4 9 16 25 36 49 64 81]
}

// BenchmarkParallel is the cost of one call with nothing to do, while helpers are awake.
func BenchmarkParallel(b *testing.B) {
	b.ReportAllocs()
	f := func(lo, hi int) {}
	for b.Loop() {
		Parallel(8, 1, f)
	}
}
