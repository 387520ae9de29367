package loss

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// DPO is direct preference optimization, https://arxiv.org/abs/2305.18290: a policy learns to favour chosen answers over
// rejected ones more than a reference does. With the margin
//
//	h = (log π(chosen) - log π(rejected)) - (log ref(chosen) - log ref(rejected))
//
// the loss of a pair is -log sigmoid(Beta·h). The zero value is the mean over pairs with Beta 0.1.
type DPO struct {
	Reduction Reduction
	// Beta is how much a margin counts; 0 means 0.1. The smaller it is, the farther the policy may go from the reference.
	Beta float64
	// LabelSmoothing is the share s of pairs, in [0, 0.5), that are taken to be the wrong way round: the loss is
	// -(1-s)·log sigmoid(Beta·h) - s·log sigmoid(-Beta·h), conservative DPO, https://ericmitchell.ai/cdpo.pdf.
	LabelSmoothing float64
	// IPO makes the loss (h - 1/(2·Beta))², which stops at a margin, https://arxiv.org/abs/2310.12036. Its
	// log-probabilities are best means over tokens. It does not go with label smoothing.
	IPO bool
	// ReferenceFree takes the reference to favour neither answer. Pairs then hold no log-probabilities of one.
	ReferenceFree bool
}

// Pairs holds the log-probabilities of chosen and rejected answers under a policy and a reference, all of one shape,
// such as the (batch) that [SequenceLogProb] makes.
type Pairs struct{ Chosen, Rejected, RefChosen, RefRejected *gorgonia.Node }

// Loss scores pairs. The reference gets no gradient. A log-probability that is not finite is an error of the run.
func (d DPO) Loss(p Pairs) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) {
		switch none := p.RefChosen == nil && p.RefRejected == nil; {
		case d.ReferenceFree && !none:
			return nil, errors.New("DPO: there are log-probabilities of a reference, but ReferenceFree is set")
		case !d.ReferenceFree && none:
			return nil, errors.New("DPO: log-probabilities of a reference are missing, and ReferenceFree is not set")
		}
		rule := op.Preference{
			Reduction: op.Reduction(d.Reduction), Beta: d.Beta, Smoothing: d.LabelSmoothing, Squared: d.IPO,
		}
		if d.Beta == 0 {
			rule.Beta = 0.1
		}
		return rule.Apply(p.Chosen, p.Rejected, p.RefChosen, p.RefRejected)
	})
}
