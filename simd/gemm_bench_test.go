package simd_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weft-ml/weft/simd"
)

// benchBest runs f for every accelerated set and reports, besides the mean, the GFLOP/s and the GB/s of the fastest round: bytes is
// what f has to move at least. On a machine with neighbours the fastest round is the one that repeats.
func benchBest(b *testing.B, flops, bytes float64, f func()) {
	was := simd.Current().Name
	defer use(b, was)
	for _, k := range simd.All() {
		if !k.Available() || k.Name == "generic" || k.Name == "generic-muladd" {
			continue
		}
		b.Run(k.Name, func(b *testing.B) {
			use(b, k.Name)
			f()
			start := time.Now()
			f()
			inner := max(int(50*time.Microsecond/max(time.Since(start), 1)), 1)
			best := time.Duration(1 << 62)
			n := 0
			for b.Loop() {
				if n++; n%inner == 1 || inner == 1 {
					start = time.Now()
				}
				f()
				if n%inner == 0 {
					best = min(best, time.Since(start))
				}
			}
			s := best.Seconds() / float64(inner)
			b.ReportMetric(flops/s/1e9, "GFLOP/s")
			b.ReportMetric(bytes/s/1e9, "GB/s")
		})
	}
}

// gemmBench is a product to be measured.
type gemmBench struct {
	m, k, n int
	ta, tb  bool
}

func (c gemmBench) String() string {
	return fmt.Sprintf("%dx%dx%d%s", c.m, c.k, c.n, []string{"", "_tA", "_tB", "_tAtB"}[btoi(c.ta)+2*btoi(c.tb)])
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c gemmBench) args() *simd.GemmArgs {
	a := &simd.GemmArgs{M: c.m, N: c.n, K: c.k, A: ramp(c.m * c.k), B: ramp(c.k * c.n), C: ramp(c.m * c.n), LDA: c.k, LDB: c.n, LDC: c.n, TransA: c.ta, TransB: c.tb}
	if c.ta {
		a.LDA = c.m
	}
	if c.tb {
		a.LDB = c.k
	}
	return a
}

// run measures the product as it is, or with op(B) packed before.
func (c gemmBench) run(b *testing.B, packed bool) {
	b.Run(c.String(), func(b *testing.B) {
		a := c.args()
		var scratch []float32
		set := ""
		benchBest(b, 2*float64(c.m)*float64(c.n)*float64(c.k), 4*float64(c.m*c.n+c.m*c.k+c.k*c.n), func() {
			if s := simd.Current().Name; s != set {
				set = s
				if packed {
					a.PackedB = make([]float32, simd.GemmPackBSize(c.k, c.n))
					simd.GemmPackB(a.PackedB, a.B, a.LDB, a.TransB, c.k, c.n)
				}
				scratch = make([]float32, simd.GemmScratch(a))
			}
			simd.Gemm(a, scratch)
		})
	})
}

// each measures all four transpositions of a product.
func (c gemmBench) each(b *testing.B) {
	for i := range 4 {
		gemmBench{c.m, c.k, c.n, i&1 != 0, i&2 != 0}.run(b, false)
	}
}

func BenchmarkGemmSquare(b *testing.B) {
	for _, n := range []int{64, 96, 100, 127, 128, 256, 300, 384, 512, 777, 1000, 1024, 1536, 2048, 3000} {
		gemmBench{m: n, k: n, n: n}.run(b, false)
	}
}

func BenchmarkGemmTransposed(b *testing.B) {
	for _, n := range []int{64, 127, 256, 512, 1024, 2048} {
		gemmBench{m: n, k: n, n: n}.each(b)
	}
}

// Shapes of layers and of their gradients: batch*time x features, and the same with few rows, long sums, narrow outputs.
func BenchmarkGemmOblong(b *testing.B) {
	for _, c := range []gemmBench{
		{m: 128, k: 256, n: 1024}, {m: 128, k: 1024, n: 256}, {m: 512, k: 256, n: 768}, {m: 32, k: 784, n: 128}, {m: 64, k: 4096, n: 64},
		{m: 4096, k: 64, n: 64}, {m: 64, k: 64, n: 4096}, {m: 2000, k: 33, n: 70}, {m: 256, k: 5000, n: 256}, {m: 3000, k: 16, n: 3000}, {m: 20, k: 500, n: 3000},
		{m: 3000, k: 500, n: 20},
	} {
		c.each(b)
	}
}

// Products of a transformer's training step, as its layers and their gradients have them, and odd sizes of the same order.
func BenchmarkGemmTraining(b *testing.B) {
	for _, c := range []gemmBench{
		{m: 512, k: 128, n: 128}, {m: 512, k: 128, n: 384}, {m: 512, k: 128, n: 512}, {m: 512, k: 512, n: 128},
		{m: 512, k: 384, n: 128, tb: true}, {m: 512, k: 512, n: 128, tb: true}, {m: 512, k: 128, n: 128, tb: true}, {m: 512, k: 128, n: 512, tb: true},
		{m: 128, k: 512, n: 128, ta: true}, {m: 128, k: 512, n: 384, ta: true}, {m: 128, k: 512, n: 512, ta: true}, {m: 512, k: 512, n: 128, ta: true},
	} {
		c.run(b, false)
	}
	for _, c := range []gemmBench{{m: 1000, k: 700, n: 1300}, {m: 384, k: 1536, n: 384}} {
		c.each(b)
	}
}

// A dimension of at most 32.
func BenchmarkGemmSmall(b *testing.B) {
	for _, c := range []gemmBench{
		{m: 8, k: 8, n: 8}, {m: 16, k: 16, n: 16}, {m: 32, k: 32, n: 32}, {m: 64, k: 32, n: 64}, {m: 64, k: 64, n: 32}, {m: 32, k: 120, n: 10}, {m: 32, k: 10, n: 120},
		{m: 120, k: 32, n: 10}, {m: 32, k: 256, n: 120},
	} {
		c.each(b)
	}
}

// Few rows against a large matrix, which has to come from memory or L3.
func BenchmarkGemmSkinny(b *testing.B) {
	for _, c := range []gemmBench{
		{m: 2, k: 1024, n: 1024}, {m: 4, k: 1024, n: 1024}, {m: 8, k: 4096, n: 4096}, {m: 4, k: 4096, n: 4096}, {m: 16, k: 4096, n: 4096}, {m: 30, k: 4096, n: 4096},
		{m: 4096, k: 4096, n: 8}, {m: 1024, k: 1024, n: 2}, {m: 777, k: 1000, n: 4}, {m: 8, k: 1024, n: 1024}, {m: 16, k: 1024, n: 1024}, {m: 32, k: 1024, n: 1024}, {m: 8, k: 1280, n: 1000},
		{m: 4, k: 2048, n: 2048}, {m: 16, k: 2048, n: 2048}, {m: 8, k: 8192, n: 1024}, {m: 8, k: 1000, n: 3000}, {m: 32, k: 4096, n: 4096},
	} {
		c.run(b, false)
		c.tb = true
		c.run(b, false)
	}
}

func BenchmarkGemmVector(b *testing.B) {
	for _, c := range []gemmBench{
		{m: 1, k: 1024, n: 1024}, {m: 1, k: 256, n: 256}, {m: 1, k: 4096, n: 4096}, {m: 1, k: 1000, n: 777}, {m: 1, k: 100000, n: 10}, {m: 1, k: 10, n: 100000},
		{m: 1, k: 1280, n: 1000}, {m: 1, k: 2048, n: 2048}, {m: 1, k: 4096, n: 1024},
		{m: 1024, k: 1024, n: 1}, {m: 777, k: 1000, n: 1},
	} {
		c.run(b, false)
		if c.m == 1 {
			c.tb = true
		} else {
			c.ta = true
		}
		c.run(b, false)
	}
}

func BenchmarkGemmPacked(b *testing.B) {
	for _, c := range []gemmBench{
		{m: 1, k: 1024, n: 1024}, {m: 8, k: 4096, n: 4096}, {m: 16, k: 1024, n: 1024}, {m: 128, k: 256, n: 1024}, {m: 512, k: 256, n: 768}, {m: 1024, k: 1024, n: 1024}, {m: 2048, k: 2048, n: 2048},
	} {
		c.run(b, true)
	}
}
