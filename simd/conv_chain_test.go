package simd_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weft-ml/weft/simd"
)

// chainCase is a chain with its operands.
type chainCase struct {
	simd.ConvChain
	x, res       *guarded
	w, b, packed [simd.ChainMost][]float32
}

// newChain makes a chain of convolutions that are given by output channels, kernel, strides and pads; 0 channels: depthwise.
func newChain(n, c, h, w int, convs ...[7]int) *chainCase {
	k := &chainCase{}
	for _, v := range convs {
		m, kh, kw, sh, sw, pad, pad2 := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
		s := simd.ConvShape{N: n, C: c, H: h, W: w, M: m, KH: kh, KW: kw, SH: sh, SW: sw, DH: 1, DW: 1, PT: pad, PL: pad, PB: pad2, PR: pad2, Groups: 1, XLast: true, YLast: true}
		if m == 0 {
			s.M, s.Groups = c, c
		}
		s.OH, s.OW = (h+pad+pad2-kh)/sh+1, (w+pad+pad2-kw)/sw+1
		k.Conv[k.Stages] = s
		k.Stages++
		c, h, w = s.M, s.OH, s.OW
	}
	return k
}

func (k *chainCase) prepare(draw func() float32, off int) {
	vec := func(n int) []float32 { return newGuarded(n, off).fill(draw).s }
	for i := range k.Stages {
		s := &k.Conv[i]
		k.w[i], k.b[i] = vec(s.M*s.C/s.Groups*s.KH*s.KW), nil
		if i != 1 || off%2 == 0 {
			k.b[i] = vec(s.M)
		}
		k.Lo[i], k.Hi[i] = -0.5, 2
	}
	s, y := &k.Conv[0], &k.Conv[k.Stages-1]
	k.x, k.res = newGuarded(s.N*s.C*s.H*s.W, off).fill(draw), newGuarded(y.N*y.M*y.OH*y.OW, off).fill(draw)
}

func (k *chainCase) pack() {
	for i := range k.Stages {
		s := &k.Conv[i]
		k.packed[i] = make([]float32, simd.ConvPackSize(s))
		simd.ConvPack(s, k.packed[i], k.w[i])
	}
}

// apart computes one convolution after the other.
func (k *chainCase) apart(res []float32) []float32 {
	x := k.x.s
	for i := range k.Stages {
		s := &k.Conv[i]
		y, scratch := make([]float32, s.N*s.M*s.OH*s.OW), make([]float32, simd.ConvForwardScratch(s))
		var r []float32
		if i == k.Stages-1 {
			r = res
		}
		simd.ConvForward(s, x, k.packed[i], k.b[i], r, y, k.Act[i], k.Lo[i], k.Hi[i], 0, 1, scratch)
		x = y
	}
	return x
}

func drawChain(r *rand.Rand) *chainCase {
	odd := func(n int) int { return 2*r.IntN(n) + 1 }
	c, k, s := 1+r.IntN(40), odd(3), 1+r.IntN(2)
	if r.IntN(6) == 0 {
		k, s = 1+r.IntN(4), 1+r.IntN(3)
	}
	p := r.IntN(k/2 + 1)
	q := p
	if r.IntN(3) == 0 {
		q = r.IntN(k)
	}
	dw := [7]int{0, k, k, s, s, p, q}
	pw := [7]int{1 + r.IntN(50), 1, 1, 1, 1, 0, 0}
	expand := [7]int{2 + r.IntN(100), 1, 1, 1, 1, 0, 0}
	if r.IntN(3) == 0 {
		expand = [7]int{2 + r.IntN(40), 3, 3, 1 + r.IntN(2), 1 + r.IntN(2), r.IntN(2), r.IntN(2)}
	}
	n, h, w := 1+r.IntN(3), 2*k+1+r.IntN(40), 2*k+1+r.IntN(60)
	if r.IntN(4) == 0 {
		h, w = 2*k+3, 2*k+3
	}
	switch r.IntN(4) {
	case 0:
		return newChain(n, c, h, w, expand, dw)
	case 1:
		return newChain(n, c+1, h, w, dw, pw)
	}
	return newChain(n, c, h, w, expand, dw, pw)
}

// A chain has the bits of its convolutions.
func TestConvChain(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	draw := draws(r)["special"]
	cases := []*chainCase{
		newChain(1, 16, 60, 56, [7]int{96, 1, 1, 1, 1, 0, 0}, [7]int{0, 3, 3, 2, 2, 1, 1}, [7]int{24, 1, 1, 1, 1, 0, 0}),
		newChain(2, 24, 30, 57, [7]int{144, 1, 1, 1, 1, 0, 0}, [7]int{0, 5, 5, 1, 1, 2, 2}, [7]int{24, 1, 1, 1, 1, 0, 0}),
		newChain(1, 3, 65, 64, [7]int{32, 3, 3, 2, 2, 1, 1}, [7]int{0, 3, 3, 1, 1, 1, 1}, [7]int{16, 1, 1, 1, 1, 0, 0}),
		newChain(1, 300, 5, 60, [7]int{70, 3, 3, 1, 1, 1, 1}, [7]int{0, 3, 3, 1, 1, 1, 1}, [7]int{290, 1, 1, 1, 1, 0, 0}),
	}
	large := len(cases)
	for range 40 {
		cases = append(cases, drawChain(r))
	}
	fits := 0
	for i, k := range cases {
		for j := range k.Act {
			k.Act[j] = simd.Act(r.IntN(3))
		}
		k.Conv[0].XLast = r.IntN(4) > 0
		k.prepare(draw, i%8)
		for j := range k.Stages {
			if s := &k.Conv[j]; j > 0 && r.IntN(5) == 0 && s.Groups > 1 && s.H > 2*s.KH && s.W > 2*s.KW { // dilated, with other sizes
				s.DH, s.DW = 2, 1+r.IntN(2)
				s.PT, s.PB, s.PL, s.PR = s.KH-1, s.KH-1, (s.KW-1)*s.DW/2, (s.KW-1)*s.DW-(s.KW-1)*s.DW/2
				s.OH, s.OW = (s.H+s.PT+s.PB-(s.KH-1)*s.DH-1)/s.SH+1, (s.W+s.PL+s.PR-(s.KW-1)*s.DW-1)/s.SW+1
				if j+1 < k.Stages {
					k.Conv[j+1].H, k.Conv[j+1].W, k.Conv[j+1].OH, k.Conv[j+1].OW = s.OH, s.OW, s.OH, s.OW
				}
				k.prepare(draw, i%8)
			}
		}
		if !k.Fits() {
			t.Errorf("%+v is no chain", k.ConvChain)
			continue
		}
		eachSet(t, func(t *testing.T, oracle string) {
			if simd.Current().Name == oracle && (i < large || i > large+2) {
				return // slow
			}
			fits++
			k.pack()
			var res []float32
			if i%2 == 0 {
				res = k.res.s
			}
			want := k.apart(res)
			for _, tiles := range []int{1, 2, 5} {
				y, scratch := newGuarded(len(want), 3).set(nan), newGuarded(simd.ConvChainScratch(&k.ConvChain), 5).set(nan)
				for tile := range tiles {
					simd.ConvChainForward(&k.ConvChain, k.x.s, &k.packed, &k.b, res, y.s, tile, tiles, scratch.s)
				}
				y.check(t, "y", false)
				scratch.check(t, "scratch", false)
				sameBits(t, fmt.Sprintf("%+v in %d tiles", k.ConvChain, tiles), y.s, want)
			}
		})
		if t.Failed() {
			t.FailNow()
		}
	}
	if fits < 6 {
		t.Errorf("only %d cases", fits)
	}
}

func BenchmarkConvChain(b *testing.B) {
	one := func(m int) [7]int { return [7]int{m, 1, 1, 1, 1, 0, 0} }
	dw := func(s int) [7]int { return [7]int{0, 3, 3, s, s, 1, 1} }
	for _, c := range []struct {
		name string
		k    *chainCase
	}{
		{"first", newChain(1, 3, 224, 224, [7]int{32, 3, 3, 2, 2, 1, 1}, dw(1), one(16))},
		{"first-dw", newChain(1, 3, 224, 224, [7]int{32, 3, 3, 2, 2, 1, 1}, dw(1))},
		{"f1", newChain(1, 32, 112, 112, dw(1), one(16))},
		{"f2", newChain(1, 16, 112, 112, one(96), dw(2), one(24))},
		{"f2-dw", newChain(1, 16, 112, 112, one(96), dw(2))},
		{"f3", newChain(1, 24, 56, 56, one(144), dw(1), one(24))},
		{"f3-dw", newChain(1, 24, 56, 56, one(144), dw(1))},
		{"f3-pw", newChain(1, 144, 56, 56, dw(1), one(24))},
		{"f4", newChain(1, 24, 56, 56, one(144), dw(2), one(32))},
		{"f5", newChain(1, 32, 28, 28, one(192), dw(1), one(32))},
		{"f7", newChain(1, 32, 28, 28, one(192), dw(2), one(64))},
		{"f8", newChain(1, 64, 14, 14, one(384), dw(1), one(64))},
		{"f11", newChain(1, 96, 14, 14, one(576), dw(1), one(96))},
		{"f15", newChain(1, 160, 7, 7, one(960), dw(1), one(160))},
	} {
		k := c.k
		if k.Conv[0].C == 3 {
			k.Conv[0].XLast = false
		}
		for i := range k.Act {
			k.Act[i] = simd.ActClip
		}
		k.Act[2] = simd.ActNone
		k.prepare(rand.New(rand.NewPCG(1, 2)).Float32, 0)
		k.pack()
		flops := 0.0
		var mid [simd.ChainMost][]float32
		scratch := newAligned(simd.ConvChainScratch(&k.ConvChain))
		most := 0
		for i := range k.Stages {
			s := &k.Conv[i]
			flops += 2 * float64(s.N*s.M*s.OH*s.OW*s.C/s.Groups*s.KH*s.KW)
			mid[i] = newAligned(s.N * s.M * s.OH * s.OW)
			most = max(most, simd.ConvForwardScratch(s))
			p := newAligned(len(k.packed[i]))
			copy(p, k.packed[i])
			k.packed[i] = p
		}
		apart := newAligned(most)
		y := mid[k.Stages-1]
		x := newAligned(len(k.x.s))
		copy(x, k.x.s)
		all := []func(){
			func() {
				x := x
				for i := range k.Stages {
					simd.ConvForward(&k.Conv[i], x, k.packed[i], k.b[i], nil, mid[i], k.Act[i], 0, 6, 0, 1, apart)
					x = mid[i]
				}
			},
			func() { simd.ConvChainForward(&k.ConvChain, x, &k.packed, &k.b, nil, y, 0, 1, scratch) },
		}
		b.Run(c.name, func(b *testing.B) {
			best := []time.Duration{time.Hour, time.Hour}
			for b.Loop() {
				for j, f := range all {
					start := time.Now()
					f()
					best[j] = min(best[j], time.Since(start))
				}
			}
			b.ReportMetric(float64(best[0].Nanoseconds())/1000, "apart-us")
			b.ReportMetric(float64(best[1].Nanoseconds())/1000, "chain-us")
			b.ReportMetric(float64(best[0].Nanoseconds())/float64(best[1].Nanoseconds()), "ratio")
			b.ReportMetric(flops/float64(best[1].Nanoseconds()), "GFLOP/s")
		})
	}
}

// newAligned returns a slice that starts at a cache line.
func newAligned(n int) []float32 {
	s := make([]float32, n+1024)
	return s[:n] // large ones start at a page
}
