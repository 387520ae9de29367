package constrain

import (
	"cmp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// Regexp returns the constraint that the text as a whole matches a regular expression in the syntax of package regexp,
// as with ^(?:expr)$ there. All of that syntax is supported. Texts are valid UTF-8, so of bytes that are not, which a
// dot also matches there, there are none.
func Regexp(v *Vocab, expr string) (*Matcher, error) {
	if v == nil {
		return nil, errors.Errorf("constrain: regular expression %q without a vocabulary", expr)
	}
	prog, err := compile(expr)
	if err != nil {
		return nil, errors.WithMessagef(err, "constrain: regular expression %q", expr)
	}
	b := newBuilder()
	b.start = b.regexp(prog, b.utf8)(ret)
	m, err := newMatcher(newMachine(b, v))
	return m, errors.WithMessagef(err, "constrain: regular expression %q", expr)
}

func compile(expr string) (*syntax.Prog, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, errors.WithStack(err)
	}
	prog, err := syntax.Compile(re.Simplify())
	return prog, errors.WithStack(err)
}

// A kind is what assertions such as \b and $ want to know of a character.
type kind int

const (
	edgeOfText kind = iota
	newline
	word
	other
	kinds
)

var spans = [kinds][]span{
	newline: {{'\n', '\n'}},
	word:    {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}},
	other: {{0, '\n' - 1}, {'\n' + 1, '0' - 1}, {'9' + 1, 'A' - 1}, {'Z' + 1, '_' - 1}, {'_' + 1, 'a' - 1},
		{'z' + 1, utf8.MaxRune}},
}

// A place is an instruction of a regular expression between two characters. What the next one is, is a guess that the
// character itself has to confirm; a wrong one leads nowhere. So assertions need no looking ahead.
type place struct {
	pc         uint32
	last, next kind
}

// A translation is a regular expression on its way into a program.
type translation struct {
	*builder
	from    *syntax.Prog
	asserts bool // whether kinds matter; where they do not, all are other
	read    func([]span) fragment
	end     int32
	places  map[place]int32
}

// regexp reads a text that matches a regular expression. How its characters are spelt read says.
func (b *builder) regexp(from *syntax.Prog, read func([]span) fragment) fragment {
	return func(next int32) int32 {
		t := translation{builder: b, from: from, read: read, end: next, places: make(map[place]int32)}
		for i := range from.Inst {
			t.asserts = t.asserts || from.Inst[i].Op == syntax.InstEmptyWidth
		}
		if !t.asserts {
			return t.place(place{uint32(from.Start), other, other})
		}
		return t.guess(uint32(from.Start), edgeOfText)
	}
}

// guess returns where a program is at pc after a character of that kind.
func (t *translation) guess(pc uint32, last kind) int32 {
	if !t.asserts {
		return t.place(place{pc, other, other})
	}
	in := inst{op: opSplit}
	for next := range kinds {
		in.outs = append(in.outs, t.place(place{pc, last, next}))
	}
	return t.add(in)
}

// place returns the instruction of the program for p.
func (t *translation) place(p place) int32 {
	if at, ok := t.places[p]; ok {
		return at
	}
	at := t.add(inst{op: opSplit})
	if at == dead {
		return dead
	}
	t.places[p] = at // before what it leads to, which may lead back
	var outs []int32
	in := &t.from.Inst[p.pc]
	switch in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		outs = append(outs, t.place(place{in.Out, p.last, p.next}), t.place(place{in.Arg, p.last, p.next}))
	case syntax.InstCapture, syntax.InstNop:
		outs = append(outs, t.place(place{in.Out, p.last, p.next}))
	case syntax.InstEmptyWidth:
		if p.satisfies(syntax.EmptyOp(in.Arg)) {
			outs = append(outs, t.place(place{in.Out, p.last, p.next}))
		}
	case syntax.InstMatch:
		if !t.asserts || p.next == edgeOfText {
			outs = append(outs, t.end)
		}
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		chars := characters(in)
		if t.asserts {
			chars = common(chars, spans[p.next])
		}
		if len(chars) > 0 {
			outs = append(outs, t.read(chars)(t.guess(in.Out, p.next)))
		}
	}
	t.insts[at].outs = outs
	return at
}

// satisfies reports whether assertions hold at p.
func (p place) satisfies(want syntax.EmptyOp) bool {
	var have syntax.EmptyOp
	if p.last == edgeOfText {
		have |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	}
	if p.last == newline {
		have |= syntax.EmptyBeginLine
	}
	if p.next == edgeOfText {
		have |= syntax.EmptyEndText | syntax.EmptyEndLine
	}
	if p.next == newline {
		have |= syntax.EmptyEndLine
	}
	if (p.last == word) != (p.next == word) {
		have |= syntax.EmptyWordBoundary
	} else {
		have |= syntax.EmptyNoWordBoundary
	}
	return want&^have == 0
}

// characters returns what an instruction reads.
func characters(in *syntax.Inst) (chars []span) {
	switch {
	case in.Op == syntax.InstRuneAny:
		return []span{{0, utf8.MaxRune}}
	case in.Op == syntax.InstRuneAnyNotNL:
		return []span{{0, '\n' - 1}, {'\n' + 1, utf8.MaxRune}}
	case len(in.Rune) == 1:
		r := in.Rune[0]
		chars = []span{{r, r}}
		if in.Op == syntax.InstRune && syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				chars = append(chars, span{f, f})
			}
			slices.SortFunc(chars, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
		}
		return chars
	default:
		for i := 0; i+1 < len(in.Rune); i += 2 {
			chars = append(chars, span{in.Rune[i], in.Rune[i+1]})
		}
		return chars
	}
}
