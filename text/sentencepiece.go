package text

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// The special tokens of Llama's vocabulary: BOS stands before every text and EOS after it.
const (
	BOS = "<s>"
	EOS = "</s>"

	unknown = "<unk>" // for what SentencePiece cannot encode, so never made here
)

// SentencePiece is byte-pair encoding of characters as in SentencePiece, which Llama 2 and llama2.c use: text
// is cut at special tokens, what lies between begins with one more space, see [Prefix], and its characters are
// merged, the pair that makes the token of highest score and then the leftmost first, until no two neighbours
// make a token. Spaces are characters like all others, so tokens may reach across words. What is left of a
// character that is no token is one token for each byte of it; so is a byte that is not UTF-8.
//
// Files spell a space as U+2581. Where that character itself stands in a text it becomes its three bytes, as
// it does in llama2.c, so that it does not come back as a space.
//
// Encoding takes n log n time at worst. See https://arxiv.org/abs/1808.06226 and
// https://github.com/karpathy/llama2.c/blob/master/run.c.
type SentencePiece struct {
	tokens   []string // by id; "" where an id is of no token
	kinds    []kind   // by id
	byteIDs  [256]uint32
	special  map[string]int
	specials specials
	longest  int // length of the longest special token
	bos      string
	prefix   Prefix

	scores []float32 // by id, or nil if merges say what is merged
	merges []merge   // by rank
	links  map[pair]link

	ascii  [utf8.RuneSelf]uint32 // the token of each character, or noID
	chars  map[rune]uint32
	joined neighbours // in some token

	scratch sync.Pool // of *scratch
}

var _ Cutter = (*SentencePiece)(nil)

// kind is what a token is.
type kind byte

const (
	noToken kind = iota
	ordinary
	byteToken
	specialToken
)

// Prefix says which stretches of text, which end where a special token stands, a [SentencePiece] begins with
// one more space. A word is then the same token at the start of a text as further on. Decoding takes the space
// away again. A stretch without text has none.
type Prefix int

const (
	PrefixAll   Prefix = iota // all of them, as for Llama 2
	PrefixFirst               // the one at the start of the text
	PrefixNone                // none
)

// SentencePieceConfig describes a [SentencePiece]. Either Scores or Merges says what is merged; with neither,
// nothing is.
type SentencePieceConfig struct {
	// Tokens holds the text of each token by id, spaces as spaces; an id that is of a byte, of a special token
	// or of none has "". A token is valid UTF-8 without U+2581, of up to 1 KiB.
	Tokens []string

	// Scores holds the score of each token by id. Those of ids without a text in Tokens have no meaning.
	Scores []float32

	// Merges holds the merges by rank, as in [BPEConfig].
	Merges []Merge

	// Bytes holds the id of the token of each byte, which files spell <0x00> to <0xFF>.
	Bytes [256]int

	// Special maps special tokens to their ids. No merge makes or takes one. They are valid UTF-8 of up to
	// 1 KiB each and 256 KiB together.
	Special map[string]int

	// BOS is the special token that the model wants before every text, or "". Encode does not put it there;
	// other libraries that read what [Save] writes do.
	BOS string

	// Prefix says where one more space is put.
	Prefix Prefix
}

const (
	noID     = math.MaxUint32
	maxPiece = 1 << 10 // the longest token, because looking for what makes it takes the square of that

	underline = '\u2581' // stands for a space in the files of SentencePiece
)

// NewSentencePiece returns the tokenizer that config describes, or the reason why there can be none.
func NewSentencePiece(config SentencePieceConfig) (*SentencePiece, error) {
	s := &SentencePiece{
		special: maps.Clone(config.Special),
		bos:     config.BOS,
		prefix:  config.Prefix,
		scores:  slices.Clone(config.Scores),
		chars:   make(map[rune]uint32),
	}
	if s.prefix < PrefixAll || s.prefix > PrefixNone {
		return nil, errors.Errorf("text: there is no Prefix %d", s.prefix)
	}
	if _, ok := s.special[s.bos]; !ok && s.bos != "" {
		return nil, errors.Errorf("text: BOS %q is not among the special tokens", s.bos)
	}
	if s.scores != nil && config.Merges != nil {
		return nil, errors.Errorf("text: scores and merges cannot both say what is merged")
	}
	if s.scores != nil && len(s.scores) != len(config.Tokens) {
		return nil, errors.Errorf("text: %d scores of %d tokens", len(s.scores), len(config.Tokens))
	}
	for id, score := range s.scores {
		if score-score != 0 {
			return nil, errors.Errorf("text: token %d has score %g", id, score)
		}
	}
	ids, err := s.addTokens(&config)
	if err != nil {
		return nil, err
	}
	if s.scores != nil {
		s.scores = append(s.scores, make([]float32, len(s.tokens)-len(s.scores))...)
		err = s.linkScores(ids)
	} else {
		err = s.linkMerges(ids, config.Merges)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// addTokens makes the vocabulary. It returns the ids of ordinary tokens.
func (s *SentencePiece) addTokens(config *SentencePieceConfig) (map[string]uint32, error) {
	top, err := checkSpecials(s.special)
	if err != nil {
		return nil, err
	}
	for c, id := range config.Bytes {
		if id < 0 || id > maxID {
			return nil, errors.Errorf("text: the token of byte %#02x cannot have id %d", c, id)
		}
		top = max(top, id+1)
	}
	top = max(top, len(config.Tokens))
	used := len(s.special) + len(config.Bytes)
	for _, token := range config.Tokens {
		if token != "" {
			used++
		}
	}
	if top > used+maxHoles {
		return nil, errors.Errorf("text: ids up to %d are too many for %d tokens", top-1, used)
	}
	s.tokens = make([]string, top)
	s.kinds = make([]kind, top)
	spelt := make(map[string]int, used) // a file must be able to tell all tokens apart
	add := func(id int, token, spelling string, k kind) error {
		if s.kinds[id] != noToken {
			return errors.Errorf("text: id %d is of both %q and %q", id, s.spelling(id), spelling)
		}
		if old, ok := spelt[spelling]; ok {
			return errors.Errorf("text: token %q has two ids, %d and %d", spelling, old, id)
		}
		s.tokens[id], s.kinds[id], spelt[spelling] = token, k, id
		return nil
	}
	for c, id := range config.Bytes {
		if err := add(id, byteStrings[c:c+1], spellByte(byte(c)), byteToken); err != nil {
			return nil, err
		}
		s.byteIDs[c] = uint32(id)
	}
	for _, token := range slices.Sorted(maps.Keys(s.special)) {
		id := s.special[token]
		if err := add(id, token, token, specialToken); err != nil {
			return nil, err
		}
		s.specials.add(token, id)
		s.longest = max(s.longest, len(token))
	}
	for c := range s.ascii {
		s.ascii[c] = noID
	}
	ids := make(map[string]uint32, len(config.Tokens))
	for id, token := range config.Tokens {
		switch {
		case token == "":
			continue
		case !utf8.ValidString(token):
			return nil, errors.Errorf("text: token %q is not valid UTF-8", token)
		case len(token) > maxPiece:
			return nil, errors.Errorf("text: token %d is %d bytes long, more than %d", id, len(token), maxPiece)
		case strings.ContainsRune(token, underline):
			return nil, errors.Errorf("text: token %q holds %q, which stands for a space", token, underline)
		}
		if err := add(id, token, spellPiece(token), ordinary); err != nil {
			return nil, err
		}
		ids[token] = uint32(id)
		if r, n := utf8.DecodeRuneInString(token); n == len(token) {
			if s.chars[r] = uint32(id); r < utf8.RuneSelf {
				s.ascii[r] = uint32(id)
			}
		}
		s.joined.add(token)
	}
	return ids, nil
}

// spelling returns token id as files spell it.
func (s *SentencePiece) spelling(id int) string {
	switch s.kinds[id] {
	case ordinary:
		return spellPiece(s.tokens[id])
	case byteToken:
		return spellByte(s.tokens[id][0])
	}
	return s.tokens[id]
}

// spellPiece returns token as the files of SentencePiece spell it.
func spellPiece(token string) string { return strings.ReplaceAll(token, " ", string(underline)) }

// unspellPiece returns the token that s spells.
func unspellPiece(s string) string { return strings.ReplaceAll(s, string(underline), " ") }

const hexDigits = "0123456789ABCDEF"

// spellByte returns the name of the token of a byte.
func spellByte(c byte) string { return "<0x" + hexDigits[c>>4:c>>4+1] + hexDigits[c&15:c&15+1] + ">" }

// spelledByte returns the byte whose token has the name s, and whether there is one.
func spelledByte(s string) (byte, bool) {
	if len(s) != 6 || s[:3] != "<0x" || s[5] != '>' {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, s[3]), strings.IndexByte(hexDigits, s[4])
	if hi < 0 || lo < 0 {
		return 0, false
	}
	return byte(hi<<4 | lo), true
}
