//go:build js

package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
	"github.com/weft-ml/weft/wasm/kernels"
)

// TestGemm compares the kernel module's product with the generic one of its class, bit by bit.
func TestGemm(t *testing.T) {
	set := "generic-muladd"
	if kernels.Fused() {
		set = "generic"
	}
	if err := simd.Use(set); err != nil {
		t.Fatal(err)
	}
	t.Logf("class %s", simd.Current().Class)
	r := rand.New(rand.NewPCG(1, 2))
	fill := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for _, s := range [][3]int{{0, 3, 3}, {3, 3, 0}, {1, 1, 1}, {5, 7, 3}, {6, 8, 512}, {7, 9, 513}, {13, 130, 1030}, {64, 257, 40}, {33, 6, 2000}} {
		m, n, k := s[0], s[1], s[2]
		for _, trans := range []bool{false, true} {
			for _, acc := range []bool{false, true} {
				t.Run(fmt.Sprintf("%dx%dx%d trans=%v acc=%v", m, n, k, trans, acc), func(t *testing.T) {
					a, b, lda, ldb := fill(m*k + 3)[3:], fill(k*n + 1)[1:], k, n
					ars, acs, brs, bcs := k, 1, n, 1
					if trans {
						lda, ldb = m, k
						ars, acs, brs, bcs = 1, m, 1, k
					}
					if k > 8 && m > 1 {
						a[k], b[3], a[2] = float32(math.Inf(1)), 1e-42, 0
					}
					ldc := n + 2
					want := fill(m * ldc)
					got := append([]float32(nil), want...)
					if !acc {
						for i := range m * ldc {
							if i%ldc < n {
								got[i] = float32(math.NaN())
							}
						}
					}
					simd.Gemm(&simd.GemmArgs{M: m, N: n, K: k, A: a, LDA: lda, TransA: trans, B: b, LDB: ldb, TransB: trans, C: want, LDC: ldc, Acc: acc}, nil)
					pa, pb := make([]float32, kernels.PackedA(m, k)+1), make([]float32, kernels.PackedB(k, n)+1)
					kernels.PackA(pa, a, ars, acs, m, k)
					kernels.PackB(pb, b, brs, bcs, k, n)
					kernels.Gemm(m, n, k, pa, pb, got, ldc, acc)
					for i := range want {
						if math.Float32bits(got[i]) != math.Float32bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
							t.Fatalf("C[%d,%d] = %v, want %v", i/ldc, i%ldc, got[i], want[i])
						}
					}
					if pa[len(pa)-1] != 0 || pb[len(pb)-1] != 0 {
						t.Fatal("packing wrote past its end")
					}
				})
			}
		}
	}
}

func TestGemmAllocatesNothing(t *testing.T) {
	x := make([]float32, 64*64)
	c := make([]float32, 64*64)
	if n := testing.AllocsPerRun(10, func() { kernels.Gemm(48, 48, 48, x, x, c, 48, false) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
