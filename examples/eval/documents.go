package main

import (
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/text"
)

// documents says what becomes of the documents of a text.
type documents int

const (
	whole  documents = iota // all is one text
	apart                   // each is a text of its own
	joined                  // one text, in which a token stands before each
)

var documentNames = []string{"whole", "apart", "joined"}

func (d documents) MarshalText() ([]byte, error) { return []byte(documentNames[d]), nil }

func (d *documents) UnmarshalText(name []byte) error {
	i := slices.Index(documentNames, string(name))
	if i < 0 {
		return errors.Errorf("%q, want one of %q", name, documentNames)
	}
	*d = documents(i)
	return nil
}

// A sequence is tokens in a row, each of which depends on those before it.
type sequence struct {
	ids   []int
	end   int   // of what counts in ids
	marks []int // where in ids a token stands that is no text, in order
	begun bool  // windows begin with ids[0]
}

// sequences encodes a text. With bos those that are no more than text begin with the token that the tokenizer has for
// that. White space around documents is no part of them.
func (d documents) sequences(t text.Tokenizer, s string, bos bool) (all []sequence, err error) {
	begin, ok := t.Special(text.BOS)
	if !ok && d != whole {
		begin, ok = t.Special(text.EndOfText)
	}
	if d == joined && !(ok && bos) {
		return nil, errors.New("documents that are joined need a token that begins them")
	}
	parts := []string{s}
	if d != whole {
		parts = strings.Split(s, text.EndOfText)
	}
	for _, part := range parts {
		if d != whole {
			part = strings.TrimSpace(part)
		}
		ids, err := t.Encode(part)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			continue
		}
		q := sequence{ids: ids}
		if ok && bos {
			q = sequence{ids: append([]int{begin}, ids...), marks: []int{0}, begun: true}
		}
		if d == joined && len(all) > 0 {
			all[0].marks = append(all[0].marks, len(all[0].ids))
			all[0].ids = append(all[0].ids, q.ids...)
		} else {
			all = append(all, q)
		}
	}
	for i := range all {
		all[i].end = len(all[i].ids)
		all[i].begun = all[i].begun && d != joined
	}
	return all, nil
}

// bytes returns the length of the text that counts.
func (q sequence) bytes(t text.Tokenizer) (n int, err error) {
	add := func(ids []int) {
		var s string
		if err == nil {
			s, err = t.Decode(ids)
		}
		n += len(s)
	}
	from := 0
	for _, mark := range append(slices.Clone(q.marks), q.end) {
		mark = min(mark, q.end)
		if from < mark {
			add(q.ids[from:mark])
		}
		from = min(mark+1, q.end)
	}
	if len(q.marks) == 0 { // nothing comes before the first token
		first := n
		n = 0
		add(q.ids[:1])
		n = first - n
	}
	return n, err
}
