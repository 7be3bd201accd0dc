package simd_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/weft-ml/weft/simd"
)

// gradShape is one row of testdata/convgrads.json.
type gradShape struct {
	Name                                            string
	N, C, H, W, M, K, Pad, Stride, Dilation, Groups int
}

// BenchmarkConvGrads times the passes of convolutions as they are trained: the best time of each, one thread. testdata/convgrads_torch.py times
// PyTorch on the same shapes.
func BenchmarkConvGrads(b *testing.B) {
	text, err := os.ReadFile("testdata/convgrads.json")
	if err != nil {
		b.Fatal(err)
	}
	var list []gradShape
	if err := json.Unmarshal(text, &list); err != nil {
		b.Fatal(err)
	}
	for _, e := range list {
		c := newConv(e.N, e.C, e.H, max(e.W, e.H), e.M, e.K, e.K, max(e.Stride, 1), max(e.Dilation, 1), e.Pad, max(e.Groups, 1))
		s := &c.ConvShape
		c.prepare(func() float32 { return 0.25 }, 0)
		flops := 2 * float64(s.N*s.M*s.OH*s.OW) * float64(s.C/s.Groups*s.KH*s.KW)
		y, dx, dw := make([]float32, len(c.dy.s)), make([]float32, len(c.x.s)), make([]float32, len(c.w.s))
		packed := make([]float32, max(simd.ConvPackSize(s), simd.ConvGradInputPackSize(s)))
		scratch := make([]float32, max(simd.ConvForwardScratch(s), simd.ConvGradInputScratch(s), simd.ConvGradWeightScratch(s)))
		for _, p := range []struct {
			name string
			f    func()
		}{
			{"y", func() {
				simd.ConvPack(s, packed, c.w.s)
				simd.ConvForward(s, c.x.s, packed, c.b.s, nil, y, simd.ActRelu, 0, 0, 0, 1, scratch)
			}},
			{"dx", func() {
				simd.ConvGradInputPack(s, packed, c.w.s)
				simd.ConvGradInput(s, c.dy.s, packed, dx, 0, 1, scratch)
			}},
			{"dw", func() { simd.ConvGradWeight(s, c.x.s, c.dy.s, dw, 0, 1, scratch) }},
		} {
			b.Run(e.Name+"/"+p.name, func(b *testing.B) {
				p.f()
				best := time.Hour
				for b.Loop() {
					t := time.Now()
					p.f()
					best = min(best, time.Since(t))
				}
				b.ReportMetric(best.Seconds()*1e3, "ms-best")
				b.ReportMetric(flops/best.Seconds()/1e9, "GFLOP/s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
