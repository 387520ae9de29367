package kernel

import "math"

// The loops of a row without exponentials, in Go: what runs without assembly, and what assembly is compared with.

func addPortable[F Float](dst, x, y []F) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] + y[i]
	}
}

func mulPortable[F Float](dst, x, y []F) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] * y[i]
	}
}

func scalePortable[F Float](dst, x []F, alpha F) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = alpha * x[i]
	}
}

func axpyPortable[F Float](dst []F, alpha F, x []F) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += alpha * x[i]
	}
}

func dotPortable[F Float](x, y []F) F {
	y = y[:len(x)]
	var a, b, c, d F
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += x[i] * y[i]
		b += x[i+1] * y[i+1]
		c += x[i+2] * y[i+2]
		d += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return (a + b) + (c + d)
}

func squaresPortable[F Float](x []F) float64 {
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(x[i]) * float64(x[i])
		b += float64(x[i+1]) * float64(x[i+1])
		c += float64(x[i+2]) * float64(x[i+2])
		d += float64(x[i+3]) * float64(x[i+3])
	}
	for ; i < len(x); i++ {
		a += float64(x[i]) * float64(x[i])
	}
	return (a + b) + (c + d)
}

func rmsNormPortable[F Float](y, x, w []F, inv F) {
	for i, v := range x[:len(w)] {
		y[i] = v * inv * w[i]
	}
}

func rmsNormGradPortable[F Float](dx, dw, dy, x, w, r []F, inv F) {
	x = x[:len(w)]
	var c F
	for i, v := range x {
		c += dy[i] * w[i] * v
	}
	c *= inv * inv / F(len(w))
	for i, v := range x {
		d := inv * (dy[i]*w[i] - c*v)
		if r != nil {
			d += r[i]
		}
		dw[i] += dy[i] * v * inv
		dx[i] = d
	}
}

func adamPortable[F Float](w, dw, m, v []F, a *[10]F) {
	factor, penalty, beta1, rest1, beta2, rest2, root, eps, rate, shrink := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]
	dw, m, v = dw[:len(w)], m[:len(w)], v[:len(w)]
	for i, x := range w {
		g := factor*dw[i] + penalty*x
		m[i] = beta1*m[i] + rest1*g
		v[i] = beta2*v[i] + rest2*g*g
		w[i] = shrink*x - rate*m[i]/(sqrt(v[i])*root+eps)
	}
}

func ropePairsPortable[F Float](dst, x, cos, sin []F, heads int, back bool) {
	n := len(cos)
	for h := range heads {
		x, y := x[h*n:][:n], dst[h*n:][:n]
		for i := 0; i+1 < n; i += 2 {
			a, b, c, s := x[i], x[i+1], cos[i], sin[i+1]
			if back {
				s = -s
			}
			y[i], y[i+1] = a*c-b*s, b*c+a*s
		}
	}
}

func layerNormPortable[F Float](y, x, w, b []F, eps float64) (mean, inv F) {
	x = x[:len(w)]
	mean = F(Sum(x) / float64(len(w)))
	var v F
	for _, e := range x {
		v += (e - mean) * (e - mean)
	}
	inv = F(1 / math.Sqrt(float64(v)/float64(len(w))+eps))
	for i, e := range x {
		y[i] = (e-mean)*inv*w[i] + b[i]
	}
	return mean, inv
}

func layerNormGradPortable[F Float](dx, dw, db, dy, x, w []F, mean, inv F) {
	x = x[:len(w)]
	var a, c F
	for i, e := range x {
		g := dy[i] * w[i]
		a += g
		c += g * (e - mean) * inv
	}
	a, c = a/F(len(w)), c/F(len(w))
	for i, e := range x {
		v, d := (e-mean)*inv, dy[i]
		dx[i] = inv * (d*w[i] - a - v*c)
		dw[i] += d * v
		db[i] += d
	}
}
