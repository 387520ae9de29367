package constrain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// list returns the vocabulary of tokens, and an end token after them.
func list(t testing.TB, tokens ...string) *Vocab {
	t.Helper()
	v, err := NewVocab(len(tokens)+1, func(id int) string { return append(tokens, "")[id] }, len(tokens))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// byteTokens returns the 256 bytes.
func byteTokens() (tokens []string) {
	for c := range 256 {
		tokens = append(tokens, string([]byte{byte(c)}))
	}
	return tokens
}

// mergedTokens returns the 256 bytes and n more tokens that are cut out of a text at random, without respect for
// characters, as byte-pair encoding makes them.
func mergedTokens(text string, n int) []string {
	tokens := byteTokens()
	rng := rand.New(rand.NewPCG(1, 2))
	for range n {
		at := rng.IntN(len(text))
		tokens = append(tokens, text[at:min(len(text), at+2+rng.IntN(5))])
	}
	return tokens
}

// A walk comes by every prefix of every token once, and skips what it is told to.
func TestVocabWalk(t *testing.T) {
	tokens := []string{"b", "abc", "", "ab", "b", "a\xff", "ba", "\x00"}
	v := list(t, tokens...)
	var got []string
	path := ""
	for i, n := range v.nodes {
		path = path[:n.depth] + string([]byte{n.last})
		ids := slices.Clone(v.ids[n.tokens : n.tokens+n.n])
		for _, id := range ids {
			if tokens[id] != path {
				t.Errorf("token %d, %q, ends at %q", id, tokens[id], path)
			}
		}
		if int(n.after) < len(v.nodes) && v.nodes[n.after].depth > n.depth || int(n.after) <= i {
			t.Errorf("after %q comes node %d of depth %d", path, n.after, v.nodes[n.after].depth)
		}
		got = append(got, fmt.Sprintf("%q%v", path, ids))
	}
	want := []string{`"\x00"[7]`, `"a"[]`, `"ab"[3]`, `"abc"[1]`, `"a\xff"[5]`, `"b"[0 4]`, `"ba"[6]`}
	if !slices.Equal(got, want) {
		t.Errorf("walked by %s, want %s", got, want)
	}
}

func TestVocabErrors(t *testing.T) {
	text := func(int) string { return "a" }
	for _, c := range []struct {
		size int
		text func(int) string
		end  []int
	}{
		{0, text, []int{0}}, {-1, text, []int{0}}, {1 << 40, text, []int{0}}, {3, nil, []int{0}}, {3, text, nil},
		{3, text, []int{3}}, {3, text, []int{0, -1}},
	} {
		if _, err := NewVocab(c.size, c.text, c.end...); err == nil {
			t.Errorf("a vocabulary of %d tokens with end tokens %v is no error", c.size, c.end)
		}
	}
}

// names is a tokenizer of two tokens and two special ones, and an id of none.
type names struct{}

func (names) Token(id int) (string, bool) {
	if id < 0 || id > 3 {
		return "", false
	}
	return []string{"a", "<s>", "<end>", "<s"}[id], true
}

func (names) Special(token string) (int, bool) {
	id := slices.Index([]string{"", "<s>", "<end>"}, token)
	return id, id > 0
}

func (names) VocabSize() int { return 5 }

func TestVocabOf(t *testing.T) {
	v, err := VocabOf(names{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Regexp(v, "(?s).*")
	if err != nil {
		t.Fatal(err)
	}
	var m Mask
	if err := c.Mask(&m); err != nil {
		t.Fatal(err)
	}
	for id, want := range []bool{true, false, true, true, false} {
		if m.Allows(id) != want {
			t.Errorf("token %d is allowed: %t", id, !want)
		}
	}
	if _, err := VocabOf(nil, 2); err == nil {
		t.Error("no tokenizer is no error")
	}
	if _, err := VocabOf(names{}); err == nil {
		t.Error("no end token is no error")
	}
}
