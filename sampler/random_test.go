package sampler_test

import (
	"math"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// Neighbouring steps, streams and seeds give independent uniforms: pairs fill a 16 by 16 table evenly.
func TestUniformIsIndependent(t *testing.T) {
	for name, u := range map[string]func(i uint64) float64{
		"steps":   func(i uint64) float64 { return sampler.Uniform(1, 0, i) },
		"streams": func(i uint64) float64 { return sampler.Uniform(1, i, 0) },
		"seeds":   func(i uint64) float64 { return sampler.Uniform(i, 0, 0) },
		"high":    func(i uint64) float64 { return sampler.Uniform(i<<32, i<<48, i<<40) },
	} {
		const n = 1 << 16
		var table [16][16]float64
		for i := range uint64(n) {
			a, b := u(i), u(i+1)
			if a < 0 || a >= 1 || a*0x1p53 != math.Trunc(a*0x1p53) {
				t.Fatalf("%s: Uniform is %v", name, a)
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
			t.Errorf("%s: chi-square of pairs is %.1f, want about 255", name, chi2)
		}
	}
}

// The seed is the key, step and stream are the counter of a known answer of Philox.
func TestUniformIsPhilox(t *testing.T) {
	got := sampler.Uniform(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88)
	if want := float64(uint64(0x94fdccebd16cfe09)>>11) * 0x1p-53; got != want {
		t.Errorf("Uniform = %v, want %v", got, want)
	}
}
