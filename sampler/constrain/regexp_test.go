package constrain

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var expressions = []string{
	``, `a`, `abc|abd|b`, `(ab)*c?`, `a{2,5}b+`, `[a-c]*b[a-c]{3}`, `\d{4}-\d\d-\d\d`, `(?i)straße|KELVIN`, `.*`, `(?s).*x`,
	`\w+( \w+)*`, `\bab\b.*`, `a*\b`, `(\Ba|b\B)+c`, `^ab$|^$`, `(?m)(^a.*$\n?)+`, `(?m)^$`, `a$`, `(a|b$)*`, `[^a-z\n]+`,
	`\p{Greek}+`, `[\x{80}-\x{10ffff}]{1,3}`, `[é-ﬀ]*€?`, `\x{ffff}|\x{10000}`, `(a?){12}`, `((a|b)*a(a|b)){2}`,
	`\PL{0,2}`, `(?:"(?:[^"\\]|\\.)*")`, `[\x00-\x7f]+?`, `\Aab\z`, `a(|b|cd*)e`, `(?U)a+b`,
}

const expressionText = "ab aab abba straße KELVIN 2024-01-31 αβγ é€ﬀ \"quo\\\"ted\" \n aacde "

// walks lets tokens follow at random and checks with the function given that every text at which an end token may
// come is one that may end, and the other way round.
func walks(t *testing.T, what string, m *Matcher, n int, complete func(text string) bool) {
	t.Helper()
	v := m.machine.vocab
	rng := rand.New(rand.NewPCG(7, uint64(len(what))))
	var mask Mask
	for range n {
		c, text := m.Clone(), ""
		for step := range 30 {
			if err := c.Mask(&mask); err != nil {
				t.Fatalf("%s after %q: %v", what, text, err)
			}
			var ids []int
			for id := range v.Size() {
				if mask.Allows(id) {
					ids = append(ids, id)
				}
			}
			if len(ids) == 0 || len(ids) != mask.Len() {
				t.Fatalf("%s after %q: %d tokens may follow, Len is %d", what, text, len(ids), mask.Len())
			}
			end := v.end[0]
			if done := complete(text); c.Done() != done || mask.Allows(end) != done {
				t.Fatalf("%s: Done is %t after %q, the end allowed is %t, want %t", what, c.Done(), text, mask.Allows(end), done)
			}
			id := ids[rng.IntN(len(ids))]
			if c.Done() && (step > 20 || rng.IntN(4) == 0) {
				id = end
			}
			// The mask is what Accept does; a token that is refused changes nothing.
			from, to := 0, v.Size()
			if rng.IntN(16) > 0 { // errors take their time
				from = rng.IntN(v.Size())
				to = from + 1
			}
			for no := from; no < to; no++ {
				if allowed := mask.Allows(no); !allowed && c.Accept(no) == nil || allowed && c.Clone().Accept(no) != nil {
					t.Fatalf("%s after %q: token %d, %q, is allowed: %t, unlike Accept", what, text, no, v.texts[no], allowed)
				}
			}
			if err := c.Accept(id); err != nil {
				t.Fatalf("%s after %q: %v", what, text, err)
			}
			if id == end {
				if !c.Done() || c.Mask(&mask) == nil || c.Accept(ids[0]) == nil {
					t.Fatalf("%s: after the end of %q there is more", what, text)
				}
				break
			}
			text += v.texts[id]
		}
	}
}

func TestRegexpWalks(t *testing.T) {
	for name, tokens := range map[string][]string{"bytes": byteTokens(), "merged": mergedTokens(expressionText, 300)} {
		v := list(t, tokens...)
		for _, expr := range expressions {
			m, err := Regexp(v, expr)
			if err != nil {
				t.Fatal(err)
			}
			re := regexp.MustCompile(`\A(?:` + expr + `)\z`)
			walks(t, name+" "+expr, m, 40, func(text string) bool { return utf8.ValidString(text) && re.MatchString(text) })
		}
	}
}

// All texts over a small alphabet, cut in every way, are allowed exactly if they are the start of a match or a match.
func TestRegexpIsComplete(t *testing.T) {
	tokens := []string{"a", "b", "c", "\n", " ", "ab", "ba", "c\n", "abc", "a b"}
	v := list(t, tokens...)
	texts := []string{""}
	for i := 0; len(texts[i]) < 5; i++ {
		for _, c := range "abc\n " {
			texts = append(texts, texts[i]+string(c))
		}
	}
	var mask Mask
	for _, expr := range []string{
		`(ab)*c?`, `[a-c]*b[a-c]{3}`, `(?s).*`, `\w+( \w+)*`, `\bab\b.*`, `a*\b`, `(\Ba|b\B)+c`, `(?m)(^a.*$\n?)+`,
		`(?m)^$\n*`, `(a|b$)*`,
		`(ab|a)(bc|c)?`, `.*c$`, `(?m:^.*c$\s)*a`,
	} {
		m, err := Regexp(v, expr)
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile(`\A(?:` + expr + `)\z`)
		// What may follow is found by looking at all texts that are at most two characters longer.
		starts := make(map[string]bool)
		for _, text := range texts {
			for i := range len(text) + 1 {
				starts[text[:i]] = starts[text[:i]] || re.MatchString(text)
			}
		}
		var visit func(c Constraint, text string)
		visit = func(c Constraint, text string) {
			if err := c.Mask(&mask); err != nil {
				t.Fatal(err)
			}
			here := mask
			here.bits = slices.Clone(mask.bits)
			if done := re.MatchString(text); here.Allows(len(tokens)) != done {
				t.Fatalf("%s: after %q the end is allowed: %t, want %t", expr, text, !done, done)
			}
			for id, token := range tokens {
				longer := text + token
				if len(longer) > 5 {
					continue
				}
				if starts[longer] && !here.Allows(id) {
					t.Fatalf("%s: after %q token %q is not allowed", expr, text, token)
				}
				if !here.Allows(id) {
					continue
				}
				next := c.Clone()
				if err := next.Accept(id); err != nil {
					t.Fatal(err)
				}
				visit(next, longer)
			}
		}
		visit(m, "")
	}
}

// From every state that texts lead to, tokens lead to the end: there are no dead ends, whatever the vocabulary. And
// what is refused is what leads into one: no walk of tokens from there comes to the end.
func TestRegexpHasNoDeadEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	none := 0
	for trial := range 400 {
		expr := randomExpression(rng, 3)
		if trial%4 == 0 {
			expr = expressions[rng.IntN(len(expressions))]
		}
		tokens := []string{}
		for range 1 + rng.IntN(6) {
			token := ""
			for range 1 + rng.IntN(3) {
				token += string("aaabbbc\xc3\xa9"[rng.IntN(9)])
			}
			tokens = append(tokens, string([]byte(token)))
		}
		re := regexp.MustCompile(`\A(?:` + expr + `)\z`)
		v := list(t, tokens...)
		m, err := Regexp(v, expr)
		// All states of the byte machine, found from the start without regard to what is live.
		b := newBuilder()
		prog, _ := compile(expr)
		b.start = b.regexp(prog, b.utf8)(ret)
		raw, rawErr := newMachine(b, list(t, byteTokens()...))
		if rawErr != nil {
			t.Fatal(rawErr)
		}
		comes := reachable(raw, tokens)
		if (err == nil) != comes[raw.start] {
			t.Fatalf("%q with tokens %q: %v, but a text is possible: %t", expr, tokens, err, comes[raw.start])
		}
		if err != nil {
			none++
			continue
		}
		var mask Mask
		for range 20 {
			c, s, text := m.Clone(), raw.start, ""
			for range 8 {
				if err := c.Mask(&mask); err != nil {
					t.Fatal(err)
				}
				var ids []int
				for id, token := range tokens {
					next := s
					for i := range len(token) {
						next = raw.step(next, token[i])
					}
					if want := comes[next]; mask.Allows(id) != want {
						t.Fatalf("%q with tokens %q: after %q token %q is allowed: %t, want %t", expr, tokens, text, token, !want, want)
					} else if want {
						ids = append(ids, id)
					}
				}
				if mask.Allows(len(tokens)) != re.MatchString(text) {
					t.Fatalf("%q: after %q the end is allowed: %t", expr, text, mask.Allows(len(tokens)))
				}
				if len(ids) == 0 {
					break
				}
				id := ids[rng.IntN(len(ids))]
				if err := c.Accept(id); err != nil {
					t.Fatal(err)
				}
				for i := range len(tokens[id]) {
					s = raw.step(s, tokens[id][i])
				}
				text += tokens[id]
			}
		}
	}
	if none == 0 || none > 300 {
		t.Errorf("%d of 400 expressions could not be spelt", none)
	}
}

// reachable returns the states from which tokens lead to the end of a text.
func reachable(m *machine, tokens []string) map[*state]bool {
	from := make(map[*state][]*state)
	seen := map[*state]bool{m.start: true, nowhere: true}
	work := []*state{m.start}
	comes := make(map[*state]bool)
	var ends []*state
	for len(work) > 0 {
		s := work[0]
		work = work[1:]
		if s.accepts {
			ends = append(ends, s)
		}
		for _, token := range tokens {
			next := s
			for i := range len(token) {
				next = m.step(next, token[i])
			}
			from[next] = append(from[next], s)
			if !seen[next] {
				seen[next] = true
				work = append(work, next)
			}
		}
	}
	for len(ends) > 0 {
		s := ends[0]
		ends = ends[1:]
		if !comes[s] {
			comes[s] = true
			ends = append(ends, from[s]...)
		}
	}
	return comes
}

// randomExpression returns an expression over a, b, c and é.
func randomExpression(rng *rand.Rand, depth int) string {
	if depth == 0 {
		return []string{"a", "b", "c", "é", "[ab]", "."}[rng.IntN(6)]
	}
	x, y := randomExpression(rng, depth-1), randomExpression(rng, depth-1)
	return []string{
		x + y, x + y, "(?:" + x + "|" + y + ")", "(?:" + x + ")*" + y, "(?:" + x + ")?" + y, "(?:" + x + "){2,3}",
	}[rng.IntN(6)]
}

// Characters of all lengths and the spans between them are spelt as UTF-8 is.
func TestSpansAreUTF8(t *testing.T) {
	edges := []rune{
		0, 0x41, 0x7E, 0x7F, 0x80, 0x81, 0x7C0, 0x7FF, 0x800, 0xFFF, 0x1000, 0x1FFF, 0xD7FF, 0xD800,
		0xDFFF, 0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x10FFFF,
	}
	v := list(t, byteTokens()...)
	for i, lo := range edges {
		for _, hi := range edges[i:] {
			b := newBuilder()
			b.start = b.utf8([]span{{lo, hi}})(ret)
			m, err := newMachine(b, v)
			if lo >= 0xD800 && hi <= 0xDFFF {
				if err == nil {
					t.Errorf("surrogates %x to %x can be spelt", lo, hi)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, edge := range edges {
				for r := max(edge-2, 0); r <= min(edge+2, utf8.MaxRune); r++ {
					if !utf8.ValidRune(r) {
						continue
					}
					s := m.follow(m.start, string(r))
					if got, want := s != nil && s.accepts, lo <= r && r <= hi; got != want {
						t.Errorf("%x to %x holds %x: %t, want %t", lo, hi, r, got, want)
					}
				}
			}
		}
	}
}

func TestRegexpErrors(t *testing.T) {
	v := list(t, "a", "b")
	for _, c := range []struct{ expr, want string }{
		{`(`, "missing closing )"},
		{`a\bb`, "no text satisfies the form"},
		{`a^b`, "no text satisfies the form"},
		{`[^\x00-\x{10ffff}]`, "no text satisfies the form"},
		{`c`, "cannot spell any text of the form"},
		{`a+c`, "cannot spell any text of the form"},
		{strings.Repeat(`\pL{999}`, 3), "more than 262144 states"},
	} {
		if m, err := Regexp(v, c.expr); err == nil || m != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20s: %v, want %q", c.expr, err, c.want)
		}
	}
	if _, err := Regexp(nil, `a`); err == nil {
		t.Error("Regexp succeeds without a vocabulary")
	}
}

// A machine that has written down too much starts over, and texts that are under way go on.
func TestMachineForgets(t *testing.T) {
	v := list(t, "a", "b", "ab")
	expr := `(a|b)*a(a|b){9}` // 1024 states
	m, err := Regexp(v, expr)
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile(`\A(?:` + expr + `)\z`)
	forgot := 0
	rng := rand.New(rand.NewPCG(1, 1))
	c, text := m.Clone(), ""
	var mask Mask
	for i := range 3000 {
		if i%50 == 0 {
			m.machine.size = maxSize + 1
			forgot++
		}
		id := rng.IntN(3)
		if err := c.Accept(id); err != nil {
			t.Fatal(err)
		}
		if text += v.texts[id]; len(text) > 10 {
			text = text[len(text)-10:]
		}
		if err := c.Mask(&mask); err != nil || mask.Allows(3) != re.MatchString(text) {
			t.Fatalf("after %q the end is allowed: %t, %v", text, mask.Allows(3), err)
		}
	}
	if len(m.machine.states) > 300 {
		t.Errorf("%d states after the last of %d times", len(m.machine.states), forgot)
	}
}
