//go:build !noasm && (amd64 || arm64)

package simd

import "unsafe"

// vecFunc is a vector kernel: a function of assembly, nil for none.
type vecFunc = func(*vecArgs)

func missing(f vecFunc) bool { return f == nil }

func run(f vecFunc, a *vecArgs) { f(a) }

// rowFunc is a kernel of whole rows.
type rowFunc = func(*rowArgs)

func runRows(f rowFunc, a *rowArgs) { f(a) }

// rowLanes is room for accumulators, which have registers here.
const rowLanes = 0

func (t *vecTable) fillExp(v *vecKernels) {
	v.expSum = func(dst, x []float32, shift float32) float32 {
		a := vecArgs{n: len(x), runs: 1, p: [8]float32{shift}}
		a.in[0], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dst)
		if dst == nil {
			run(t.expSumOnly, noescape(&a))
		} else {
			run(t.expSum, noescape(&a))
		}
		return a.result
	}
}
