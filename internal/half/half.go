// Package half converts between float32 and the two formats of 16 bits: F16, which is IEEE 754's binary16, and BF16, the
// upper half of a float32. Numbers round to the nearest, ties to even. What is too large becomes an infinity, and a NaN
// stays one.
package half

import "math"

// FromBF16 returns the number that b stands for, which a float32 holds exactly.
func FromBF16(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// ToBF16 returns the number nearest to x.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 1<<6 // quiet, whatever bits are cut off
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// FromF16 returns the number that h stands for, which a float32 holds exactly.
func FromF16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	switch magnitude := uint32(h & 0x7fff); {
	case magnitude < 0x0400: // zero and subnormal: so many times 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(magnitude)*0x1p-24))
	case magnitude < 0x7c00:
		return math.Float32frombits(sign | (magnitude<<13 + (127-15)<<23))
	default: // infinity and NaN
		return math.Float32frombits(sign | 0x7f800000 | magnitude<<13)
	}
}

// ToF16 returns the number nearest to x.
func ToF16(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	switch b &= 0x7fffffff; {
	case b > 0x7f800000: // NaN
		return sign | 0x7e00 | uint16(b>>13&0x1ff)
	case b >= 0x47800000: // 2¹⁶ and more
		return sign | 0x7c00
	case b < 0x38800000: // less than 2⁻¹⁴
		// A float32 between ½ and 1 steps by 2⁻²⁴, as subnormals do, so the addition rounds.
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-math.Float32bits(0.5))
	default: // a carry may go on into the exponent, and make an infinity
		return sign | uint16((b+0xfff+b>>13&1-(127-15)<<23)>>13)
	}
}
