package kernel

import "math"

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

// addInt8 adds the products of a group of x with one of w to sums.
func addInt8(sums *[int8Rows]float32, x *int8Group, w *int8Block) {
	var dots [int8Rows]int32
	for i := range w.q {
		x0, x1, x2, x3 := int32(x.q[4*i]), int32(x.q[4*i+1]), int32(x.q[4*i+2]), int32(x.q[4*i+3])
		for j := range dots {
			q := &w.q[i][j]
			dots[j] += x0*int32(q[0]) + x1*int32(q[1]) + x2*int32(q[2]) + x3*int32(q[3])
		}
	}
	for j, d := range dots {
		scale := float32(w.scales[j] * x.scale)
		sums[j] += float32(scale * float32(d+x.offset))
	}
}
