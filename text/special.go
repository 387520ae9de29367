package text

import (
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/pkg/errors"
)

const (
	maxSpecial  = 1 << 10 // the longest special token, because looking for it can take its length everywhere
	maxSpecials = 1 << 18 // the length of all of them, each byte of which can make a node
)

// checkSpecials says what is wrong with special tokens and their ids. It returns one more than the largest id.
func checkSpecials(special map[string]int) (top int, err error) {
	length := 0
	for _, token := range slices.Sorted(maps.Keys(special)) { // sorted, for the same error every time
		id := special[token]
		switch {
		case token == "":
			return 0, errors.Errorf("text: special token %d is empty", id)
		case !utf8.ValidString(token):
			return 0, errors.Errorf("text: special token %q is not valid UTF-8", token)
		case id < 0 || id > maxID:
			return 0, errors.Errorf("text: special token %q cannot have id %d", token, id)
		case len(token) > maxSpecial:
			return 0, errors.Errorf("text: special token %d is %d bytes long, more than %d", id, len(token), maxSpecial)
		}
		if length += len(token); length > maxSpecials {
			return 0, errors.Errorf("text: special tokens are longer than %d bytes together", maxSpecials)
		}
		top = max(top, id+1)
	}
	return top, nil
}

// specials finds special tokens in text. It is a trie over their bytes, so that looking costs no more for
// hundreds of them than for one. The zero value finds none.
type specials struct {
	nodes []specialNode // nodes[0] is the root
	first [256]bool     // the bytes that some special token starts with
}

type specialNode struct {
	next map[byte]int // the nodes that follow
	id   int          // the special token that ends here, or -1
}

func (s *specials) add(token string, id int) {
	if s.nodes == nil {
		s.nodes = []specialNode{{id: -1}}
	}
	s.first[token[0]] = true
	at := 0
	for i := range len(token) {
		next, ok := s.nodes[at].next[token[i]]
		if !ok {
			next = len(s.nodes)
			s.nodes = append(s.nodes, specialNode{id: -1})
			if s.nodes[at].next == nil {
				s.nodes[at].next = make(map[byte]int)
			}
			s.nodes[at].next[token[i]] = next
		}
		at = next
	}
	s.nodes[at].id = id
}

// find returns where the first special token of text starts, its length and its id: the longest of those
// that start there. It returns len(text), 0, 0 if there is none.
func (s *specials) find(text string) (at, n, id int) {
	if s.nodes == nil {
		return len(text), 0, 0
	}
	for i := range len(text) {
		if !s.first[text[i]] {
			continue
		}
		node := 0
		for j := i; j < len(text); j++ {
			next, ok := s.nodes[node].next[text[j]]
			if !ok {
				break
			}
			if node = next; s.nodes[node].id >= 0 {
				at, n, id = i, j+1-i, s.nodes[node].id
			}
		}
		if n > 0 {
			return at, n, id
		}
	}
	return len(text), 0, 0
}

// across reports whether a special token that starts before text[cut] could end after it, whatever follows
// text. longest is the length of the longest special token.
func (s *specials) across(text string, cut, longest int) bool {
	if s.nodes == nil {
		return false
	}
	for i := max(0, cut-longest+1); i < cut; i++ {
		node, ok, j := 0, true, i
		for ; ok && j < len(text) && j <= cut; j++ {
			node, ok = s.nodes[node].next[text[j]]
		}
		if ok && (j > cut || len(s.nodes[node].next) > 0) {
			return true
		}
	}
	return false
}

// ends reports whether a special token ends at text[cut], wherever it starts. longest is the length of the
// longest special token.
func (s *specials) ends(text string, cut, longest int) bool {
	if s.nodes == nil {
		return false
	}
	for i := max(0, cut-longest); i < cut; i++ {
		node, ok, j := 0, true, i
		for ; ok && j < cut; j++ {
			node, ok = s.nodes[node].next[text[j]]
		}
		if ok && s.nodes[node].id >= 0 {
			return true
		}
	}
	return false
}
