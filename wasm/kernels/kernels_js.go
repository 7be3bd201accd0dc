package kernels

import "unsafe"

// noescape keeps a call from moving what the pointers point to to the heap: the kernels keep no pointer.

//go:wasmimport weft gemm_mr
//go:noescape
func gemmMR() int32

//go:wasmimport weft gemm_nr
//go:noescape
func gemmNR() int32

//go:wasmimport weft gemm_pack_a
//go:noescape
func gemmPackA(m, k int32, a unsafe.Pointer, rs, cs int32, dst unsafe.Pointer)

//go:wasmimport weft gemm_pack_b
//go:noescape
func gemmPackB(k, n int32, b unsafe.Pointer, rs, cs int32, dst unsafe.Pointer)

//go:wasmimport weft gemm_f32
//go:noescape
func gemmF32(m, n, k int32, pa, pb, c unsafe.Pointer, ldc, acc int32)

//go:wasmimport weft fma_probe
//go:noescape
func fmaProbe(a, b, c float32) float32

// callFlops is how much work one call into the module may take: about a millisecond. Between calls the Go
// scheduler can run other goroutines and V8 can switch to better code.
const callFlops = 32 << 20

// Fused reports whether the module's multiply-add rounds once (class fma) or twice (class muladd).
func Fused() bool { return fmaProbe(1+1.0/4096, 1+1.0/4096, -(1+2.0/4096)) != 0 }

// PackedA returns the length of what PackA writes for A[m,k].
func PackedA(m, k int) int { return roundUp(m, int(gemmMR())) * k }

// PackedB returns the length of what PackB writes for B[k,n].
func PackedB(k, n int) int { return roundUp(n, int(gemmNR())) * k }

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// PackA packs A[m,k], whose element (i, p) is a[i*rs+p*cs], into dst.
func PackA(dst, a []float32, rs, cs, m, k int) {
	gemmPackA(int32(m), int32(k), pointer(a), int32(rs), int32(cs), pointer(dst))
}

// PackB packs B[k,n], whose element (p, j) is b[p*rs+j*cs], into dst.
func PackB(dst, b []float32, rs, cs, k, n int) {
	gemmPackB(int32(k), int32(n), pointer(b), int32(rs), int32(cs), pointer(dst))
}

// Gemm computes C[m,n] = A*B, or C += A*B under acc, from packed operands; C is row-major with rows ldc apart. The order of the
// additions, and so every bit, is that of simd.Gemm in the module's class.
func Gemm(m, n, k int, pa, pb, c []float32, ldc int, acc bool) {
	if m <= 0 || n <= 0 {
		return
	}
	add := int32(0)
	if acc {
		add = 1
	}
	mr := int(gemmMR())
	step := m
	if row := 2 * n * k * mr; row > 0 {
		step = max(callFlops/row, 1) * mr
	}
	for i := 0; i < m; i += step {
		gemmF32(int32(min(step, m-i)), int32(n), int32(k), pointer(pa[i*k:]), pointer(pb), pointer(c[i*ldc:]), int32(ldc), add)
	}
}

func pointer(s []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }
