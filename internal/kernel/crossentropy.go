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
	SoftCap   float64               // x stands for SoftCap·tanh(logit/SoftCap) unless this is 0
	Focal     float64               // exponent of 1-p, the factor of the loss of a target with probability p
}

// Forward computes for every row x the loss
//
//	(1-s)·w[t]·(1-p[t])**γ·(lse - x[t]) + s/C·Σ w[c]·(lse - x[c]) + z·lse²
//
// with lse = log Σ e**x[c] and p = e**(x-lse), times the weight of the row unless weights is nil. sums gets two numbers of
// each row: the largest of x, and Σ e**x[c] divided by e to it. Rows left out, or without weight, have loss 0 and are not
// looked at. The targets of others must be valid.
func (c *CrossEntropy[F]) Forward(losses, sums, logits []F, targets []int, weights []F) {
	s := newScored(c)
	s.losses, s.sums, s.logits, s.targets, s.main.Weights = losses, sums, logits, targets, weights
	Parallel(len(targets), rows(c.Classes), s.forward)
	s.release()
}

// Backward computes the gradient of Forward with respect to the logits; a row of it is scaled by main, and the part that
// ZLoss adds by z. Rows left out, or without weight, have gradient 0. dlogits may be logits.
func (c *CrossEntropy[F]) Backward(dlogits, sums, logits []F, targets []int, main, z RowFactors[F]) {
	s := newScored(c)
	s.dlogits, s.sums, s.logits, s.targets, s.main, s.z = dlogits, sums, logits, targets, main, z
	if s.weights = float64(c.Classes); c.Weights != nil {
		s.weights = Sum(c.Weights)
	}
	Parallel(len(targets), rows(c.Classes), s.backward)
	s.release()
}

// LogSum returns log Σ e**x of a row from what Forward found.
func LogSum[F Float](sums []F, row int) float64 {
	return float64(sums[2*row]) + math.Log(float64(sums[2*row+1]))
}

// RowFactors are the gradients of the losses of rows: each its own if Rows is not nil, or the same for all; times the
// weights of the rows if there are any.
type RowFactors[F Float] struct {
	Rows    []F
	All     float64
	Weights []F
}

// Of returns the gradient of the loss of a row.
func (f RowFactors[F]) Of(row int) float64 {
	g := f.All
	if f.Rows != nil {
		g = float64(f.Rows[row])
	}
	if f.Weights != nil {
		g *= float64(f.Weights[row])
	}
	return g
}

// none reports whether a row has no weight.
func (f RowFactors[F]) none(row int) bool { return f.Weights != nil && f.Weights[row] == 0 }

// From returns the factors of rows that are counted from first.
func (f RowFactors[F]) From(first int) RowFactors[F] {
	if f.Rows != nil {
		f.Rows = f.Rows[first:]
	}
	if f.Weights != nil {
		f.Weights = f.Weights[first:]
	}
	return f
}

// scored is a cross-entropy, or its gradient, in progress. It is kept for its bound methods.
type scored[F Float] struct {
	*CrossEntropy[F]
	losses, sums, logits, dlogits []F
	targets                       []int
	main, z                       RowFactors[F]
	weights                       float64 // of all classes
	forward, backward             func(lo, hi int)
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

// out reports whether a row does not count.
func (c *scored[F]) out(row int) bool {
	return c.main.none(row) || c.Ignore != nil && c.Ignore(c.targets[row])
}

func (c *scored[F]) forwardRows(lo, hi int) {
	capped := c.room()
	defer putScratch(capped)
	for r := lo; r < hi; r++ {
		if c.out(r) {
			c.losses[r], c.sums[2*r], c.sums[2*r+1] = 0, 0, 1
			continue
		}
		x, t := c.capped(*capped, r), c.targets[r]
		m, sum := peakSum(x)
		z := math.Log(sum)
		// (m - x) + z keeps what lse - x would round away. A target that counts for nothing costs nothing, even where
		// the logit is -Inf.
		hit, cost := (1-c.Smoothing)*c.weight(t), float64(m)-float64(x[t])+z
		if hit == 0 && math.IsInf(cost, 1) {
			cost = 0
		}
		loss := hit * cost
		if c.Focal != 0 {
			loss *= focalFactor(cost, c.Focal)
		}
		if c.Smoothing != 0 {
			loss += c.Smoothing / float64(c.Classes) * c.even(x, float64(m), z)
		}
		if c.ZLoss != 0 {
			l := float64(m) + z
			loss += c.ZLoss * l * l
		}
		if c.main.Weights != nil {
			loss *= float64(c.main.Weights[r])
		}
		c.losses[r], c.sums[2*r], c.sums[2*r+1] = F(loss), m, F(sum)
	}
}

// even returns Σ w[c]·(m + z - x[c]).
func (c *CrossEntropy[F]) even(x []F, m, z float64) (s float64) {
	if c.Weights == nil {
		return float64(c.Classes)*(m+z) - Sum(x)
	}
	for i, w := range c.Weights {
		if w != 0 {
			s += float64(w) * (m - float64(x[i]) + z)
		}
	}
	return s
}

func (c *scored[F]) backwardRows(lo, hi int) {
	capped := c.room()
	defer putScratch(capped)
	even := c.Smoothing / float64(c.Classes)
	for r := lo; r < hi; r++ {
		dx, t := c.dlogits[r*c.Classes:][:c.Classes], c.targets[r]
		if c.out(r) {
			clear(dx)
			continue
		}
		x := c.capped(*capped, r)
		m, sum := c.sums[2*r], float64(c.sums[2*r+1])
		g := c.main.Of(r)
		hit := (1 - c.Smoothing) * c.weight(t)
		if c.Focal != 0 {
			hit *= focalSlope(float64(m)-float64(x[t])+math.Log(sum), c.Focal)
		}
		// Every class gets p·all, less its share of the target.
		all := g * (hit + even*c.weights)
		if c.ZLoss != 0 {
			all += c.z.Of(r) * c.ZLoss * 2 * LogSum(c.sums, r)
		}
		expScaled(dx, x, m, F(all/sum))
		switch {
		case c.Smoothing == 0:
		case c.Weights == nil:
			subtract(dx, F(g*even))
		default:
			Axpy(dx, -F(g*even), c.Weights)
		}
		dx[t] -= F(g * hit)
		if c.SoftCap != 0 {
			softCapGrad(dx, x, F(c.SoftCap))
		}
	}
}

// room returns memory for the capped logits of a row, if they are capped.
func (c *CrossEntropy[F]) room() *[]F {
	if c.SoftCap == 0 {
		return getScratch[F](0)
	}
	return getScratch[F](c.Classes)
}

// capped returns a row of logits, in room if they are capped.
func (c *scored[F]) capped(room []F, row int) []F {
	x := c.logits[row*c.Classes:][:c.Classes]
	if c.SoftCap == 0 {
		return x
	}
	softCap(room, x, F(c.SoftCap))
	return room
}

func (c *CrossEntropy[F]) weight(class int) float64 {
	if c.Weights == nil {
		return 1
	}
	return float64(c.Weights[class])
}
