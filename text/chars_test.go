package text

import (
	"slices"
	"strings"
	"testing"
)

func TestChars(t *testing.T) {
	c, err := NewChars("héllo 🙂 hello\ufffd")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(c.runes), " ehloé\ufffd🙂"; got != want {
		t.Errorf("the vocabulary is %q, want %q", got, want)
	}
	ids := encode(t, c, "oh é\ufffd🙂")
	if want := []int{4, 2, 0, 5, 6, 7}; !slices.Equal(ids, want) {
		t.Errorf("Encode = %v, want %v", ids, want)
	}
	if text, err := c.Decode(ids); err != nil || text != "oh é\ufffd🙂" {
		t.Errorf("Decode(%v) = %q, %v", ids, text, err)
	}
	for text, want := range map[string]string{
		"hex":        `character 'x' at 2 is not among the 8`,
		"hé中":        `character '中' at 3`,
		"he\xff":     "byte 0xff at 2 is not UTF-8", // not taken for U+FFFD, which is in the vocabulary
		"he\xe4\xb8": "byte 0xe4 at 2 is not UTF-8",
	} {
		if ids, err := c.Encode(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Encode(%q) = %v, %v, want an error with %q", text, ids, err, want)
		}
	}
	for _, id := range []int{-1, 8} {
		if text, err := c.Decode([]int{id}); err == nil {
			t.Errorf("Decode([%d]) = %q, want an error", id, text)
		}
		if _, ok := c.Token(id); ok {
			t.Errorf("Token(%d) is there", id)
		}
	}
	for _, text := range []string{"", "a\xffb"} {
		if _, err := NewChars(text); err == nil {
			t.Errorf("NewChars(%q) did not fail", text)
		}
	}
}

func TestCharsCut(t *testing.T) {
	c := newChars([]rune("a"))
	for text, want := range map[string]int{
		"": 0, "a": 1, "aé": 3, "a\xc3": 1, "a\xe4\xb8": 1, "a\xf0\x9f\x99": 1, "a\xff": 2, "\x80\x80\x80\x80": 4, "a中\xe4": 4,
	} {
		if got := c.Cut(text); got != want {
			t.Errorf("Cut(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	ids := encode(t, Bytes{}, byteStrings)
	for i, id := range ids {
		token, ok := Bytes{}.Token(i)
		if id != i || !ok || token != string([]byte{byte(i)}) {
			t.Errorf("byte %d has id %d, Token(%d) = %q, %v", i, id, i, token, ok)
		}
	}
	if text, err := (Bytes{}).Decode(ids); err != nil || text != byteStrings {
		t.Errorf("Decode(Encode(all bytes)) = %q, %v", text, err)
	}
	for _, id := range []int{-1, 256} {
		if text, err := (Bytes{}).Decode([]int{id}); err == nil {
			t.Errorf("Decode([%d]) = %q, want an error", id, text)
		}
	}
}
