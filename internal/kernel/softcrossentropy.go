package kernel

import "math"

// SoftCrossEntropy is the loss of a row of logits x against target probabilities q,
//
//	Σ w[c]·q'[c]·(lse - x[c]) + z·lse²   with q' = (1-s)·q + s/C and lse = log Σ e**x[c].
//
// A term with w[c]·q'[c] = 0 is 0 whatever the logit. The loss is NaN if x has no softmax, or q is negative somewhere or
// does not sum to a finite number.
type SoftCrossEntropy[F Float] struct {
	Weights   []F     // of each class, or nil
	Smoothing float64 // share of the targets spread evenly over all classes
	ZLoss     float64 // factor of the square of lse
	SoftCap   float64 // x stands for SoftCap·tanh(logit/SoftCap) unless this is 0
}

// plain reports whether q' is q, and w is 1.
func (s *SoftCrossEntropy[F]) plain() bool { return s.Weights == nil && s.Smoothing == 0 }

// share returns w[i]·q'[i].
func (s *SoftCrossEntropy[F]) share(q []F, i int) float64 {
	p := (1-s.Smoothing)*float64(q[i]) + s.Smoothing/float64(len(q))
	if s.Weights != nil {
		p *= float64(s.Weights[i])
	}
	return p
}

// shares returns Σ w[c]·q'[c].
func (s *SoftCrossEntropy[F]) shares(q []F) (sum float64) {
	if s.plain() {
		return Sum(q)
	}
	for i := range q {
		sum += s.share(q, i)
	}
	return sum
}

// Loss returns the loss of logits x against q.
func (s *SoftCrossEntropy[F]) Loss(x, q []F) float64 {
	if s.SoftCap != 0 {
		buf := getScratch[F](len(x))
		defer putScratch(buf)
		softCap(*buf, x, F(s.SoftCap))
		x = *buf
	}
	largest, z := LogSumExp(x)
	m := float64(largest)
	// A row without a distribution has no loss, even if all targets are 0.
	if sum := Sum(q); sum-sum != 0 || math.IsInf(m, 0) || z != z {
		return math.NaN()
	}
	loss := s.ZLoss * (m + z) * (m + z)
	plain := s.plain()
	for i, v := range x {
		p := float64(q[i])
		if p < 0 {
			return math.NaN()
		}
		if !plain {
			p = s.share(q, i)
		}
		if p != 0 {
			loss += p * (m - float64(v) + z)
		}
	}
	return loss
}

// Gradient computes g·(softmax(x)[c]·Σ w·q' - w[c]·q'[c]), and what the z-loss adds. dx may be x.
func (s *SoftCrossEntropy[F]) Gradient(dx, x, q []F, g float64) {
	if s.SoftCap != 0 {
		buf := getScratch[F](len(x))
		defer putScratch(buf)
		softCap(*buf, x, F(s.SoftCap))
		x = *buf
	}
	m, sum := peakSum(x)
	all := g * s.shares(q)
	if s.ZLoss != 0 {
		all += g * s.ZLoss * 2 * (float64(m) + math.Log(sum))
	}
	expScaled(dx, x, m, F(all/sum))
	if s.plain() {
		Axpy(dx, -F(g), q)
	} else {
		for i := range dx {
			dx[i] -= F(g * s.share(q, i))
		}
	}
	if s.SoftCap != 0 {
		softCapGrad(dx, x, F(s.SoftCap))
	}
}
