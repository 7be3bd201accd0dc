// Command gemm writes the amd64 kernels of matrix products and convolutions:
//
//	go run ./gemm -dir ..        (in simd/_asm)
//
// Each instruction set and numeric class gets the same functions in two assembly files, and one Go file declares them and
// lists them in tables indexed by tile size.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

func main() {
	log.SetFlags(0)
	out := flag.String("dir", "..", "folder to write to")
	flag.Parse()
	decls := new(declarations)
	emit(*out, "cpu", isa{}, decls, genCPU)
	for _, s := range []isa{{fma: true}, {}, {wide: true, fma: true}} {
		emit(*out, "gemm", s, decls, genGemm)
		emit(*out, "conv", s, decls, genConv)
		emit(*out, "last", s, decls, genLast)
	}
	write(filepath.Join(*out, "tiles_amd64.go"), decls.source())
}

// emit writes one assembly file.
func emit(dir, name string, s isa, decls *declarations, fill func(*gen)) {
	ctx := build.NewContext()
	ctx.ConstraintExpr("!noasm")
	fill(&gen{Context: ctx, isa: s, decls: decls})
	f, err := ctx.Result()
	if err == nil {
		err = pass.Compile.Execute(f)
	}
	if err != nil {
		log.Fatal(err)
	}
	text, err := printer.NewGoAsm(printer.Config{Name: "avo", Argv: []string{"go", "run", "./gemm"}, Pkg: "simd"}).Print(f)
	if err != nil {
		log.Fatal(err)
	}
	if name != "cpu" {
		name += "_" + s.file()
	}
	write(filepath.Join(dir, name+"_amd64.s"), text)
}

func write(path string, text []byte) {
	if err := os.WriteFile(path, text, 0o644); err != nil {
		log.Fatal(err)
	}
}
