package kernel

import "math"

// SoftCrossEntropy computes for every row of classes logits x and target probabilities q the loss
// Σ q[c]·(lse - x[c]), a term with q[c] = 0 being 0 whatever the logit.
func SoftCrossEntropy[F Float](losses, logits, probs []F, classes int) {
	if is32[F]() {
		l := newLoop(softCrossEntropyLoop)
		l.out[0], l.in[0], l.in[1], l.dim = asFloat32s(losses), asFloat32s(logits), asFloat32s(probs), classes
		l.parallel(len(losses), rows(classes))
		return
	}
	Parallel(len(losses), rows(classes), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			losses[r] = softCrossEntropyRow(logits[r*classes:][:classes], probs[r*classes:][:classes])
		}
	})
}

func softCrossEntropyLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		l.out[0][r] = softCrossEntropyRow(l.in[0][r*l.dim:][:l.dim], l.in[1][r*l.dim:][:l.dim])
	}
}

func softCrossEntropyRow[F Float](x, q []F) F {
	m, z := LogSumExp(x)
	var loss float64
	for i, v := range x {
		if q[i] != 0 {
			loss += float64(q[i]) * (float64(m) - float64(v) + z)
		}
	}
	return F(loss)
}

// SoftCrossEntropyBackward computes the gradient of SoftCrossEntropy for the logits, each row scaled by g:
// dx[c] = g·(softmax(x)[c]·Σ q - q[c]). dlogits may be logits.
func SoftCrossEntropyBackward[F Float](dlogits, logits, probs []F, classes int, g RowFactors[F]) {
	if classes == 0 {
		return
	}
	if is32[F]() {
		l := newLoop(softCrossEntropyBackwardLoop)
		l.out[0], l.in[0], l.in[1], l.dim = asFloat32s(dlogits), asFloat32s(logits), asFloat32s(probs), classes
		l.in[2], l.factors[0] = asFloat32s(g.Rows), float32(g.All)
		l.parallel(len(logits)/classes, rows(classes))
		return
	}
	Parallel(len(logits)/classes, rows(classes), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			softCrossEntropyGradRow(dlogits[r*classes:][:classes], logits[r*classes:][:classes], probs[r*classes:][:classes], F(g.of(r)))
		}
	})
}

func softCrossEntropyBackwardLoop(l *loop32, lo, hi int) {
	g := RowFactors[float32]{Rows: l.in[2], All: float64(l.factors[0])}
	for r := lo; r < hi; r++ {
		softCrossEntropyGradRow(l.out[0][r*l.dim:][:l.dim], l.in[0][r*l.dim:][:l.dim], l.in[1][r*l.dim:][:l.dim], float32(g.of(r)))
	}
}

func softCrossEntropyGradRow[F Float](dx, x, q []F, g F) {
	m, z := LogSumExp(x)
	expScaled(dx, x, m, F(float64(g)*Sum(q)*math.Exp(-z)))
	Axpy(dx, -g, q)
}

// KLDivergence computes for every row Σ p·(log p - log q), p being the softmax of the teacher's logits and q that of
// the student's. A term with p = 0 is 0.
func KLDivergence[F Float](losses, student, teacher []F, classes int) {
	if is32[F]() {
		l := newLoop(klDivergenceLoop)
		l.out[0], l.in[0], l.in[1], l.dim = asFloat32s(losses), asFloat32s(student), asFloat32s(teacher), classes
		l.parallel(len(losses), rows(classes))
		return
	}
	Parallel(len(losses), rows(classes), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			losses[r] = klDivergenceRow(student[r*classes:][:classes], teacher[r*classes:][:classes])
		}
	})
}

func klDivergenceLoop(l *loop32, lo, hi int) {
	for r := lo; r < hi; r++ {
		l.out[0][r] = klDivergenceRow(l.in[0][r*l.dim:][:l.dim], l.in[1][r*l.dim:][:l.dim])
	}
}

func klDivergenceRow[F Float](s, t []F) F {
	ms, zs := LogSumExp(s)
	mt, zt := LogSumExp(t)
	buf := getScratch[F](len(t))
	defer putScratch(buf)
	p := *buf
	expScaled(p, t, mt, F(math.Exp(-zt)))
	var loss float64
	for i, p := range p {
		if p != 0 {
			loss += float64(p) * (float64(t[i]-mt) - zt - (float64(s[i]-ms) - zs))
		}
	}
	return F(loss)
}

// KLDivergenceBackward computes the gradient of KLDivergence for the student, each row scaled by g: g·(q - p).
// dstudent may be student.
func KLDivergenceBackward[F Float](dstudent, student, teacher []F, classes int, g RowFactors[F]) {
	if classes == 0 {
		return
	}
	if is32[F]() {
		l := newLoop(klDivergenceBackwardLoop)
		l.out[0], l.in[0], l.in[1], l.dim = asFloat32s(dstudent), asFloat32s(student), asFloat32s(teacher), classes
		l.in[2], l.factors[0] = asFloat32s(g.Rows), float32(g.All)
		l.parallel(len(student)/classes, rows(classes))
		return
	}
	Parallel(len(student)/classes, rows(classes), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			klDivergenceGradRow(dstudent[r*classes:][:classes], student[r*classes:][:classes], teacher[r*classes:][:classes], F(g.of(r)))
		}
	})
}

func klDivergenceBackwardLoop(l *loop32, lo, hi int) {
	g := RowFactors[float32]{Rows: l.in[2], All: float64(l.factors[0])}
	for r := lo; r < hi; r++ {
		klDivergenceGradRow(l.out[0][r*l.dim:][:l.dim], l.in[0][r*l.dim:][:l.dim], l.in[1][r*l.dim:][:l.dim], float32(g.of(r)))
	}
}

func klDivergenceGradRow[F Float](dx, s, t []F, g F) {
	ms, zs := LogSumExp(s)
	mt, zt := LogSumExp(t)
	expScaled(dx, s, ms, F(float64(g)*math.Exp(-zs)))
	subtractExp(dx, t, mt, F(float64(g)*math.Exp(-zt)))
}
