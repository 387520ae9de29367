package text

import (
	"context"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// TrainConfig says what vocabulary [TrainBPE] learns.
type TrainConfig struct {
	// VocabSize is the number of ids, bytes and special tokens among them. Zero means 8192.
	VocabSize int

	// Special lists special tokens. The text is cut at them, so that no merge learns from what they are made
	// of or from what they part, and they get the last ids, in this order.
	Special []string
}

// TrainBPE learns a byte-level BPE tokenizer from the text in r. The ids are those of the 256 bytes, then of
// what the merges make, in order, then of the special tokens.
//
// Each merge joins the pair of neighbouring tokens that occurs most often within the pre-tokens of the text;
// of pairs that occur equally often it is the lexicographically greatest, by the bytes of the left token and
// then of the right one. This is the definition of Stanford's CS336, https://cs336.stanford.edu, so the same
// text gives the same merges here and there. Where the text has no pair left, the vocabulary is smaller than
// asked for.
func TrainBPE(ctx context.Context, r io.Reader, config TrainConfig) (*BPE, error) {
	if r == nil {
		return nil, errors.Errorf("text: training needs a reader")
	}
	size := config.VocabSize
	if size == 0 {
		size = 8192
	}
	limit := size - 256 - len(config.Special)
	if limit < 0 || size > maxID {
		return nil, errors.Errorf("text: a vocabulary of %d ids cannot hold 256 bytes and %d special tokens", size, len(config.Special))
	}
	special := make(map[string]int, len(config.Special))
	for i, token := range config.Special {
		if _, ok := special[token]; ok {
			return nil, errors.Errorf("text: special token %q is given twice", token)
		}
		special[token] = 256 + i
	}
	plain, err := NewBPE(BPEConfig{Special: special})
	if err != nil {
		return nil, err
	}
	t := newTrainer()
	for text, err := range chunks(ctx, r, plain.Cut) {
		if err != nil {
			return nil, err
		}
		for text != "" {
			at, n, _ := plain.specials.find(text)
			t.count(text[:at])
			text = text[at+n:]
		}
	}
	merges, err := t.learn(ctx, limit)
	if err != nil {
		return nil, err
	}
	for i, token := range config.Special {
		special[token] = len(t.tokens) + i
	}
	return NewBPE(BPEConfig{Merges: merges, Special: special})
}

// trainer learns merges. The distinct pre-tokens of the text lie one after the other in places, one place for
// each byte; as merges join tokens, a token stands in the place of its first byte. Knowing in which places a
// pair occurs, a merge looks at these alone.
type trainer struct {
	words  map[string]int // the index in counts of each pre-token
	counts []int          // how often each occurs
	order  []string       // pre-tokens by index

	tokens []string          // by id
	ids    map[string]uint32 // of tokens
	places []place
	pairs  map[pair]*occurrences
	heap   []ranked
}

// merged stands where there was a token that is now part of the one before. It is no id.
const merged = math.MaxUint32

type place struct {
	id         uint32 // of the token here, or merged
	prev, next int32  // its neighbours' places in the pre-token, or -1
	word       int32
}

// occurrences is where a pair occurs, and how often in all. Some of the places may hold the pair no longer.
type occurrences struct {
	count  int
	places []int32 // of the left tokens
	listed int     // the count by which the pair last entered the heap
}

func newTrainer() *trainer {
	t := &trainer{words: make(map[string]int), ids: make(map[string]uint32), pairs: make(map[pair]*occurrences)}
	for c := range len(byteStrings) {
		t.ids[byteStrings[c:c+1]] = uint32(c)
		t.tokens = append(t.tokens, byteStrings[c:c+1])
	}
	return t
}

// count counts the pre-tokens of text.
func (t *trainer) count(text string) {
	for text != "" {
		n := pretoken(text)
		i, ok := t.words[text[:n]]
		if !ok {
			i = len(t.counts)
			word := strings.Clone(text[:n]) // or it would keep all of the text in memory
			t.words[word] = i
			t.counts = append(t.counts, 0)
			t.order = append(t.order, word)
		}
		t.counts[i]++
		text = text[n:]
	}
}

// learn returns the merges that add limit tokens, or fewer where the text has no more pairs.
func (t *trainer) learn(ctx context.Context, limit int) ([]Merge, error) {
	if err := t.layOut(); err != nil {
		return nil, err
	}
	var merges []Merge
	for limit > 0 {
		if err := ctx.Err(); err != nil {
			return nil, errors.Wrapf(err, "text: training stopped after %d merges", len(merges))
		}
		p, ok := t.best()
		if !ok {
			break
		}
		m := Merge{t.tokens[p.left], t.tokens[p.right]}
		made := m.Left + m.Right
		id, ok := t.ids[made]
		if !ok { // two pairs may make the same bytes, and these are one token
			id = uint32(len(t.tokens))
			t.ids[made] = id
			t.tokens = append(t.tokens, made)
			limit--
		}
		merges = append(merges, m)
		t.merge(p, id)
	}
	return merges, nil
}

// layOut fills places, pairs and the heap from the pre-tokens counted.
func (t *trainer) layOut() error {
	total := 0
	for _, word := range t.order {
		total += len(word)
	}
	if total > maxID {
		return errors.Errorf("text: %d bytes of distinct pre-tokens are too many", total)
	}
	t.places = make([]place, 0, total)
	for w, word := range t.order {
		for i := range len(word) {
			at := int32(len(t.places))
			p := place{id: uint32(word[i]), prev: at - 1, next: at + 1, word: int32(w)}
			if i == 0 {
				p.prev = -1
			}
			if i == len(word)-1 {
				p.next = -1
			}
			t.places = append(t.places, p)
			if i > 0 {
				t.occurs(pair{t.places[at-1].id, p.id}, at-1, t.counts[w])
			}
		}
	}
	for p, o := range t.pairs { // any order: which pair is best does not depend on it
		t.list(p, o)
	}
	return nil
}

// occurs notes that p occurs n more times, at one place.
func (t *trainer) occurs(p pair, at int32, n int) {
	o := t.pairs[p]
	if o == nil {
		o = new(occurrences)
		t.pairs[p] = o
	}
	o.count += n
	o.places = append(o.places, at)
}

// merge puts id in the place of every occurrence of p, from left to right.
func (t *trainer) merge(p pair, id uint32) {
	found := t.pairs[p]
	delete(t.pairs, p)
	slices.Sort(found.places)
	var grown []pair
	for _, at := range found.places {
		here := &t.places[at]
		if here.id != p.left || here.next < 0 || t.places[here.next].id != p.right {
			continue
		}
		n := t.counts[here.word]
		next := &t.places[here.next]
		after := next.next
		if here.prev >= 0 {
			left := t.places[here.prev].id
			t.lost(pair{left, p.left}, n)
			t.occurs(pair{left, id}, here.prev, n)
			grown = append(grown, pair{left, id})
		}
		if after >= 0 {
			right := t.places[after].id
			t.lost(pair{p.right, right}, n)
			t.occurs(pair{id, right}, at, n)
			grown = append(grown, pair{id, right})
			t.places[after].prev = at
		}
		here.id, here.next = id, after
		next.id = merged
	}
	for _, p := range grown {
		if o := t.pairs[p]; o != nil {
			t.list(p, o)
		}
	}
}

// lost notes that p occurs n fewer times. The heap learns of it when the pair comes to its top.
func (t *trainer) lost(p pair, n int) {
	if o := t.pairs[p]; o != nil {
		o.count -= n
	}
}
