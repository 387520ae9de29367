package text

import (
	"math"

	"github.com/pkg/errors"
)

// scratch is what encoding needs besides the tokenizer. The cache remembers pre-tokens already encoded: text
// repeats its words, and finding one takes a few instructions where merging takes hundreds. It has a fixed
// size, and a word takes the place of whichever stood in its slot.
type scratch struct {
	ids   []uint32
	ranks []uint32
	links []link
	heap  []candidate
	cache []word
}

// word is a pre-token of up to 15 bytes that makes up to 5 tokens. It holds no pointer, so the collector need
// not look at the cache.
type word struct {
	key [2]uint64 // the bytes and, in the last one, their number
	n   uint32
	ids [5]uint32
}

const (
	cacheBits = 14   // 640 KiB
	cacheText = 4096 // text shorter than this is encoded without a cache, which would take longer to make
	shortWord = 64   // up to here a linear search beats a heap
	noRank    = math.MaxUint32
)

// appendOrdinary appends the ids of text to dst. Special tokens are ordinary text to it.
func (b *BPE) appendOrdinary(dst []int, text string) ([]int, error) {
	if text == "" {
		return dst, nil
	}
	s, _ := b.scratch.Get().(*scratch)
	if s == nil {
		s = new(scratch)
	}
	defer b.scratch.Put(s)
	if s.cache == nil && len(text) >= cacheText {
		s.cache = make([]word, 1<<cacheBits)
	}
	for text != "" {
		n := pretoken(text)
		if n >= math.MaxUint32 {
			return nil, errors.Errorf("text: a pre-token of %d bytes is too long", n)
		}
		if n > 15 || s.cache == nil {
			for _, id := range b.mergeWord(s, text[:n]) {
				dst = append(dst, int(id))
			}
		} else {
			dst = b.appendCached(dst, s, text, n)
		}
		text = text[n:]
	}
	return dst, nil
}

// appendCached appends the ids of the pre-token text[:n], of at most 15 bytes.
func (b *BPE) appendCached(dst []int, s *scratch, text string, n int) []int {
	key := wordKey(text, n)
	w := &s.cache[(key[0]*0x9e3779b97f4a7c15^key[1]*0xc2b2ae3d27d4eb4f)>>(64-cacheBits)]
	if w.key != key {
		ids := b.mergeWord(s, text[:n])
		if len(ids) > len(w.ids) {
			for _, id := range ids {
				dst = append(dst, int(id))
			}
			return dst
		}
		w.key, w.n = key, uint32(len(ids))
		copy(w.ids[:], ids)
	}
	for _, id := range w.ids[:min(w.n, uint32(len(w.ids)))] {
		dst = append(dst, int(id))
	}
	return dst
}

// wordKey returns text[:n] and n as one value. n is between 1 and 15.
func wordKey(text string, n int) [2]uint64 {
	var lo, hi uint64
	if len(text) >= 16 {
		lo, hi = load64(text), load64(text[8:])
		if n < 8 {
			lo &= 1<<(8*n) - 1
			hi = 0
		} else {
			hi &= 1<<(8*(n-8)) - 1
		}
	} else {
		for i := range n {
			if i < 8 {
				lo |= uint64(text[i]) << (8 * i)
			} else {
				hi |= uint64(text[i]) << (8 * (i - 8))
			}
		}
	}
	return [2]uint64{lo, hi | uint64(n)<<56}
}

// load64 returns the first eight bytes of s. The compiler makes one load of it.
func load64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// mergeWord returns the ids of one pre-token. They are valid until s is used again.
func (b *BPE) mergeWord(s *scratch, word string) []uint32 {
	s.ids = s.ids[:0]
	for i := range len(word) {
		s.ids = append(s.ids, b.byteIDs[word[i]])
	}
	if len(word) <= shortWord {
		return b.mergeShort(s)
	}
	return b.mergeLong(s)
}

// rank returns the rank of the merge of two tokens, or noRank.
func (b *BPE) rank(left, right uint32) uint32 {
	if r, ok := b.ranks[pair{left, right}]; ok {
		return r
	}
	return noRank
}

// mergeShort merges s.ids by searching all pairs for each merge.
func (b *BPE) mergeShort(s *scratch) []uint32 {
	ids, ranks := s.ids, s.ranks[:0]
	for i := 1; i < len(ids); i++ {
		ranks = append(ranks, b.rank(ids[i-1], ids[i]))
	}
	s.ranks = ranks
	for { // ranks[i] is that of ids[i] and ids[i+1]
		at, lowest := 0, uint32(noRank)
		for i, r := range ranks {
			if r < lowest {
				at, lowest = i, r
			}
		}
		if lowest == noRank {
			return ids
		}
		ids[at] = b.merges[lowest].id
		ids = append(ids[:at+1], ids[at+2:]...)
		ranks = append(ranks[:at], ranks[at+1:]...)
		if at > 0 {
			ranks[at-1] = b.rank(ids[at-1], ids[at])
		}
		if at < len(ranks) {
			ranks[at] = b.rank(ids[at], ids[at+1])
		}
	}
}

// link makes a list of the tokens of a word that remain, by the places of their first bytes.
type link struct{ prev, next uint32 }

// candidate is a merge that was possible when it was found, and still is if its tokens are still there.
type candidate struct {
	rank, at    uint32
	left, right uint32
}

func (c candidate) before(d candidate) bool {
	return c.rank < d.rank || c.rank == d.rank && c.at < d.at
}

// gone marks the place of a token that was merged into the one before. It is no id.
const gone = math.MaxUint32

// mergeLong merges s.ids with a heap of candidates, so that a word of a million bytes takes no more than
// n log n steps.
func (b *BPE) mergeLong(s *scratch) []uint32 {
	ids, end := s.ids, uint32(len(s.ids))
	s.links = s.links[:0]
	s.heap = s.heap[:0]
	for i := range end {
		s.links = append(s.links, link{i - 1, i + 1})
		if i+1 < end {
			if r := b.rank(ids[i], ids[i+1]); r != noRank {
				s.heap = append(s.heap, candidate{r, i, ids[i], ids[i+1]})
			}
		}
	}
	for i := len(s.heap)/2 - 1; i >= 0; i-- {
		s.down(i)
	}
	for len(s.heap) > 0 {
		c := s.pop()
		at, next := c.at, s.links[c.at].next
		if ids[at] != c.left || next == end || ids[next] != c.right {
			continue
		}
		ids[at], ids[next] = b.merges[c.rank].id, gone
		after := s.links[next].next
		s.links[at].next = after
		if after < end {
			s.links[after].prev = at
			if r := b.rank(ids[at], ids[after]); r != noRank {
				s.push(candidate{r, at, ids[at], ids[after]})
			}
		}
		if at > 0 {
			prev := s.links[at].prev
			if r := b.rank(ids[prev], ids[at]); r != noRank {
				s.push(candidate{r, prev, ids[prev], ids[at]})
			}
		}
	}
	n := 0
	for i := uint32(0); i < end; i = s.links[i].next {
		ids[n] = ids[i]
		n++
	}
	return ids[:n]
}

func (s *scratch) push(c candidate) {
	s.heap = append(s.heap, c)
	i := len(s.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !c.before(s.heap[parent]) {
			break
		}
		s.heap[i] = s.heap[parent]
		i = parent
	}
	s.heap[i] = c
}

func (s *scratch) pop() candidate {
	top := s.heap[0]
	last := len(s.heap) - 1
	s.heap[0] = s.heap[last]
	s.heap = s.heap[:last]
	if last > 0 {
		s.down(0)
	}
	return top
}

// down moves s.heap[i] to its place among those below it.
func (s *scratch) down(i int) {
	h, c := s.heap, s.heap[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(c) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = c
}
