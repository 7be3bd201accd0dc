package simd_test

import (
	"testing"
	"time"

	"github.com/weft-ml/weft/simd"
)

// BenchmarkPools times pools of [N,C,H,W] and their gradients, one thread: the best time of each. testdata/pools_torch.py times PyTorch on the same
// shapes.
func BenchmarkPools(b *testing.B) {
	for _, e := range []struct {
		name                      string
		planes, h, k, stride, pad int
	}{
		{"3x3_64_p112_s2", 64, 112, 3, 2, 1},
		{"3x3_192_p56_s2", 192, 56, 3, 2, 1},
		{"2x2_64_p56_s2", 64, 56, 2, 2, 0},
		{"3x3_64_p56", 64, 56, 3, 1, 1},
		{"3x3_64_p28", 64, 28, 3, 1, 0},
		{"5x5_256_p14", 256, 14, 5, 1, 2},
		{"3x3_64_p57_s3", 64, 57, 3, 3, 0},
		{"7x7_512_p7", 512, 7, 7, 7, 0},
	} {
		out := (e.h+2*e.pad-e.k)/e.stride + 1
		s := &simd.PoolShape{Planes: e.planes, H: e.h, W: e.h, KH: e.k, KW: e.k, OH: out, OW: out, SH: e.stride, SW: e.stride, DH: 1, DW: 1,
			PT: e.pad, PL: e.pad, PB: e.pad, PR: e.pad}
		x, y := make([]float32, e.planes*e.h*e.h), make([]float32, e.planes*out*out)
		simd.FillNormal(x, 1, 2, 0, 0, 1)
		dx, dy, scratch := make([]float32, len(x)), make([]float32, len(y)), make([]float32, simd.PoolScratch(s))
		simd.FillNormal(dy, 3, 4, 0, 0, 1)
		for _, p := range []struct {
			name string
			f    func()
		}{
			{"max", func() { simd.MaxPool2D(s, y, nil, x, 0, s.Planes, scratch) }},
			{"maxgrad", func() { simd.MaxPool2DGrad(s, dx, dy, x, false, 0, s.Planes, scratch) }},
			{"avg", func() { simd.AvgPool2D(s, y, x, true, 0, s.Planes, scratch) }},
			{"avggrad", func() { simd.AvgPool2DGrad(s, dx, dy, true, 0, s.Planes, scratch) }},
		} {
			b.Run(e.name+"/"+p.name, func(b *testing.B) {
				p.f()
				best := time.Hour
				for b.Loop() {
					t := time.Now()
					p.f()
					best = min(best, time.Since(t))
				}
				b.ReportMetric(best.Seconds()*1e3, "ms-best")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
