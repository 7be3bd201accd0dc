package simd_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// BenchmarkRecurrent times the parts of a step of an LSTM of 16 sequences and 128 units: the product with packed weights, and the cell both ways.
func BenchmarkRecurrent(b *testing.B) {
	const rows, n = 16, 128
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = r.Float32()*2 - 1
		}
		return x
	}
	gates, start, d := random(rows*4*n), random(rows*4*n), random(rows*4*n)
	c, h, dh, dc, before := random(rows*n), random(rows*n), random(rows*n), random(rows*n), random(rows*n)
	weights := random(4 * n * n)
	packed := make([]float32, simd.GemmPackBSize(n, 4*n))
	simd.GemmPackB(packed, weights, n, true, n, 4*n)
	back := make([]float32, simd.GemmPackBSize(4*n, n))
	simd.GemmPackB(back, weights, n, false, 4*n, n)
	b.Run("Product", func(b *testing.B) {
		g := simd.GemmArgs{M: rows, N: 4 * n, K: n, A: h, LDA: n, C: gates, LDC: 4 * n, Acc: true, PackedB: packed}
		scratch := make([]float32, simd.GemmScratch(&g))
		for b.Loop() {
			simd.Gemm(&g, scratch)
		}
	})
	b.Run("ProductBack", func(b *testing.B) {
		g := simd.GemmArgs{M: rows, N: n, K: 4 * n, A: d, LDA: 4 * n, C: dh, LDC: n, PackedB: back}
		scratch := make([]float32, simd.GemmScratch(&g))
		for b.Loop() {
			simd.Gemm(&g, scratch)
		}
	})
	b.Run("ProductHalf", func(b *testing.B) {
		g := simd.GemmArgs{M: rows / 2, N: 4 * n, K: n, A: h, LDA: n, C: gates, LDC: 4 * n, Acc: true, PackedB: packed}
		scratch := make([]float32, simd.GemmScratch(&g))
		for b.Loop() {
			simd.Gemm(&g, scratch)
		}
	})
	b.Run("ProductBackHalf", func(b *testing.B) {
		g := simd.GemmArgs{M: rows / 2, N: n, K: 4 * n, A: d, LDA: 4 * n, C: dh, LDC: n, PackedB: back}
		scratch := make([]float32, simd.GemmScratch(&g))
		for b.Loop() {
			simd.Gemm(&g, scratch)
		}
	})
	b.Run("Cell", func(b *testing.B) {
		for b.Loop() {
			copy(gates, start)
			simd.LSTMCell(gates, before, c, h, rows, n)
		}
	})
	b.Run("CellGrad", func(b *testing.B) {
		for b.Loop() {
			simd.LSTMCellGrad(d, gates, before, c, h, dc, rows, n)
		}
	})
}
