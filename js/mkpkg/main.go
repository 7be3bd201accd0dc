// Mkpkg builds the npm package into js/dist:
//
//	go run ./js/mkpkg
//
// With -types=false it needs no npm.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/weft-ml/weft/js/build"
)

func main() { build.Main(run) }

func run(ctx context.Context, args []string, _, stderr io.Writer) int {
	flags := flag.NewFlagSet("mkpkg", flag.ContinueOnError)
	var opt build.Options
	flags.StringVar(&opt.Out, "o", "", "write the package into `folder` (default js/dist)")
	flags.BoolVar(&opt.Types, "types", true, "write the types, with the TypeScript compiler")
	flags.BoolVar(&opt.Wasm, "wasm", true, "compile the Go program")
	flags.BoolVar(&opt.Bench, "bench", false, "bundle the benchmarks too")
	flags.BoolVar(&opt.Tests, "tests", false, "bundle the unit tests too")
	if !build.Parse(flags, args, stderr) {
		return 2
	}
	if err := build.Package(ctx, opt); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}
