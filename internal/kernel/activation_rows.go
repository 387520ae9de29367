package kernel

import "math"

// The loops of a row of activations, in Go: what runs without assembly, and what assembly is compared with.

func reluPortable[F Float](dst, x []F) {
	for i, v := range x[:len(dst)] {
		dst[i] = max(v, 0)
	}
}

func reluGradPortable[F Float](dx, dy, x []F) {
	dy = dy[:len(dx)]
	for i, v := range x[:len(dx)] {
		if v > 0 {
			dx[i] = dy[i]
		} else {
			dx[i] = 0
		}
	}
}

func siluPortable[F Float](dst, x []F) {
	for i, v := range x[:len(dst)] {
		dst[i] = v * sigmoid(v)
	}
}

func siluGradPortable[F Float](dx, dy, x []F) {
	for i, v := range x[:len(dx)] {
		s := sigmoid(v)
		dx[i] = dy[i] * s * (1 + v*(1-s))
	}
}

func swigluPortable[F Float](dst, gate, up []F) {
	for i, v := range gate[:len(dst)] {
		dst[i] = v * sigmoid(v) * up[i]
	}
}

func swigluGradPortable[F Float](dgate, dup, dy, gate, up []F) {
	for i, d := range dy {
		v, u := gate[i], up[i]
		s := sigmoid(v)
		dgate[i] = d * u * s * (1 + v*(1-s))
		dup[i] = d * v * s
	}
}

func geluPortable[F Float](dst, x []F) {
	for i, e := range x[:len(dst)] {
		v := float64(e)
		dst[i] = F(v * normalCDF(v))
	}
}

func geluGradPortable[F Float](dx, dy, x []F) {
	for i, e := range x[:len(dx)] {
		v := float64(e)
		density := math.Exp(-v*v/2) / math.Sqrt(2*math.Pi)
		if math.IsInf(v, 0) {
			v, density = math.Copysign(math.MaxFloat64, v), 0
		}
		dx[i] = F(float64(dy[i]) * (normalCDF(v) + v*density))
	}
}

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// geluScale is √(2/π), as in the tanh form of GELU, https://arxiv.org/abs/1606.08415.
const geluScale = 0.7978845608028653558798921198687637369517172623298693153318516593

func geluTanhPortable[F Float](dst, x []F) {
	for i, v := range x[:len(dst)] {
		// 1 + tanh(u) = 2·sigmoid(2u)
		dst[i] = v * sigmoid(2*geluScale*v*(1+0.044715*v*v))
	}
}

func geluTanhGradPortable[F Float](dx, dy, x []F) {
	for i, v := range x[:len(dx)] {
		s := sigmoid(2 * geluScale * v * (1 + 0.044715*v*v))
		d := s
		// Far out s·(1-s) is 0 while v³ may be infinite.
		if slope := s * (1 - s); slope != 0 {
			d += slope * v * 2 * geluScale * (1 + 3*0.044715*v*v)
		}
		dx[i] = dy[i] * d
	}
}
