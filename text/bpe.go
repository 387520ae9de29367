package text

import (
	"maps"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// BPE is byte-level byte-pair encoding as in GPT-2: text is cut at special tokens, then into pre-tokens by
// GPT-2's pattern
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// and the bytes of each pre-token are merged, the pair of lowest rank and then the leftmost first, until no
// two neighbours have a merge. Where a byte is not UTF-8 the pattern sees one character that is neither
// letter, number nor whitespace. The classes are those of package unicode.
//
// Encoding takes n log n time at worst, in the length of the longest pre-token. See
// https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf
// and https://arxiv.org/abs/1508.07909.
type BPE struct {
	tokens   []string // by id; "" where an id is of no token
	merges   []merge  // by rank
	ranks    map[pair]uint32
	byteIDs  [256]uint32
	bytePair []uint32 // the rank of each two bytes, or noRank: where every word starts
	special  map[string]int
	specials specials
	longest  int // length of the longest special token

	scratch sync.Pool // of *scratch
}

var _ Cutter = (*BPE)(nil)

// A Merge joins two neighbouring tokens, given by their bytes, into one.
type Merge struct{ Left, Right string }

// BPEConfig describes a BPE tokenizer. The zero value is that of the 256 bytes, with nothing to merge.
type BPEConfig struct {
	// Tokens holds the bytes of each token by id, special tokens apart; an id that is of no such token has
	// "". All bytes must be among them, so that everything can be encoded. Nil means the bytes in ascending
	// order and then what each merge makes, in the order of the merges.
	Tokens []string

	// Merges holds the merges by rank: what comes first is merged first.
	Merges []Merge

	// Special maps special tokens to their ids. No merge makes or takes one. They are valid UTF-8 of up to
	// 1 KiB each and 256 KiB together.
	Special map[string]int
}

// pair is two neighbouring tokens.
type pair struct{ left, right uint32 }

// merge is a Merge by ids.
type merge struct {
	pair
	id uint32 // what it makes
}

const (
	maxID    = 1<<31 - 1 // ids are held in 32 bits
	maxHoles = 1 << 16   // ids that may be of no token, lest one huge id fill the memory
)

// NewBPE returns the tokenizer that config describes, or the reason why there can be none.
func NewBPE(config BPEConfig) (*BPE, error) {
	tokens := slices.Clone(config.Tokens)
	if tokens == nil {
		tokens = slices.Grow(tokens, 256+len(config.Merges))
		for c := range len(byteStrings) {
			tokens = append(tokens, byteStrings[c:c+1])
		}
		seen := make(map[string]bool)
		for _, m := range config.Merges {
			if made := m.Left + m.Right; !seen[made] {
				seen[made] = true
				tokens = append(tokens, made)
			}
		}
	}
	b := &BPE{special: maps.Clone(config.Special)}
	ids := make(map[string]uint32, len(tokens))
	for id, token := range tokens {
		if token == "" {
			continue
		}
		if old, ok := ids[token]; ok {
			return nil, errors.Errorf("text: token %q has two ids, %d and %d", token, old, id)
		}
		ids[token] = uint32(id)
	}
	for c := range len(byteStrings) {
		id, ok := ids[byteStrings[c:c+1]]
		if !ok {
			return nil, errors.Errorf("text: byte %#02x is not in the vocabulary", c)
		}
		b.byteIDs[c] = id
	}
	b.ranks = make(map[pair]uint32, len(config.Merges))
	b.merges = make([]merge, len(config.Merges))
	b.bytePair = slices.Repeat([]uint32{noRank}, 256*256)
	for rank, m := range config.Merges {
		left, okLeft := ids[m.Left]
		right, okRight := ids[m.Right]
		id, ok := ids[m.Left+m.Right]
		if !okLeft || !okRight || !ok {
			return nil, errors.Errorf("text: merge %d joins %q and %q, and not all three tokens are in the vocabulary", rank, m.Left, m.Right)
		}
		p := pair{left, right}
		if old, ok := b.ranks[p]; ok {
			return nil, errors.Errorf("text: merges %d and %d both join %q and %q", old, rank, m.Left, m.Right)
		}
		b.ranks[p] = uint32(rank)
		b.merges[rank] = merge{p, id}
		if len(m.Left) == 1 && len(m.Right) == 1 {
			b.bytePair[int(m.Left[0])<<8|int(m.Right[0])] = uint32(rank)
		}
	}
	if err := b.addSpecials(tokens, ids); err != nil {
		return nil, err
	}
	return b, nil
}

// addSpecials completes tokens with the special tokens and makes it the vocabulary.
func (b *BPE) addSpecials(tokens []string, ids map[string]uint32) error {
	top, err := checkSpecials(b.special)
	if err != nil {
		return err
	}
	top = max(top, len(tokens))
	used := len(ids) + len(b.special)
	if top > used+maxHoles {
		return errors.Errorf("text: ids up to %d are too many for %d tokens", top-1, used)
	}
	tokens = append(tokens, make([]string, top-len(tokens))...)
	for _, token := range slices.Sorted(maps.Keys(b.special)) {
		id := b.special[token]
		if tokens[id] != "" && tokens[id] != token {
			return errors.Errorf("text: id %d is of both %q and the special token %q", id, tokens[id], token)
		}
		// In tokenizer.json special tokens are spelt as they are, others in the alphabet of bytes.
		if bytes, err := unspell(token); err == nil {
			if old, ok := ids[bytes]; ok && int(old) != id {
				return errors.Errorf("text: special token %q has id %d, and the token spelt so has id %d", token, id, old)
			}
		}
		tokens[id] = token
		b.specials.add(token, id)
		b.longest = max(b.longest, len(token))
	}
	b.tokens = tokens
	return nil
}

// Encode returns the ids of text, in which special tokens are recognised: at each place the longest. The
// error is nil unless a pre-token is longer than 4 GiB.
func (b *BPE) Encode(text string) ([]int, error) {
	if b == nil {
		return nil, errors.Errorf("text: Encode by a BPE that NewBPE did not make")
	}
	ids := make([]int, 0, len(text)/3+1)
	for {
		at, n, id := b.specials.find(text)
		var err error
		if ids, err = b.appendOrdinary(ids, text[:at]); err != nil {
			return nil, err
		}
		if n == 0 {
			return ids, nil
		}
		ids = append(ids, id)
		text = text[at+n:]
	}
}

// EncodeOrdinary returns the ids of text in which special tokens are ordinary text, so that no text can end
// a document. The error is nil unless a pre-token is longer than 4 GiB.
func (b *BPE) EncodeOrdinary(text string) ([]int, error) {
	return b.appendOrdinary(make([]int, 0, len(text)/3+1), text)
}

// Decode returns the text of ids, special tokens written out.
func (b *BPE) Decode(ids []int) (string, error) {
	var n int
	for i, id := range ids {
		token, ok := b.Token(id)
		if !ok {
			return "", errors.Errorf("text: id %d at %d is not in the vocabulary of %d", id, i, len(b.tokens))
		}
		n += len(token)
	}
	text := make([]byte, 0, n)
	for _, id := range ids {
		text = append(text, b.tokens[id]...)
	}
	return string(text), nil
}

// Token returns the bytes of one token, and whether id is in the vocabulary.
func (b *BPE) Token(id int) (string, bool) {
	if id < 0 || id >= len(b.tokens) || b.tokens[id] == "" {
		return "", false
	}
	return b.tokens[id], true
}

// Special returns the id of a special token, and whether there is one.
func (b *BPE) Special(token string) (int, bool) {
	id, ok := b.special[token]
	return id, ok
}

// VocabSize returns one more than the largest id.
func (b *BPE) VocabSize() int { return len(b.tokens) }

// Merges returns the merges by rank.
func (b *BPE) Merges() []Merge {
	merges := make([]Merge, len(b.merges))
	for rank, m := range b.merges {
		merges[rank] = Merge{b.tokens[m.left], b.tokens[m.right]}
	}
	return merges
}

// Cut returns the place of the last whitespace in text that follows something else and that no special token
// can reach across: whitespace always starts a pre-token there, whatever stands further on.
func (b *BPE) Cut(text string) int {
	end := len(text) - partialRune(text)
	for end > 0 {
		r, n := utf8.DecodeLastRuneInString(text[:end])
		end -= n
		if classOf(r) != space || end == 0 {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(text[:end])
		if classOf(before) != space && !b.specials.across(text, end, b.longest) {
			return end
		}
	}
	return 0
}
