//go:build !noasm

package simd

import "unsafe"

// vecFunc is a vector kernel: its number in the kernel module, 0 for none.
type vecFunc uint16

func missing(f vecFunc) bool { return f == 0 }

func run(f vecFunc, a *vecArgs) { callKernel(int32(f), unsafe.Pointer(a)) }

// rowFunc is a kernel of whole rows: its number in the kernel module.
type rowFunc uint16

func runRows(f rowFunc, a *rowArgs) { callKernel(int32(f), unsafe.Pointer(a)) }

// rowLanes is room for the accumulators of long loops.
const rowLanes = Lanes

func (t *vecTable) fillExp(v *vecKernels) {
	v.expSum = func(dst, x []float32, shift float32) float32 {
		var lanes [Lanes]float32 // where the kernel keeps its accumulators
		a := vecArgs{n: len(x), runs: 1, p: [8]float32{shift}}
		a.in[0], a.out[0], a.out[1] = unsafe.SliceData(x), unsafe.SliceData(dst), noescape(&lanes[0])
		f := t.expSum
		if dst == nil {
			f = t.expSumOnly
		}
		run(f, noescape(&a))
		return a.result
	}
}

// fillWasm puts the vector kernels of the kernel module into a set.
func fillWasm(k *Kernels) {
	k.inModule = true
	vecWasm.fill(k)
	k.vec.maxPool2 = func(dst, x []float32, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[0], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dst)
		run(idVecMaxPool2, &a)
	}
	k.vec.maxPool2Grad = func(dx, dy, x []float32, relu bool, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[0], a.in[1], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dy), unsafe.SliceData(dx)
		if relu {
			run(idVecMaxPool2ReluGrad, &a)
		} else {
			run(idVecMaxPool2Grad, &a)
		}
	}
	k.vec.avgPool2 = func(dst, x []float32, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[0], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dst)
		run(idVecAvgPool2, &a)
	}
	k.vec.avgPool2Grad = func(dx, dy []float32, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[1], a.out[0] = unsafe.SliceData(dy), unsafe.SliceData(dx)
		run(idVecAvgPool2Grad, &a)
	}
	k.vec.transpose = func(dst, x []float32, rows, cols, ldx, ldd int) {
		a := wholeTransposeArgs{unsafe.SliceData(dst), unsafe.SliceData(x), rows, cols, 4 * ldx, 4 * ldd}
		callKernel(idTranspose, unsafe.Pointer(&a))
	}
}
