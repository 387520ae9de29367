package text

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// llamaPieces returns a SentencePieceConfig as in Llama's files: three special tokens, those of the bytes and then
// tokens, each of a score less by one than the one before.
func llamaPieces(tokens ...string) SentencePieceConfig {
	c := SentencePieceConfig{
		Tokens:  append(make([]string, 3+256), tokens...),
		Special: map[string]int{unknown: 0, BOS: 1, EOS: 2},
		BOS:     BOS,
	}
	for b := range c.Bytes {
		c.Bytes[b] = 3 + b
	}
	c.Scores = make([]float32, len(c.Tokens))
	for i := range tokens {
		c.Scores[3+256+i] = -float32(i)
	}
	return c
}

// smallPieces has tokens of several characters, across spaces, of other scripts and of none.
func smallPieces() SentencePieceConfig {
	return llamaPieces(" t", "he", " a", "th", "  ", " the", "aa", "ab", "aaa", "    ", " aa", "é中", "ll", "'s", "\n\n", ".\n", "e\u0301", "12",
		" ", "e", "t", "h", "a", "b", "é", "中", "l", "s", "'", "\n", ".", "\u0301", "1", "2", "\ufffd", "<", "|", "🙂")
}

func newPieces(t testing.TB, c SentencePieceConfig) *SentencePiece {
	t.Helper()
	s, err := NewSentencePiece(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tok512 returns the tokenizer of stories260K from one of its files, or skips the test.
func tok512(t testing.TB, file string) *SentencePiece {
	t.Helper()
	tok, err := Load(strings.NewReader(readData(t, "stories260K/"+file)))
	if err != nil {
		t.Fatal(err)
	}
	return tok.(*SentencePiece)
}

// refPieces is the definition of SentencePiece written down as naively as can be.
func refPieces(c SentencePieceConfig, text string, start bool) (out []int) {
	ids, ranks := map[string]int{}, map[Merge]int{}
	for id, token := range c.Tokens {
		if token != "" {
			ids[token] = id
		}
	}
	for rank, m := range c.Merges {
		ranks[m] = rank
	}
	cost := func(m Merge) float64 { // the least is merged first
		if c.Merges != nil {
			if rank, ok := ranks[m]; ok {
				return float64(rank)
			}
		} else if id, ok := ids[m.Left+m.Right]; ok && c.Scores != nil {
			return -float64(c.Scores[id])
		}
		return math.Inf(1)
	}
	for i, part := range refSplit(text, c.Special) {
		if i%2 == 1 {
			out = append(out, c.Special[part])
			continue
		}
		if part != "" && (c.Prefix == PrefixAll && (start || i > 0) || c.Prefix == PrefixFirst && start && i == 0) {
			part = " " + part
		}
		var tokens []string // a byte that is no token is "" with its id in bytes
		var bytes []int
		for len(part) > 0 {
			_, n := utf8.DecodeRuneInString(part)
			if _, ok := ids[part[:n]]; ok {
				tokens, bytes = append(tokens, part[:n]), append(bytes, 0)
			} else {
				for k := range n {
					tokens, bytes = append(tokens, ""), append(bytes, c.Bytes[part[k]])
				}
			}
			part = part[n:]
		}
		for {
			at, least := -1, math.Inf(1)
			for k := 1; k < len(tokens); k++ {
				if m := (Merge{tokens[k-1], tokens[k]}); m.Left != "" && m.Right != "" && cost(m) < least {
					at, least = k-1, cost(m)
				}
			}
			if at < 0 {
				break
			}
			tokens[at] += tokens[at+1]
			tokens, bytes = slices.Delete(tokens, at+1, at+2), slices.Delete(bytes, at+1, at+2)
		}
		for k, token := range tokens {
			if token == "" {
				out = append(out, bytes[k])
			} else {
				out = append(out, ids[token])
			}
		}
	}
	return out
}

// randomPieces returns a vocabulary of few letters, in which much can be merged in many orders.
func randomPieces(rng *rand.Rand) SentencePieceConfig {
	seen := map[string]bool{}
	var tokens []string
	for range 1 + rng.IntN(30) {
		token := ""
		for range 1 + rng.IntN(4) {
			token += []string{"a", "b", " ", "é", "<"}[rng.IntN(5)]
		}
		if !seen[token] {
			seen[token] = true
			tokens = append(tokens, token)
		}
	}
	c := llamaPieces(tokens...)
	c.Prefix = Prefix(rng.IntN(3))
	for id := range c.Scores {
		c.Scores[id] = float32(rng.IntN(6)) / 2 // some are the same
	}
	if rng.IntN(2) == 0 {
		c.Scores, c.Merges = nil, []Merge{}
		for i := 1; i < len(tokens); i++ {
			for _, token := range tokens {
				for k := 1; k < len(token); k++ {
					if m := (Merge{token[:k], token[k:]}); seen[m.Left] && seen[m.Right] && !slices.Contains(c.Merges, m) && rng.IntN(3) > 0 {
						c.Merges = append(c.Merges, m)
					}
				}
			}
		}
		rng.Shuffle(len(c.Merges), func(i, j int) { c.Merges[i], c.Merges[j] = c.Merges[j], c.Merges[i] })
	}
	return c
}

// onePiece returns a vocabulary by which every text of the letters a, b and c is one word.
func onePiece() (SentencePieceConfig, *rand.Rand) {
	rng := rand.New(rand.NewPCG(5, 6))
	var tokens []string
	for _, x := range "abc" {
		tokens = append(tokens, string(x), " "+string(x))
		for _, y := range "abc" {
			tokens = append(tokens, string(x)+string(y), string(x)+"b"+string(y)+"a")
		}
	}
	rng.Shuffle(len(tokens), func(i, j int) { tokens[i], tokens[j] = tokens[j], tokens[i] })
	return llamaPieces(append(tokens, " ")...), rng
}

func letters(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abc"[rng.IntN(3)]
	}
	return b
}
