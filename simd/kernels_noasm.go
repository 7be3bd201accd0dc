//go:build noasm || !(amd64 || arm64 || js)

package simd

// archKernels is empty: this build has the generic sets only.
func archKernels() []*Kernels { return nil }
