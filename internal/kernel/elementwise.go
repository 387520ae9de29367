package kernel

// elements is how many elements of simple arithmetic are worth a second thread.
const elements = 1 << 14

// Add computes dst[i] = x[i] + y[i]. dst may be x or y.
func Add[F Float](dst, x, y []F) {
	Parallel(len(dst), elements, func(lo, hi int) {
		dst, x, y := dst[lo:hi], x[lo:hi], y[lo:hi]
		for i := range dst {
			dst[i] = x[i] + y[i]
		}
	})
}

// Sub computes dst[i] = x[i] - y[i]. dst may be x or y.
func Sub[F Float](dst, x, y []F) {
	Parallel(len(dst), elements, func(lo, hi int) {
		dst, x, y := dst[lo:hi], x[lo:hi], y[lo:hi]
		for i := range dst {
			dst[i] = x[i] - y[i]
		}
	})
}

// Mul computes dst[i] = x[i] · y[i]. dst may be x or y.
func Mul[F Float](dst, x, y []F) {
	Parallel(len(dst), elements, func(lo, hi int) {
		dst, x, y := dst[lo:hi], x[lo:hi], y[lo:hi]
		for i := range dst {
			dst[i] = x[i] * y[i]
		}
	})
}

// Scale computes dst[i] = alpha · x[i]. dst may be x.
func Scale[F Float](dst, x []F, alpha F) {
	Parallel(len(dst), elements, func(lo, hi int) {
		dst, x := dst[lo:hi], x[lo:hi]
		for i := range dst {
			dst[i] = alpha * x[i]
		}
	})
}

// Axpy computes dst[i] += alpha · x[i].
func Axpy[F Float](dst []F, alpha F, x []F) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += alpha * x[i]
	}
}

// Dot returns the sum of x[i] · y[i], taken in four interleaved parts.
func Dot[F Float](x, y []F) F {
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

// Sum returns the sum of x[i], taken in four interleaved parts in float64.
func Sum[F Float](x []F) float64 {
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
