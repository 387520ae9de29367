package kernel

// Adam holds the numbers of one step of Adam or AdamW.
type Adam struct {
	Rate, Beta1, Beta2, Eps float64
	Shrink                  float64 // what AdamW multiplies weights by first: 1 - rate·decay
	Penalty                 float64 // what Adam adds to gradients: decay·weight
	Correct1, Correct2      float64 // 1 - beta**step
	Factor                  float64 // of the gradients
}

// AdamStep computes for every weight, with g = factor·dw[i] + penalty·w[i]:
//
//	m[i] = β₁·m[i] + (1-β₁)·g
//	v[i] = β₂·v[i] + (1-β₂)·g²
//	w[i] = shrink·w[i] - rate/correct₁ · m[i] / (√v[i]/√correct₂ + eps)
func AdamStep[F Float](a Adam, w, dw, m, v []F) {
	if is32[F]() {
		l := newLoop(adamStepLoop)
		l.out[0], l.out[1], l.out[2], l.in[0] = asFloat32s(w), asFloat32s(m), asFloat32s(v), asFloat32s(dw)
		adamFactors(a, &l.factors)
		l.parallel(len(w), elements)
		return
	}
	var factors [10]F
	adamFactors(a, &factors)
	Parallel(len(w), elements, func(lo, hi int) { adamPortable(w[lo:hi], dw[lo:hi], m[lo:hi], v[lo:hi], &factors) })
}

func adamStepLoop(l *loop32, lo, hi int) {
	adamRow(l.out[0][lo:hi], l.in[0][lo:hi], l.out[1][lo:hi], l.out[2][lo:hi], &l.factors)
}

// adamFactors gives the numbers of a step in the order that loops take them.
func adamFactors[F Float](a Adam, to *[10]F) {
	*to = [10]F{F(a.Factor), F(a.Penalty), F(a.Beta1), F(1 - a.Beta1), F(a.Beta2), F(1 - a.Beta2),
		1 / sqrt(F(a.Correct2)), F(a.Eps), F(a.Rate / a.Correct1), F(a.Shrink)}
}

// SGD holds the numbers of one step of stochastic gradient descent.
type SGD struct {
	Rate, Penalty, Momentum, Dampening float64
	Factor                             float64 // of the gradients
	Nesterov, First                    bool    // First: there is no velocity yet
}

// SGDStep computes for every weight, with g = factor·dw[i] + penalty·w[i]: v[i] = momentum·v[i] + (1-dampening)·g, or g
// in the first step, and w[i] -= rate·v[i], or rate·(g + momentum·v[i]) if Nesterov is set. Without momentum v is not used.
func SGDStep[F Float](s SGD, w, dw, v []F) {
	rest := 1 - s.Dampening
	switch {
	case s.Momentum == 0:
		v = nil
	case s.First:
		clear(v)
		rest = 1
	}
	if is32[F]() {
		body := sgdStepLoop
		if s.Nesterov {
			body = sgdAheadLoop
		}
		l := newLoop(body)
		l.out[0], l.out[1], l.in[0] = asFloat32s(w), asFloat32s(v), asFloat32s(dw)
		sgdFactors(s, rest, &l.factors)
		l.parallel(len(w), elements)
		return
	}
	var factors [10]F
	sgdFactors(s, rest, &factors)
	Parallel(len(w), elements, func(lo, hi int) {
		sgdPortable(w[lo:hi], dw[lo:hi], part(v, lo, hi), &factors, s.Nesterov)
	})
}

func sgdStepLoop(l *loop32, lo, hi int) {
	sgdRow(l.out[0][lo:hi], l.in[0][lo:hi], part(l.out[1], lo, hi), &l.factors, false)
}

func sgdAheadLoop(l *loop32, lo, hi int) {
	sgdRow(l.out[0][lo:hi], l.in[0][lo:hi], part(l.out[1], lo, hi), &l.factors, true)
}

// part returns x[lo:hi], or nil if there is no x.
func part[F Float](x []F, lo, hi int) []F {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}

// sgdFactors gives the numbers of a step in the order that loops take them.
func sgdFactors[F Float](s SGD, rest float64, to *[10]F) {
	*to = [10]F{F(s.Factor), F(s.Penalty), F(s.Momentum), F(rest), F(s.Rate)}
}

// sumBlock is how many squares SumSquares adds up before it adds their sums.
const sumBlock = 1 << 15

// SumSquares returns Σ x[i]² in float64. Blocks of a fixed length are summed apart and their sums added in order.
func SumSquares[F Float](x []F) float64 {
	blocks := ceilDiv(len(x), sumBlock)
	sums := getScratch[float64](blocks)
	defer putScratch(sums)
	if is32[F]() {
		l := newLoop(sumSquaresLoop)
		l.in[0], l.sums = asFloat32s(x), *sums
		l.parallel(blocks, 1)
		return Sum(*sums)
	}
	s := *sums
	Parallel(blocks, 1, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			s[b] = squaresPortable(x[b*sumBlock : min(len(x), (b+1)*sumBlock)])
		}
	})
	return Sum(s)
}

func sumSquaresLoop(l *loop32, lo, hi int) {
	for b := lo; b < hi; b++ {
		x := l.in[0]
		l.sums[b] = squares32(x[b*sumBlock : min(len(x), (b+1)*sumBlock)])
	}
}
