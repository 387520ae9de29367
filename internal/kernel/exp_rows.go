package kernel

import "math"

// The loops of a row with exponentials, in Go: what runs without assembly, and what assembly is compared with.

const (
	// rowPart is how many elements a call of assembly handles, so that it does not keep the world from stopping.
	rowPart = 1 << 15
	// sumPart is how many exponentials are added up in float32 before their sum is added to others in float64.
	sumPart = 1 << 10
)

func expRowPortable[F Float](dst, x []F, scale, shift, alpha F) {
	for i, v := range x {
		dst[i] = alpha * exp(scale*v-shift)
	}
}

func maxPortable[F Float](x []F) F {
	m := F(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

func expSumPortable[F Float](x []F, shift F) float64 {
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(exp(x[i] - shift))
		b += float64(exp(x[i+1] - shift))
		c += float64(exp(x[i+2] - shift))
		d += float64(exp(x[i+3] - shift))
	}
	for ; i < len(x); i++ {
		a += float64(exp(x[i] - shift))
	}
	return (a + b) + (c + d)
}

func softmaxRowPortable[F Float](dst, x []F, scale F) float64 {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] = scale * v
	}
	m := maxPortable(dst)
	if math.IsInf(float64(m), -1) {
		clear(dst)
		return math.Inf(-1)
	}
	for i, v := range dst {
		dst[i] = exp(v - m)
	}
	sum := Sum(dst)
	inv := F(1 / sum)
	for i := range dst {
		dst[i] *= inv
	}
	return float64(m) + math.Log(sum)
}

func attentionGradRowPortable[F Float](p, dp []F, scale, lse, delta F) {
	for i, s := range p {
		e := exp(scale*s - lse)
		p[i], dp[i] = e, e*(dp[i]-delta)*scale
	}
}

func softmaxGradPortable[F Float](dx, dy, y []F, s F) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i := range dx {
		dx[i] = y[i] * (dy[i] - s)
	}
}

func logSoftmaxPortable[F Float](dst, x []F, largest, logSum F) {
	for i, v := range x[:len(dst)] {
		dst[i] = v - largest - logSum
	}
}

func subtractExpPortable[F Float](dst, d, x []F, shift, alpha F) {
	d = d[:len(dst)]
	for i, v := range x[:len(dst)] {
		dst[i] = d[i] - alpha*exp(v-shift)
	}
}

func softCapPortable[F Float](dst, x []F, limit F) {
	for i, v := range x {
		if math.IsInf(float64(v), 0) {
			dst[i] = v
			continue
		}
		dst[i] = F(float64(limit) * math.Tanh(float64(v)/float64(limit)))
	}
}

func softCapGradPortable[F Float](dx, y []F, limit F) {
	for i, v := range y[:len(dx)] {
		t := v / limit
		dx[i] *= max(0, (1-t)*(1+t))
	}
}
