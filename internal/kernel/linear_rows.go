package kernel

// The loops of a row without exponentials, in Go: what runs without assembly, and what assembly is compared with.

func addPortable[F Float](dst, x, y []F) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] + y[i]
	}
}

func subPortable[F Float](dst, x, y []F) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] - y[i]
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

func sumPortable[F Float](x []F) float64 {
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(x[i])
		b += float64(x[i+1])
		c += float64(x[i+2])
		d += float64(x[i+3])
	}
	for ; i < len(x); i++ {
		a += float64(x[i])
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

// sgdPortable steps without momentum if v is nil.
func sgdPortable[F Float](w, dw, v []F, a *[10]F, nesterov bool) {
	factor, penalty, momentum, rest, rate := a[0], a[1], a[2], a[3], a[4]
	dw = dw[:len(w)]
	for i, x := range w {
		g := factor*dw[i] + penalty*x
		if v != nil {
			v[i] = momentum*v[i] + rest*g
			if nesterov {
				g += momentum * v[i]
			} else {
				g = v[i]
			}
		}
		w[i] = x - rate*g
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

func ropeHalvesPortable[F Float](dst, x, cos, sin []F, heads int, back bool) {
	n := len(cos)
	half := n / 2
	for h := range heads {
		x, y := x[h*n:][:n], dst[h*n:][:n]
		for i, a := range x[:half] {
			b, c, s := x[half+i], cos[i], sin[half+i]
			if back {
				s = -s
			}
			y[i], y[half+i] = a*c-b*s, b*c+a*s
		}
	}
}
