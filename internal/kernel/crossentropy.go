package kernel

import (
	"math"
	"sync"
)

// CrossEntropy says how rows of logits are scored against targets.
type CrossEntropy[F Float] struct {
	Classes   int
	Ignore    func(target int) bool // rows left out; nil leaves out none
	Weights   []F                   // of each class, or nil
	Smoothing float64               // share of the target spread evenly over all classes
	ZLoss     float64               // factor of the square of log Σ e**logit
}

// Forward computes for every row x the loss
//
//	(1-s)·w[t]·(lse - x[t]) + s/C·Σ w[c]·(lse - x[c]) + z·lse²
//
// and its lse = log Σ e**x[c]. Rows left out have loss 0. All targets must be valid.
func (c *CrossEntropy[F]) Forward(losses, lse, logits []F, targets []int) {
	s := newScored(c)
	s.losses, s.lse, s.logits, s.targets = losses, lse, logits, targets
	Parallel(len(targets), rows(c.Classes), s.forward)
	s.release()
}

// Backward computes the gradient of Forward with respect to the logits; a row of it is scaled by main, and the part that
// ZLoss adds by z. Rows left out have gradient 0. dlogits may be logits.
func (c *CrossEntropy[F]) Backward(dlogits, lse, logits []F, targets []int, main, z RowFactors[F]) {
	s := newScored(c)
	s.dlogits, s.lse, s.logits, s.targets, s.main, s.z = dlogits, lse, logits, targets, main, z
	for i := range c.Classes {
		s.weights += c.weight(i)
	}
	Parallel(len(targets), rows(c.Classes), s.backward)
	s.release()
}

// RowFactors are the gradients of the losses of rows: each its own if Rows is not nil, or the same for all.
type RowFactors[F Float] struct {
	Rows []F
	All  float64
}

func (f RowFactors[F]) of(row int) float64 {
	if f.Rows != nil {
		return float64(f.Rows[row])
	}
	return f.All
}

// From returns the factors of rows that are counted from first.
func (f RowFactors[F]) From(first int) RowFactors[F] {
	if f.Rows != nil {
		f.Rows = f.Rows[first:]
	}
	return f
}

// scored is a cross-entropy, or its gradient, in progress. It is kept for its bound methods.
type scored[F Float] struct {
	*CrossEntropy[F]
	losses, lse, logits, dlogits []F
	targets                      []int
	main, z                      RowFactors[F]
	weights                      float64 // of all classes
	forward, backward            func(lo, hi int)
}

var scoredPool sync.Pool // of *scored of whatever type came last

func newScored[F Float](c *CrossEntropy[F]) *scored[F] {
	s, ok := scoredPool.Get().(*scored[F])
	if !ok {
		s = new(scored[F])
		s.forward, s.backward = s.forwardRows, s.backwardRows
	}
	s.CrossEntropy = c
	return s
}

func (s *scored[F]) release() {
	*s = scored[F]{forward: s.forward, backward: s.backward}
	scoredPool.Put(s)
}

func (c *scored[F]) forwardRows(lo, hi int) {
	for r := lo; r < hi; r++ {
		t := c.targets[r]
		if c.Ignore != nil && c.Ignore(t) {
			c.losses[r], c.lse[r] = 0, 0
			continue
		}
		x := c.logits[r*c.Classes:][:c.Classes]
		m, z := LogSumExp(x)
		l := float64(m) + z
		// (m - x) + z keeps what lse - x would round away. A target that counts for nothing costs nothing, even where
		// the logit is -Inf.
		hit, cost := (1-c.Smoothing)*c.weight(t), float64(m)-float64(x[t])+z
		if hit == 0 && math.IsInf(cost, 1) {
			cost = 0
		}
		loss := hit * cost
		if c.Smoothing != 0 {
			var s float64
			for i, v := range x {
				if w := c.weight(i); w != 0 {
					s += w * (float64(m) - float64(v) + z)
				}
			}
			loss += c.Smoothing / float64(c.Classes) * s
		}
		if c.ZLoss != 0 {
			loss += c.ZLoss * l * l
		}
		c.losses[r], c.lse[r] = F(loss), F(l)
	}
}

func (c *scored[F]) backwardRows(lo, hi int) {
	even := c.Smoothing / float64(c.Classes)
	for r := lo; r < hi; r++ {
		dx, t := c.dlogits[r*c.Classes:][:c.Classes], c.targets[r]
		if c.Ignore != nil && c.Ignore(t) {
			clear(dx)
			continue
		}
		x := c.logits[r*c.Classes:][:c.Classes]
		g := c.main.of(r)
		hit := (1 - c.Smoothing) * c.weight(t)
		// Every class gets p·all, less its share of the target.
		all := g * (hit + even*c.weights)
		if c.ZLoss != 0 {
			all += c.z.of(r) * c.ZLoss * 2 * float64(c.lse[r])
		}
		m, z := LogSumExp(x)
		expScaled(dx, x, m, F(all*math.Exp(-z)))
		if c.Smoothing != 0 {
			for i := range dx {
				dx[i] -= F(g * even * c.weight(i))
			}
		}
		dx[t] -= F(g * hit)
	}
}

func (c *CrossEntropy[F]) weight(class int) float64 {
	if c.Weights == nil {
		return 1
	}
	return float64(c.Weights[class])
}
