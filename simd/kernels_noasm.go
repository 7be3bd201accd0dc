//go:build noasm || !(amd64 || arm64)

package simd

// archKernels is empty: this build has the generic sets only.
func archKernels() []*Kernels { return nil }
