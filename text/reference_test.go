package text

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// The reference in this file is the definition of GPT-2's tokenizer written down as naively as can be, to
// compare the fast one with.

// refPretokens cuts text by trying the alternatives of the pattern one after the other at each place.
func refPretokens(text string) []string {
	type char struct {
		bytes string
		r     rune
	}
	var chars []char
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		chars = append(chars, char{text[:n], r})
		text = text[n:]
	}
	isLetter := func(r rune) bool { return unicode.Is(unicode.L, r) }
	isNumber := func(r rune) bool { return unicode.Is(unicode.N, r) }
	isSpace := func(r rune) bool { return unicode.Is(unicode.White_Space, r) }
	isOther := func(r rune) bool { return !isSpace(r) && !isLetter(r) && !isNumber(r) }
	literal := func(s string) func(i int) int {
		return func(i int) int {
			for k := range len(s) {
				if i+k >= len(chars) || chars[i+k].r != rune(s[k]) {
					return 0
				}
			}
			return len(s)
		}
	}
	some := func(is func(rune) bool) func(i int) int { // " ?" then one or more
		return func(i int) int {
			start := i
			if chars[i].r == ' ' && i+1 < len(chars) && is(chars[i+1].r) {
				i++
			}
			end := i
			for end < len(chars) && is(chars[end].r) {
				end++
			}
			if end == i {
				return 0
			}
			return end - start
		}
	}
	spaces := func(i int) int {
		n := 0
		for i+n < len(chars) && isSpace(chars[i+n].r) {
			n++
		}
		return n
	}
	alternatives := []func(i int) int{
		literal("'s"), literal("'t"), literal("'re"), literal("'ve"), literal("'m"), literal("'ll"), literal("'d"),
		some(isLetter), some(isNumber), some(isOther),
		func(i int) int { // \s+(?!\S), giving back one at a time
			for n := spaces(i); n > 0; n-- {
				if i+n == len(chars) || isSpace(chars[i+n].r) {
					return n
				}
			}
			return 0
		},
		spaces,
	}
	var words []string
	for i := 0; i < len(chars); {
		for _, match := range alternatives {
			if n := match(i); n > 0 {
				word := ""
				for _, c := range chars[i : i+n] {
					word += c.bytes
				}
				words = append(words, word)
				i += n
				break
			}
		}
	}
	return words
}

// refSplit cuts text at special tokens: at each place the longest.
func refSplit(text string, special map[string]int) (parts []string) {
	start := 0
	for i := 0; i < len(text); i++ {
		found := ""
		for token := range special {
			if strings.HasPrefix(text[i:], token) && len(token) > len(found) {
				found = token
			}
		}
		if found != "" {
			parts = append(parts, text[start:i], found)
			start = i + len(found)
			i = start - 1
		}
	}
	return append(parts, text[start:])
}

// refEncode encodes text by merging, as long as there is one, the pair of lowest rank wherever it stands.
func refEncode(b *BPE, text string) []int {
	ids := map[string]int{}
	for id, token := range b.tokens {
		if token != "" {
			ids[token] = id
		}
	}
	ranks := map[Merge]int{}
	for rank, m := range b.Merges() {
		ranks[m] = rank
	}
	out := []int{}
	for i, part := range refSplit(text, b.special) {
		if i%2 == 1 {
			out = append(out, b.special[part])
			continue
		}
		for _, word := range refPretokens(part) {
			tokens := strings.Split(strings.Repeat("x", len(word)), "")
			for i := range tokens {
				tokens[i] = word[i : i+1]
			}
			for _, token := range refMergeAll(tokens, ranks) {
				out = append(out, ids[token])
			}
		}
	}
	return out
}

func refMergeAll(tokens []string, ranks map[Merge]int) []string {
	for {
		best, found := Merge{}, false
		for i := 1; i < len(tokens); i++ {
			m := Merge{tokens[i-1], tokens[i]}
			if rank, ok := ranks[m]; ok && (!found || rank < ranks[best]) {
				best, found = m, true
			}
		}
		if !found {
			return tokens
		}
		tokens = refMerge(tokens, best)
	}
}

func refMerge(tokens []string, m Merge) (merged []string) {
	for i := 0; i < len(tokens); i++ {
		if i+1 < len(tokens) && tokens[i] == m.Left && tokens[i+1] == m.Right {
			merged = append(merged, m.Left+m.Right)
			i++
		} else {
			merged = append(merged, tokens[i])
		}
	}
	return merged
}

// refTrain counts all pairs anew for every merge.
func refTrain(text string, n int, special ...string) (merges []Merge) {
	cut := map[string]int{}
	for _, token := range special {
		cut[token] = 0
	}
	counts := map[string]int{}
	for i, part := range refSplit(text, cut) {
		if i%2 == 0 {
			for _, word := range refPretokens(part) {
				counts[word]++
			}
		}
	}
	words := map[string][]string{}
	for word := range counts {
		for i := range len(word) {
			words[word] = append(words[word], word[i:i+1])
		}
	}
	for range n {
		pairs := map[Merge]int{}
		for word, tokens := range words {
			for i := 1; i < len(tokens); i++ {
				pairs[Merge{tokens[i-1], tokens[i]}] += counts[word]
			}
		}
		best, most := Merge{}, 0
		for m, count := range pairs {
			if count > most || count == most && (m.Left > best.Left || m.Left == best.Left && m.Right > best.Right) {
				best, most = m, count
			}
		}
		if most == 0 {
			break
		}
		merges = append(merges, best)
		for word, tokens := range words {
			words[word] = refMerge(tokens, best)
		}
	}
	return merges
}

// randomText returns text made to be difficult: of few letters, with every kind of space, parts of special
// tokens and of characters.
func randomText(rng *rand.Rand, n int) string {
	parts := []string{
		"a", "a", "b", "ab", "the", " ", " ", "  ", "\n", "\t", "\r\n", "'", "'s", "'ll", "'r", "e", "1", "23", ".", "!?",
		"é", "中", "\u00a0", "\u3000", "\u0085", "🙂", "²", "\u0301", "\xff", "\xe4\xb8", "\x80", "\ufffd", "\x00",
		"<|endoftext|>", "<|endoftext|", "<|", "<|end|>", "<|end", "|>",
	}
	var b strings.Builder
	for range n {
		b.WriteString(parts[rng.IntN(len(parts))])
	}
	return b.String()
}

// readData returns a file of data that is not part of the repository, or skips the test.
func readData(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("../../shared/data/" + name)
	if err != nil {
		t.Skip("no test data: ", err)
	}
	return string(data)
}

// gpt2 returns GPT-2's tokenizer, or skips the test.
func gpt2(t testing.TB) *BPE {
	t.Helper()
	tok, err := Load(strings.NewReader(readData(t, "gpt2/tokenizer.json")))
	if err != nil {
		t.Fatal(err)
	}
	return tok.(*BPE)
}

// trained returns a small tokenizer with special tokens, one the start of another.
func trained(t testing.TB) *BPE {
	t.Helper()
	text := strings.Repeat("the cat's cats aaaa aaab abab the then ab é中 \n\n  12 123 <|endoftext|> <|end|>!\n", 3)
	b, err := TrainBPE(t.Context(), strings.NewReader(text), TrainConfig{VocabSize: 320, Special: []string{EndOfText, "<|end|>", "<|"}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// encode returns the ids of text, which the tokenizer is known to have.
func encode(t testing.TB, tok Tokenizer, text string) []int {
	t.Helper()
	ids, err := tok.Encode(text)
	if err != nil {
		t.Fatalf("Encode(%.40q): %v", text, err)
	}
	return ids
}
