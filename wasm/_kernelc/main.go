// Kernelc builds the kernel modules of the browser:
//
//	go run -C wasm/_kernelc . -o DIR
//
// writes kernels-*.wasm. With -list it prints the step kernels and, for those that stay in Go, why.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weft-ml/weft/simd/wasmkernels"
	"github.com/weft-ml/weft/wasm/kernelc/module"
)

func main() {
	out := flag.String("o", "", "write the modules to the `folder`")
	list := flag.Bool("list", false, "print the step kernels")
	flag.Parse()
	if err := run(*out, *list); err != nil {
		fmt.Fprintln(os.Stderr, "weft: kernelc:", err)
		os.Exit(1)
	}
}

func run(out string, list bool) error {
	p, err := module.Load(".")
	if err != nil {
		return err
	}
	steps, err := module.Steps(p)
	if err != nil {
		return err
	}
	for _, v := range wasmkernels.Variants {
		b, err := module.Build(p, v, steps)
		if err != nil {
			return fmt.Errorf("%s: %w", v, err)
		}
		if out != "" {
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(out, v.File()), b, 0o644); err != nil {
				return err
			}
		}
	}
	if list {
		os.Stdout.WriteString(module.List(steps))
	}
	return nil
}
