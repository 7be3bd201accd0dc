//go:build !noasm

package simd

import (
	"sync"
	"unsafe"
)

// In the page the accelerated kernels are a WebAssembly module of their own (simd/wasmkernels) on this program's memory. The
// host chooses the module that the browser can run; it gives its exports as the import module "weft".

// moduleVariant says which kernel module the host has given: 0 none, 1 simd128, 2 relaxed.
//
//go:wasmimport weft variant
//go:noescape
func moduleVariant() int32

// callKernel runs the kernel with the number id (see kernel_ids_js.go) on its arguments.
//
//go:wasmimport weft kernel
//go:noescape
func callKernel(id int32, args unsafe.Pointer)

// Variants of the kernel module.
const (
	variantNone = iota
	variantSIMD128
	variantRelaxed
)

// archKernels returns the sets of the page, best first. One module is loaded, so at most one of them is available.
var archKernels = sync.OnceValue(func() []*Kernels {
	why := "this host has no WebAssembly SIMD"
	variant := moduleVariant()
	switch variant {
	case variantSIMD128:
		why = "the host has loaded the kernel module simd128"
	case variantRelaxed:
		why = "the host has loaded the kernel module relaxed"
	}
	relaxed := &Kernels{Name: "relaxed", Class: FMA, Unavailable: why}
	simd128 := &Kernels{Name: "simd128", Class: MulAdd, Unavailable: why}
	switch variant {
	case variantSIMD128:
		simd128.Unavailable = ""
	case variantRelaxed:
		relaxed.Unavailable = ""
	}
	for _, k := range []*Kernels{relaxed, simd128} {
		fillWasm(k)
	}
	fillMatrix(relaxed)
	fillMatrix(simd128)
	return []*Kernels{relaxed, simd128}
})
