package loss

import (
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// SoftCrossEntropy returns Σ p·(log Σ e**logit - logit) of logits (..., vocab) against target probabilities p of the
// same shape, reduced over rows. A term with p = 0 is 0, even where the logit is -Inf. Targets get no gradient.
func SoftCrossEntropy(logits, probs *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) { return op.SoftCrossEntropy(op.Reduction(r), logits, probs) })
}

// KLDivergence returns Σ p·log(p/q) of a student's logits (..., vocab) against a teacher's, reduced over rows: p is the
// softmax of the teacher and q that of the student. For matrices the mean is PyTorch's "batchmean". The teacher gets
// no gradient.
func KLDivergence(student, teacher *gorgonia.Node, r Reduction) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) { return op.KLDivergence(op.Reduction(r), student, teacher) })
}
