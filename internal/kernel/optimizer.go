package kernel

// Adam holds the numbers of one step of Adam or AdamW.
type Adam struct {
	Rate, Beta1, Beta2, Eps float64
	Shrink                  float64 // what AdamW multiplies weights by first: 1 - rate·decay
	Penalty                 float64 // what Adam adds to gradients: decay·weight
	Correct1, Correct2      float64 // 1 - beta**step
}

// AdamStep computes for every weight, with g = dw[i] + penalty·w[i]:
//
//	m[i] = β₁·m[i] + (1-β₁)·g
//	v[i] = β₂·v[i] + (1-β₂)·g²
//	w[i] = shrink·w[i] - rate/correct₁ · m[i] / (√v[i]/√correct₂ + eps)
func AdamStep[F Float](a Adam, w, dw, m, v []F) {
	b1, b2, c1, c2 := F(a.Beta1), F(a.Beta2), F(1-a.Beta1), F(1-a.Beta2)
	rate, root := F(a.Rate/a.Correct1), 1/sqrt(F(a.Correct2))
	eps, shrink, penalty := F(a.Eps), F(a.Shrink), F(a.Penalty)
	Parallel(len(w), elements, func(lo, hi int) {
		w, dw, m, v := w[lo:hi], dw[lo:hi], m[lo:hi], v[lo:hi]
		for i, x := range w {
			g := dw[i] + penalty*x
			m[i] = b1*m[i] + c1*g
			v[i] = b2*v[i] + c2*g*g
			w[i] = shrink*x - rate*m[i]/(sqrt(v[i])*root+eps)
		}
	})
}

// SGD holds the numbers of one step of stochastic gradient descent.
type SGD struct {
	Rate, Penalty, Momentum, Dampening float64
	Nesterov, First                    bool // First: there is no velocity yet
}

// SGDStep computes for every weight, with g = dw[i] + penalty·w[i]: v[i] = momentum·v[i] + (1-dampening)·g, or g in the
// first step, and w[i] -= rate·v[i], or rate·(g + momentum·v[i]) if Nesterov is set. Without momentum v is not used.
func SGDStep[F Float](s SGD, w, dw, v []F) {
	rate, penalty, mu, damp := F(s.Rate), F(s.Penalty), F(s.Momentum), F(1-s.Dampening)
	Parallel(len(w), elements, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			g := dw[i] + penalty*w[i]
			if mu != 0 {
				if s.First {
					v[i] = g
				} else {
					v[i] = mu*v[i] + damp*g
				}
				if s.Nesterov {
					g += mu * v[i]
				} else {
					g = v[i]
				}
			}
			w[i] -= rate * g
		}
	})
}

// sumBlock is how many squares SumSquares adds up before it adds their sums.
const sumBlock = 1 << 15

// SumSquares returns Σ x[i]² in float64. Blocks of a fixed length are summed apart and their sums added in order.
func SumSquares[F Float](x []F) float64 {
	blocks := (len(x) + sumBlock - 1) / sumBlock
	sums := getScratch[float64](blocks)
	defer putScratch(sums)
	s := *sums
	Parallel(blocks, 1, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			s[b] = sumSquares(x[b*sumBlock : min(len(x), (b+1)*sumBlock)])
		}
	})
	return Sum(s)
}

func sumSquares[F Float](x []F) float64 {
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
