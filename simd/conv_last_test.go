package simd_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// last returns [n,c,p] as [n,p,c].
func last(x []float32, n, c, p int) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[(i/(c*p)*p+i%p)*c+i/p%c] = v
	}
	return y
}

// layout runs the forward pass with x and y in the given layouts; res is channels-last, or nil.
func (c *convCase) layout(t testing.TB, xLast, yLast bool, res []float32, tiles int) []float32 {
	t.Helper()
	s := c.ConvShape
	s.XLast, s.YLast = xLast, yLast
	x := newGuarded(len(c.x.s), 1)
	copy(x.s, c.x.s)
	if xLast {
		copy(x.s, last(c.x.s, s.N, s.C, s.H*s.W))
	}
	out, packed := newGuarded(len(c.dy.s), 3).set(nan), newGuarded(simd.ConvPackSize(&s), 1).set(nan)
	scratch := newGuarded(simd.ConvForwardScratch(&s), 5).set(nan)
	simd.ConvPack(&s, packed.s, c.w.s)
	packed.check(t, "packed", false)
	for i := range tiles {
		simd.ConvForward(&s, x.s, packed.s, c.b.s, res, out.s, c.act, -0.5, 2, i, tiles, scratch.s)
	}
	scratch.check(t, "scratch", false)
	out.check(t, "result", false)
	return out.s
}

// Layouts change no bit of a convolution.
func TestConvLayouts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	cases := append(convCases(),
		newConv(2, 24, 9, 9, 40, 3, 3, 1, 1, 1, 1),    // panels that end in part of a vector
		newConv(1, 33, 8, 8, 71, 3, 3, 2, 1, 1, 1),    // the same, odd
		newConv(3, 40, 5, 5, 20, 1, 1, 2, 1, 0, 1),    // images share tiles
		newConv(1, 57, 4, 5, 33, 3, 3, 1, 1, 1, 1),    // chunks end inside a run
		newConv(2, 37, 12, 11, 37, 3, 3, 1, 1, 1, 37), // depthwise, odd channels
		newConv(1, 64, 20, 20, 64, 5, 5, 2, 1, 2, 64), // depthwise 5x5
		newConv(1, 16, 9, 9, 16, 3, 3, 1, 3, 3, 16),   // depthwise dilated
		newConv(1, 24, 50, 60, 9, 3, 3, 1, 1, 1, 1),   // several blocks
		newConv(1, 3, 24, 24, 3, 25, 25, 1, 1, 12, 3), // depthwise past a chunk
	)
	for w := 4; w <= 19; w++ { // depthwise: every tile of pixels in a row, several of them, and rows that are cut evenly or not
		k, stride := 3+w%2*2, 1+w/2%2
		cases = append(cases, newConv(1, 40-w, k+2, (w-1)*stride+k-k/2*2, 40-w, k, k, stride, 1, k/2, 40-w),
			newConv(2, 24, 6, (w-1)*stride+8-k, 24, 8-k, 8-k, stride, 1, 0, 24),
			newConv(1, 40-w, 6, w, 40-w, 7, 7, 1, 1, 3, 40-w))
	}
	for name, draw := range draws(r) {
		t.Run(name, func(t *testing.T) {
			for i, c := range cases {
				if c.M >= 600 || name == "subnormal" && testing.Short() {
					continue
				}
				s := &c.ConvShape
				c.act = simd.Act(i % 3)
				c.prepare(draw, i%8)
				res := make([]float32, len(c.dy.s))
				for i := range res {
					res[i] = draw()
				}
				want, wantRes := map[string][]float32{}, map[string][]float32{}
				for _, oracle := range []string{"generic", "generic-muladd"} {
					use(t, oracle)
					want[oracle] = c.layout(t, false, false, nil, 1)
					wantRes[oracle] = c.layout(t, true, true, res, 1)
				}
				eachSet(t, func(t *testing.T, oracle string) {
					if simd.Current().Name == oracle && i > 8 {
						return // slow, and the same for all shapes
					}
					for _, l := range []struct{ x, y bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
						w := want[oracle]
						if l.y {
							w = last(w, s.N, s.M, s.OH*s.OW)
						}
						sameBits(t, c.String(), c.layout(t, l.x, l.y, nil, 1), w)
						sameBits(t, "in tiles "+c.String(), c.layout(t, l.x, l.y, nil, 3), w)
					}
					sameBits(t, "residual "+c.String(), c.layout(t, true, true, res, 2), wantRes[oracle])
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}
