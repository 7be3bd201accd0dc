package main

import (
	"bytes"

	"github.com/mmcloughlin/avo/build"
)

// special writes the kernels that are not elementwise; 256 bits serve both instruction sets.
func special(ctx *build.Context, decls *bytes.Buffer) {
}
