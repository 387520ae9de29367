package constrain

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// A Vocab is the tokens of a tokenizer, arranged for looking which of them may follow. It is never changed once made,
// so constraints in any number of goroutines may share one.
type Vocab struct {
	texts []string // by id; "" for a token that is never allowed, and for an end token
	end   []int
	ids   []int32 // those of texts, sorted by text
	nodes []node
	bytes [256]bool // of which there is a token
}

// A node is a prefix of tokens, which is its last byte after the prefix of its parent. Nodes stand in the order in
// which a walk from the root, which is left out, comes by.
type node struct {
	depth  int32 // bytes before the last one
	after  int32 // the node after all that start with this prefix
	tokens int32 // ids[tokens : tokens+n] are the tokens that are the prefix
	n      int32
	last   byte
}

// NewVocab returns the vocabulary of ids 0 to size-1. The text of a token is its bytes, which need not be UTF-8, or ""
// if it has none, as special tokens and unused ids: it is then never allowed. Tokens with the same bytes are allowed
// together. The end tokens, of which there is at least one, are those at which a text ends; they have no bytes,
// whatever text returns. The size must be that of the rows of logits, which may be more than the tokenizer's.
func NewVocab(size int, text func(id int) string, end ...int) (*Vocab, error) {
	if size < 1 || size > math.MaxInt32 || text == nil {
		return nil, errors.Errorf("constrain: a vocabulary of %d tokens (texts: %t)", size, text != nil)
	}
	if len(end) == 0 {
		return nil, errors.Errorf("constrain: a vocabulary without an end token: no text could end")
	}
	v := &Vocab{texts: make([]string, size), end: slices.Clone(end)}
	for _, id := range end {
		if id < 0 || id >= size {
			return nil, errors.Errorf("constrain: end token %d is not in [0, %d)", id, size)
		}
	}
	total := 0
	for id := range v.texts {
		t := text(id)
		if t == "" || slices.Contains(end, id) {
			continue
		}
		v.texts[id] = t
		v.ids = append(v.ids, int32(id))
		if len(t) == 1 {
			v.bytes[t[0]] = true
		}
		if total += len(t); total > math.MaxInt32 {
			return nil, errors.Errorf("constrain: the tokens up to %d are %d bytes long", id, total)
		}
	}
	slices.SortFunc(v.ids, func(a, b int32) int {
		return cmp.Or(strings.Compare(v.texts[a], v.texts[b]), cmp.Compare(a, b))
	})
	v.build()
	return v, nil
}

// A Tokenizer is what VocabOf asks for tokens. Those of package text are Tokenizers.
type Tokenizer interface {
	Token(id int) (string, bool)      // the bytes of a token, and whether there is one
	Special(token string) (int, bool) // the id of a special token by its name, and whether there is one
	VocabSize() int
}

// VocabOf returns the vocabulary of a tokenizer. Its special tokens, whose bytes are names, are never allowed, apart from
// the end tokens, of which there is at least one.
func VocabOf(t Tokenizer, end ...int) (*Vocab, error) {
	if t == nil {
		return nil, errors.New("constrain: no tokenizer")
	}
	return NewVocab(t.VocabSize(), func(id int) string {
		token, ok := t.Token(id)
		if special, is := t.Special(token); !ok || is && special == id {
			return ""
		}
		return token
	}, end...)
}

// build makes the nodes of the sorted tokens.
func (v *Vocab) build() {
	var open []int32 // the nodes of the last token's prefixes
	last := ""
	closeTo := func(depth int) {
		for _, at := range open[depth:] {
			v.nodes[at].after = int32(len(v.nodes))
		}
		open = open[:depth]
	}
	for i, id := range v.ids {
		t := v.texts[id]
		common := 0
		for common < min(len(t), len(last)) && t[common] == last[common] {
			common++
		}
		closeTo(common)
		for d := common; d < len(t); d++ {
			open = append(open, int32(len(v.nodes)))
			v.nodes = append(v.nodes, node{depth: int32(d), last: t[d], tokens: int32(i)})
		}
		v.nodes[open[len(t)-1]].n++
		last = t
	}
	closeTo(0)
}

// Size returns the number of ids.
func (v *Vocab) Size() int { return len(v.texts) }
