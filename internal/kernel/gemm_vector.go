package kernel

// gemv computes y = x·op(b), or adds it to y if add is set: the product of a vector of k numbers, incx apart, and a
// matrix op(b) of (k, n). The n results lie incy apart.
func gemv[F Float](parallel, tb bool, n, k int, x []F, incx int, b []F, ldb int, y []F, incy int, add bool) {
	if !parallel {
		gemvRange(tb, 0, n, k, x, incx, b, ldb, y, incy, add)
		return
	}
	Parallel(n, 64, func(lo, hi int) { gemvRange(tb, lo, hi, k, x, incx, b, ldb, y, incy, add) })
}

// gemvRange computes results [lo, hi) of gemv.
func gemvRange[F Float](tb bool, lo, hi, k int, x []F, incx int, b []F, ldb int, y []F, incy int, add bool) {
	if tb {
		for j := lo; j < hi; j++ {
			s := dotStride(x, incx, b[j*ldb:][:k])
			if add {
				s += y[j*incy]
			}
			y[j*incy] = s
		}
		return
	}
	if !add {
		for j := lo; j < hi; j++ {
			y[j*incy] = 0
		}
	}
	if incy == 1 {
		addRows(y[lo:hi], k, x, incx, b[lo:], ldb)
		return
	}
	for p := range k {
		xp := x[p*incx]
		for j, v := range b[p*ldb+lo : p*ldb+hi] {
			y[(lo+j)*incy] += xp * v
		}
	}
}

// addRows adds x[p*incx] times row p of b to y, in the order of p < k.
func addRows[F Float](y []F, k int, x []F, incx int, b []F, ldb int) {
	p := 0
	for ; p+4 <= k; p += 4 {
		x0, x1, x2, x3 := x[p*incx], x[(p+1)*incx], x[(p+2)*incx], x[(p+3)*incx]
		b0, b1, b2, b3 := b[p*ldb:][:len(y)], b[(p+1)*ldb:][:len(y)], b[(p+2)*ldb:][:len(y)], b[(p+3)*ldb:][:len(y)]
		for j, s := range y {
			s += x0 * b0[j]
			s += x1 * b1[j]
			s += x2 * b2[j]
			s += x3 * b3[j]
			y[j] = s
		}
	}
	for ; p < k; p++ {
		xp, row := x[p*incx], b[p*ldb:][:len(y)]
		for j, s := range y {
			y[j] = s + xp*row[j]
		}
	}
}

// dotStride is the sum over p of x[p*incx]*y[p]. Numbers side by side go into four partial sums that are added up last.
func dotStride[F Float](x []F, incx int, y []F) F {
	var s0, s1, s2, s3 F
	if incx != 1 {
		for p, v := range y {
			s0 += x[p*incx] * v
		}
		return s0
	}
	for len(x) >= 4 && len(y) >= 4 {
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		x, y = x[4:], y[4:]
	}
	for p, v := range y {
		s0 += x[p] * v
	}
	return s0 + s1 + (s2 + s3)
}
