package op

import (
	"slices"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// SequenceLogProb makes log-probabilities of sequences of losses of tokens (..., seq), the negative logarithms of their
// probabilities: their sum, or their mean, over the tokens whose targets are not to be left out. It is 0 if there are none.
// ReduceNone changes the sign alone.
func SequenceLogProb(r Reduction, ignore []int, losses, targets *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(losses) {
		return sequenceLogProb[float64](r, ignore, losses, targets)
	}
	return sequenceLogProb[float32](r, ignore, losses, targets)
}

func sequenceLogProb[F kernel.Float](r Reduction, ignore []int, losses, targets *gorgonia.Node) (*gorgonia.Node, error) {
	ls := losses.Shape()
	seq, out := ls[len(ls)-1], like[F](ls[:len(ls)-1]...)
	if r == ReduceNone {
		seq, out = 1, like[F](ls...)
	}
	ignore = slices.Clone(ignore)
	// divisor returns, for the targets of a sequence, by what the sum of their log-probabilities is divided.
	divisor := func(targets []int) float64 {
		n := 0
		for _, t := range targets {
			if !slices.Contains(ignore, t) {
				n++
			}
		}
		if r != ReduceMean {
			n = 1
		}
		return float64(max(1, n))
	}
	return apply(&Op{
		name: "SequenceLogProb", out: []signature{out},
		run: func(c *Call) error {
			y, losses, targets := output[F](c, 0), input[F](c, 0), ints(c.In[1])
			for i := range y {
				y[i] = F((0 - kernel.Sum(losses[i*seq:][:seq])) / divisor(targets[i*seq:][:seq]))
			}
			return nil
		},
		wrt: first(2, 1),
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dl, err := apply(&Op{
				name: "SequenceLogProbBackward", out: []signature{like[F](ls...)},
				run: func(c *Call) error {
					dl, dy, targets := output[F](c, 0), input[F](c, 0), ints(c.In[1])
					for i := range dl {
						dl[i] = -F(float64(dy[i/seq]) / divisor(targets[i/seq*seq:][:seq]))
					}
					return nil
				},
			}, dy, in[1])
			return gradients(2, dl), err
		},
	}, losses, targets)
}
