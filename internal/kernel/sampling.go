package kernel

import "math"

// Above returns the first i from the given one on with x[i] > limit or x[i] NaN, or len(x) if there is none.
func Above[F Float](x []F, from int, limit F) int {
	i := from
	if is32[F]() {
		i += above32(asFloat32s(x)[from:], float32(limit))
	}
	for ; i+4 <= len(x); i += 4 {
		v := x[i : i+4 : i+4]
		if !(v[0] <= limit && v[1] <= limit && v[2] <= limit && v[3] <= limit) {
			break
		}
	}
	for i < len(x) && x[i] <= limit {
		i++
	}
	return i
}

// List appends to ids the indices of the elements above limit.
func List[F Float](ids []int32, x []F, limit F) []int32 {
	if is32[F]() {
		var n int
		ids, n = list32(ids, asFloat32s(x), float32(limit))
		return listFrom(ids, x, n, limit)
	}
	return listFrom(ids, x, 0, limit)
}

// listFrom is List from an index on. In a part that has one, which others are is hard to predict, so it writes every index
// down and moves on only past those to keep: a branch would cost more.
func listFrom[F Float](ids []int32, x []F, from int, limit F) []int32 {
	const part = 512
	for lo := from; lo < len(x); lo += part {
		hi := min(lo+part, len(x))
		first := Above(x[:hi], lo, limit)
		if first == hi {
			continue
		}
		ids = growBy(ids, part)
		tail, n := ids[len(ids):len(ids)+part], uint(0)
		for i, v := range x[first:hi] {
			tail[n%part] = int32(first + i)
			if v > limit {
				n++
			}
		}
		ids = ids[:len(ids)+int(n)]
	}
	return ids
}

// growBy returns ids with room for n more.
func growBy(ids []int32, n int) []int32 {
	if cap(ids)-len(ids) >= n {
		return ids
	}
	out := make([]int32, len(ids), max(2*cap(ids), len(ids)+n))
	copy(out, ids)
	return out
}

// Weigh computes dst[i] = e**((x[i]-limit)·scale) for x[i] <= limit, to within two units in the last place of float64,
// or 0 where the exponent is less than -708, which is the last short of the subnormal numbers. It returns Σ dst[i], of
// which every fourth element is added to the same of four sums. On all machines it gives the same bits. len(dst) must be
// at least len(x).
//
// The argument is n·ln2/64 + r with |r| <= ln2/128: a table holds 2^(n/64) and a polynomial gives e^r, as in
// Tang, "Table-driven implementation of the exponential function in IEEE floating-point arithmetic", 1989.
func Weigh[F Float](dst []float64, x []F, limit, scale float64) float64 {
	dst = dst[:len(x)]
	var sums [4]float64
	n := 0
	if is32[F]() {
		n = weigh32(dst, asFloat32s(x), limit, scale, &sums)
	} else {
		n = weigh64(dst, asFloat64s(x), limit, scale, &sums)
	}
	weighPortable(dst[n:], x[n:], limit, scale)
	a, b, c, d := sums[0], sums[1], sums[2], sums[3]
	for n < len(dst)&^3 {
		a += dst[n]
		b += dst[n+1]
		c += dst[n+2]
		d += dst[n+3]
		n += 4
	}
	for _, v := range dst[n:] {
		a += v
	}
	return (a + b) + (c + d)
}

// weighPortable computes the weights. The conversions around products forbid fused multiply-adds, which would make the
// last bit depend on the architecture.
func weighPortable[F Float](dst []float64, x []F, limit, scale float64) {
	const (
		flushBelow = -708
		round      = 0x1.8p52 // adding it leaves the nearest integer in the low bits
		ln2Hi      = 6.93147180369123816490e-01 / 64
		ln2Lo      = 1.90821492927058770002e-10 / 64
	)
	dst = dst[:len(x)]
	for i, v := range x {
		z := (float64(v) - limit) * scale
		if z < flushBelow {
			dst[i] = 0
			continue
		}
		t := float64(z*(64/math.Ln2)) + round
		n := math.Float64bits(t)
		t -= round
		r := (z - float64(t*ln2Hi)) - float64(t*ln2Lo)
		r2 := float64(r * r)
		p := r + float64(r2*((1.0/2+float64(r*(1.0/6)))+float64(r2*(1.0/24+float64(r*(1.0/120))))))
		s := math.Float64frombits(exp2Table[n%64] + n/64<<52)
		dst[i] = s + float64(s*p)
	}
}

// exp2Table holds the bits of 2^(i/64).
var exp2Table = [64]uint64{
	0x3ff0000000000000, 0x3ff02c9a3e778061, 0x3ff059b0d3158574, 0x3ff0874518759bc8, 0x3ff0b5586cf9890f, 0x3ff0e3ec32d3d1a2,
	0x3ff11301d0125b51, 0x3ff1429aaea92de0, 0x3ff172b83c7d517b, 0x3ff1a35beb6fcb75, 0x3ff1d4873168b9aa, 0x3ff2063b88628cd6,
	0x3ff2387a6e756238, 0x3ff26b4565e27cdd, 0x3ff29e9df51fdee1, 0x3ff2d285a6e4030b, 0x3ff306fe0a31b715, 0x3ff33c08b26416ff,
	0x3ff371a7373aa9cb, 0x3ff3a7db34e59ff7, 0x3ff3dea64c123422, 0x3ff4160a21f72e2a, 0x3ff44e086061892d, 0x3ff486a2b5c13cd0,
	0x3ff4bfdad5362a27, 0x3ff4f9b2769d2ca7, 0x3ff5342b569d4f82, 0x3ff56f4736b527da, 0x3ff5ab07dd485429, 0x3ff5e76f15ad2148,
	0x3ff6247eb03a5585, 0x3ff6623882552225, 0x3ff6a09e667f3bcd, 0x3ff6dfb23c651a2f, 0x3ff71f75e8ec5f74, 0x3ff75feb564267c9,
	0x3ff7a11473eb0187, 0x3ff7e2f336cf4e62, 0x3ff82589994cce13, 0x3ff868d99b4492ed, 0x3ff8ace5422aa0db, 0x3ff8f1ae99157736,
	0x3ff93737b0cdc5e5, 0x3ff97d829fde4e50, 0x3ff9c49182a3f090, 0x3ffa0c667b5de565, 0x3ffa5503b23e255d, 0x3ffa9e6b5579fdbf,
	0x3ffae89f995ad3ad, 0x3ffb33a2b84f15fb, 0x3ffb7f76f2fb5e47, 0x3ffbcc1e904bc1d2, 0x3ffc199bdd85529c, 0x3ffc67f12e57d14b,
	0x3ffcb720dcef9069, 0x3ffd072d4a07897c, 0x3ffd5818dcfba487, 0x3ffda9e603db3285, 0x3ffdfc97337b9b5f, 0x3ffe502ee78b3ff6,
	0x3ffea4afa2a490da, 0x3ffefa1bee615a27, 0x3fff50765b6e4540, 0x3fffa7c1819e90d8,
}
