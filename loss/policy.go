package loss

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// PolicyGradient is the loss of PPO, https://arxiv.org/abs/1707.06347, as GRPO applies it to every token that a policy has
// generated, https://arxiv.org/abs/2402.03300. With r = e**(LogProbs - Old) and d = Reference - LogProbs it is
//
//	-min(r·A, clip(r, 1-Clip, 1+ClipHigh)·A) + KL·(e**d - d - 1)
//
// for an advantage A. The last factor estimates the KL divergence from the reference; it is never negative. The zero
// value is the mean over tokens, clipped at 0.2, without a reference.
type PolicyGradient struct {
	// Reduction is over tokens: Mean divides by their weight, as DAPO does, https://arxiv.org/abs/2503.14476.
	Reduction Reduction
	// PerSequence makes Mean that of sequences, each the mean over its tokens, as in GRPO. Sequences of which no token
	// counts are left out. Other reductions refuse it.
	PerSequence bool
	// Clip is how far below 1 a ratio counts; 0 means 0.2. ClipHigh is how far above; 0 means as far. +Inf is no clipping.
	Clip, ClipHigh float64
	// KL is the factor of the divergence from the reference. It and Rollout.Reference go together.
	KL float64
}

// A Rollout is what a policy has generated. All but LogProbs and Advantages may be nil.
type Rollout struct {
	// LogProbs (batch, seq) of the tokens under the policy, as [TokenLogProb] makes them. They alone get a gradient.
	LogProbs *gorgonia.Node
	// Advantages of the tokens, (batch, seq), or of whole sequences, (batch).
	Advantages *gorgonia.Node
	// Old holds the log-probabilities (batch, seq) when the tokens were drawn; nil means that the policy has not changed
	// since: all ratios are 1.
	Old *gorgonia.Node
	// Reference holds the log-probabilities (batch, seq) under a reference.
	Reference *gorgonia.Node
	// Weights of the tokens (batch, seq), or a mask, as in [Options.CrossEntropyWeighted]; nil means 1. Tokens of weight 0,
	// such as the prompt and padding, are not looked at.
	Weights *gorgonia.Node
}

// Loss scores a rollout. It is 0 if no token counts. Of those that count, operands that are not finite are an error of the
// run, and so is a ratio that makes the loss overflow.
func (p PolicyGradient) Loss(r Rollout) (*gorgonia.Node, error) {
	return safely(func() (*gorgonia.Node, error) {
		if r.LogProbs == nil || r.Advantages == nil {
			return nil, errors.New("PolicyGradient: log-probabilities or advantages are missing")
		}
		rule := op.PolicyGradient{
			Reduction: op.Reduction(p.Reduction), PerSequence: p.PerSequence, Low: p.Clip, High: p.ClipHigh, KL: p.KL,
		}
		if rule.Low == 0 {
			rule.Low = 0.2
		}
		if rule.High == 0 {
			rule.High = rule.Low
		}
		return rule.Apply(op.Rollout{
			Now: r.LogProbs, Advantages: r.Advantages, Old: r.Old, Reference: r.Reference, Weights: r.Weights,
		})
	})
}
