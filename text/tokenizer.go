package text

// EndOfText is the special token that ends a document in GPT-2's vocabulary and in many others.
const EndOfText = "<|endoftext|>"

// A Tokenizer turns text into token ids and back. Ids lie in [0, VocabSize).
//
// Text is any string of bytes. A tokenizer that has no tokens for some text says so with an error and never
// encodes something else instead: Decode(Encode(x)) is x, byte for byte.
type Tokenizer interface {
	// Encode returns the ids of text. A special token written out in the text becomes its one id; text from
	// strangers, who must not be able to end a document, goes through [BPE.EncodeOrdinary] or
	// [SentencePiece.EncodeOrdinary].
	Encode(text string) ([]int, error)

	// Decode returns the text of ids, which need not be valid UTF-8 where a token holds part of a
	// character. It is an error if an id is not in the vocabulary.
	Decode(ids []int) (string, error)

	// Token returns the bytes of one token, and whether id is in the vocabulary.
	Token(id int) (string, bool)

	// Special returns the id of a special token such as [EndOfText], and whether there is one.
	Special(token string) (int, bool)

	// VocabSize returns the number of ids, which is what a model's last layer must offer. Some ids below it
	// may be of no token.
	VocabSize() int
}

// A Cutter is a Tokenizer that can encode a text piece by piece. [Bytes], [Chars], [BPE] and [SentencePiece]
// are Cutters.
type Cutter interface {
	Tokenizer

	// Cut returns a length at which text may be cut: whatever comes after text, the ids of text[:n] followed
	// by the ids of the rest are the ids of the whole. It returns the largest length it knows of, and 0 if it
	// knows none. If the Cutter has a method EncodeRest like that of [SentencePiece], what comes after a cut
	// goes through it.
	Cut(text string) int
}
