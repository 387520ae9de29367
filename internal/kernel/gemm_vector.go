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
	for p := range k {
		xp, row := x[p*incx], b[p*ldb+lo:p*ldb+hi]
		if incy == 1 {
			dst := y[lo:hi][:len(row)]
			for j, v := range row {
				dst[j] += xp * v
			}
			continue
		}
		for j, v := range row {
			y[(lo+j)*incy] += xp * v
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
