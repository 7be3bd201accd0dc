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
	k.vec.maxPool2Grad = func(dx, dy, x []float32, rows, ow, w int) {
		a := vecArgs{n: ow, runs: rows, stride: w}
		a.in[0], a.in[1], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dy), unsafe.SliceData(dx)
		vecMaxPool2GradAVX2(&a)
	}
	k.vec.transpose = transposeAVX2
}

// transposeAVX2 transposes in blocks of 8x8, the edges element by element.
func transposeAVX2(dst, x []float32, rows, cols, ldx, ldd int) {
	r8, c8 := rows&^7, cols&^7
	if c8 > 0 {
		for i := 0; i < r8; i += 8 {
			a := transposeArgs{n: c8 / 8, dst: &dst[i], ds: 4 * ldd}
			for k := range a.src {
				a.src[k] = &x[(i+k)*ldx]
			}
			transpose8AVX2(&a)
		}
	}
	if c8 < cols && r8 > 0 {
		TransposeAny(dst[c8*ldd:], x[c8:], r8, cols-c8, ldx, ldd)
	}
	if r8 < rows && cols > 0 {
		TransposeAny(dst[r8:], x[r8*ldx:], rows-r8, cols, ldx, ldd)
	}
}
