// Package loss adds loss nodes to Gorgonia graphs.
//
// It needs nothing else of this module: logits may come from any Gorgonia graph, and the nodes run in Gorgonia's own
// machines. Logits are raw scores (batch, seq, vocab) or (n, vocab); the last axis is the classes. With package graph,
// use [graph.Apply2]:
//
//	cost := graph.Apply2(loss.CrossEntropy, logits, targets)
//
// The losses subtract the largest logit of a row before exponentiating and keep log-sum-exp apart from it, so that
// logits of any finite size neither overflow nor lose small losses to rounding. Logits that are NaN, +Inf or nothing
// but -Inf are an error of the run which names the row, as is a target that is no class: no loss is silently NaN. A
// logit of -Inf is a masked class: as the target it costs +Inf with finite gradients, unless its weight is
// 0, and anywhere else nothing.
//
// [graph.Apply2]: https://pkg.go.dev/github.com/logits-go/logits/graph#Apply2
package loss
