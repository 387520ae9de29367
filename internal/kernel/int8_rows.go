package kernel

import (
	"encoding/binary"
	"math"
)

// The loops on quantised rows, in Go: what runs without assembly, and what assembly is compared with.

// quantizeRowPortable rounds x to groups that lie stride apart.
func quantizeRowPortable(x []float32, dst []int8Group, stride int) {
	for at := 0; len(x) > 0; at += stride {
		part := x[:min(int8Size, len(x))]
		x = x[len(part):]
		quantizeGroup(part, &dst[at])
	}
}

func quantizeGroup(x []float32, g *int8Group) {
	*g = int8Group{}
	var bits uint32 // of the largest magnitude, which as an integer is larger for NaN than for Inf, and for Inf than for others
	for _, v := range x {
		bits = max(bits, math.Float32bits(v)&^(1<<31))
	}
	switch most := math.Float32frombits(bits); {
	case most < int8Small:
	case most <= math.MaxFloat32:
		g.scale = most / 127
		inverse, sum := 127/most, int32(0)
		for i, v := range x {
			q := int8(math.RoundToEven(float64(v * inverse)))
			g.q[i] = q
			sum += int32(q)
		}
		g.offset = -128 * sum
	default:
		g.scale = float32(math.NaN())
	}
}

// int8RowsPortable computes, for i < rows and j < int8Rows·blocks, the products y[i*ldy+j] of rows of x and w, or adds
// them to y if add is set:
//
//	s := Σ over p of (scale of w · scale of x) · Σ q·q
//
// for group p of both, added one after the other. Nothing is fused: the conversions see to that.
func int8RowsPortable(rows, groups, blocks int, x []int8Group, w []int8Block, y []float32, ldy int, add bool) {
	for b := range blocks {
		w := w[b*groups:][:groups]
		for i := range rows {
			var sums [int8Rows]float32
			for p := range w {
				addInt8(&sums, &x[p*rows+i], &w[p])
			}
			y := y[i*ldy+b*int8Rows:][:int8Rows]
			for j, s := range sums {
				if add {
					s += y[j]
				}
				y[j] = s
			}
		}
	}
}

// addInt8 adds the products of a group of x with one of w to sums. It multiplies the numbers of two rows of w at once, one
// in each half of 64 bits. The sums of both halves fit into 32 bits, so the upper one is what the signed lower one leaves.
func addInt8(sums *[int8Rows]float32, x *int8Group, w *int8Block) {
	const both = 0xff | 0xff<<32
	var dots [int8Rows / 2]int64
	for i := range w.q {
		x0, x1, x2, x3 := int64(x.q[4*i]), int64(x.q[4*i+1]), int64(x.q[4*i+2]), int64(x.q[4*i+3])
		q := &w.q[i]
		for j := range dots {
			v := int64(binary.LittleEndian.Uint64(q[8*j:]))
			dots[j] += (v&both)*x0 + (v>>8&both)*x1 + (v>>16&both)*x2 + (v>>24&both)*x3
		}
	}
	for j, d := range dots {
		low := int32(d)
		for k, dot := range [2]int32{low, int32((d - int64(low)) >> 32)} {
			scale := float32(w.scales[2*j+k] * x.scale)
			sums[2*j+k] += float32(scale * float32(dot+x.offset))
		}
	}
}
