// Package vecir holds the vector kernels in the little language in which they are written once for every instruction
// set: elementwise functions, reductions, normalisation, optimizers. The generators of amd64 and arm64 assembly
// (simd/_asm/vec) and of the page's kernel module (simd/wasmkernels) each lower the one list, [Kernels].
package vecir
