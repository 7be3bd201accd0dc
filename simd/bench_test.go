package simd_test

import (
	"fmt"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// benchSets runs f for every accelerated set, and reports GFLOP/s.
func benchSets(b *testing.B, flops float64, f func(), prepare ...func()) {
	was := simd.Current().Name
	defer use(b, was)
	for _, k := range simd.All() {
		if !k.Available() || k.Name == "generic" || k.Name == "generic-muladd" {
			continue
		}
		b.Run(k.Name, func(b *testing.B) {
			use(b, k.Name)
			for _, p := range prepare {
				p()
			}
			for b.Loop() {
				f()
			}
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// ramp returns n small values.
func ramp(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(i%17)/16 - 0.5
	}
	return s
}

func BenchmarkConv(b *testing.B) {
	for _, c := range []*convCase{
		newConv(32, 1, 28, 28, 6, 5, 5, 1, 1, 0, 1),
		newConv(32, 6, 12, 12, 16, 5, 5, 1, 1, 0, 1),
		newConv(1, 64, 56, 56, 64, 3, 3, 1, 1, 1, 1),
		newConv(1, 64, 56, 56, 128, 1, 1, 1, 1, 0, 1),
		newConv(1, 32, 112, 112, 32, 3, 3, 1, 1, 1, 32),
		newConv(1, 64, 56, 56, 128, 3, 3, 2, 1, 1, 1),
		newConv(32, 64, 7, 7, 64, 3, 3, 1, 1, 1, 1),
		newConv(1, 256, 14, 14, 256, 3, 3, 1, 1, 1, 1),
		newConv(1, 512, 7, 7, 512, 3, 3, 1, 1, 1, 1),
		newConv(1, 3, 224, 224, 64, 7, 7, 2, 1, 3, 1),
		newConv(1, 384, 14, 14, 64, 1, 1, 1, 1, 0, 1),
		newConv(1, 16, 112, 112, 96, 1, 1, 1, 1, 0, 1),
	} {
		s := &c.ConvShape
		c.prepare(func() float32 { return 0.25 }, 0)
		flops := 2 * float64(s.N*s.M*s.OH*s.OW) * float64(s.C/s.Groups*s.KH*s.KW)
		name := fmt.Sprintf("n%d_%dx%dx%d_%dx%dx%d_s%d_g%d", s.N, s.H, s.W, s.C, s.KH, s.KW, s.M, s.SH, s.Groups)
		y, dx, dw := make([]float32, len(c.dy.s)), make([]float32, len(c.x.s)), make([]float32, len(c.w.s))
		packed, scratch := make([]float32, 8<<20), make([]float32, 8<<20)
		b.Run("forward/"+name, func(b *testing.B) {
			benchSets(b, flops, func() {
				simd.ConvPack(s, packed, c.w.s)
				simd.ConvForward(s, c.x.s, packed, c.b.s, nil, y, simd.ActRelu, 0, 0, 0, 1, scratch)
			})
		})
		b.Run("last/"+name, func(b *testing.B) {
			s := *s
			s.XLast, s.YLast = true, true
			benchSets(b, flops, func() {
				simd.ConvForward(&s, c.x.s, packed, c.b.s, nil, y, simd.ActRelu, 0, 0, 0, 1, scratch)
			}, func() { simd.ConvPack(&s, packed, c.w.s) })
		})
		b.Run("dx/"+name, func(b *testing.B) {
			benchSets(b, flops, func() {
				simd.ConvGradInputPack(s, packed, c.w.s)
				simd.ConvGradInput(s, c.dy.s, packed, dx, 0, 1, scratch)
			})
		})
		b.Run("dw/"+name, func(b *testing.B) {
			benchSets(b, flops, func() { simd.ConvGradWeight(s, c.x.s, c.dy.s, dw, 0, 1, scratch) })
		})
	}
}
