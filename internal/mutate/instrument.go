package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// Names of environment variables that an instrumented package reads.
const (
	mutantVariable = "LOGITS_MUTANT"       // number of the mutant to be; none if empty
	traceVariable  = "LOGITS_MUTANT_TRACE" // file for the numbers of the sites that run
)

// switches is a file that an instrumented package gets: the functions that its sites call.
//
//go:embed testdata/switches.go.txt
var switches string

// switchesFor returns that file for a package with so many mutants.
func switchesFor(pkg string, mutants int) []byte {
	r := strings.NewReplacer("package mutated", "package "+pkg, "mutantCount = 1", fmt.Sprint("mutantCount = ", mutants))
	return []byte(r.Replace(switches))
}

// An edit replaces the text between two offsets.
type edit struct {
	from, to int
	text     string
}

// instrument returns the text of a file in which every site asks whether one of its mutants is to be. Lines stay where they
// are.
func (s *source) instrument() ([]byte, error) {
	text, err := os.ReadFile(s.fset.Position(s.file.Pos()).Filename)
	if err != nil {
		return nil, errors.Wrap(err, "mutate: instrument")
	}
	var edits []edit
	for _, f := range s.functions {
		for _, x := range f.sites {
			edits = append(edits, s.edits(x)...)
		}
	}
	// Sites stand in the order in which they begin, those around others first. So must what is put before them; what is put
	// behind them must come in the opposite order.
	closing := func(e edit) bool { return strings.HasPrefix(e.text, ")") }
	opens := slices.DeleteFunc(slices.Clone(edits), closing)
	closes := slices.DeleteFunc(edits, func(e edit) bool { return !closing(e) })
	slices.Reverse(closes)
	edits = append(closes, opens...)
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })

	var b bytes.Buffer
	at := 0
	for _, e := range edits {
		b.Write(text[at:e.from])
		b.WriteString(e.text)
		at = e.to
	}
	b.Write(text[at:])
	return b.Bytes(), nil
}

// edits returns those of a site. None of them is at the same place as another of the same site.
func (s *source) edits(x site) []edit {
	at := func(p token.Pos) int { return s.fset.Position(p).Offset }
	put := func(p token.Pos, format string, args ...any) edit {
		return edit{at(p), at(p), fmt.Sprintf(format, args...)}
	}
	op := operator(x.expr)
	switch e := x.expr.(type) {
	case *ast.BinaryExpr:
		switch op {
		case "==", "!=":
			return []edit{put(e.Pos(), "mutantFlip(%d, ", x.first), put(e.End(), ")")}
		case "&&", "||":
			// With m true, each operand and the whole are negated, which turns one operator into the other. The right
			// operand stays lazy.
			return []edit{
				put(e.Pos(), "((("),
				put(e.X.End(), ") != mutantOn(%d)", x.first),
				put(e.Y.Pos(), "("),
				put(e.End(), ") != mutantOn(%d)) != mutantOn(%[1]d))", x.first),
			}
		}
		call := map[string]string{"<": "Less", "<=": "AtMost", ">": "More", ">=": "AtLeast"}[op]
		return []edit{
			put(e.Pos(), "mutant%s(%d, ", call, x.first),
			{at(e.OpPos), at(e.OpPos) + len(op), ","},
			put(e.End(), ")"),
		}
	case *ast.CallExpr:
		call := map[string]string{"min": "Min", "max": "Max"}[op]
		return []edit{{at(e.Pos()), at(e.Lparen) + 1, fmt.Sprintf("mutant%s(%d, ", call, x.first)}}
	}
	return nil
}
