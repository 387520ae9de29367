package half

import (
	"math"
	"math/rand/v2"
	"testing"
)

// value is the number that the bits of a format with so many bits of fraction and such a bias stand for.
func value(bits uint16, fraction int, bias int) float64 {
	sign := 1.0
	if bits&0x8000 != 0 {
		sign = -1
	}
	exponent, f := int(bits&0x7fff)>>fraction, float64(bits&(1<<fraction-1))
	scale := math.Ldexp(1, -fraction)
	switch top := 0x7fff >> fraction; {
	case exponent == top && f == 0:
		return sign * math.Inf(1)
	case exponent == top:
		return math.NaN()
	case exponent == 0:
		return sign * math.Ldexp(f*scale, 1-bias)
	default:
		return sign * math.Ldexp(1+f*scale, exponent-bias)
	}
}

var formats = []struct {
	name           string
	fraction, bias int
	from           func(uint16) float32
	to             func(float32) uint16
}{
	{"F16", 10, 15, FromF16, ToF16},
	{"BF16", 7, 127, FromBF16, ToBF16},
}

// Every number of 16 bits has the value of its definition and comes back as it was.
func TestEveryNumber(t *testing.T) {
	for _, f := range formats {
		for b := range 1 << 16 {
			got, want := float64(f.from(uint16(b))), value(uint16(b), f.fraction, f.bias)
			if math.IsNaN(want) {
				if !math.IsNaN(got) || !math.IsNaN(float64(f.from(f.to(float32(got))))) {
					t.Fatalf("%s %#04x is %v, want NaN that stays so", f.name, b, got)
				}
				continue
			}
			if got != want || math.Signbit(got) != math.Signbit(want) {
				t.Fatalf("%s %#04x is %v, want %v", f.name, b, got, want)
			}
			if back := f.to(float32(got)); int(back) != b {
				t.Fatalf("%s %#04x comes back as %#04x", f.name, b, back)
			}
		}
	}
}

// A number rounds to the nearest, and one that lies between two of them to the even one.
func TestRounding(t *testing.T) {
	for _, f := range formats {
		finite := uint16(0x7fff>>f.fraction)<<f.fraction - 1
		for b := range finite {
			low, high := value(b, f.fraction, f.bias), value(b+1, f.fraction, f.bias)
			middle := float32((low + high) / 2) // exact
			even := b + b&1
			for _, c := range []struct {
				x    float32
				want uint16
			}{
				{middle, even},
				{math.Nextafter32(middle, 0), b},
				{math.Nextafter32(middle, math.MaxFloat32), b + 1},
			} {
				if got := f.to(c.x); got != c.want {
					t.Fatalf("%s: %v is %#04x, want %#04x", f.name, c.x, got, c.want)
				}
				if got := f.to(-c.x); got != c.want|0x8000 {
					t.Fatalf("%s: %v is %#04x, want %#04x", f.name, -c.x, got, c.want|0x8000)
				}
			}
		}
		// Half a step beyond the largest number lies infinity.
		largest := value(finite, f.fraction, f.bias)
		limit := largest + (largest-value(finite-1, f.fraction, f.bias))/2
		if got := f.to(float32(limit)); got != finite+1 {
			t.Errorf("%s: %v is %#04x, want infinity", f.name, limit, got)
		}
		if got := f.to(math.Nextafter32(float32(limit), 0)); got != finite {
			t.Errorf("%s: just below %v is %#04x, want %#04x", f.name, limit, got, finite)
		}
	}
}

// Random bits of float32 never round to a number that is further away than a neighbour.
func TestNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, f := range formats {
		for range 100_000 {
			x := math.Float32frombits(rng.Uint32())
			b := f.to(x)
			got := float64(f.from(b))
			if math.IsNaN(float64(x)) || math.IsInf(got, 0) {
				continue // the tests above see to those
			}
			for _, other := range []uint16{b - 1, b + 1} {
				if d := math.Abs(value(other, f.fraction, f.bias) - float64(x)); d < math.Abs(got-float64(x)) {
					t.Fatalf("%s: %v becomes %v, but %v is nearer", f.name, x, got, value(other, f.fraction, f.bias))
				}
			}
		}
	}
}
