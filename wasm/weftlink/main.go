// Weftlink turns the memory of a Go program for WebAssembly into an import (see package link):
//
//	GOOS=js GOARCH=wasm go build -o app.wasm ./app
//	go run github.com/weft-ml/weft/wasm/weftlink -o app.linked.wasm app.wasm
//
// It prints the number of pages that the host must give the memory at least. With -kernels it also builds the kernel modules, where
// they are not built already, and prints their folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/weft-ml/weft/wasm/kernelfiles"
	"github.com/weft-ml/weft/wasm/link"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("weftlink", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: weftlink [-shared] [-strip] [-kernels ROOT] -o OUT.wasm IN.wasm")
		flags.PrintDefaults()
	}
	out := flags.String("o", "", "write the linked module to `file`")
	shared := flags.Bool("shared", false, "import a shared memory, for threads")
	root := flags.String("kernels", "", "build the kernel modules of the repository `root`")
	strip := flags.Bool("strip", false, "empty the tables that only stack traces need")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 1 || *out == "" {
		flags.Usage()
		return 2
	}
	in, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		fmt.Fprintln(stderr, "weft: link:", err)
		return 1
	}
	if *strip {
		if in, _, err = link.Strip(in); err != nil {
			fmt.Fprintf(stderr, "%v (%s)\n", err, flags.Arg(0))
			return 1
		}
	}
	linked, info, err := link.ImportMemory(in, *shared)
	if err != nil {
		fmt.Fprintf(stderr, "%v (%s)\n", err, flags.Arg(0))
		return 1
	}
	if err := os.WriteFile(*out, linked, 0o644); err != nil {
		fmt.Fprintln(stderr, "weft: link:", err)
		return 1
	}
	fmt.Fprintln(stdout, info.Pages)
	if *root != "" {
		dir, err := kernelfiles.Build(context.Background(), *root)
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		fmt.Fprintln(stdout, dir)
	}
	return 0
}
