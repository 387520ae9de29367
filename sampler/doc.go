// Package sampler turns evaluated logits into tokens.
//
// A [Sampler] is a struct of settings whose zero value is greedy. It applies, in this order, temperature,
// top-k, top-p and min-p, and draws one token per row of logits:
//
//	s := sampler.Sampler{Temperature: 0.8, TopP: 0.95, Seed: 42}
//	token, err := s.Sample(logits)
//
// [Sampler.SampleTensor] does so for a batch, [Sampler.Generate] for a model, token after token.
// [Distribution] is the same chain step by step: it shows the exact tokens and probabilities that are left
// after any steps in any order. [Softmax], [LogSoftmax], [LogProb], [Argmax] and [Multinomial] stand alone.
//
// # Exactness
//
// Logits are ranked as they are; everything after is float64. A probability is within 1e-13 of the real
// softmax for differences of logits up to about 100 temperatures, relatively. Top-p adds up in float64
// over blocks, so the nucleus of a vocabulary of any size is the one of the definition unless the mass at the cut is
// within about 1e-14 of p. Equal logits rank by token, the lower first, and top-k keeps exactly k.
//
// A masked token, whose logit is -Inf, is never drawn. A row that defines no distribution, because it holds
// NaN or +Inf or nothing but -Inf, is a [LogitsError] in greedy mode as much as in sampling mode. No setting
// is clamped or ignored: one out of range is an error. The token that comes with an error is -1.
//
// # Randomness
//
// The number that decides a token is [Uniform](Seed, Stream, Step), a pure function. So a token depends on
// nothing but its logits, the settings and these three: a row gets the same token alone and in a batch, on any
// thread, on any architecture, after a restart. Sampling the same row again takes setting Step back.
//
// # Speed
//
// Nothing is sorted and, after the first rows, nothing is allocated. Top-k and min-p compute no exponentials
// but those of the tokens they keep; top-p weighs the vocabulary once, drops tokens too light to be in the
// nucleus, and ranks only those around its edge.
package sampler
