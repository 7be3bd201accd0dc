//go:build !noasm

package simd

import "sync"

// archKernels returns the sets for this architecture, best first. Every arm64 processor has NEON.
var archKernels = sync.OnceValue(func() []*Kernels {
	neon := &Kernels{Name: "neon", Class: FMA}
	vecNEON.fill(neon)
	muladd := &Kernels{Name: "neon-muladd", Class: MulAdd}
	vecNEONMulAdd.fill(muladd)
	return []*Kernels{neon, muladd}
})
