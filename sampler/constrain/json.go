package constrain

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// A Format says how JSON is written. The zero value is compact.
type Format struct {
	// Space is how many characters of whitespace may stand in a row between the parts of arrays and objects, before
	// and after commas, colons and brackets: up to 64, or AnySpace, which is any number, as in the definition of JSON.
	// With that a model may write spaces for ever. There is no whitespace before and after the whole value.
	Space int
}

const (
	// AnySpace is a Format.Space without a limit.
	AnySpace = -1

	maxSpace = 64
)

// JSON returns the constraint that the text is one value of JSON as RFC 8259 defines it: any value, of any depth. Strings
// are valid UTF-8, and escapes do not spell half a surrogate pair. Names in an object may repeat, as there.
//
// See [Schema] for objects only, and for values of a certain form. Of a vocabulary that lacks tokens for single bytes of
// JSON, tokens may be refused that could follow.
func JSON(v *Vocab, f Format) (*Matcher, error) {
	g, err := newGrammar(v, f)
	if err != nil {
		return nil, errors.WithMessage(err, "constrain: JSON")
	}
	g.start = g.value(ret)
	m, err := newMatcher(newMachine(g.builder, v))
	return m, errors.WithMessage(err, "constrain: JSON")
}

// A grammar is JSON on its way into a program.
type grammar struct {
	*builder
	space   fragment
	value   fragment // any
	char    fragment // of a string, or an escape
	str     fragment // any
	number  fragment
	integer fragment
}

func newGrammar(v *Vocab, f Format) (*grammar, error) {
	if v == nil {
		return nil, errors.New("no vocabulary")
	}
	if f.Space < AnySpace || f.Space > maxSpace {
		return nil, errors.Errorf("%d characters of whitespace, want 0 to %d or AnySpace", f.Space, maxSpace)
	}
	g := &grammar{builder: newBuilder()}
	char, value := g.rule(), g.rule()
	g.char, g.value = g.call(char), g.call(value)
	g.space = g.repeat(g.oneOf(" \t\n\r"), 0, f.Space)
	g.str = g.quoted(g.star(g.char))
	digit := g.read('0', '9')
	g.integer = seq(g.maybe(g.literal("-")), g.alt(g.literal("0"), seq(g.read('1', '9'), g.star(digit))))
	fraction := seq(g.literal("."), digit, g.star(digit))
	exponent := seq(g.oneOf("eE"), g.maybe(g.oneOf("+-")), digit, g.star(digit))
	g.number = seq(g.integer, g.maybe(fraction), g.maybe(exponent))
	g.define(char, g.alt(g.utf8(unescaped), g.escape()))
	g.define(value, g.alt(g.literal("null"), g.literal("true"), g.literal("false"), g.number, g.str,
		g.array(g.value, 0, -1), g.object(g.value)))
	return g, nil
}

func (g *grammar) maybe(f fragment) fragment  { return g.repeat(f, 0, 1) }
func (g *grammar) quoted(f fragment) fragment { return seq(g.literal(`"`), f, g.literal(`"`)) }
func (g *grammar) bracketed(f fragment) fragment {
	return seq(g.literal("["), g.space, f, g.literal("]"))
}
func (g *grammar) braced(f fragment) fragment { return seq(g.literal("{"), g.space, f, g.literal("}")) }
func (g *grammar) comma() fragment            { return seq(g.space, g.literal(","), g.space) }
func (g *grammar) member(name, f fragment) fragment {
	return seq(name, g.space, g.literal(":"), g.space, f)
}

// escape reads an escape, those of two surrogates that make a character as one.
func (g *grammar) escape() fragment {
	hex := g.hex("09afAF")
	low := seq(g.literal(`\u`), g.oneOf("dD"), g.hex("cfCF"), hex, hex)
	return seq(g.literal(`\`), g.alt(
		g.oneOf(`"\/bfnrt`),
		seq(g.literal("u"), g.alt(
			seq(g.hex("09acefACEF"), hex, hex, hex),
			seq(g.oneOf("dD"), g.read('0', '7'), hex, hex),
			seq(g.oneOf("dD"), g.hex("89abAB"), hex, hex, low),
		)),
	))
}

// hex reads a byte of the ranges whose ends are given.
func (g *grammar) hex(ends string) fragment {
	return func(next int32) int32 {
		i := inst{op: opRead}
		for j := 0; j < len(ends); j += 2 {
			i.edges = append(i.edges, edge{ends[j], ends[j+1], next})
		}
		return g.add(i)
	}
}

// array reads an array of least to most items, of any number if most is negative.
func (g *grammar) array(item fragment, least, most int) fragment {
	if most == 0 {
		return g.bracketed(seq())
	}
	items := seq(item, g.repeat(seq(g.comma(), item), max(least-1, 0), max(most-1, -1)), g.space)
	if least == 0 {
		items = g.maybe(items)
	}
	return g.bracketed(items)
}

// object reads an object of any names.
func (g *grammar) object(value fragment) fragment {
	member := g.member(g.str, value)
	return g.braced(g.maybe(seq(member, g.star(seq(g.comma(), member)), g.space)))
}

// quote returns how a string that is part of a schema is spelt: with the escapes that there have to be, and no others.
func quote(s string) string {
	b := []byte{'"'}
	for _, r := range s {
		b = append(b, spell(r)...)
	}
	return string(append(b, '"'))
}

// spell returns how a character of a string is spelt.
func spell(r rune) string {
	const short = "\"\\\b\f\n\r\t"
	if i := strings.IndexRune(short, r); i >= 0 {
		return `\` + `"\bfnrt`[i:i+1]
	}
	if r < 0x20 {
		return fmt.Sprintf(`\u%04x`, r)
	}
	return string(r)
}

// spelt reads one of the characters of spans as it stands in a string.
func (g *grammar) spelt(spans []span) fragment {
	parts := []fragment{g.utf8(common(spans, unescaped))}
	for _, s := range common(spans, escaped) {
		for r := s.lo; r <= s.hi; r++ {
			parts = append(parts, g.literal(spell(r)))
		}
	}
	return g.alt(parts...)
}

// The characters that stand for themselves in a string, and the others.
var (
	unescaped = []span{{0x20, '"' - 1}, {'"' + 1, '\\' - 1}, {'\\' + 1, utf8.MaxRune}}
	escaped   = []span{{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}
)
