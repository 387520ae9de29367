// Package text turns text into tokens and tokens into text, and feeds tokens to a training loop.
//
// # Tokenizers
//
// A [Tokenizer] is one of
//   - [Bytes], whose 256 tokens are the bytes;
//   - [Chars], whose tokens are the characters of a text;
//   - [BPE], byte-level byte-pair encoding as in GPT-2, which [TrainBPE] learns from a text;
//   - [SentencePiece], byte-pair encoding of characters as in Llama 2 and llama2.c.
//
// [Load] and [Save] keep all of them in Hugging Face's tokenizer.json, GPT-2's and Llama's own files among
// them. Load and [ReadFile] also know the tokenizer.model of SentencePiece and the tok.bin of llama2.c, which
// [SaveLlama2C] writes, and tell a file by what is in it. A tokenizer is never changed once made, so any
// number of goroutines may share one. A [Decoder] turns the tokens of a running generation into text and never
// shows part of a character.
//
// For every text x a tokenizer encodes without error, valid UTF-8 or not, decoding its ids gives back x
// byte for byte.
//
// # Tokens
//
// [Tokens] is a sequence of ids that can be read anywhere: a [Slice] in memory, or a [TokenFile] on disk,
// which may be larger than memory and which [EncodeFile] makes from any reader. [Split] parts it into
// training and validation tokens. A [Stream] draws random windows from it for training, and its state can
// be saved and restored; [Windows] visits every token once, for evaluation.
//
// # Texts
//
// [ReadCorpus] finds a text by name, so that a first model can be trained without downloading anything.
package text
