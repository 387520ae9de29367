package kernel

import "math"

// RMSNorm computes, for every row of x as long as w, inv = 1/√(mean(x²) + eps) and y[i] = x[i] · inv · w[i].
func RMSNorm[F Float](y, inv, x, w []F, eps float64) {
	d := len(w)
	Parallel(len(inv), max(1, elements/d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x, y := x[r*d:][:d], y[r*d:][:d]
			s := F(1 / math.Sqrt(float64(Dot(x, x))/float64(d)+eps))
			inv[r] = s
			for i, v := range x {
				y[i] = v * s * w[i]
			}
		}
	})
}

// RMSNormBackward computes the gradients of RMSNorm from what it returned in inv:
// dx[i] = inv·(w[i]·dy[i] - x[i]·inv²·mean(w·dy·x)) and dw[i] = Σ dy[i]·x[i]·inv over rows.
func RMSNormBackward[F Float](dx, dw, dy, x, w, inv []F) {
	d := len(w)
	Parallel(len(inv), max(1, elements/d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x, dx, dy, s := x[r*d:][:d], dx[r*d:][:d], dy[r*d:][:d], inv[r]
			var c F
			for i, v := range x {
				c += dy[i] * w[i] * v
			}
			c *= s * s / F(d)
			for i, v := range x {
				dx[i] = s * (dy[i]*w[i] - c*v)
			}
		}
	})
	// Each range of columns sums all rows in order.
	Parallel(d, 16, func(lo, hi int) {
		clear(dw[lo:hi])
		for r, s := range inv {
			x, dy := x[r*d:][:d], dy[r*d:][:d]
			for i := lo; i < hi; i++ {
				dw[i] += dy[i] * x[i] * s
			}
		}
	})
}

// LayerNorm computes, for every row of x as long as w, its mean, inv = 1/√(variance + eps) and
// y[i] = (x[i] - mean) · inv · w[i] + b[i].
func LayerNorm[F Float](y, mean, inv, x, w, b []F, eps float64) {
	d := len(w)
	Parallel(len(inv), max(1, elements/d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x, y := x[r*d:][:d], y[r*d:][:d]
			mu := F(Sum(x) / float64(d))
			var v F
			for _, e := range x {
				v += (e - mu) * (e - mu)
			}
			s := F(1 / math.Sqrt(float64(v)/float64(d)+eps))
			mean[r], inv[r] = mu, s
			for i, e := range x {
				y[i] = (e-mu)*s*w[i] + b[i]
			}
		}
	})
}

// LayerNormBackward computes the gradients of LayerNorm from what it returned in mean and inv. With
// n[i] = (x[i] - mean)·inv and g = w·dy: dx[i] = inv·(g[i] - mean(g) - n[i]·mean(g·n)), dw[i] = Σ dy[i]·n[i] and
// db[i] = Σ dy[i] over rows.
func LayerNormBackward[F Float](dx, dw, db, dy, x, w, mean, inv []F) {
	d := len(w)
	Parallel(len(inv), max(1, elements/d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x, dx, dy, mu, s := x[r*d:][:d], dx[r*d:][:d], dy[r*d:][:d], mean[r], inv[r]
			var a, c F
			for i, e := range x {
				gi := dy[i] * w[i]
				a += gi
				c += gi * (e - mu) * s
			}
			a, c = a/F(d), c/F(d)
			for i, e := range x {
				dx[i] = s * (dy[i]*w[i] - a - (e-mu)*s*c)
			}
		}
	})
	Parallel(d, 16, func(lo, hi int) {
		clear(dw[lo:hi])
		clear(db[lo:hi])
		for r, s := range inv {
			x, dy, mu := x[r*d:][:d], dy[r*d:][:d], mean[r]
			for i := lo; i < hi; i++ {
				dw[i] += dy[i] * (x[i] - mu) * s
				db[i] += dy[i]
			}
		}
	})
}

// ColumnSums computes dst[j] = Σ x[i, j] over the rows of x, in order.
func ColumnSums[F Float](dst, x []F) {
	d := len(dst)
	Parallel(d, 16, func(lo, hi int) {
		clear(dst[lo:hi])
		for r := 0; r+d <= len(x); r += d {
			x := x[r:][:d]
			for i := lo; i < hi; i++ {
				dst[i] += x[i]
			}
		}
	})
}
