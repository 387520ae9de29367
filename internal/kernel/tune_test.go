package kernel

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func hugeF(n int) []float32 {
	b := make([]float32, n+1<<19)
	for uintptr(unsafe.Pointer(&b[0]))%(1<<21) != 0 {
		b = b[1:]
	}
	if os.Getenv("NOHUGE") == "" {
		by := unsafe.Slice((*byte)(unsafe.Pointer(&b[0])), (n*4+(1<<21)-1)>>21<<21)
		if len(by) <= len(b)*4 {
			unix.Madvise(by, unix.MADV_HUGEPAGE)
		}
	}
	b = b[:n]
	for i := range b {
		b[i] = float32(i%31) - 15
	}
	return b
}

func TestTune(t *testing.T) {
	if os.Getenv("TUNE") == "" {
		t.Skip()
	}
	if os.Getenv("TUNE") == "1" {
		SetThreads(1)
	}
	// peak: tile in L1
	peak := 0.0
	{
		m, n, k := 14*8, 32, 256
		a, b, c := hugeF(m*k), hugeF(n*k), hugeF(m*n)
		for range 5 {
			t0 := time.Now()
			for range 200 {
				GemmSerial(false, false, m, n, k, a, k, b, n, c, n, false)
			}
			peak = max(peak, 2*float64(m*n*k)*200/time.Since(t0).Seconds()/1e9)
		}
		fmt.Printf("one-thread tile peak %.1f\n", peak)
	}
	type sh struct {
		name    string
		ta, tb  bool
		m, n, k int
	}
	var shapes []sh
	for _, cf := range []struct {
		name        string
		M, d, ff, V int
	}{{"tiny", 2048, 128, 344, 512}, {"small", 4096, 256, 688, 500}, {"ts", 2048, 512, 1344, 10000}} {
		if f := os.Getenv("ONLY"); f != "" && f != cf.name {
			continue
		}
		for _, l := range []struct {
			n       string
			in, out int
		}{{"dd", cf.d, cf.d}, {"df", cf.d, cf.ff}, {"fd", cf.ff, cf.d}, {"dV", cf.d, cf.V}, {"qkv", cf.d, 3 * cf.d}, {"w13", cf.d, 2 * cf.ff}} {
			shapes = append(shapes, sh{cf.name + " " + l.n + " y", false, true, cf.M, l.out, l.in},
				sh{cf.name + " " + l.n + " dx", false, false, cf.M, l.in, l.out},
				sh{cf.name + " " + l.n + " dw", true, false, l.out, l.in, cf.M})
		}
	}
	var meds []float64
	for _, s := range shapes {
		a, b, c := hugeF(s.m*s.k), hugeF(s.k*s.n), hugeF(s.m*s.n)
		lda, ldb := s.k, s.n
		if s.ta {
			lda = s.m
		}
		if s.tb {
			ldb = s.k
		}
		fl := 2 * float64(s.m) * float64(s.n) * float64(s.k)
		inner := 1 + int(0.4e9/fl)
		var r []float64
		for range 9 {
			t0 := time.Now()
			for range inner {
				Gemm(s.ta, s.tb, s.m, s.n, s.k, a, lda, b, ldb, c, s.n, false)
			}
			r = append(r, fl*float64(inner)/time.Since(t0).Seconds()/1e9)
		}
		slices.Sort(r)
		meds = append(meds, r[4])
		fmt.Printf("%-14s %5dx%5dx%5d  %6.1f  best %6.1f\n", s.name, s.m, s.n, s.k, r[4], r[8])
	}
	slices.Sort(meds)
	fmt.Printf("median %.1f min %.1f\n", meds[len(meds)/2], meds[0])
}
