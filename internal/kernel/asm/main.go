// Asm generates the assembly of package kernel: one file and its declarations for AVX2 with FMA, one for AVX-512.
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
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("asm: ")
	dir := flag.String("dir", ".", "write the files into `folder`")
	flag.Parse()
	for _, set := range []*vectors{avx2, avx512} {
		name := filepath.Join(*dir, "gemm_"+set.file+"_amd64")
		if err := generate(set, name+".s", name+".go"); err != nil {
			log.Fatalf("%s: %v", set.name, err)
		}
	}
}

// generate writes every kernel for one instruction set.
func generate(set *vectors, assembly, declarations string) error {
	g := &generator{Context: build.NewContext(), vectors: set}
	g.ConstraintExpr("!purego")
	if !set.masks {
		g.tailMasks()
	}
	for _, byRows := range []bool{true, false} {
		for rows := 1; rows <= set.rows; rows++ {
			g.tile(rows, byRows)
		}
	}
	g.copyPanel()
	g.transposePanel()
	g.dot()
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
