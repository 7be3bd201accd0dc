//go:build !noasm

package simd

import "unsafe"

// fillAMD64 puts the vector kernels into a set; those that are not elementwise use 256 bits everywhere.
func (t *vecTable) fillAMD64(k *Kernels) {
	t.fill(k)
	k.vec.maxPool2 = func(dst, x []float32, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[0], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dst)
		vecMaxPool2AVX2(&a)
	}
	k.vec.maxPool2Grad = func(dx, dy, x []float32, relu bool, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[0], a.in[1], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dy), unsafe.SliceData(dx)
		if relu {
			vecMaxPool2ReluGradAVX2(&a)
		} else {
			vecMaxPool2GradAVX2(&a)
		}
	}
	k.vec.transpose = func(dst, x []float32, rows, cols, ldx, ldd int) {
		transposeTiles(transpose8AVX2, vecTranspose4AVX2, dst, x, rows, cols, ldx, ldd)
	}
}
