// Package loss adds loss nodes to Gorgonia graphs.
//
// It needs nothing else of this module: logits may come from any Gorgonia graph, and the nodes run in Gorgonia's own
// machines. Logits are raw scores (batch, seq, vocab) or (n, vocab); the last axis is the classes. With package graph,
// use [graph.Apply2]:
//
//	cost := graph.Apply2(loss.CrossEntropy, logits, targets)
//
// Losses of logits against ids are [CrossEntropy] and [LinearCrossEntropy], which takes the output layer with them; both
// with [Options], such as a soft cap or a weight of every token. [SoftCrossEntropy] takes distributions for targets,
// [Distillation] the logits of a teacher, and [Binary] scores answers to questions of yes and no. [SequenceLogProb] and
// [TokenLogProb] turn logits into the log-probabilities that [DPO] and [PolicyGradient] train on.
//
// # Means
//
// Each mean divides by the weight of what it is over, and is 0, with gradient 0, if that is 0:
//
//	CrossEntropy, LinearCrossEntropy   Σ weight of the row × weight of its target's class, over rows not ignored
//	  their z-loss                     Σ weight of the row, over rows not ignored
//	SoftCrossEntropy, Divergence       Σ weight of the row
//	Binary                             Σ weight of the element
//	SequenceLogProb                    the number of targets of the sequence that are not ignored
//	DPO                                the number of pairs
//	PolicyGradient                     Σ weight of the token; or for each sequence, and then the number of sequences
//
// # Edges
//
// The losses subtract the largest logit of a row before exponentiating and keep log-sum-exp apart from it, so that
// logits of any finite size neither overflow nor lose small losses to rounding. No loss is silently NaN: what is not
// defined is an error of the run which names the row. A logit of -Inf is a masked class.
//
//	every target ignored, or all weights 0   the mean, and the sum, is 0, gradients are 0
//	a batch of no rows                       the mean, and the sum, is 0; losses of rows are none
//	a row ignored, or of weight 0            loss 0, gradient 0; its logits and target may be anything
//	a target that is no class                error
//	a weight of a row negative, NaN, ±Inf    error
//	a target whose class has weight 0        loss 0, gradient 0, even if its logit is -Inf
//	a logit of -Inf at the target            loss +Inf, gradients finite; log-probability -Inf
//	a logit of -Inf elsewhere                probability 0, gradient 0; with label smoothing the loss is +Inf
//	a logit of -Inf under a soft cap         stays -Inf
//	a row of -Inf alone, a logit +Inf, NaN   error
//	focal loss of a certain target           loss 0, gradient 0, for any exponent
//	soft target 0 at a logit of -Inf         that term is 0
//	soft targets all 0                       loss 0
//	soft target negative, NaN, +Inf          error
//	binary logit ±Inf                        loss 0 if right, +Inf with a finite gradient if wrong
//	binary logit NaN                         error
//	binary target outside [0, 1], NaN        error
//	a class that only the student rules out  ForwardKL is +Inf, gradients finite; ReverseKL, JensenShannon are finite
//	a class that only the teacher rules out  ReverseKL is an error; ForwardKL, JensenShannon are finite
//	a class that both rule out               that term is 0
//	DPO of a log-probability not finite      error
//	policy operand not finite (weight > 0)   error
//	policy ratio that overflows              the bound if it is clipped, 0 for advantage 0, else error
//
// An output layer multiplies what it is given: in [LinearCrossEntropy] a hidden state that is not finite spoils the
// gradient of the weight even where its row is left out.
//
// [graph.Apply2]: https://pkg.go.dev/github.com/logits-go/logits/graph#Apply2
package loss
