package text

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// Encode returns the ids of text, in which special tokens are recognised: at each place the longest. The
// error is nil unless a word is longer than 4 GiB.
func (s *SentencePiece) Encode(text string) ([]int, error) {
	return s.encode(text, true)
}

// EncodeRest returns the ids of text that goes on where another ended, as after [SentencePiece.Cut]: no space
// is put before it.
func (s *SentencePiece) EncodeRest(text string) ([]int, error) {
	return s.encode(text, false)
}

// EncodeOrdinary returns the ids of text in which special tokens are ordinary text, so that no text can end
// a document. The error is nil unless a word is longer than 4 GiB.
func (s *SentencePiece) EncodeOrdinary(text string) ([]int, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.appendOrdinary(make([]int, 0, len(text)/3+1), text, s.prefix != PrefixNone)
}

func (s *SentencePiece) check() error {
	if s == nil || s.tokens == nil {
		return errors.Errorf("text: Encode by a SentencePiece that NewSentencePiece did not make")
	}
	return nil
}

// encode returns the ids of text, which a space may go before if it is a start.
func (s *SentencePiece) encode(text string, start bool) ([]int, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	ids := make([]int, 0, len(text)/3+1)
	spaced := start && s.prefix != PrefixNone
	for {
		at, n, id := s.specials.find(text)
		var err error
		if ids, err = s.appendOrdinary(ids, text[:at], spaced); err != nil {
			return nil, err
		}
		if n == 0 {
			return ids, nil
		}
		ids = append(ids, id)
		text = text[at+n:]
		spaced = s.prefix == PrefixAll
	}
}

// appendOrdinary appends the ids of text, with a space before it if it is spaced, to dst. Special tokens are
// ordinary text to it.
func (s *SentencePiece) appendOrdinary(dst []int, text string, spaced bool) ([]int, error) {
	if text == "" {
		return dst, nil
	}
	if spaced {
		text = " " + text
	}
	work, _ := s.scratch.Get().(*scratch)
	if work == nil {
		work = new(scratch)
	}
	defer s.scratch.Put(work)
	if work.cache == nil && len(text) >= cacheText {
		work.cache = make([]word, 1<<cacheBits)
	}
	for text != "" {
		n := s.word(text)
		if uint64(n) >= math.MaxUint32 {
			return nil, errors.Errorf("text: a word of %d bytes is too long", n)
		}
		if n > 15 || work.cache == nil {
			for _, id := range s.mergeWord(work, text[:n]) {
				dst = append(dst, int(id))
			}
		} else {
			dst = work.appendCached(dst, s, text, n)
		}
		text = text[n:]
	}
	return dst, nil
}

// word returns the length of the start of text that nothing is merged with.
func (s *SentencePiece) word(text string) int {
	prev, n := utf8.DecodeRuneInString(text)
	for n < len(text) {
		r, size := utf8.DecodeRuneInString(text[n:])
		if !s.joined.has(prev, r) {
			break
		}
		prev = r
		n += size
	}
	return n
}

// mergeWord returns the ids of one word.
func (s *SentencePiece) mergeWord(work *scratch, word string) []uint32 {
	ids := work.ids[:0]
	for i := 0; i < len(word); {
		r, n := utf8.DecodeRuneInString(word[i:])
		if id := s.character(r, n); id != noID {
			ids = append(ids, id)
		} else {
			for j := range n {
				ids = append(ids, s.byteIDs[word[i+j]])
			}
		}
		i += n
	}
	work.ids, work.ranks = ids, work.ranks[:0]
	for i := 1; i < len(ids); i++ {
		work.ranks = append(work.ranks, s.rank(ids[i-1], ids[i]))
	}
	return work.merge(s)
}

// character returns the token of a character of n bytes, or noID.
func (s *SentencePiece) character(r rune, n int) uint32 {
	if r < utf8.RuneSelf {
		return s.ascii[r]
	}
	if r == utf8.RuneError && n == 1 {
		return noID // not the character but a byte that is not UTF-8
	}
	if id, ok := s.chars[r]; ok {
		return id
	}
	return noID
}

// Decode returns the text of ids, special tokens written out. Where a stretch of text begins, the space that
// was put before it is taken away.
func (s *SentencePiece) Decode(ids []int) (string, error) {
	var b strings.Builder
	inside := false
	for i, id := range ids {
		if _, ok := s.Token(id); !ok {
			return "", errors.Errorf("text: id %d at %d is not in the vocabulary of %d", id, i, len(s.tokens))
		}
		var token string
		token, inside = s.piece(id, inside)
		b.WriteString(token)
	}
	return b.String(), nil
}

// piece returns the text of a token, which stands inside a stretch of text or begins one, and whether the
// next token stands inside it.
func (s *SentencePiece) piece(id int, inside bool) (string, bool) {
	token := s.tokens[id]
	if s.kinds[id] == specialToken {
		return token, s.prefix != PrefixAll
	}
	if !inside && s.prefix != PrefixNone {
		token = strings.TrimPrefix(token, " ")
	}
	return token, true
}

// Token returns the bytes of one token, and whether id is in the vocabulary.
func (s *SentencePiece) Token(id int) (string, bool) {
	if id < 0 || id >= len(s.tokens) || s.kinds[id] == noToken {
		return "", false
	}
	return s.tokens[id], true
}

// Special returns the id of a special token, and whether there is one.
func (s *SentencePiece) Special(token string) (int, bool) {
	id, ok := s.special[token]
	return id, ok
}

// VocabSize returns one more than the largest id.
func (s *SentencePiece) VocabSize() int { return len(s.tokens) }

// Cut returns the last place in text between two characters that stand together in no token and that no
// special token can reach to. The rest goes through [SentencePiece.EncodeRest].
func (s *SentencePiece) Cut(text string) int {
	end := len(text) - partialRune(text)
	right, n := utf8.DecodeLastRuneInString(text[:end])
	for end -= n; end > 0; end -= n {
		var left rune
		left, n = utf8.DecodeLastRuneInString(text[:end])
		if !s.joined.has(left, right) && !s.specials.across(text, end, s.longest) && !s.specials.ends(text, end, s.longest) {
			return end
		}
		right = left
	}
	return 0
}
