// Package constrain keeps what a model generates within a form: a regular expression, JSON, or a JSON Schema.
//
// A [Constraint] says before each token which tokens may follow. [Regexp], [JSON] and [Schema] make one for a
// [Vocab], the bytes of a tokenizer's tokens, and [NewModel] puts it around a model, so that everything in
// package sampler works as before:
//
//	vocab, err := constrain.VocabOf(tokenizer, end)
//	date, err := constrain.Regexp(vocab, `\d{4}-\d\d-\d\d`)
//	model, err := constrain.NewModel(decoder, date)
//	for token, err := range s.Generate(ctx, model, prompt, 20) { ... } // with end in s.Stop
//
// [NewStep] makes it a step of a sampler's chain instead, which speculative decoding and batches honour too, and
// [NewForker] a model for beam search.
//
// # Exactness
//
// The text as a whole, which is the bytes of the tokens one after the other, satisfies the constraint when an end token
// comes, and an end token may come exactly when it does. Tokens need not agree with the parts of the form or with
// characters: every way to cut a text into tokens is allowed. No allowed token leads into a dead end: with the tokens of
// the vocabulary there is always a way to go on to a complete text. A form for which there is none from the start is
// an error. Texts are valid UTF-8 although single tokens need not be.
//
// A constraint masks tokens and leaves the logits of the others alone. So the model is asked for the most probable next
// token among those allowed, not for the most probable text of the form; package sampler has beam search for that.
//
// # How
//
// A form is compiled to a machine of bytes: states, and a stack where the form contains itself, as JSON does. Which
// sets of states there are is found out as texts lead there. A set, once met, has its successors by byte and its mask of
// tokens written down; the first mask of a set walks the tree of all tokens and cuts off what cannot follow.
package constrain
