package text

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"

	"github.com/pkg/errors"
)

// The file tok.bin of llama2.c holds the length of the longest token, as 32 bits, little end first, and then
// for each token its score and its length, as 32 bits each, and its bytes. Spaces are spaces. The first
// tokens are those below, and after them come those of the bytes. See
// https://github.com/karpathy/llama2.c/blob/master/tokenizer.py.
var llama2cSpecials = []struct{ token, spelling string }{
	{unknown, unknown},
	{BOS, "\n<s>\n"},
	{EOS, "\n</s>\n"},
}

// looksLikeLlama2c tells tok.bin from other files: no token is longer than 64 KiB, so that two bytes are
// zero, which JSON does not have and protobuf not there, where the field of a token has its number.
func looksLikeLlama2c(data []byte) bool {
	return len(data) >= 4 && data[2] == 0 && data[3] == 0
}

// parseLlama2c returns the tokenizer in tok.bin.
func parseLlama2c(data []byte) (Tokenizer, error) {
	if len(data) < 4 {
		return nil, errors.Errorf("%d bytes are too short", len(data))
	}
	config := SentencePieceConfig{BOS: BOS, Special: map[string]int{}, Scores: []float32{}}
	longest := binary.LittleEndian.Uint32(data)
	for rest := data[4:]; len(rest) > 0; {
		id := len(config.Tokens)
		if id == maxEntries {
			return nil, errors.Errorf("there are more than %d tokens", maxEntries)
		}
		if len(rest) < 8 {
			return nil, errors.Errorf("token %d is cut off", id)
		}
		score, n := math.Float32frombits(binary.LittleEndian.Uint32(rest)), binary.LittleEndian.Uint32(rest[4:])
		rest = rest[8:]
		switch {
		case n > longest:
			return nil, errors.Errorf("token %d is %d bytes long and the longest %d", id, n, longest)
		case uint64(n) > uint64(len(rest)):
			return nil, errors.Errorf("token %d is cut off", id)
		}
		token := string(rest[:n])
		rest = rest[n:]
		if want, ok := llama2cToken(id); ok {
			if token != want {
				return nil, errors.Errorf("token %d is %q; in a file of llama2.c it is %q", id, token, want)
			}
			if id < len(llama2cSpecials) {
				config.Special[llama2cSpecials[id].token] = id
			} else {
				config.Bytes[id-len(llama2cSpecials)] = id
			}
			token = ""
		}
		config.Tokens = append(config.Tokens, token)
		config.Scores = append(config.Scores, score)
	}
	if want := len(llama2cSpecials) + len(config.Bytes); len(config.Tokens) < want {
		return nil, errors.Errorf("there are %d tokens, less than the %d that all files of llama2.c have", len(config.Tokens), want)
	}
	t, err := NewSentencePiece(config)
	if err != nil {
		return nil, err // not a nil *SentencePiece, which would not be nil here
	}
	return t, nil
}

// llama2cToken returns how tok.bin spells one of the tokens that it must have, and whether id is of one.
func llama2cToken(id int) (string, bool) {
	if id < len(llama2cSpecials) {
		return llama2cSpecials[id].spelling, true
	}
	if id -= len(llama2cSpecials); id < 256 {
		return spellByte(byte(id)), true
	}
	return "", false
}

// SaveLlama2C writes t as the tok.bin of llama2.c, which [Load] reads as well. It is an error if llama2.c
// could not encode as t does: its first tokens are the special ones <unk>, <s> and </s>, of which there are
// no others, then come those of the bytes, and all text begins with one more space. It merges by scores;
// where t has [SentencePieceConfig.Merges] they are turned into scores, which is an error if it cannot be done.
func SaveLlama2C(w io.Writer, t *SentencePiece) error {
	if w == nil {
		return errors.New("text: saving for llama2.c: no writer")
	}
	if t == nil || t.tokens == nil {
		return errors.Errorf("text: cannot save a SentencePiece that NewSentencePiece did not make")
	}
	if err := t.checkLlama2c(); err != nil {
		return errors.WithMessage(err, "text: saving for llama2.c")
	}
	scores, err := t.scored()
	if err != nil {
		return errors.WithMessage(err, "text: saving for llama2.c")
	}
	longest := 0
	for id := range t.tokens {
		longest = max(longest, len(t.llama2c(id)))
	}
	b := bufio.NewWriter(w)
	record := binary.LittleEndian.AppendUint32(nil, uint32(longest))
	for id := range t.tokens {
		token := t.llama2c(id)
		score := float32(0)
		if t.kinds[id] == ordinary {
			score = scores[id]
		}
		record = binary.LittleEndian.AppendUint32(record, math.Float32bits(score))
		record = binary.LittleEndian.AppendUint32(record, uint32(len(token)))
		record = append(record, token...)
		if _, err := b.Write(record); err != nil {
			return errors.Wrap(err, "text: writing a tokenizer")
		}
		record = record[:0]
	}
	return errors.Wrap(b.Flush(), "text: writing a tokenizer")
}

// llama2c returns token id as tok.bin spells it.
func (s *SentencePiece) llama2c(id int) string {
	if token, ok := llama2cToken(id); ok {
		return token
	}
	return s.tokens[id]
}

// checkLlama2c says what about s llama2.c does not know.
func (s *SentencePiece) checkLlama2c() error {
	if s.prefix != PrefixAll || s.bos != BOS {
		return errors.Errorf("Prefix %d and BOS %q; it knows PrefixAll and %q", s.prefix, s.bos, BOS)
	}
	for id, special := range llama2cSpecials {
		if got, ok := s.special[special.token]; !ok || got != id {
			return errors.Errorf("token %d is not the special token %q", id, special.token)
		}
	}
	if len(s.special) > len(llama2cSpecials) {
		return errors.Errorf("%d special tokens; it knows %d", len(s.special), len(llama2cSpecials))
	}
	for c, id := range s.byteIDs {
		if want := len(llama2cSpecials) + c; int(id) != want {
			return errors.Errorf("the token of byte %#02x has id %d, not %d", c, id, want)
		}
	}
	for id, token := range s.tokens {
		if s.kinds[id] == ordinary && (token == llama2cSpecials[1].spelling || token == llama2cSpecials[2].spelling) {
			return errors.Errorf("token %d is %q, the spelling of a special token", id, token)
		}
	}
	return nil
}
