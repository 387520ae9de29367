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
	nodes []node
	heap  minHeap
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

// merger is a tokenizer that merges the tokens of one word after the other.
type merger interface {
	// mergeWord returns the ids of a word. They are valid until s is used again.
	mergeWord(s *scratch, word string) []uint32

	// rank returns the rank of the merge of two tokens, or noRank. Lower ranks are merged first.
	rank(left, right uint32) uint32

	// made returns what the merge of two tokens makes, which has the given rank.
	made(left, right, rank uint32) uint32
}

// appendOrdinary appends the ids of text to dst. Special tokens are ordinary text to it.
func (b *BPE) appendOrdinary(dst []int, text string) ([]int, error) {
	if text == "" {
		return dst, nil
	}
	if b == nil || b.tokens == nil {
		return nil, errors.Errorf("text: Encode by a BPE that NewBPE did not make")
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
		if uint64(n) >= math.MaxUint32 {
			return nil, errors.Errorf("text: a pre-token of %d bytes is too long", n)
		}
		if n > 15 || s.cache == nil {
			for _, id := range b.mergeWord(s, text[:n]) {
				dst = append(dst, int(id))
			}
		} else {
			dst = s.appendCached(dst, b, text, n)
		}
		text = text[n:]
	}
	return dst, nil
}

// appendCached appends the ids of the word text[:n], of at most 15 bytes.
func (s *scratch) appendCached(dst []int, m merger, text string, n int) []int {
	key := wordKey(text, n)
	w := &s.cache[(key[0]*0x9e3779b97f4a7c15^key[1]*0xc2b2ae3d27d4eb4f)>>(64-cacheBits)]
	if w.key != key {
		ids := m.mergeWord(s, text[:n])
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

// mergeWord returns the ids of one pre-token.
func (b *BPE) mergeWord(s *scratch, word string) []uint32 {
	s.ids, s.ranks = s.ids[:0], s.ranks[:0]
	for i := range len(word) {
		s.ids = append(s.ids, b.byteIDs[word[i]])
	}
	for i := 1; i < len(word); i++ {
		s.ranks = append(s.ranks, b.bytePair[int(word[i-1])<<8|int(word[i])])
	}
	return s.merge(b)
}

func (b *BPE) rank(left, right uint32) uint32 {
	if r, ok := b.ranks[pair{left, right}]; ok {
		return r
	}
	return noRank
}

func (b *BPE) made(_, _, rank uint32) uint32 { return b.merges[rank].id }

// merge merges s.ids, where s.ranks holds the rank of each two neighbours.
func (s *scratch) merge(m merger) []uint32 {
	if len(s.ids) <= shortWord {
		return mergeShort(m, s.ids, s.ranks)
	}
	return s.mergeLong(m)
}

// mergeShort merges ids by searching all pairs for each merge.
func mergeShort(m merger, ids, ranks []uint32) []uint32 {
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
		ids[at] = m.made(ids[at], ids[at+1], lowest)
		ids = append(ids[:at+1], ids[at+2:]...)
		ranks = append(ranks[:at], ranks[at+1:]...)
		if at > 0 {
			ranks[at-1] = m.rank(ids[at-1], ids[at])
		}
		if at < len(ranks) {
			ranks[at] = m.rank(ids[at], ids[at+1])
		}
	}
}

// node is one of the tokens of a word that remain, which form a list. It stands in the place of the first
// of those it was merged from.
type node struct {
	id         uint32
	rank       uint32 // of the merge with the next token, or noRank
	prev, next uint32
}

// mergeLong merges s.ids with a heap of all possible merges, so that a word of a million bytes takes no more
// than n log n steps. An entry of the heap is the rank and the place of a merge in one number. It is out of
// date if the node in its place has another rank by now.
func (s *scratch) mergeLong(m merger) []uint32 {
	ids, end := s.ids, uint32(len(s.ids))
	nodes, heap := s.nodes[:0], s.heap[:0]
	for i := range end {
		n := node{id: ids[i], rank: noRank, prev: i - 1, next: i + 1}
		if i+1 < end {
			n.rank = s.ranks[i]
		}
		nodes = append(nodes, n)
		if n.rank != noRank {
			heap = append(heap, uint64(n.rank)<<32|uint64(i))
		}
	}
	for i := len(heap)/heapWidth + 1; i >= 0; i-- {
		heap.down(i)
	}
	for len(heap) > 0 {
		top := heap.pop()
		at, rank := uint32(top), uint32(top>>32)
		n := &nodes[at]
		if n.rank != rank {
			continue
		}
		gone := &nodes[n.next]
		gone.rank = noRank
		n.id, n.rank, n.next = m.made(n.id, gone.id, rank), noRank, gone.next
		if n.next < end {
			next := &nodes[n.next]
			next.prev = at
			if n.rank = m.rank(n.id, next.id); n.rank != noRank {
				heap.push(uint64(n.rank)<<32 | uint64(at))
			}
		}
		if at > 0 {
			prev := &nodes[n.prev]
			if prev.rank = m.rank(prev.id, n.id); prev.rank != noRank {
				heap.push(uint64(prev.rank)<<32 | uint64(n.prev))
			}
		}
	}
	s.nodes, s.heap = nodes, heap
	n := 0
	for i := uint32(0); i < end; i = nodes[i].next {
		ids[n] = nodes[i].id
		n++
	}
	return ids[:n]
}
