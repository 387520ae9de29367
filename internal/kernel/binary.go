package kernel

import (
	"math"
	"sync"
)

// Binary is the cross-entropy of logits x against probabilities y of yes, element by element:
//
//	v·y·(1-p)**γ·softplus(-x) + u·(1-y)·p**γ·softplus(x)   with p = sigmoid(x), softplus(x) = log(1 + e**x)
//
// A term whose weight is 0 is 0 whatever the logit.
type Binary[F Float] struct {
	Yes   []float64 // v of each class of the last axis, or of all
	No    float64   // u
	Focal float64   // γ
}

// Losses computes the losses of x against y, times weights unless they are nil. An element without weight has loss 0 and
// is not looked at.
func (b *Binary[F]) Losses(losses, x, y, weights []F) {
	s := newScoredBits(b)
	s.out, s.x, s.y, s.g.Weights = losses, x, y, weights
	Parallel(len(x), transcendental, s.forward)
	s.release()
}

// Gradients computes the gradient of Losses with respect to x, scaled by g. dx may be x.
func (b *Binary[F]) Gradients(dx, x, y []F, g RowFactors[F]) {
	s := newScoredBits(b)
	s.out, s.x, s.y, s.g = dx, x, y, g
	Parallel(len(x), transcendental, s.backward)
	s.release()
}

// scoredBits are binary losses, or their gradients, in progress. It is kept for its bound methods.
type scoredBits[F Float] struct {
	*Binary[F]
	out, x, y         []F
	g                 RowFactors[F]
	forward, backward func(lo, hi int)
}

var scoredBitsPool sync.Pool // of *scoredBits of whatever type came last

func newScoredBits[F Float](b *Binary[F]) *scoredBits[F] {
	s, ok := scoredBitsPool.Get().(*scoredBits[F])
	if !ok {
		s = new(scoredBits[F])
		s.forward, s.backward = s.forwardBits, s.backwardBits
	}
	s.Binary = b
	return s
}

func (s *scoredBits[F]) release() {
	*s = scoredBits[F]{forward: s.forward, backward: s.backward}
	scoredBitsPool.Put(s)
}

// weights returns the factors of the two terms of element i.
func (s *scoredBits[F]) weights(i int) (yes, no float64) {
	y := float64(s.y[i])
	return s.Yes[i%len(s.Yes)] * y, s.No * (1 - y)
}

func (s *scoredBits[F]) forwardBits(lo, hi int) {
	for i := lo; i < hi; i++ {
		if s.g.none(i) {
			s.out[i] = 0
			continue
		}
		x := float64(s.x[i])
		yes, no := s.weights(i)
		ofYes, ofNo := costs(x)
		loss := s.term(yes, ofYes) + s.term(no, ofNo)
		if x != x {
			loss = x
		}
		if s.g.Weights != nil {
			loss *= float64(s.g.Weights[i])
		}
		s.out[i] = F(loss)
	}
}

func (s *scoredBits[F]) term(weight, cost float64) float64 {
	switch {
	case weight == 0:
		return 0
	case s.Focal != 0:
		return weight * cost * focalFactor(cost, s.Focal)
	}
	return weight * cost
}

func (s *scoredBits[F]) backwardBits(lo, hi int) {
	for i := lo; i < hi; i++ {
		if s.g.none(i) {
			s.out[i] = 0
			continue
		}
		x := float64(s.x[i])
		yes, no := s.weights(i)
		if s.Focal != 0 {
			ofYes, ofNo := costs(x)
			yes *= focalSlope(ofYes, s.Focal)
			no *= focalSlope(ofNo, s.Focal)
		}
		p, q := chances(x)
		s.out[i] = F(s.g.Of(i) * (no*p - yes*q))
	}
}

// costs returns -log sigmoid(x) and -log sigmoid(-x).
func costs(x float64) (ofYes, ofNo float64) {
	rest := log1p(math.Exp(-math.Abs(x)))
	return max(-x, 0) + rest, max(x, 0) + rest
}

// chances returns sigmoid(x) and sigmoid(-x), either with all its digits.
func chances(x float64) (yes, no float64) {
	e := math.Exp(-math.Abs(x))
	yes, no = 1/(1+e), e/(1+e)
	if x < 0 {
		return no, yes
	}
	return yes, no
}

// expm1 and log1p are math.Expm1 and math.Log1p, but take the faster functions where those keep all digits.
func expm1(x float64) float64 {
	if x > 0.5 || x < -0.5 {
		return math.Exp(x) - 1
	}
	return math.Expm1(x)
}

func log1p(x float64) float64 {
	if x > 0.5 || x < -0.5 {
		return math.Log(1 + x)
	}
	return math.Log1p(x)
}
