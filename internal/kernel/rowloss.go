package kernel

import "sync"

// A RowLoss is a loss of a row x against a row y of the same length, and its gradient with respect to x.
type RowLoss[F Float] interface {
	Loss(x, y []F) float64
	// Gradient computes g times the gradient. dx may be x.
	Gradient(dx, x, y []F, g float64)
}

// RowLosses computes the losses of all rows of x against those of y, times weights unless they are nil. A row without
// weight has loss 0 and is not looked at.
func RowLosses[F Float](rule RowLoss[F], losses, x, y, weights []F, cols int) {
	s := newScoredRows(rule)
	s.losses, s.x, s.y, s.g.Weights, s.cols = losses, x, y, weights, cols
	Parallel(len(losses), rows(cols), s.forward)
	s.release()
}

// RowGradients computes the gradients of RowLosses, a row being scaled by g. dx may be x.
func RowGradients[F Float](rule RowLoss[F], dx, x, y []F, cols int, g RowFactors[F]) {
	if cols == 0 {
		return
	}
	s := newScoredRows(rule)
	s.dx, s.x, s.y, s.g, s.cols = dx, x, y, g, cols
	Parallel(len(x)/cols, rows(cols), s.backward)
	s.release()
}

// scoredRows are losses of rows, or their gradients, in progress. It is kept for its bound methods.
type scoredRows[F Float] struct {
	rule              RowLoss[F]
	losses, dx, x, y  []F
	g                 RowFactors[F]
	cols              int
	forward, backward func(lo, hi int)
}

var scoredRowsPool sync.Pool // of *scoredRows of whatever type came last

func newScoredRows[F Float](rule RowLoss[F]) *scoredRows[F] {
	s, ok := scoredRowsPool.Get().(*scoredRows[F])
	if !ok {
		s = new(scoredRows[F])
		s.forward, s.backward = s.forwardRows, s.backwardRows
	}
	s.rule = rule
	return s
}

func (s *scoredRows[F]) release() {
	*s = scoredRows[F]{forward: s.forward, backward: s.backward}
	scoredRowsPool.Put(s)
}

func (s *scoredRows[F]) forwardRows(lo, hi int) {
	for r := lo; r < hi; r++ {
		if s.g.none(r) {
			s.losses[r] = 0
			continue
		}
		loss := s.rule.Loss(s.x[r*s.cols:][:s.cols], s.y[r*s.cols:][:s.cols])
		if s.g.Weights != nil {
			loss *= float64(s.g.Weights[r])
		}
		s.losses[r] = F(loss)
	}
}

func (s *scoredRows[F]) backwardRows(lo, hi int) {
	for r := lo; r < hi; r++ {
		dx := s.dx[r*s.cols:][:s.cols]
		if s.g.none(r) {
			clear(dx)
			continue
		}
		s.rule.Gradient(dx, s.x[r*s.cols:][:s.cols], s.y[r*s.cols:][:s.cols], s.g.Of(r))
	}
}
