package constrain

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const jsonText = `{"name": "Ada", "tags": ["a", "b"], "n": -1.5e+10, "ok": true, "no": false, "x": null, ` +
	`"é€😀": "\u00e9\n\\\"\ud83d\ude00"}, [[1,2],{}]`

// follows lets a text follow, cut into tokens at random, and returns what of it was not allowed. A text that is not complete
// at its end is not allowed as a whole.
func follows(t *testing.T, m *Matcher, text string, rng *rand.Rand) (rest string, ok bool) {
	t.Helper()
	v := m.machine.vocab
	c := m.Clone()
	var mask Mask
	for text != "" {
		var ids []int
		for id, token := range v.texts {
			if token != "" && strings.HasPrefix(text, token) {
				ids = append(ids, id)
			}
		}
		id := ids[rng.IntN(len(ids))]
		if err := c.Mask(&mask); err != nil {
			t.Fatal(err)
		}
		allowed := mask.Allows(id)
		if err := c.Accept(id); (err == nil) != allowed {
			t.Fatalf("before %q token %q is allowed: %t, Accept returns %v", text, v.texts[id], allowed, err)
		}
		if !allowed {
			return text, false
		}
		text = text[len(v.texts[id]):]
	}
	return "", c.Done()
}

func vocabs(t *testing.T) map[string]*Vocab {
	return map[string]*Vocab{"bytes": list(t, byteTokens()...), "merged": list(t, mergedTokens(jsonText, 400)...)}
}

func TestJSONWalks(t *testing.T) {
	for name, v := range vocabs(t) {
		for _, f := range []Format{{}, {Space: 1}, {Space: AnySpace}} {
			m, err := JSON(v, f)
			if err != nil {
				t.Fatal(err)
			}
			walks(t, fmt.Sprint(name, f), m, 300, func(text string) bool {
				return utf8.ValidString(text) && json.Valid([]byte(text)) && strings.TrimSpace(text) == text
			})
		}
	}
}

// spaces returns whitespace of up to n characters.
func spaces(rng *rand.Rand, n int) string {
	s := ""
	for range rng.IntN(n + 1) {
		s += string(" \t\n\r"[rng.IntN(4)])
	}
	return s
}

func randomString(rng *rand.Rand, n int) string {
	s := `"`
	for range n {
		switch c := []rune("ab é€😀\x7f\u2028\ufffd\x00\x1f\n\"\\/\U0010ffff")[rng.IntN(16)]; {
		case c < 0x20 || c == '"' || c == '\\' || rng.IntN(4) == 0:
			escape := fmt.Sprintf(`\u%04x`, c)
			if c > 0xFFFF {
				escape = fmt.Sprintf(`\u%04x\u%04X`, 0xD7C0+c>>10, 0xDC00+c&0x3FF)
			}
			if i := strings.IndexRune("\"\\/\b\f\n\r\t", c); i >= 0 && rng.IntN(2) == 0 {
				escape = `\` + `"\/bfnrt`[i:i+1]
			}
			s += escape
		default:
			s += string(c)
		}
	}
	return s + `"`
}

// randomJSON returns a value, with whitespace of up to n characters between its parts.
func randomJSON(rng *rand.Rand, depth, n int) string {
	kind := rng.IntN(7)
	if depth == 0 {
		kind = rng.IntN(5)
	}
	switch kind {
	case 0:
		return []string{"null", "true", "false"}[rng.IntN(3)]
	case 1, 2:
		return []string{"0", "-0", "12", "-305", "0.50", "10.01", "1e5", "-2.5E-07", "3e+0"}[rng.IntN(9)]
	case 3, 4:
		return randomString(rng, rng.IntN(6))
	}
	var items []string
	for range rng.IntN(4) {
		item := randomJSON(rng, depth-1, n)
		if kind == 6 {
			item = randomString(rng, rng.IntN(3)) + spaces(rng, n) + ":" + spaces(rng, n) + item
		}
		items = append(items, item)
	}
	inside := spaces(rng, n)
	for i, item := range items {
		if i > 0 {
			inside += "," + spaces(rng, n)
		}
		inside += item + spaces(rng, n)
	}
	if kind == 5 {
		return "[" + inside + "]"
	}
	return "{" + inside + "}"
}

// All JSON is allowed, however it is cut into tokens, and nothing else.
func TestJSONIsComplete(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for name, v := range vocabs(t) {
		for _, space := range []int{0, 1, 3, AnySpace} {
			m, err := JSON(v, Format{Space: space})
			if err != nil {
				t.Fatal(err)
			}
			n := space
			if space == AnySpace {
				n = 9
			}
			for range 300 {
				text := randomJSON(rng, 4, n)
				if !json.Valid([]byte(text)) {
					t.Fatalf("the test makes %q", text)
				}
				if rest, ok := follows(t, m, text, rng); !ok {
					t.Fatalf("%s, %d spaces: of %q not allowed: %q", name, space, text, rest)
				}
				broken := []byte(text)
				broken[rng.IntN(len(text))] = "{}[]\",:\\0a \n\x01\xff"[rng.IntN(14)]
				_, ok := follows(t, m, string(broken), rng)
				valid := json.Valid(broken) && utf8.Valid(broken) && strings.TrimSpace(string(broken)) == string(broken)
				if ok && !valid {
					t.Fatalf("%s: allowed %q", name, broken)
				} else if space == AnySpace && valid && !ok && !slices.Contains(broken, '\\') { // half pairs
					t.Fatalf("%s: not allowed %q", name, broken)
				}
			}
		}
	}
}

func TestJSONRefuses(t *testing.T) {
	v := list(t, byteTokens()...)
	for _, c := range []struct {
		f    Format
		text string
		rest string
	}{
		{Format{}, `[1, 2]`, ` 2]`}, {Format{}, ` 1`, ` 1`}, {Format{Space: AnySpace}, `1 `, ` `},
		{Format{Space: 2}, `[   1]`, ` 1]`},
		{Format{}, `01`, `1`}, {Format{}, `+1`, `+1`}, {Format{}, `.5`, `.5`}, {Format{}, `1.`, ``}, {Format{}, `1e`, ``},
		{Format{}, `[1,]`, `]`}, {Format{}, `{1:2}`, `1:2}`}, {Format{}, `{"a"}`, `}`}, {Format{}, `nul`, ``},
		{Format{}, `truE`, `E`},
		{Format{}, `"\x"`, `x"`}, {Format{}, `"\u12g4"`, `g4"`}, {Format{}, `"\ud800"`, `"`}, {Format{}, `"\udc00"`, `c00"`},
		{Format{}, `"\uDC00\uDC00"`, `C00\uDC00"`}, {Format{}, `"\uDBFF"`, `"`},
		{Format{}, `"\ud800\u0041"`, `0041"`}, {Format{}, "\"\n\"", "\n\""}, {Format{}, "\"\xc3\"", "\""},
		{Format{}, "\"\xed\xa0\x80\"", "\xa0\x80\""},
		{Format{}, "\"\xf4\x90\"", "\x90\""}, {Format{}, "\"\xc0\x80\"", "\xc0\x80\""}, {Format{}, `1 2`, ` 2`},
		{Format{}, `]`, `]`},
	} {
		m, err := JSON(v, c.f)
		if err != nil {
			t.Fatal(err)
		}
		if rest, ok := follows(t, m, c.text, rand.New(rand.NewPCG(1, 1))); ok || rest != c.rest {
			t.Errorf("%+v: of %q not allowed: %q, want %q", c.f, c.text, rest, c.rest)
		}
	}
}

func TestJSONErrors(t *testing.T) {
	v := list(t, byteTokens()...)
	for _, f := range []Format{{Space: -2}, {Space: 65}} {
		if _, err := JSON(v, f); err == nil {
			t.Errorf("%+v is no error", f)
		}
	}
	if _, err := JSON(nil, Format{}); err == nil {
		t.Error("JSON succeeds without a vocabulary")
	}
	if _, err := JSON(list(t, "x", "y"), Format{}); err == nil || !strings.Contains(err.Error(), "cannot spell") {
		t.Errorf("a vocabulary without JSON: %v", err)
	}
}

// A vocabulary of characters has no tokens for the bytes of é, but one for é.
func TestJSONOfCharacters(t *testing.T) {
	m, err := JSON(list(t, strings.Split(`"{}[]:,é€0123 -abc\nu`, "")...), Format{})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, text := range []string{`{"é":["a€c",-12]}`, `"\n\u00b2"`, `[[[0]]]`} {
		if rest, ok := follows(t, m, text, rng); !ok {
			t.Errorf("of %q not allowed: %q", text, rest)
		}
	}
	walks(t, "characters", m, 300, func(text string) bool { return json.Valid([]byte(text)) })
}

// Without a token for ] no array can come to an end, so none may begin, not even within something else.
func TestJSONThatCannotBeClosed(t *testing.T) {
	m, err := JSON(list(t, strings.Split(`"{}[:,01 a`, "")...), Format{})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for text, rest := range map[string]string{`[`: `[`, `{"a":[`: `[`, `{"a":{"[":10}}`: ``} {
		if got, ok := follows(t, m, text, rng); got != rest || ok != (rest == "") {
			t.Errorf("of %q not allowed: %q, want %q", text, got, rest)
		}
	}
	walks(t, "unclosed", m, 300, func(text string) bool { return json.Valid([]byte(text)) })
}

// Values nest as deep as there are tokens.
func TestJSONDepth(t *testing.T) {
	m, err := JSON(list(t, byteTokens()...), Format{})
	if err != nil {
		t.Fatal(err)
	}
	c := m.Clone()
	const depth = 2000
	text := strings.Repeat(`[{"a":`, depth) + "1" + strings.Repeat("}]", depth)
	for i := range len(text) {
		if c.Done() {
			t.Fatalf("done at %d of %d", i, len(text))
		}
		if err := c.Accept(int(text[i])); err != nil {
			t.Fatal(err)
		}
	}
	if !c.Done() {
		t.Error("not done")
	}
}
