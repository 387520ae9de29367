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
// # Chains
//
// Whoever wants other steps, or another order, lists them:
//
//	s := sampler.Sampler{
//		Steps: sampler.Chain{
//			sampler.RepetitionPenalty{Penalty: 1.1, Scope: sampler.Scope{Last: 64}},
//			sampler.MinP(0.05),
//			sampler.Temperature(0.8),
//		},
//		History: sampler.NewHistory(prompt...),
//		Seed:    42,
//	}
//
// Each step sees what its predecessors left, renormalised, so the order matters. As a rule, what looks at the
// text comes first: masks such as [AllowedTokens], [BadWords] and [MinLength], then [LogitBias], then
// [RepetitionPenalty], [FrequencyPenalty], [PresencePenalty] and [DRY], whose effect on a logit does not depend
// on what else is kept. Filters come after them: [TopK], [TopP], [MinP], [TypicalP], [Epsilon], [Eta], [PLess],
// [TopNSigma], [TopH], [XTC]. [Temperature], or [DynamicTemperature], before the filters changes what all of
// them but TopK and TopNSigma keep; after the filters it changes how what they kept is drawn. [Mirostat],
// [Mirostat1] and [AdaptiveP] learn from what is drawn and belong at the end. Any type with the method of [Step]
// can stand among these.
//
// A [Scope] says which tokens a step looks back at. [Sampler.SampleReport] tells how a token came to be drawn:
// log-probabilities and ranks before and after the steps, and what each step kept. [StopStrings] finds the strings
// at which a text ends.
//
// # Presets
//
// [LlamaCPP], [HuggingFace] and [VLLM] are the parameters of these systems by their own names. They make the
// chains that these systems run, which differ in order, in ties and at the ends of ranges:
//
//	p := sampler.DefaultLlamaCPP()
//	p.Temp, p.PenaltyRepeat = 0.7, 1.1
//	s, err := p.Sampler()
//
// # Models
//
// A [Model] is whatever gives logits for tokens; graph.Decoder is one. What takes more of it than [Sampler.Generate]
// does asks for it by a type of its own, which graph.Decoder has too: a [Forker] can be copied with its text, a
// [Rewinder] forgets the end of it, a [Scorer] gives the logits after several tokens in one call.
//
// [BeamSearch] looks for the most probable texts instead of drawing one, with the length penalties and the stopping
// rules of Hugging Face, and diverse groups:
//
//	found, err := sampler.BeamSearch(ctx, sampler.Beam{Width: 4, Stop: end}, decoder, prompt, 50)
//
// [Speculative] draws from a large model in fewer of its calls, with a small one that proposes tokens; the text has the
// distribution that the large one has alone, and is the same if s is greedy. Steps, learners among them, are honoured:
//
//	sp := &sampler.Speculative{Target: large, Draft: small}
//	for token, err := range sp.Generate(ctx, s, prompt, 100) { ... }
//
// [Guidance] and [Contrastive] are Models made of two: what a model expects with a prompt against what it expects
// without, and a large model against a small one. Any Sampler draws from them. [ContrastiveSearch] asks an [Encoder],
// such as an [Encoding] of two graph.Decoders, for its vectors as well, and keeps away from what the text has said.
//
// Package constrain keeps a text within a regular expression, JSON or a JSON Schema: as a Model around a Model, as a
// Forker around a Forker, or as a [Step] of any Sampler.
//
// A [Batch] samples rows side by side, such as those of a graph.BatchDecoder, each with a chain, a history and a seed of
// its own, and passes over those that have ended:
//
//	logits, err := decoder.Next(ctx, tokens) // a row for each text, nil for one that was given nothing
//	err = batch.Sample(drawn, logits)        // -1 for a row of nil
//
// # Exactness
//
// Logits are ranked as they are; everything after is float64. A probability is within 1e-13 of the real
// softmax for differences of logits up to about 100 temperatures, relatively. Top-p adds up in float64
// over blocks, so the nucleus of a vocabulary of any size is the one of the definition unless the mass at the cut is
// within about 1e-14 of p. Equal logits rank by token, the lower first, and top-k keeps exactly k. Package
// samplertest has every step by its definition, and checks that hold any sampler to it.
//
// A masked token, whose logit is -Inf, is never drawn, and nothing but [ForcedTokens] brings it back. A row that
// defines no distribution, because it holds NaN or +Inf or nothing but -Inf, is a [LogitsError] in greedy mode as
// much as in sampling mode. No filter drops all tokens: where none would be left it keeps the most probable, with
// those that equal it. A mask that leaves no token is an error. No setting is clamped or ignored: one out of
// range, and any that is NaN, is an error. The token that comes with an error is -1.
//
// # Randomness
//
// The number that decides a token is [Uniform](Seed, Stream, Step), a pure function. So a token depends on
// nothing but its logits, the settings, the text that the steps see and these three: a row gets the same token
// alone and in a batch, on any thread, after a restart, and on any architecture, as far as the logarithms and
// powers of package math are the same there, which entropies and learning steps take. Sampling the same row again
// takes setting Step back. [XTC] tosses with a number of its own that is as pure.
//
// # Speed
//
// No vocabulary is sorted and, after the first rows, nothing is allocated. Top-k and min-p compute no exponentials
// but those of the tokens they keep; top-p weighs the vocabulary once, drops tokens too light to be in the
// nucleus, and ranks only those around its edge. Steps that change a few logits cost a copy of the row and
// those few. Entropies, and the filters that take them, weigh every token that is left, so a filter before them
// pays.
package sampler
