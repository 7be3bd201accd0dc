//go:build !noasm

package simd

import "unsafe"

// vecFunc is a vector kernel: its number in the kernel module, 0 for none.
type vecFunc uint16

func missing(f vecFunc) bool { return f == 0 }

func run(f vecFunc, a *vecArgs) { callKernel(int32(f), unsafe.Pointer(a)) }
