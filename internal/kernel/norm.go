package kernel

import "math"

// RMSNorm computes, for every row of x as long as w, inv = 1/√(mean(x²) + eps) and y[i] = x[i] · inv · w[i].
func RMSNorm[F Float](y, inv, x, w []F, eps float64) {
	d := len(w)
	if is32[F]() {
		l := newLoop(rmsNormLoop)
		l.out[0], l.out[1], l.in[0], l.in[1], l.dim = asFloat32s(y), asFloat32s(inv), asFloat32s(x), asFloat32s(w), d
		l.eps = eps
		l.parallel(len(inv), max(1, elements/d))
		return
	}
	Parallel(len(inv), max(1, elements/d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x := x[r*d:][:d]
			s := F(1 / math.Sqrt(float64(Dot(x, x))/float64(d)+eps))
			inv[r] = s
			rmsNormPortable(y[r*d:][:d], x, w, s)
		}
	})
}

func rmsNormLoop(l *loop32, lo, hi int) {
	d, eps := l.dim, l.eps
	for r := lo; r < hi; r++ {
		x, y := l.in[0][r*d:][:d], l.out[0][r*d:][:d]
		s := float32(1 / math.Sqrt(float64(dot32(x, x))/float64(d)+eps))
		l.out[1][r] = s
		rmsNormRow(y, x, l.in[1], s)
	}
}

// normParts is how many parts the rows of a norm are cut into, whatever the number of threads. Each sums the gradient of
// w by itself, and these are then added in order.
const normParts = 16

// RMSNormBackward computes the gradients of RMSNorm from what it returned in inv, and adds r to that of x unless r is nil:
// dx[i] = r[i] + inv·(w[i]·dy[i] - x[i]·inv²·mean(w·dy·x)) and dw[i] = Σ dy[i]·x[i]·inv over rows. dx may be r.
func RMSNormBackward[F Float](dx, dw, dy, x, w, inv, r []F) {
	d, n := len(w), len(inv)
	sums := getScratch[F](normParts * d)
	defer putScratch(sums)
	clear(*sums)
	if is32[F]() {
		l := newLoop(rmsNormBackwardLoop)
		l.out[0], l.out[1], l.dim = asFloat32s(dx), asFloat32s(*sums), d
		l.in[0], l.in[1], l.in[2], l.in[3], l.in[4] = asFloat32s(dy), asFloat32s(x), asFloat32s(w), asFloat32s(inv), asFloat32s(r)
		l.parallel(normParts, 1)
	} else {
		Parallel(normParts, 1, func(lo, hi int) {
			for p := lo; p < hi; p++ {
				for i := n * p / normParts; i < n*(p+1)/normParts; i++ {
					rmsNormGradPortable(dx[i*d:][:d], (*sums)[p*d:][:d], dy[i*d:][:d], x[i*d:][:d], w, part(r, i*d, (i+1)*d), inv[i])
				}
			}
		})
	}
	addParts(dw, *sums)
}

func rmsNormBackwardLoop(l *loop32, lo, hi int) {
	d, n := l.dim, len(l.in[3])
	for p := lo; p < hi; p++ {
		for i := n * p / normParts; i < n*(p+1)/normParts; i++ {
			rmsNormGradRow(l.out[0][i*d:][:d], l.out[1][p*d:][:d], l.in[0][i*d:][:d], l.in[1][i*d:][:d], l.in[2],
				part(l.in[4], i*d, (i+1)*d), l.in[3][i])
		}
	}
}

// addParts sums rows of parts, each as long as dst.
func addParts[F Float](dst, parts []F) {
	d := len(dst)
	copy(dst, parts)
	for at := d; at < len(parts); at += d {
		Axpy(dst, 1, parts[at:][:d])
	}
}

// LayerNorm computes, for every row of x as long as w, its mean, inv = 1/√(variance + eps) and
// y[i] = (x[i] - mean) · inv · w[i] + b[i].
func LayerNorm[F Float](y, mean, inv, x, w, b []F, eps float64) {
	d := len(w)
	if is32[F]() {
		l := newLoop(layerNormLoop)
		l.out[0], l.out[1], l.out[2] = asFloat32s(y), asFloat32s(mean), asFloat32s(inv)
		l.in[0], l.in[1], l.in[2], l.dim = asFloat32s(x), asFloat32s(w), asFloat32s(b), d
		l.eps = eps
		l.parallel(len(inv), max(1, elements/d))
		return
	}
	Parallel(len(inv), max(1, elements/d), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			mean[r], inv[r] = layerNormPortable(y[r*d:][:d], x[r*d:][:d], w, b, eps)
		}
	})
}

func layerNormLoop(l *loop32, lo, hi int) {
	d, mean, inv := l.dim, l.out[1], l.out[2]
	for r := lo; r < hi; r++ {
		mean[r], inv[r] = layerNormRow(l.out[0][r*d:][:d], l.in[0][r*d:][:d], l.in[1], l.in[2], l.eps)
	}
}

// LayerNormBackward computes the gradients of LayerNorm from what it returned in mean and inv, and adds r to that of x
// unless r is nil. With n[i] = (x[i] - mean)·inv and g = w·dy: dx[i] = r[i] + inv·(g[i] - mean(g) - n[i]·mean(g·n)),
// dw[i] = Σ dy[i]·n[i] and db[i] = Σ dy[i] over rows. dx may be r.
func LayerNormBackward[F Float](dx, dw, db, dy, x, w, mean, inv, r []F) {
	d, n := len(w), len(inv)
	sums := getScratch[F](2 * normParts * d) // those of w, then those of b
	defer putScratch(sums)
	clear(*sums)
	dws, dbs := (*sums)[:normParts*d], (*sums)[normParts*d:]
	if is32[F]() {
		l := newLoop(layerNormBackwardLoop)
		l.out[0], l.out[1], l.out[2], l.dim = asFloat32s(dx), asFloat32s(dws), asFloat32s(dbs), d
		l.in[0], l.in[1], l.in[2] = asFloat32s(dy), asFloat32s(x), asFloat32s(w)
		l.in[3], l.in[4], l.in[5] = asFloat32s(mean), asFloat32s(inv), asFloat32s(r)
		l.parallel(normParts, 1)
	} else {
		Parallel(normParts, 1, func(lo, hi int) {
			for p := lo; p < hi; p++ {
				for i := n * p / normParts; i < n*(p+1)/normParts; i++ {
					layerNormGradPortable(dx[i*d:][:d], dws[p*d:][:d], dbs[p*d:][:d], dy[i*d:][:d], x[i*d:][:d], w,
						part(r, i*d, (i+1)*d), mean[i], inv[i])
				}
			}
		})
	}
	addParts(dw, dws)
	addParts(db, dbs)
}

func layerNormBackwardLoop(l *loop32, lo, hi int) {
	d, n := l.dim, len(l.in[4])
	for p := lo; p < hi; p++ {
		for i := n * p / normParts; i < n*(p+1)/normParts; i++ {
			layerNormGradRow(l.out[0][i*d:][:d], l.out[1][p*d:][:d], l.out[2][p*d:][:d], l.in[0][i*d:][:d], l.in[1][i*d:][:d],
				l.in[2], part(l.in[5], i*d, (i+1)*d), l.in[3][i], l.in[4][i])
		}
	}
}

// ColumnSums computes dst[j] = Σ x[i, j] over the rows of x, in order.
func ColumnSums[F Float](dst, x []F) {
	if is32[F]() {
		l := newLoop(columnSumsLoop)
		l.out[0], l.in[0] = asFloat32s(dst), asFloat32s(x)
		l.parallel(len(dst), 64)
		return
	}
	d := len(dst)
	Parallel(d, 16, func(lo, hi int) {
		clear(dst[lo:hi])
		for r := 0; r+d <= len(x); r += d {
			addPortable(dst[lo:hi], dst[lo:hi], x[r+lo:r+hi])
		}
	})
}

func columnSumsLoop(l *loop32, lo, hi int) {
	d, x := len(l.out[0]), l.in[0]
	dst := l.out[0][lo:hi]
	clear(dst)
	for r := 0; r+d <= len(x); r += d {
		addRow(dst, dst, x[r+lo:r+hi])
	}
}
