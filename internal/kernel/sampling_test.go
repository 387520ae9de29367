package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// lengths around the steps of the kernels and the parts that they are given.
var samplingLengths = []int{0, 1, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 127, 128, 129, 500, 511, 512, 513, 4095, 4096, 4097, 9000, 40000}

// Above and List agree with plain loops, NaN, infinities and ties with the limit included.
func TestAboveAndList(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		t.Run("float32", testAboveAndList[float32])
		t.Run("float64", testAboveAndList[float64])
	})
}

func testAboveAndList[F Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	inf := math.Inf(1)
	special := []float64{math.NaN(), inf, -inf, 1, math.Nextafter(1, 2)}
	for _, n := range samplingLengths {
		for trial := range 20 {
			x := make([]F, n)
			share := []float64{0, 0.001, 0.1, 0.9}[trial%4]
			for i := range x {
				x[i] = F(rng.Float64())
				if rng.Float64() < share {
					x[i] = F(special[rng.IntN(len(special))])
				}
			}
			limit := F([]float64{1, 0.5, -inf, 2}[rng.IntN(4)])
			from := rng.IntN(n + 1)
			want := from
			for want < n && x[want] <= limit {
				want++
			}
			if got := Above(x, from, limit); got != want {
				t.Fatalf("n=%d: Above(%d, %v) = %d, want %d", n, from, limit, got, want)
			}
			prefix := []int32{-7}
			ids := List(slices.Clone(prefix), x, limit)
			list := prefix
			for i, v := range x {
				if v > limit {
					list = append(list, int32(i))
				}
			}
			if !slices.Equal(ids, list) {
				t.Fatalf("n=%d: List(%v) has %d of %d", n, limit, len(ids), len(list))
			}
			testCountAndValues(t, x, limit, list[1:])
		}
	}
}

// testCountAndValues checks Count and ListValues, which are for float32 alone.
func testCountAndValues[F Float](t *testing.T, of []F, limit F, want []int32) {
	t.Helper()
	if !is32[F]() {
		return
	}
	x, n := asFloat32s(of), len(of)
	if got := Count(x, float32(limit)); got != len(want) {
		t.Fatalf("n=%d: Count(%v) = %d, want %d", n, limit, got, len(want))
	}
	ids, values := ListValues([]int32{-7}, []float64{-7, -8}, x, float32(limit))
	if !slices.Equal(ids[1:], want) || len(values) != len(ids)+1 {
		t.Fatalf("n=%d: ListValues(%v) has %d and %d of %d", n, limit, len(ids)-1, len(values)-2, len(want))
	}
	for i, id := range want {
		if values[i+2] != float64(x[id]) {
			t.Fatalf("n=%d: value %d is %v, want %v", n, id, values[i+2], x[id])
		}
	}
}

// Weigh gives the bits of the portable loop and of the four sums, whatever the instruction set.
func TestWeigh(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		t.Run("float32", testWeigh[float32])
		t.Run("float64", testWeigh[float64])
	})
}

func testWeigh[F Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range samplingLengths {
		for trial := range 6 {
			x := make([]F, n+1) // which begins anywhere
			x = x[trial%2:][:n]
			top := F(rng.NormFloat64())
			for i := range x {
				x[i] = top - F(rng.ExpFloat64()*[]float64{1, 10, 300}[trial%3])
				switch rng.IntN(20) {
				case 0:
					x[i] = F(math.Inf(-1))
				case 1:
					x[i] = top
				}
			}
			scale := []float64{1, 1 / 0.8, 3.7}[trial%3]
			want := make([]float64, n)
			weighPortable(want, x, float64(top), scale)
			var sums [4]float64
			whole := n &^ 3
			for i, w := range want[:whole] {
				sums[i%4] += w
			}
			for _, w := range want[whole:] {
				sums[0] += w
			}
			got := make([]float64, n+2)
			got[n], got[n+1] = 7, 7 // guards
			total := Weigh(got[:n], x, float64(top), scale)
			if !slices.Equal(got[:n], want) || got[n] != 7 || got[n+1] != 7 {
				t.Fatalf("n=%d, scale %v: weights differ", n, scale)
			}
			if sum := (sums[0] + sums[1]) + (sums[2] + sums[3]); total != sum {
				t.Fatalf("n=%d, scale %v: sum is %v, want %v", n, scale, total, sum)
			}
		}
	}
	// The ends of the range.
	for _, c := range []struct{ x, limit, scale float64 }{
		{-708, 0, 1}, {math.Nextafter(-708, -709), 0, 1}, {-707.9, 0, 1}, {0, 0, math.MaxFloat64}, {-1, 0, 5e-324}, {math.Inf(-1), 0, 1},
	} {
		x := slices.Repeat([]F{F(c.x)}, 64)
		got, want := make([]float64, 64), make([]float64, 64)
		Weigh(got, x, c.limit, c.scale)
		weighPortable(want, x, c.limit, c.scale)
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v, want %v", c, got[0], want[0])
		}
	}
}

// The rough sums of blocks are as near to those of Weigh as they say, whatever the logits and the scale.
func TestRoughSums(t *testing.T) { onEachPath(t, testRoughSums) }

func testRoughSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	weights := make([]float64, RoughBlock)
	worst := 0.0
	for trial := range 3000 {
		x := make([]float32, RoughBlock*(1+rng.IntN(3))+rng.IntN(9))
		at := rng.NormFloat64() * []float64{0, 1, 100, 1e4}[trial%4]
		spread := []float64{1e-3, 1, 10, 100}[rng.IntN(4)]
		for i := range x {
			x[i] = float32(at + rng.NormFloat64()*spread)
			if trial%10 == 9 && rng.IntN(2) == 0 {
				x[i] = float32(math.Inf(-1))
			}
		}
		if trial%3 == 0 { // errors of the same sign
			for i := range x {
				x[i] = x[i%(1+trial%5)]
			}
		}
		limit := float64(slices.Max(x))
		scale := []float64{1, 1 / 0.8, 3.7, 0.01, 1e-20}[rng.IntN(5)]
		got := slices.Repeat([]float64{7}, len(x)/RoughBlock+1)
		if !RoughSums(got, x, limit, scale) {
			if path, _ := Path(); path != pathPortable && scale > 1e-3 && scale*math.Abs(limit) < 1e4 {
				t.Fatalf("no rough sums of logits up to %v, scale %v", limit, scale)
			}
			continue
		}
		if got[len(got)-1] != 7 {
			t.Fatal("wrote past the blocks")
		}
		for i, s := range got[:len(got)-1] {
			want := Weigh(weights, x[i*RoughBlock:(i+1)*RoughBlock], limit, scale)
			off := math.Abs(s-want) - RoughBlock*0x1p-118
			worst = max(worst, off/want)
			if off > RoughError*want {
				t.Fatalf("logits up to %v, scale %v: sum is %v, want %v within %v", limit, scale, s, want, RoughError)
			}
		}
	}
	t.Logf("the largest error is %.3g, of at most %.3g", worst, RoughError)
}

// SumAbove and AtMost agree with plain loops, up to the order of the sum.
func TestSumAboveAndAtMost(t *testing.T) { onEachPath(t, testSumAboveAndAtMost) }

func testSumAboveAndAtMost(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 3))
	for _, n := range samplingLengths {
		for range 5 {
			x, w := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i], w[i] = float64(rng.IntN(50)), rng.Float64()
			}
			limit := float64(rng.IntN(52) - 1)
			var above float64
			var wantX, wantW []float64
			for i, v := range x {
				if v > limit {
					above += w[i]
				} else {
					wantX, wantW = append(wantX, v), append(wantW, w[i])
				}
			}
			sum, count := SumAbove(x, w, limit)
			if math.Abs(sum-above) > 1e-9 || count != n-len(wantX) {
				t.Fatalf("n=%d: SumAbove(%v) = %v of %d, want %v of %d", n, limit, sum, count, above, n-len(wantX))
			}
			gotX, gotW := make([]float64, n+9), make([]float64, n+9)
			gotX[n+8], gotW[n+8] = 7, 7 // guards
			kept := AtMost(gotX, gotW, x, w, limit)
			if !slices.Equal(gotX[:kept], wantX) || !slices.Equal(gotW[:kept], wantW) || gotX[n+8] != 7 || gotW[n+8] != 7 {
				t.Fatalf("n=%d: AtMost(%v) keeps %d, want %d", n, limit, kept, len(wantX))
			}
		}
	}
}

// The sums of SumAbove are the same to the bit with all instruction sets.
func TestSumAboveBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 4))
	for _, n := range samplingLengths {
		x, w := make([]float64, n), make([]float64, n)
		for i := range x {
			x[i], w[i] = rng.Float64(), rng.ExpFloat64()
		}
		sums := make(map[string]float64)
		for _, path := range supportedPaths() {
			onPath(path, func() { sums[path], _ = SumAbove(x, w, 0.3) })
		}
		if avx512, ok := sums[pathAVX512]; ok && avx512 != sums[pathAVX2] {
			t.Errorf("n=%d: the sums are %v", n, sums)
		}
	}
}
