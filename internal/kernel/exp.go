package kernel

import (
	"math"
	"unsafe"
)

// exp returns e**x in the precision of F.
func exp[F Float](x F) F {
	if unsafe.Sizeof(x) == 4 {
		return F(exp32(float32(x)))
	}
	return F(math.Exp(float64(x)))
}

// exp32 returns e**x, within 2 units in the last place.
//
// The argument is reduced to r = x - n·ln 2 with |r| <= ln 2 / 2, a polynomial gives e**r, and the exponent of
// the result is raised by n. ln 2 is taken in two parts so that r is exact to the last place.
func exp32(x float32) float32 {
	const (
		ln2Hi = 0.693359375
		ln2Lo = -2.12194440e-4
	)
	switch {
	case x != x:
		return x
	case x > 88.722839:
		return float32(math.Inf(1))
	case x < -103.972084:
		return 0
	}
	// Adding and subtracting 1.5·2**23 rounds to the nearest integer.
	const round = 12582912
	n := float32(x*math.Log2E+round) - round
	r := x - n*ln2Hi
	r -= n * ln2Lo
	p := float32(1.9875691500e-4)
	p = p*r + 1.3981999507e-3
	p = p*r + 8.3334519073e-3
	p = p*r + 4.1665795894e-2
	p = p*r + 1.6666665459e-1
	p = p*r + 5.0000001201e-1
	y := p*r*r + r + 1
	k := int32(n)
	if k > -126 && k < 127 {
		return y * pow2(k)
	}
	// Two factors, since 2**n alone overflows or is denormal at the ends of the range.
	h := k / 2
	return y * pow2(h) * pow2(k-h)
}

// pow2 returns 2**n for -126 <= n <= 127.
func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

// sigmoid returns 1 / (1 + e**-x).
func sigmoid[F Float](x F) F { return 1 / (1 + exp(-x)) }

// log and sqrt in the precision of F.
func log[F Float](x F) F  { return F(math.Log(float64(x))) }
func sqrt[F Float](x F) F { return F(math.Sqrt(float64(x))) }
