// Package kernels calls the kernel module of the browser (simd/wasmkernels) from a Go program that shares its memory.
//
// A program that links it must be given the module's exports as the import module "weft" when it is instantiated; the host
// does that after weftlink has made the program's memory an import. Where the host found no usable SIMD it gives
// functions that trap instead, and the program must not call them.
package kernels
