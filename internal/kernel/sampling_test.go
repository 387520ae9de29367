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
		testRoughWeights(t, x[:len(x)/RoughBlock*RoughBlock], limit, scale)
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

// testRoughWeights checks that the ratio of two sums of rough weights is as near to that of the weights as it should.
func testRoughWeights(t *testing.T, x []float32, limit, scale float64) {
	t.Helper()
	weights, got := make([]float64, len(x)), make([]float32, len(x)+1)
	got[len(x)] = 7
	Weigh(weights, x, limit, scale)
	if !RoughWeights(got[:len(x)], x, limit, scale) || got[len(x)] != 7 {
		t.Fatalf("logits up to %v, scale %v: no rough weights, or too many", limit, scale)
	}
	exact := func(above float32) (sum float64) {
		for i, v := range x {
			if v > above {
				sum += weights[i]
			}
		}
		return sum
	}
	all := float32(math.Inf(-1))
	total, _ := SumAbove(x, got[:len(x)], all)
	for _, above := range []float32{x[0], x[len(x)/2], x[len(x)-1]} {
		sum, _ := SumAbove(x, got[:len(x)], above)
		want := exact(above) / exact(all) * total
		if math.Abs(sum-want) > 2*RoughError*want+float64(len(x))*0x1p-118 {
			t.Fatalf("logits up to %v, scale %v: weights above %v are %v, want %v", limit, scale, above, sum, want)
		}
	}
}

// SumAbove, Keep and Between agree with plain loops, up to the order of the sum.
func TestSelect(t *testing.T) { onEachPath(t, testSelect) }

func testSelect(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 3))
	for _, n := range samplingLengths {
		for range 5 {
			x, w := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i], w[i] = float64(rng.IntN(50)), rng.Float64()
			}
			limit := float64(rng.IntN(52) - 1)
			var above float64
			wantCount := 0
			for i, v := range x {
				if v > limit {
					above += w[i]
					wantCount++
				}
			}
			sum, count := SumAbove(x, w, limit)
			if math.Abs(sum-above) > 1e-9 || count != wantCount {
				t.Fatalf("n=%d: SumAbove(%v) = %v of %d, want %v of %d", n, limit, sum, count, above, wantCount)
			}
			testSumAbove32(t, x, w, limit, above, count)
			ids := make([]int32, n)
			for i := range ids {
				ids[i] = int32(i)
			}
			keptX, keptW := slices.Clone(x), slices.Clone(w)
			keptIDs := slices.Clone(ids)
			if k := Keep(keptIDs, keptX, keptW, limit); k != count || !slices.IsSorted(keptIDs[:k]) {
				t.Fatalf("n=%d: Keep(%v) keeps %d, want %d", n, limit, k, count)
			}
			for i, id := range keptIDs[:count] {
				if !(x[id] > limit) || keptX[i] != x[id] || keptW[i] != w[id] {
					t.Fatalf("n=%d: Keep(%v) has %v, %v for %d, want %v, %v", n, limit, keptX[i], keptW[i], id, x[id], w[id])
				}
			}
			testBetween(t, x, w, limit-float64(rng.IntN(30)), limit)
			testBetween(t, float32sOf(x), float32sOf(w), float32(limit)-float32(rng.IntN(30)), float32(limit))
		}
	}
}

func testBetween[F Float](t *testing.T, x, w []F, lo, hi F) {
	t.Helper()
	var wantX, wantW []F
	for i, v := range x {
		if v > lo && v <= hi {
			wantX, wantW = append(wantX, v), append(wantW, w[i])
		}
	}
	n := len(x)
	gotX, gotW := make([]F, n+17), make([]F, n+17)
	gotX[n+16], gotW[n+16] = 7, 7 // guards
	kept := Between(gotX, gotW, x, w, lo, hi)
	if !slices.Equal(gotX[:kept], wantX) || !slices.Equal(gotW[:kept], wantW) || gotX[n+16] != 7 || gotW[n+16] != 7 {
		t.Fatalf("n=%d: Between %v and %v keeps %d, want %d", n, lo, hi, kept, len(wantX))
	}
}

func float32sOf(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// testSumAbove32 checks SumAbove of what float32 have of x and w.
func testSumAbove32(t *testing.T, x, w []float64, limit, want float64, wantCount int) {
	t.Helper()
	sum, count := SumAbove(float32sOf(x), float32sOf(w), float32(limit))
	if math.Abs(sum-want) > want*4*0x1p-24 || count != wantCount {
		t.Fatalf("n=%d: SumAbove of float32(%v) = %v of %d, want %v of %d", len(x), limit, sum, count, want, wantCount)
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

// Rough weights are not taken of rows of other lengths, nor where eighths of powers of two are too coarse or too many.
func TestRoughWeightsRefuse(t *testing.T) {
	x := make([]float32, 128)
	for _, c := range []struct {
		n            int
		limit, scale float64
	}{{65, 0, 1}, {127, 0, 1}, {128, 0, 0x1p30}, {128, 0, 0x1p-60}, {128, 0x1p30, 1}, {128, math.NaN(), 1}, {65, 0, 0x1p30}} {
		onEachPath(t, func(t *testing.T) {
			if RoughWeights(make([]float32, 128), x[:c.n], c.limit, c.scale) {
				t.Errorf("%d logits, of at most %v, times %v, have rough weights", c.n, c.limit, c.scale)
			}
		})
	}
}
