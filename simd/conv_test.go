package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// convCase is a convolution with its operands.
type convCase struct {
	simd.ConvShape
	act         simd.Act
	x, w, b, dy *guarded
}

func (c *convCase) String() string { return fmt.Sprintf("%+v", c.ConvShape) }

// newConv completes a shape: OH and OW follow from the rest.
func newConv(n, c, h, w, m, kh, kw, stride, dilation, pad, groups int) *convCase {
	s := simd.ConvShape{N: n, C: c, H: h, W: w, M: m, KH: kh, KW: kw, SH: stride, SW: stride, DH: dilation, DW: dilation,
		PT: pad, PL: pad, PB: pad, PR: pad, Groups: groups}
	if h == 1 && kh == 1 { // 1-D
		s.PT, s.PB, s.SH, s.DH = 0, 0, 1, 1
	}
	s.OH = (h+s.PT+s.PB-(kh-1)*s.DH-1)/s.SH + 1
	s.OW = (w+s.PL+s.PR-(kw-1)*s.DW-1)/s.SW + 1
	return &convCase{ConvShape: s}
}

func (c *convCase) prepare(draw func() float32, off int) {
	c.x = newGuarded(c.N*c.C*c.H*c.W, off).fill(draw)
	c.w = newGuarded(c.M*c.C/c.Groups*c.KH*c.KW, off).fill(draw)
	c.b = newGuarded(c.M, off).fill(draw)
	c.dy = newGuarded(c.N*c.M*c.OH*c.OW, off).fill(draw)
}

// run computes the forward pass (0), the input gradient (1) or the weight gradient (2) in tiles.
func (c *convCase) run(t testing.TB, what, tiles int) []float32 {
	t.Helper()
	s := &c.ConvShape
	var out, packed, scratch *guarded
	switch what {
	case 0:
		out = newGuarded(len(c.dy.s), 3).set(nan)
		packed = newGuarded(simd.ConvPackSize(s), 1).set(nan)
		scratch = newGuarded(simd.ConvForwardScratch(s), 5).set(nan)
		simd.ConvPack(s, packed.s, c.w.s)
		packed.check(t, "packed", false)
		copy(packed.copy, packed.s)
		var bias []float32
		if c.act != simd.ActNone {
			bias = c.b.s
		}
		for i := range tiles {
			simd.ConvForward(s, c.x.s, packed.s, bias, nil, out.s, c.act, -0.5, 2, i, tiles, scratch.s)
		}
	case 1:
		out = newGuarded(len(c.x.s), 3).set(nan)
		packed = newGuarded(simd.ConvGradInputPackSize(s), 1).set(nan)
		scratch = newGuarded(simd.ConvGradInputScratch(s), 5).set(nan)
		simd.ConvGradInputPack(s, packed.s, c.w.s)
		packed.check(t, "packed", false)
		copy(packed.copy, packed.s)
		for i := range tiles {
			simd.ConvGradInput(s, c.dy.s, packed.s, out.s, i, tiles, scratch.s)
		}
	case 2:
		out = newGuarded(len(c.w.s), 3).set(nan)
		packed = newGuarded(0, 0)
		scratch = newGuarded(simd.ConvGradWeightScratch(s), 5).set(nan)
		for i := range tiles {
			simd.ConvGradWeight(s, c.x.s, c.dy.s, out.s, i, tiles, scratch.s)
		}
	}
	scratch.check(t, "scratch", false)
	out.check(t, "result", false)
	packed.check(t, "packed weights", what < 2)
	c.x.check(t, "x", true)
	c.w.check(t, "w", true)
	c.b.check(t, "bias", true)
	c.dy.check(t, "dy", true)
	return out.s
}

// reference computes the same in float64, with the sum of absolute products.
func (c *convCase) reference(what int) (out, abs []float64, terms int) {
	s := &c.ConvShape
	cg, mg := s.C/s.Groups, s.M/s.Groups
	size := []int{len(c.dy.s), len(c.x.s), len(c.w.s)}[what]
	terms = []int{cg * s.KH * s.KW, mg * s.KH * s.KW, s.N * s.OH * s.OW}[what]
	out, abs = make([]float64, size), make([]float64, size)
	for n := range s.N {
		for m := range s.M {
			for oh := range s.OH {
				for ow := range s.OW {
					y := ((n*s.M+m)*s.OH+oh)*s.OW + ow
					for ci := range cg {
						for kh := range s.KH {
							for kw := range s.KW {
								h, w := oh*s.SH+kh*s.DH-s.PT, ow*s.SW+kw*s.DW-s.PL
								if h < 0 || h >= s.H || w < 0 || w >= s.W {
									continue
								}
								x := ((n*s.C+m/mg*cg+ci)*s.H+h)*s.W + w
								k := ((m*cg+ci)*s.KH+kh)*s.KW + kw
								at, v := y, float64(c.x.s[x])*float64(c.w.s[k])
								switch what {
								case 1:
									at, v = x, float64(c.dy.s[y])*float64(c.w.s[k])
								case 2:
									at, v = k, float64(c.dy.s[y])*float64(c.x.s[x])
								}
								out[at] += v
								abs[at] += math.Abs(v)
							}
						}
					}
				}
			}
		}
	}
	if what == 0 && c.act != simd.ActNone {
		for y := range out {
			b := float64(c.b.s[y/(s.OH*s.OW)%s.M])
			out[y] += b
			abs[y] += math.Abs(b)
			if c.act == simd.ActRelu {
				out[y] = max(out[y], 0)
			} else {
				out[y] = min(max(out[y], -0.5), 2)
			}
		}
	}
	return out, abs, terms
}

var convPasses = []string{"forward", "input gradient", "weight gradient"}

func convCases() []*convCase {
	cases := []*convCase{
		newConv(3, 1, 28, 28, 6, 5, 5, 1, 1, 0, 1),      // LeNet
		newConv(9, 6, 12, 12, 16, 5, 5, 1, 1, 0, 1),     // LeNet
		newConv(2, 16, 5, 5, 12, 5, 5, 1, 1, 0, 1),      // one output pixel
		newConv(1, 64, 9, 10, 17, 3, 3, 1, 1, 1, 1),     // two chunks of k
		newConv(2, 70, 5, 8, 3, 3, 3, 1, 1, 1, 1),       // two chunks of k
		newConv(2, 3, 17, 15, 5, 3, 3, 2, 1, 1, 1),      // strided
		newConv(2, 4, 16, 16, 8, 1, 1, 1, 1, 0, 1),      // 1x1
		newConv(2, 4, 2, 3, 8, 1, 1, 1, 1, 0, 1),        // 1x1, few pixels
		newConv(1, 4, 15, 19, 7, 1, 1, 1, 1, 0, 1),      // 1x1, a row that is cut
		newConv(2, 4, 9, 9, 8, 1, 1, 2, 1, 0, 1),        // 1x1 strided: phases without taps
		newConv(2, 8, 14, 14, 8, 3, 3, 1, 1, 1, 8),      // depthwise
		newConv(1, 8, 15, 15, 16, 3, 3, 2, 1, 1, 8),     // depthwise with multiplier, strided
		newConv(2, 6, 11, 13, 9, 3, 2, 1, 2, 2, 3),      // groups and dilation
		newConv(2, 4, 20, 21, 30, 3, 4, 3, 2, 3, 2),     // everything
		newConv(4, 3, 1, 50, 7, 1, 5, 1, 1, 2, 1),       // 1-D
		newConv(2, 3, 1, 50, 7, 1, 5, 3, 2, 1, 1),       // 1-D strided
		newConv(1, 2, 6, 32, 29, 3, 3, 1, 1, 1, 1),      // rows of whole vectors
		newConv(70, 2, 4, 4, 3, 2, 2, 1, 1, 0, 1),       // many images, several slices
		newConv(150, 2, 3, 9, 13, 2, 2, 1, 1, 0, 1),     // many images, several slices
		newConv(1, 300, 2, 16, 11, 1, 2, 1, 1, 0, 1),    // k past a chunk
		newConv(2, 5, 7, 7, 600, 1, 1, 1, 1, 0, 1),      // k of the gradient past a chunk
		newConv(37, 6, 12, 12, 16, 5, 5, 1, 1, 0, 1),    // blocks of images
		newConv(2, 5, 6, 7, 4, 3, 3, 1, 1, 4, 1),        // padding past the kernel
		newConv(1, 3, 5, 75, 7, 3, 3, 1, 1, 1, 1),       // long rows
		newConv(3, 4, 3, 3, 5, 3, 3, 1, 1, 1, 1),        // short rows
		newConv(3, 4, 4, 2, 5, 2, 2, 1, 1, 0, 1),        // short rows
		newConv(3, 12, 7, 7, 14, 3, 3, 1, 1, 1, 1),      // rows of less than a group
		newConv(1, 2, 40, 41, 3, 3, 3, 1, 9, 9, 1),      // dilated past a group
		newConv(2, 2, 21, 22, 3, 3, 3, 2, 2, 2, 1),      // strides and dilations with a common factor
		newConv(2, 2, 21, 23, 3, 3, 3, 4, 6, 5, 1),      // strides and dilations with a common factor
		newConv(2, 3, 16, 18, 8, 4, 4, 2, 1, 1, 1),      // as transposed convolutions have it
		newConv(3, 2, 9, 85, 3, 3, 3, 2, 1, 1, 1),       // long rows of odd columns
		newConv(3, 54, 5, 7, 60, 3, 3, 1, 1, 1, 1),      // dy packed: small images
		newConv(1, 108, 4, 19, 160, 3, 3, 2, 1, 1, 2),   // dy packed: strides and groups
		newConv(1, 160, 5, 6, 520, 1, 1, 1, 1, 0, 1),    // dy packed: k past a chunk
		newConv(12, 35, 9, 8, 21, 3, 3, 1, 1, 1, 1),     // weight gradient by channels: slices of images
		newConv(2, 32, 19, 23, 40, 3, 2, 2, 3, 2, 2),    // the same: groups, strides, dilation
		newConv(1, 16, 66, 64, 8, 3, 2, 1, 1, 1, 1),     // the same: images in parts
		newConv(1, 17, 130, 40, 8, 2, 3, 2, 1, 1, 1),    // the same: images in parts
		newConv(1, 40, 12, 12, 1200, 3, 3, 1, 1, 0, 10), // panels of weights past the cache
	}
	uneven := newConv(2, 3, 10, 14, 5, 3, 4, 1, 1, 0, 1)
	uneven.SH, uneven.SW, uneven.DH, uneven.DW, uneven.PT, uneven.PL, uneven.PB, uneven.PR = 2, 3, 2, 1, 1, 0, 3, 2
	uneven.OH, uneven.OW = (10+4-4-1)/2+1, (14+2-3-1)/3+1
	return append(cases, uneven)
}

func TestConvConformance(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, draw := range draws(r) {
		t.Run(name, func(t *testing.T) {
			for i, c := range convCases() {
				if c.M >= 600 && (name != "normal" || c.M > 1000 && testing.Short()) {
					continue
				}
				c.act = simd.Act(i % 3)
				c.prepare(draw, i%8)
				for what, pass := range convPasses {
					pass += " " + c.String()
					want := map[string][]float32{}
					for _, oracle := range []string{"generic", "generic-muladd"} {
						use(t, oracle)
						want[oracle] = c.run(t, what, 1)
					}
					if name == "normal" {
						ref, abs, terms := c.reference(what)
						for i := range ref {
							closeTo(t, pass, i, want["generic"][i], ref[i], float64(terms+8)*2*eps32*abs[i])
							closeTo(t, pass, i, want["generic-muladd"][i], ref[i], float64(terms+8)*2*eps32*abs[i])
						}
					}
					eachSet(t, func(t *testing.T, oracle string) {
						sameBits(t, pass, c.run(t, what, 1), want[oracle])
						sameBits(t, "tiles of the "+pass, c.run(t, what, 3), want[oracle])
					})
					if t.Failed() {
						return
					}
				}
			}
		})
	}
}

func TestConvAllocatesNothing(t *testing.T) {
	c := newConv(2, 3, 12, 12, 4, 3, 3, 1, 1, 1, 1)
	c.prepare(func() float32 { return 1 }, 0)
	s := &c.ConvShape
	packed, y := make([]float32, simd.ConvPackSize(s)), make([]float32, len(c.dy.s))
	scratch := make([]float32, simd.ConvForwardScratch(s)+simd.ConvGradInputScratch(s)+simd.ConvGradWeightScratch(s))
	packedT, dx, dw := make([]float32, simd.ConvGradInputPackSize(s)), make([]float32, len(c.x.s)), make([]float32, len(c.w.s))
	n := testing.AllocsPerRun(10, func() {
		simd.ConvPack(s, packed, c.w.s)
		simd.ConvForward(s, c.x.s, packed, nil, nil, y, simd.ActNone, 0, 0, 0, 1, scratch)
		simd.ConvGradInputPack(s, packedT, c.w.s)
		simd.ConvGradInput(s, c.dy.s, packedT, dx, 0, 1, scratch)
		simd.ConvGradWeight(s, c.x.s, c.dy.s, dw, 0, 1, scratch)
	})
	if n != 0 {
		t.Errorf("the convolutions allocate %v times", n)
	}
}

func FuzzConv(f *testing.F) {
	f.Add([]byte{2, 3, 12, 12, 5, 3, 3, 1, 1, 1, 1}, uint64(0))
	f.Add([]byte{1, 4, 9, 17, 7, 2, 5, 3, 2, 2, 2}, uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		if len(b) < 11 {
			return
		}
		v := func(i, n int) int { return int(b[i]) % n }
		groups := 1 + v(10, 4)
		c := newConv(1+v(0, 4), groups*(1+v(1, 5)), 1+v(2, 20), 1+v(3, 40), groups*(1+v(4, 20)), 1+v(5, 5), 1+v(6, 5), 1+v(7, 4), 1+v(8, 3), v(9, 4), groups)
		if (c.KH-1)*c.DH >= c.H+2*c.PT || (c.KW-1)*c.DW >= c.W+2*c.PL {
			return
		}
		c.act = simd.Act(seed % 3)
		c.prepare(draws(rand.New(rand.NewPCG(seed, 1)))[[]string{"normal", "special", "subnormal"}[seed%3]], int(seed%8))
		was := simd.Current().Name
		defer use(t, was)
		for what, pass := range convPasses {
			want := map[simd.Class][]float32{}
			for _, k := range simd.All() {
				if k.Name == "generic" || k.Name == "generic-muladd" {
					use(t, k.Name)
					want[k.Class] = c.run(t, what, 1)
				}
			}
			for _, k := range simd.All() {
				if k.Available() {
					use(t, k.Name)
					sameBits(t, k.Name+" "+pass+c.String(), c.run(t, what, 1+int(seed%4)), want[k.Class])
				}
			}
		}
	})
}

// The input gradient of depthwise convolutions with any strides, dilation and padding.
func TestConvDepthwiseStrides(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 4))
	draw := func() float32 { return float32(r.NormFloat64()) }
	for i := range 150 {
		k, stride, dilation := 1+r.IntN(5), 1+r.IntN(3), 1+r.IntN(2)
		size := (k-1)*dilation + 1
		c := 2 + r.IntN(11)
		e := newConv(1+r.IntN(3), c, size+r.IntN(30)*r.IntN(2), size+r.IntN(60)*r.IntN(2), c, k, 1+r.IntN(k), stride, dilation, r.IntN(4), c)
		if i%3 == 0 {
			e.SW = 1 + r.IntN(4)
			e.OW = (e.W+e.PL+e.PR-(e.KW-1)*e.DW-1)/e.SW + 1
		}
		if testing.Short() && i%3 != 0 {
			continue
		}
		e.prepare(draw, i%8)
		if i%10 == 0 {
			e.w = newGuarded(len(e.w.s), 1).fill(func() float32 { return float32(math.Inf(1)) })
		}
		want := map[string][]float32{}
		for _, oracle := range []string{"generic", "generic-muladd"} {
			use(t, oracle)
			want[oracle] = e.run(t, 1, 1)
		}
		if i%10 != 0 {
			ref, abs, terms := e.reference(1)
			for j := range ref {
				closeTo(t, e.String(), j, want["generic"][j], ref[j], float64(terms+8)*2*eps32*abs[j])
			}
		}
		eachSet(t, func(t *testing.T, oracle string) {
			sameBits(t, e.String(), e.run(t, 1, 1), want[oracle])
			sameBits(t, "tiles of "+e.String(), e.run(t, 1, 3), want[oracle])
		})
		if t.Failed() {
			return
		}
	}
}
