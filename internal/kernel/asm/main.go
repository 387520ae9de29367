// Asm generates the assembly of package kernel: for each family of kernels a file and its declarations for AVX2 with
// FMA, and others for AVX-512.
//
// It is a module of its own, so that those who use kernels do not depend on the assembler library avo.
// Run it with go generate in the folder above.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("asm: ")
	dir := flag.String("dir", ".", "write the files into `folder`")
	flag.Parse()
	for _, set := range []*vectors{avx2, avx512} {
		for _, family := range families {
			name := filepath.Join(*dir, family.file+"_"+set.file+"_amd64")
			if err := generate(set, family.kernels, name+".s", name+".go"); err != nil {
				log.Fatalf("%s for %s: %v", family.file, set.name, err)
			}
		}
	}
}

// families are the files of kernels.
var families = []struct {
	file    string
	kernels func(*generator)
}{
	{"gemm", (*generator).products},
	{"exp", (*generator).exponentials},
	{"linear", (*generator).plain},
	{"int8", (*generator).quantized},
	{"sampling", (*generator).sampling},
}

// products writes the kernels of matrix products.
func (g *generator) products() {
	for _, byRows := range []bool{true, false} {
		for rows := 1; rows <= g.rows; rows++ {
			g.tile(rows, byRows)
		}
	}
	g.copyPanel()
	g.transposePanel()
	for m := 1; m <= g.dotVectors; m++ {
		g.dots(m)
	}
}

// generate writes a family of kernels for one instruction set.
func generate(set *vectors, kernels func(*generator), assembly, declarations string) error {
	g := &generator{Context: build.NewContext(), vectors: set, constants: make(map[string]operand.Mem)}
	g.ConstraintExpr("!purego")
	if !set.masks {
		g.tailMasks()
	}
	kernels(g)
	file, err := g.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return err
	}
	cfg := printer.Config{Argv: []string{"go", "generate", "./internal/kernel"}, Pkg: "kernel"}
	if err := write(assembly, printer.NewGoAsm(cfg), file); err != nil {
		return err
	}
	return write(declarations, printer.NewStubs(cfg), file)
}

func write(name string, p printer.Printer, file *ir.File) error {
	text, err := p.Print(file)
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o666)
}
