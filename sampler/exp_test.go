package sampler

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// bigExp returns e^x to 200 bits: x/1024 in a Taylor series, then squared ten times.
func bigExp(x float64) *big.Float {
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(v) }
	small := number(x)
	small.Quo(small, number(1024))
	total, term := number(1), number(1)
	for n := 1; n < 40; n++ {
		term.Mul(term, small)
		term.Quo(term, number(float64(n)))
		total.Add(total, term)
	}
	for range 10 {
		total.Mul(total, total)
	}
	return total
}

func TestExpsErrorInUnitsOfTheLastPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	worst, at := 0.0, 0.0
	for i := range 6000 {
		x := -rng.ExpFloat64() * []float64{1e-3, 1, 10, 100, 300, 700}[i%6]
		if x < flushBelow {
			continue
		}
		var got [1]float64
		exps(got[:], []float64{x}, 0, 1)
		want := bigExp(x)
		near, _ := want.Float64()
		diff, _ := new(big.Float).Sub(want, big.NewFloat(got[0])).Float64()
		if ulps := math.Abs(diff) / (math.Nextafter(near, 1) - near); ulps > worst {
			worst, at = ulps, x
		}
	}
	if worst > 1.25 {
		t.Errorf("exps(%v) is wrong by %.3f units in the last place, want at most 1.25", at, worst)
	}

}

func TestExpsEnds(t *testing.T) {
	for _, c := range []struct{ x, limit, scale, want float64 }{
		{5, 5, 1, 1},
		{5, 5, math.MaxFloat64, 1},
		{math.Inf(-1), 5, 1, 0},
		{-709, 0, 1, 0},
		{-1e300, 1e300, 1e300, 0},
		{4, 5, 5e-324, 1},
	} {
		var got [1]float64
		exps(got[:], []float64{c.x}, c.limit, c.scale)
		if got[0] != c.want {
			t.Errorf("exp((%v - %v)·%v) = %v, want %v", c.x, c.limit, c.scale, got[0], c.want)
		}
	}
}

func TestPhiloxKnownAnswers(t *testing.T) {
	// The vectors that Random123 publishes for philox4x32 with 10 rounds.
	const ff = 0xffffffff
	for _, c := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{ff, ff, ff, ff}, [2]uint32{ff, ff}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := philox(c.ctr, c.key); got != c.want {
			t.Errorf("philox(%x, %x) = %x, want %x", c.ctr, c.key, got, c.want)
		}
	}
}

// crossing must agree with a sort, whatever the order and the ties.
func TestCrossing(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for trial := range 2000 {
		n := 1 + rng.IntN(60)
		c := make([]cand, n)
		for i := range c {
			c[i] = cand{logit: float64(rng.IntN(1 + trial%20)), weight: float64(1 + rng.IntN(3)), id: int32(i)}
		}
		total := 0.0
		for _, v := range c {
			total += v.weight
		}
		need := 1 + float64(rng.IntN(int(total)+2)) // sometimes more than there is
		var want cand
		acc := 0.0
		for rest := append([]cand(nil), c...); len(rest) > 0 && acc < need; {
			best := 0
			for i := range rest {
				if rest[i].before(&rest[best]) {
					best = i
				}
			}
			want = rest[best]
			acc += want.weight
			rest = append(rest[:best], rest[best+1:]...)
		}
		if got := crossing(c, need); got != want {
			t.Fatalf("trial %d: crossing of %d candidates at %v is %+v, want %+v", trial, n, need, got, want)
		}
	}
}

// The toss of a token says nothing about the number that draws it: pairs of them fill a 16 by 16 table evenly.
func TestTossIsIndependent(t *testing.T) {
	const n = 1 << 16
	var table [16][16]float64
	for i := range uint64(n) {
		a, b := Uniform(1, 2, i), toss(1, 2, i)
		if b < 0 || b >= 1 || b*0x1p53 != math.Trunc(b*0x1p53) {
			t.Fatalf("toss is %v", b)
		}
		table[int(a*16)][int(b*16)]++
	}
	chi2 := 0.0
	for _, cells := range table {
		for _, v := range cells {
			chi2 += (v - n/256) * (v - n/256) / (n / 256)
		}
	}
	// 255 degrees of freedom: outside of this range once in ten thousand times.
	if chi2 < 176 || chi2 > 345 {
		t.Errorf("chi-square of pairs is %.1f, want about 255", chi2)
	}
}
