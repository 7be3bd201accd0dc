package main

import (
	"math"
	"time"

	"github.com/weft-ml/weft/simd"
	"github.com/weft-ml/weft/wasm/kernels"
)

// check is one product, computed by the kernels and by the plain loops.
type check struct{ m, n, k int }

// checks cover whole tiles, every kind of edge and more than one chunk of k.
var checks = []check{{1, 1, 1}, {5, 7, 3}, {6, 8, 512}, {7, 9, 513}, {12, 16, 100}, {13, 130, 1030}, {33, 6, 600}, {64, 65, 127}, {96, 96, 96}}

// Sizes of the square products that are timed.
var (
	kernelSizes = []int{64, 128, 256, 512}
	loopSizes   = []int{64, 128, 256}
)

// timeEach is how long each size is measured for.
const timeEach = 150 * time.Millisecond

// fill returns n numbers in [-1, 1), from a fixed sequence.
func fill(n int, seed uint32) []float32 {
	x := make([]float32, n)
	for i := range x {
		seed = seed*1664525 + 1013904223
		x[i] = float32(int32(seed)) / (1 << 31)
	}
	return x
}

// run reports whether kernels and loops agree in every bit.
func (c check) run() bool {
	a, b := fill(c.m*c.k, 1), fill(c.k*c.n, 2)
	want, got := make([]float32, c.m*c.n), make([]float32, c.m*c.n)
	simd.Gemm(&simd.GemmArgs{M: c.m, N: c.n, K: c.k, A: a, LDA: c.k, B: b, LDB: c.n, C: want, LDC: c.n}, nil)
	pa, pb := make([]float32, kernels.PackedA(c.m, c.k)), make([]float32, kernels.PackedB(c.k, c.n))
	kernels.PackA(pa, a, c.k, 1, c.m, c.k)
	kernels.PackB(pb, b, c.n, 1, c.k, c.n)
	kernels.Gemm(c.m, c.n, c.k, pa, pb, got, c.n, false)
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			return false
		}
	}
	return true
}

// best runs f for timeEach and returns the rate of the fastest run, in billions of operations a second.
// Runs are grouped so that a group is long against the browser's clock, which may tick only every 0.1 ms.
func best(flops float64, f func()) float64 {
	f()
	group := 1
	shortest := math.Inf(1)
	for start := time.Now(); time.Since(start) < timeEach; {
		t := time.Now()
		for range group {
			f()
		}
		d := time.Since(t)
		if d < 2*time.Millisecond {
			group *= 2
			continue
		}
		shortest = min(shortest, d.Seconds()/float64(group))
	}
	return flops / shortest / 1e9
}

// kernelRate measures an n by n product of packed operands in the kernel module.
func kernelRate(n int) float64 {
	a, b, c := fill(n*n, 1), fill(n*n, 2), make([]float32, n*n)
	pa, pb := make([]float32, kernels.PackedA(n, n)), make([]float32, kernels.PackedB(n, n))
	kernels.PackA(pa, a, n, 1, n, n)
	kernels.PackB(pb, b, n, 1, n, n)
	return best(2*float64(n)*float64(n)*float64(n), func() { kernels.Gemm(n, n, n, pa, pb, c, n, false) })
}

// loopRate measures the same product in Go's compiled loops.
func loopRate(n int) float64 {
	args := simd.GemmArgs{M: n, N: n, K: n, A: fill(n*n, 1), LDA: n, B: fill(n*n, 2), LDB: n, C: make([]float32, n*n), LDC: n}
	return best(2*float64(n)*float64(n)*float64(n), func() { simd.Gemm(&args, nil) })
}
