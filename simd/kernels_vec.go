package simd

// vecKernels are the fields of a kernel set for everything that is not a matrix product or a convolution. Nil means generic.
type vecKernels struct{}
