package kernel

import "math"

// The loops of a row of a norm, in Go, as those in linear_rows.go.

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

func layerNormPortable[F Float](y, x, w, b []F, eps float64) (mean, inv F) {
	x, y = x[:len(w)], y[:len(w)]
	mean = F(sumPortable(x) / float64(len(w)))
	var s F
	for _, v := range x {
		s += (v - mean) * (v - mean)
	}
	inv = F(1 / math.Sqrt(float64(s)/float64(len(w))+eps))
	for i, v := range x {
		y[i] = (v-mean)*inv*w[i] + b[i]
	}
	return mean, inv
}

func layerNormGradPortable[F Float](dx, dw, db, dy, x, w, r []F, mean, inv F) {
	x = x[:len(w)]
	var a, c F
	for i, v := range x {
		g := dy[i] * w[i]
		a += g
		c += g * (v - mean)
	}
	a, c = a/F(len(w)), c*inv/F(len(w))
	for i, v := range x {
		t := (v - mean) * inv
		d := inv * (dy[i]*w[i] - a - c*t)
		if r != nil {
			d += r[i]
		}
		dw[i] += dy[i] * t
		db[i] += dy[i]
		dx[i] = d
	}
}
