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

// ListValues appends to ids the indices of the elements above limit, and to values these elements.
func ListValues(ids []int32, values []float64, x []float32, limit float32) ([]int32, []float64) {
	ids, values, n := listValues32(ids, values, x, limit)
	from := len(ids)
	ids = listFrom(ids, x, n, limit)
	for _, id := range ids[from:] {
		values = append(values, float64(x[id]))
	}
	return ids, values
}

// Count returns how many elements are above limit.
func Count(x []float32, limit float32) int {
	n, from := count32(x, limit)
	for _, v := range x[from:] {
		if v > limit {
			n++
		}
	}
	return n
}

// SumAbove returns the sum of w[i] over the i with x[i] > limit, and how many there are. Of float32, four are added up as such.
// The order depends on the machine.
func SumAbove[F Float](x, w []F, limit F) (sum float64, count int) {
	w = w[:len(x)]
	from := 0
	if is32[F]() {
		sum, count, from = sumAbove32(asFloat32s(x), asFloat32s(w), float32(limit))
	} else {
		sum, count, from = sumAbove64(asFloat64s(x), asFloat64s(w), float64(limit))
	}
	for i, v := range x[from:] {
		if v > limit {
			sum += float64(w[from+i])
			count++
		}
	}
	return sum, count
}

// Keep moves the ids[i], x[i] and w[i] with x[i] > limit to the beginning of their slices, in order, and returns how many there
// are.
func Keep(ids []int32, x, w []float64, limit float64) int {
	ids, w = ids[:len(x)], w[:len(x)]
	n, from := keep64(ids, x, w, limit)
	for i := from; i < len(x); i++ {
		v := x[i]
		ids[n], x[n], w[n] = ids[i], v, w[i]
		if v > limit {
			n++
		}
	}
	return n
}

// Between stores the x[i] with lo < x[i] <= hi in dstX and their w[i] in dstW, in order, and returns how many there are. dstX and
// dstW must be as long as x and 16 more, and must not overlap x and w.
func Between[F Float](dstX, dstW, x, w []F, lo, hi F) int {
	w, dstX, dstW = w[:len(x)], dstX[:len(x)+16], dstW[:len(x)+16]
	n, from := 0, 0
	if is32[F]() {
		n, from = between32(asFloat32s(dstX), asFloat32s(dstW), asFloat32s(x), asFloat32s(w), float32(lo), float32(hi))
	} else {
		n, from = between64(asFloat64s(dstX), asFloat64s(dstW), asFloat64s(x), asFloat64s(w), float64(lo), float64(hi))
	}
	for i, v := range x[from:] {
		if v > lo && v <= hi {
			dstX[n], dstW[n] = v, w[from+i]
			n++
		}
	}
	return n
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

// growBy returns list with room for n more.
func growBy[E any](list []E, n int) []E {
	if cap(list)-len(list) >= n {
		return list
	}
	out := make([]E, len(list), max(2*cap(list), len(list)+n))
	copy(out, list)
	return out
}

// Weigh computes dst[i] = e**((x[i]-limit)·scale) for x[i] <= limit, to within two units in the last place of float64,
// or 0 where the exponent is less than -708, which is the last short of the subnormal numbers. It returns Σ dst[i], of
// which every fourth element is added to the same of four sums. On all machines it gives the same bits. len(dst) must be
// at least len(x).
//
// The argument is n·ln2/16 + r with |r| <= ln2/32: a table holds 2^(n/16) and a polynomial gives e^r, as in
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

// RoughBlock is the number of elements that RoughSums adds up together.
const RoughBlock = 512

// RoughError bounds the error of the sums of RoughSums, relative to that of the largest: |sum - Σ w| <= RoughError·Σ w for
// any of them and for any sum of them, but for 2^-118 an element.
//
// In units of 2^-24, one rounding of a float32: 1/12 from two roundings of an exponent that is in eighths and at most a half,
// 1 from the table, 1 from the multiply-add that ends the polynomial, 1/7 from those in it, which count for a part of 1/22 at
// most, 0.42 from its truncation and 2 from two additions. That is 4.65, and 5 leaves room for all that is done in float64.
const RoughError = 5 * 0x1p-24

// RoughSums computes dst[i] = Σ e**((x[j]-limit)·scale) over j of block i, for all whole blocks of x, in float32 mostly. It
// reports whether it has done so: it does not where it would not be faster than Weigh, where limit is not a float32 or where
// it could not keep to RoughError. limit must be the largest of x.
func RoughSums(dst []float64, x []float32, limit, scale float64) bool {
	r, ok := newRough(limit, scale)
	if !ok || !roughSums(dst[:len(x)/RoughBlock], x, r) {
		return false
	}
	for i := range dst[:len(x)/RoughBlock] {
		dst[i] *= r.unit
	}
	return true
}

// RoughWeights computes dst[i] = e**((x[i]-limit)·scale) but for a factor that is common to all, in float32. It reports whether
// it has done so, as RoughSums does; RoughError bounds the error of any sum that SumAbove makes of them. The length of x must
// be a multiple of 64, and limit the largest of x.
func RoughWeights(dst, x []float32, limit, scale float64) bool {
	r, ok := newRough(limit, scale)
	return ok && len(x)%64 == 0 && roughWeights(dst[:len(x)], x, r)
}

// rough says how to compute weights in float32, in eighths of powers of two.
type rough struct {
	high, low float32 // eighths in a unit of logits, which is their sum
	magic     float32 // adding it leaves the nearest integer above that of the largest weight in the low bits
	least     float32 // logits below weigh as much as this
	unit      float64 // what the weights are to be multiplied by
}

// newRough returns false where float32 would not do, or limit is none.
func newRough(limit, scale float64) (r rough, ok bool) {
	c := scale * (8 / math.Ln2)
	if !(c >= 0x1p-40 && c <= 0x1p20 && math.Abs(limit)*c <= 0x1p20) {
		return r, false
	}
	const magic = 0x1.8p23
	whole := math.RoundToEven(limit * c) // 2^(whole/8) is near the largest
	r.high = float32(c)
	r.low = float32(c - float64(r.high))
	r.magic = float32(magic - whole)
	r.least = float32((whole - 8*120) / c)
	r.unit = math.Exp2((whole - limit*c) / 8)
	return r, true
}

// weighPortable computes the weights. Its multiply-adds are fused wherever it runs and the conversion of the product
// forbids another, which would make the last bit depend on the architecture.
func weighPortable[F Float](dst []float64, x []F, limit, scale float64) {
	const (
		flushBelow = -708
		round      = 0x1.8p52 // adding it leaves the nearest integer in the low bits
		ln2Hi      = 6.93147180369123816490e-01 / 16
		ln2Lo      = 1.90821492927058770002e-10 / 16

		// The series of e^r, of whose r^7/7! the part that r^3 and r^5 can express within ln2/32 has gone into these.
		c3 = 1.0/6 - 2.24875e-11
		c5 = 1.0/120 + 1.385885895e-7
	)
	dst = dst[:len(x)]
	for i, v := range x {
		z := float64((float64(v) - limit) * scale)
		if z < flushBelow {
			dst[i] = 0
			continue
		}
		t := math.FMA(z, 16/math.Ln2, round)
		n := math.Float64bits(t)
		t -= round
		r := math.FMA(-t, ln2Lo, math.FMA(-t, ln2Hi, z))
		r2 := float64(r * r)
		p := math.FMA(math.FMA(1.0/720, r2, math.FMA(c5, r, 1.0/24)), r2, math.FMA(c3, r, 1.0/2))
		p = math.FMA(p, r2, r)
		s := math.Float64frombits(exp2Table[n%16] + n<<48)
		dst[i] = math.FMA(s, p, s)
	}
}

// exp2Table holds the bits of 2^(i/16), less i<<48: the low bits of a number of sixteenths, shifted by 48, are to be added.
var exp2Table = [16]uint64{
	0x3ff0000000000000, 0x3fefb5586cf9890f, 0x3fef72b83c7d517b, 0x3fef387a6e756238, 0x3fef06fe0a31b715, 0x3feedea64c123422,
	0x3feebfdad5362a27, 0x3feeab07dd485429, 0x3feea09e667f3bcd, 0x3feea11473eb0187, 0x3feeace5422aa0db, 0x3feec49182a3f090,
	0x3feee89f995ad3ad, 0x3fef199bdd85529c, 0x3fef5818dcfba487, 0x3fefa4afa2a490da,
}
