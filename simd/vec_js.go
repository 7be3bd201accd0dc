//go:build !noasm

package simd

import "unsafe"

// vecFunc is a vector kernel: its number in the kernel module, 0 for none.
type vecFunc uint16

func missing(f vecFunc) bool { return f == 0 }

func run(f vecFunc, a *vecArgs) { callKernel(int32(f), unsafe.Pointer(a)) }

// wholeTransposeArgs are the arguments of the kernel transpose; leading dimensions are in bytes.
type wholeTransposeArgs struct {
	dst, x               *float32
	rows, cols, ldx, ldd int
}

// fillWasm puts the vector kernels of the kernel module into a set.
func fillWasm(k *Kernels) {
	vecWasm.fill(k)
	k.vec.expSum = func(dst, x []float32, shift float32) float32 {
		var lanes [Lanes]float32 // where the kernel keeps its accumulators
		a := vecArgs{n: len(x), runs: 1, p: [8]float32{shift}}
		a.in[0], a.out[0], a.out[1] = unsafe.SliceData(x), unsafe.SliceData(dst), noescape(&lanes[0])
		f := vecWasm.expSum
		if dst == nil {
			f = vecWasm.expSumOnly
		}
		run(f, noescape(&a))
		return a.result
	}
	k.vec.maxPool2 = func(dst, x []float32, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[0], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dst)
		run(idVecMaxPool2, &a)
	}
	k.vec.maxPool2Grad = func(dx, dy, x []float32, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[0], a.in[1], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dy), unsafe.SliceData(dx)
		run(idVecMaxPool2Grad, &a)
	}
	k.vec.transpose = func(dst, x []float32, rows, cols, ldx, ldd int) {
		a := wholeTransposeArgs{unsafe.SliceData(dst), unsafe.SliceData(x), rows, cols, 4 * ldx, 4 * ldd}
		callKernel(idTranspose, unsafe.Pointer(&a))
	}
}
