package text

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// link is the merge of a pair. Merges of one rank are done from left to right.
type link struct{ rank, made uint32 }

// linkScores finds what can be merged: each way to part a token into two others. The rank is the place of
// the score of the token among all scores, the highest first.
func (s *SentencePiece) linkScores(ids map[string]uint32) error {
	ranked := slices.Clone(s.scores)
	slices.Sort(ranked)
	ranked = slices.Compact(ranked)
	s.links = make(map[pair]link)
	for id, token := range s.tokens {
		if s.kinds[id] != ordinary {
			continue
		}
		at, _ := slices.BinarySearch(ranked, s.scores[id])
		l := link{rank: uint32(len(ranked) - 1 - at), made: uint32(id)}
		for _, p := range parts(token, ids) {
			if len(s.links) == maxEntries {
				return errors.Errorf("text: there are more than %d merges", maxEntries)
			}
			s.links[p] = l
		}
	}
	return nil
}

// parts returns each way to part a token into two others, the shortest left one first.
func parts(token string, ids map[string]uint32) (pairs []pair) {
	for i := range token {
		if left, ok := ids[token[:i]]; ok {
			if right, ok := ids[token[i:]]; ok {
				pairs = append(pairs, pair{left, right})
			}
		}
	}
	return pairs
}

// linkMerges sets what can be merged to merges.
func (s *SentencePiece) linkMerges(ids map[string]uint32, merges []Merge) error {
	s.links = make(map[pair]link, len(merges))
	s.merges = make([]merge, len(merges))
	for rank, m := range merges {
		left, okLeft := ids[m.Left]
		right, okRight := ids[m.Right]
		id, ok := ids[m.Left+m.Right]
		if !okLeft || !okRight || !ok {
			return errors.Errorf("text: merge %d joins %q and %q, and not all three are ordinary tokens", rank, m.Left, m.Right)
		}
		p := pair{left, right}
		if old, ok := s.links[p]; ok {
			return errors.Errorf("text: merges %d and %d both join %q and %q", old.rank, rank, m.Left, m.Right)
		}
		s.links[p] = link{rank: uint32(rank), made: id}
		s.merges[rank] = merge{p, id}
	}
	return nil
}

func (s *SentencePiece) rank(left, right uint32) uint32 {
	if l, ok := s.links[pair{left, right}]; ok {
		return l.rank
	}
	return noRank
}

func (s *SentencePiece) made(left, right, _ uint32) uint32 { return s.links[pair{left, right}].made }

// ranked returns the merges by rank. Merges cannot say that two tokens have one score, which is an error. Of
// those that make one token, the longest left one comes first, as where Hugging Face converts the files of
// SentencePiece.
func (s *SentencePiece) ranked() ([]merge, error) {
	if s.scores == nil {
		return s.merges, nil
	}
	merges := make([]merge, 0, len(s.links))
	for p, l := range s.links {
		merges = append(merges, merge{p, l.made})
	}
	slices.SortFunc(merges, func(a, b merge) int {
		return cmp.Or(
			cmp.Compare(s.scores[b.id], s.scores[a.id]),
			cmp.Compare(a.id, b.id),
			cmp.Compare(len(s.tokens[b.left]), len(s.tokens[a.left])),
		)
	})
	for i := 1; i < len(merges); i++ {
		if a, b := merges[i-1].id, merges[i].id; a != b && s.scores[a] == s.scores[b] {
			return nil, errors.Errorf("text: tokens %q and %q have one score, %g, which merges cannot say", s.tokens[a], s.tokens[b], s.scores[a])
		}
	}
	return merges, nil
}

// scored returns scores that have the effect of the merges: one less for each token they make, in their
// order, and less for the others. It is an error if there are none, because scores merge whatever makes a
// token, and all that makes one token at once.
func (s *SentencePiece) scored() ([]float32, error) {
	if s.scores != nil {
		return s.scores, nil
	}
	ids := make(map[string]uint32, len(s.tokens))
	for id, token := range s.tokens {
		if s.kinds[id] == ordinary {
			ids[token] = uint32(id)
		}
	}
	scores := make([]float32, len(s.tokens))
	isMade := make([]bool, len(s.tokens))
	next := float32(math.Copysign(0, -1)) // the first score in SentencePiece's own files
	last := uint32(noID)
	for rank, m := range s.merges {
		if m.id == last {
			continue
		}
		if isMade[m.id] {
			return nil, errors.Errorf("text: merge %d makes %q, as an earlier one does but not the last, which scores cannot say", rank, s.tokens[m.id])
		}
		scores[m.id], isMade[m.id], last = next, true, m.id
		next--
	}
	for id, token := range s.tokens {
		if s.kinds[id] != ordinary {
			continue
		}
		for _, p := range parts(token, ids) {
			if _, ok := s.links[p]; !ok {
				return nil, errors.Errorf("text: no merge joins %q and %q, which scores cannot say", s.tokens[p.left], s.tokens[p.right])
			}
		}
		if !isMade[id] {
			scores[id] = next
			next--
		}
	}
	if next < -1<<24 {
		return nil, errors.Errorf("text: %g tokens are too many for scores", -next)
	}
	return scores, nil
}

// neighbours is a set of pairs of characters: those that stand next to each other in some token. Between
// characters that are not in it nothing is ever merged, so a text can be cut there.
type neighbours struct {
	ascii [utf8.RuneSelf][2]uint64 // a bit for each character that may follow
	more  map[[2]rune]struct{}
}

func (n *neighbours) add(token string) {
	prev, size := utf8.DecodeRuneInString(token)
	for _, r := range token[size:] {
		if prev < utf8.RuneSelf && r < utf8.RuneSelf {
			n.ascii[prev][r>>6] |= 1 << (r & 63)
		} else {
			if n.more == nil {
				n.more = make(map[[2]rune]struct{})
			}
			n.more[[2]rune{prev, r}] = struct{}{}
		}
		prev = r
	}
}

func (n *neighbours) has(left, right rune) bool {
	if left < utf8.RuneSelf && right < utf8.RuneSelf {
		return n.ascii[left][right>>6]>>(right&63)&1 != 0
	}
	_, ok := n.more[[2]rune{left, right}]
	return ok
}

// crosses reports whether a space stands after another character.
func (n *neighbours) crosses() bool {
	for _, after := range n.ascii {
		if after[0]>>' '&1 != 0 {
			return true
		}
	}
	for p := range n.more {
		if p[1] == ' ' {
			return true
		}
	}
	return false
}
