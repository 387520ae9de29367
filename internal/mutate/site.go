package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// A source is a file of a package under test, and what of it may be mutated.
type source struct {
	name      string // from the root of the module, with slashes
	fset      *token.FileSet
	file      *ast.File
	functions []function // those with sites, as they stand in the file
}

// A function is a declaration in which there are comparisons: of a function, or of variables.
type function struct {
	name  string // Type.Method, or that of the first variable
	hash  string // of its text, comments and spaces aside
	sites []site
}

// A site is an expression that has mutants.
type site struct {
	expr  ast.Expr // an *ast.BinaryExpr, or an *ast.CallExpr of min or max
	text  string   // on one line
	first int      // number of its first mutant
}

// swaps are the mutants of a site by its operator or function. Those of an order are the edge and the opposite.
var swaps = map[string][]string{
	"<":   {"<=", ">="},
	"<=":  {"<", ">"},
	">":   {">=", "<="},
	">=":  {">", "<"},
	"==":  {"!="},
	"!=":  {"=="},
	"&&":  {"||"},
	"||":  {"&&"},
	"min": {"max"},
	"max": {"min"},
}

// operator returns what of an expression is swapped, or "" if it is no site.
func operator(n ast.Node) string {
	name := ""
	switch n := n.(type) {
	case *ast.BinaryExpr:
		name = n.Op.String()
	case *ast.CallExpr:
		// What the file declares under these names has an object, the functions of the language have none.
		if f, ok := n.Fun.(*ast.Ident); ok && f.Obj == nil && (f.Name == "min" || f.Name == "max") {
			name = f.Name
		}
	}
	if swaps[name] == nil {
		return ""
	}
	return name
}

// parsePackage returns the files of a package that are built here, tests aside, and the number of their mutants, which are
// numbered from 1.
func parsePackage(root string, p target) (files []*source, mutants int, err error) {
	dir := filepath.Join(root, filepath.FromSlash(p.dir))
	pkg, err := build.Default.ImportDir(dir, 0)
	if err != nil {
		return nil, 0, errors.Wrap(err, "mutate: files of package")
	}
	next := 1
	for _, name := range pkg.GoFiles {
		if len(p.files) > 0 && !slices.Contains(p.files, name) {
			continue
		}
		s := &source{name: p.dir + "/" + name, fset: token.NewFileSet()}
		if s.file, err = parser.ParseFile(s.fset, filepath.Join(dir, name), nil, 0); err != nil {
			return nil, 0, errors.Wrap(err, "mutate: parse")
		}
		for _, decl := range s.file.Decls {
			f, err := s.function(decl, &next)
			if err != nil {
				return nil, 0, errors.WithMessagef(err, "mutate: %s", s.name)
			}
			if len(f.sites) > 0 {
				s.functions = append(s.functions, f)
			}
		}
		files = append(files, s)
	}
	return files, next - 1, nil
}

// function finds the sites of a declaration, whose mutants are numbered from next, and moves that on.
func (s *source) function(decl ast.Decl, next *int) (f function, err error) {
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok != token.VAR { // constants cannot be chosen when a test runs
				return false
			}
		case *ast.ArrayType: // nor can lengths
			return false
		}
		if op := operator(n); op != "" && err == nil {
			x := site{expr: n.(ast.Expr), first: *next}
			x.text, err = s.print(n)
			f.sites = append(f.sites, x)
			*next += len(swaps[op])
		}
		return true
	})
	if err != nil || len(f.sites) == 0 {
		return f, err
	}
	text, err := s.print(decl)
	f.name, f.hash = declared(decl), fmt.Sprintf("%.4x", sha256.Sum256([]byte(text)))
	return f, err
}

// print returns the text of a node on one line.
func (s *source) print(n ast.Node) (string, error) {
	var b bytes.Buffer
	if err := printer.Fprint(&b, s.fset, n); err != nil {
		return "", errors.Wrap(err, "mutate: print")
	}
	return strings.Join(strings.Fields(b.String()), " "), nil
}

// declared returns the name of a declaration.
func declared(decl ast.Decl) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return d.Name.Name
		}
		t := d.Recv.List[0].Type
		for {
			switch x := t.(type) {
			case *ast.StarExpr:
				t = x.X
			case *ast.IndexExpr:
				t = x.X
			case *ast.IndexListExpr:
				t = x.X
			case *ast.Ident:
				return x.Name + "." + d.Name.Name
			default:
				return d.Name.Name
			}
		}
	case *ast.GenDecl:
		if spec, ok := d.Specs[0].(*ast.ValueSpec); ok {
			return spec.Names[0].Name
		}
	}
	return "?"
}
