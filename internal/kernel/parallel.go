package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Parallel calls f on disjoint ranges [lo, hi) that together cover [0, n), on several threads at once. Inner ends are
// multiples of grain, which is the least work worth handing over. Where they fall depends on the number of threads and
// who calls f on which depends on chance, so f must compute the same whatever they are.
//
// A call from inside f, or while another goroutine's call is under way, runs f(0, n) on the calling thread. If f
// panics, Parallel panics with the same value on the calling goroutine, and some ranges may not have been visited.
func Parallel(n, grain int, f func(lo, hi int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	units := ceilDiv(n, grain)
	if units > 1 {
		if threads := Threads(); threads > 1 && crew.busy.TryLock() {
			defer crew.busy.Unlock()
			crew.run(n, grain, units, threads, f)
			return
		}
	}
	f(0, n)
}

// Threads returns how many threads Parallel works on: what SetThreads asked for, but at most GOMAXPROCS.
func Threads() int {
	procs := runtime.GOMAXPROCS(0)
	if n := int(maxThreads.Load()); n > 0 {
		return min(n, procs)
	}
	return procs
}

// SetThreads sets the number of threads Parallel works on from now on; 0, the default, stands for GOMAXPROCS.
func SetThreads(n int) { maxThreads.Store(int64(max(n, 0))) }

const (
	// A chunk is a quarter of what is left of a thread's share. So the last chunks are small, and all threads are done at
	// about the same time even if the system suspends one for a while.
	chunksPerShare = 4

	// More threads than this have shares in common.
	maxShares = 64

	// Waking a thread takes tens of microseconds, so a helper waits awhile for the next call before it sleeps.
	spinTime = 200 * time.Microsecond

	// Between two looks at the clock, with a chance for other goroutines and the garbage collector.
	spinsPerYield = 2048
)

var (
	maxThreads atomic.Int64
	crew       = team{wake: make(chan struct{}, maxHelpers)}
)

// share is the part of a call that one thread begins with, the same part of every call: what it has written it finds in
// its own cache when it reads it next.
type share struct {
	next atomic.Int64 // unit to be taken
	end  int64
	_    [48]byte
}

// team is the calling thread of one call and its helpers.
//
// The caller posts a call and works on chunks, first of its own share and then of others, until none is left. A helper
// that sees the post takes a seat, does so too and leaves. The caller can finish alone, and waits only for helpers that
// hold a chunk.
type team struct {
	busy sync.Mutex // held for the length of a call

	// Written by the caller before it posts and after all have left.
	f        func(lo, hi int)
	n, grain int
	shares   int

	helpers  atomic.Int64            // that exist
	panicked atomic.Pointer[failure] // the first panic of a helper in this call
	asleep   atomic.Int64            // helpers that wait on wake, or are about to
	wake     chan struct{}

	_    [64]byte
	post atomic.Uint64 // number of the call << 32 | free seats << 16 | taken seats
	_    [56]byte
	part [maxShares]share // of units of grain elements
}

// failure is a panic on its way from a helper to the caller.
type failure struct{ value any }

const (
	maxHelpers = 1<<16 - 1
	takenSeats = maxHelpers
	freeSeats  = maxHelpers << 16
)

// run has the team call f on chunks of [0, n). The caller holds busy.
func (t *team) run(n, grain, units, threads int, f func(lo, hi int)) {
	seats := min(threads-1, maxHelpers)
	for t.helpers.Load() < int64(seats) {
		go t.help(int(t.helpers.Add(1)))
	}
	t.f, t.n, t.grain, t.shares = f, n, grain, min(threads, maxShares)
	for i := range t.shares {
		t.part[i].end = int64(units * (i + 1) / t.shares)
		t.part[i].next.Store(int64(units * i / t.shares))
	}
	t.post.Store((t.post.Load()>>32+1)<<32 | uint64(seats)<<16)
	for i := 0; i < seats && t.rouse(); i++ {
		t.wake <- struct{}{}
	}
	defer t.finish()
	t.work(0)
}

// finish closes the call and waits for those who hold a seat.
func (t *team) finish() {
	t.stop() // after a panic the others need not go on
	t.post.And(^uint64(freeSeats))
	for i := 1; t.post.Load()&takenSeats != 0; i++ {
		spin(i)
	}
	t.f = nil
	if p := t.panicked.Swap(nil); p != nil {
		panic(p.value)
	}
}

// stop leaves no units to be taken.
func (t *team) stop() {
	for i := range t.shares {
		t.part[i].next.Store(t.part[i].end)
	}
}

// work takes chunks until none is left, beginning with those of a share.
func (t *team) work(first int) {
	for i := range t.shares {
		p := &t.part[(first+i)%t.shares]
		for {
			lo := p.next.Load()
			if lo >= p.end {
				break
			}
			hi := lo + max(1, (p.end-lo)/chunksPerShare)
			if p.next.CompareAndSwap(lo, hi) {
				t.f(int(lo)*t.grain, min(int(hi)*t.grain, t.n))
			}
		}
	}
}

// help is the life of a helper, the number-th. It ends only if f ends its goroutine.
func (t *team) help(number int) {
	defer t.helpers.Add(-1)
	var seen uint64 // number of the last call it had a part in
	for {
		start := time.Now()
		for i := 1; ; i++ {
			post := t.post.Load()
			if post>>32 != seen && post&freeSeats != 0 {
				if t.post.CompareAndSwap(post, post-1<<16+1) {
					seen = post >> 32
					t.assist(number)
					break
				}
				continue
			}
			spin(i)
			if i%spinsPerYield == 0 && time.Since(start) > spinTime {
				t.sleep(seen)
				break
			}
		}
	}
}

// assist works on the call in which this helper has taken a seat.
func (t *team) assist(number int) {
	defer func() {
		if v := recover(); v != nil {
			t.panicked.CompareAndSwap(nil, &failure{v})
			t.stop()
		}
		t.post.Add(^uint64(0))
	}()
	t.work(number % t.shares)
}

// sleep waits for a call that wants helpers, other than the one seen.
func (t *team) sleep(seen uint64) {
	t.asleep.Add(1)
	post := t.post.Load()
	if post>>32 != seen && post&freeSeats != 0 && t.rouse() {
		return
	}
	<-t.wake
}

// rouse strikes one helper off the sleepers. Whoever does so for another sends on wake.
func (t *team) rouse() bool {
	for {
		n := t.asleep.Load()
		if n == 0 {
			return false
		}
		if t.asleep.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// spin is the i-th turn of waiting for another thread.
func spin(i int) {
	if i%spinsPerYield == 0 {
		runtime.Gosched()
		return
	}
	pause()
}
