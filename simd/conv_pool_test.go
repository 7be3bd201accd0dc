package simd_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weft-ml/weft/simd"
)

// drawPool returns a pool over the convolution's output.
func drawPool(r *rand.Rand, s *simd.ConvShape) *simd.ConvPool {
	q := &simd.ConvPool{Average: r.IntN(4) == 0}
	q.Planes, q.H, q.W = s.N*s.M, s.OH, s.OW
	q.KH, q.KW, q.SH, q.SW, q.DH, q.DW = 2, 2, 2, 2, 1, 1
	if r.IntN(2) == 0 {
		q.KH, q.KW, q.SH, q.SW = 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(3)
		if r.IntN(4) == 0 {
			q.DH, q.DW = 1+r.IntN(2), 1+r.IntN(2)
		}
		if !q.Average {
			q.PT, q.PL, q.PB, q.PR = r.IntN(q.KH), r.IntN(q.KW), r.IntN(q.KH), r.IntN(q.KW)
		}
	}
	q.OH = (q.H+q.PT+q.PB-(q.KH-1)*q.DH-1)/q.SH + 1
	q.OW = (q.W+q.PL+q.PR-(q.KW-1)*q.DW-1)/q.SW + 1
	return q
}

// A convolution that is computed with its pool has the bits of the two.
func TestConvPool(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	shapes := []*convCase{
		newConv(3, 1, 28, 28, 6, 5, 5, 1, 1, 0, 1),
		newConv(5, 6, 12, 12, 16, 5, 5, 1, 1, 0, 1),
		newConv(2, 3, 32, 32, 32, 3, 3, 1, 1, 1, 1), // blocks of rows
		newConv(1, 3, 60, 64, 64, 7, 7, 2, 1, 3, 1), // the same, channels-last too
		newConv(2, 16, 30, 31, 24, 3, 3, 1, 1, 1, 1),
		newConv(2, 8, 9, 40, 8, 3, 3, 1, 1, 1, 8), // depthwise
		newConv(2, 6, 33, 40, 30, 3, 3, 1, 1, 1, 3),
		newConv(2, 8, 10, 10, 16, 1, 1, 1, 1, 0, 1), // not pooled in [N,C,H,W]
		newConv(4, 2, 1, 50, 5, 1, 3, 1, 1, 1, 1),
	}
	for range 20 {
		g := 1 + r.IntN(2)
		k := 1 + r.IntN(4)
		shapes = append(shapes, newConv(1+r.IntN(4), g*(1+r.IntN(9)), k+3+r.IntN(20), k+3+r.IntN(24), g*(1+r.IntN(30)), k, k, 1+r.IntN(2), 1, r.IntN(2), g))
	}
	draw := draws(r)["special"]
	fits := 0
	for i, c := range shapes {
		s := c.ConvShape
		q := drawPool(r, &s)
		if q.OH < 1 || q.OW < 1 {
			continue
		}
		c.act = simd.Act(i % 3)
		c.prepare(draw, i%8)
		eachSet(t, func(t *testing.T, oracle string) {
			if simd.Current().Name == oracle && i > 2 {
				return // slow
			}
			for _, l := range []struct{ x, y bool }{{false, false}, {true, true}, {false, true}, {true, false}} {
				s.XLast, s.YLast = l.x, l.y
				if !q.Fits(&s) {
					continue
				}
				fits++
				conv := c.layout(t, l.x, l.y, nil, 1)
				size := q.Planes * q.OH * q.OW
				want, rows := make([]float32, size), s.N*q.OH
				switch {
				case l.y && q.Average:
					simd.AvgPoolLast(&q.PoolShape, s.M, want, conv, false, 0, rows)
				case l.y:
					simd.MaxPoolLast(&q.PoolShape, s.M, want, conv, 0, rows)
				case q.Average:
					simd.AvgPool2D(&q.PoolShape, want, conv, false, 0, q.Planes, nil)
				default:
					simd.MaxPool2D(&q.PoolShape, want, nil, conv, 0, q.Planes, nil)
				}
				x := newGuarded(len(c.x.s), 1)
				copy(x.s, c.x.s)
				if l.x {
					copy(x.s, last(c.x.s, s.N, s.C, s.H*s.W))
				}
				packed := newGuarded(simd.ConvPackSize(&s), 1)
				simd.ConvPack(&s, packed.s, c.w.s)
				for _, tiles := range []int{1, 3} {
					y, scratch := newGuarded(size, 3).set(nan), newGuarded(simd.ConvPoolScratch(&s, q), 5).set(nan)
					for tile := range tiles {
						simd.ConvPoolForward(&s, q, x.s, packed.s, c.b.s, y.s, c.act, -0.5, 2, tile, tiles, scratch.s)
					}
					y.check(t, "y", false)
					scratch.check(t, "scratch", false)
					sameBits(t, c.String(), y.s, want)
				}
			}
		})
		if t.Failed() {
			t.Fatalf("%+v %+v", s, q)
		}
	}
	if fits < 20 {
		t.Errorf("only %d cases", fits)
	}
}

func BenchmarkConvPool(b *testing.B) {
	for _, c := range []*convCase{newConv(256, 1, 28, 28, 6, 5, 5, 1, 1, 0, 1), newConv(256, 6, 12, 12, 16, 5, 5, 1, 1, 0, 1), newConv(64, 3, 32, 32, 32, 3, 3, 1, 1, 1, 1), newConv(1, 3, 224, 224, 64, 7, 7, 2, 1, 3, 1)} {
		s := c.ConvShape
		q := &simd.ConvPool{}
		q.Planes, q.H, q.W, q.KH, q.KW, q.SH, q.SW, q.DH, q.DW = s.N*s.M, s.OH, s.OW, 2, 2, 2, 2, 1, 1
		if s.KH == 7 {
			q.KH, q.KW, q.PT, q.PL, q.PB, q.PR = 3, 3, 1, 1, 1, 1
			s.YLast = true
		}
		q.OH, q.OW = (q.H+2*q.PT-q.KH)/2+1, (q.W+2*q.PT-q.KW)/2+1
		c.prepare(rand.New(rand.NewPCG(1, 2)).Float32, 0)
		packed, y, pooled := make([]float32, simd.ConvPackSize(&s)), make([]float32, len(c.dy.s)), make([]float32, q.Planes*q.OH*q.OW)
		scratch := make([]float32, simd.ConvForwardScratch(&s)+simd.ConvPoolScratch(&s, q))
		simd.ConvPack(&s, packed, c.w.s)
		flops := 2 * float64(len(y)*s.C*s.KH*s.KW)
		for name, f := range map[string]func(){
			"conv": func() { simd.ConvForward(&s, c.x.s, packed, c.b.s, nil, y, simd.ActRelu, 0, 0, 0, 1, scratch) },
			"apart": func() {
				simd.ConvForward(&s, c.x.s, packed, c.b.s, nil, y, simd.ActRelu, 0, 0, 0, 1, scratch)
				if s.YLast {
					simd.MaxPoolLast(&q.PoolShape, s.M, pooled, y, 0, s.N*q.OH)
				} else {
					simd.MaxPool2D(&q.PoolShape, pooled, nil, y, 0, q.Planes, nil)
				}
			},
			"together": func() {
				simd.ConvPoolForward(&s, q, c.x.s, packed, c.b.s, pooled, simd.ActRelu, 0, 0, 0, 1, scratch)
			},
		} {
			b.Run(fmt.Sprintf("%dx%dx%dx%d to %d/%s", s.N, s.C, s.H, s.W, s.M, name), func(b *testing.B) {
				best := time.Hour
				for b.Loop() {
					start := time.Now()
					f()
					best = min(best, time.Since(start))
				}
				b.ReportMetric(flops/float64(best.Nanoseconds()), "best-GFLOP/s")
			})
		}
	}
}
