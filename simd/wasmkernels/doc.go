// Package wasmkernels writes the kernel module of the browser with wasmasm. With the step kernels of core
// (wasm/_kernelc) they make the files that a host loads, which wasm/kernelfiles builds:
//
//	kernels-simd128.wasm         128-bit SIMD, multiplication and addition round twice (class muladd)
//	kernels-relaxed.wasm         f32x4.relaxed_madd: class fma where fma_probe finds it fused
//	kernels-*-shared.wasm        the same on a shared memory, for threads
//
// A module imports the memory of the Go program as env.memory and has no data and no state of its own, so that
// any number of instances run on one memory. Addresses are bytes, leading dimensions and strides are elements. The caller
// validates sizes; nothing here checks them.
//
// Package simd calls kernel(id, args): the kernel of that number (simd/kernel_ids_js.go) on the struct of arguments at that address. variant
// tells which module this is. [Build] gives the same kernels as functions by name, for modules that call them directly.
//
// V8 compiles a function with its optimising compiler between calls only, and Safari's compiler dislikes huge functions: so tiles are
// functions of their own, called for some microseconds of work at a time, and the loops over them are other functions.
//
// Matrix products and convolutions (mat*.go) are the leaves of the drivers in package simd, called with the addresses of their
// argument structs. 4 lanes leave 15 vector registers for a tile: 6 rows by 2 vectors where multiplication and addition are one
// instruction, 4 by 2 where they are two.
package wasmkernels

// Variant is one of the generated modules.
type Variant struct {
	Relaxed bool // fused multiply-add by relaxed SIMD, instead of two roundings
	Shared  bool // the memory is shared between threads
}

// Variants lists the generated modules.
var Variants = []Variant{{}, {Shared: true}, {Relaxed: true}, {Relaxed: true, Shared: true}}

// String returns the variant's name, as it stands in the file's name.
func (v Variant) String() string {
	name := "simd128"
	if v.Relaxed {
		name = "relaxed"
	}
	if v.Shared {
		name += "-shared"
	}
	return name
}

// File returns the name of the variant's file.
func (v Variant) File() string { return "kernels-" + v.String() + ".wasm" }

// Chunk is simd.KChunk: how many consecutive k one accumulator adds up.
const Chunk = 512

// Generate returns the variant's binary module.
func Generate(v Variant) ([]byte, error) {
	m, _, err := Build(v)
	if err != nil {
		return nil, err
	}
	return m.Bytes()
}
