//go:build !noasm

package simd

// archKernels returns the sets for this architecture, best first.
func archKernels() []*Kernels { return nil }
