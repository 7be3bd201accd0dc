package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
)

func TestMaxPool(t *testing.T) {
	nan := float32(math.NaN())
	s := &simd.PoolShape{Planes: 1, H: 4, W: 4, KH: 2, KW: 2, OH: 2, OW: 2, SH: 2, SW: 2}
	x := []float32{
		1, 1, nan, 2,
		1, 1, 9, nan,
		-1, -2, 5, 6,
		-3, 0, 8, 7,
	}
	eachSet(t, func(t *testing.T, _ string) {
		y := make([]float32, 4)
		simd.MaxPool2D(s, y, nil, x, 0, 1, nil)
		sameVecBits(t, "y", y, []float32{1, nan, 0, 8})
		index := make([]int64, 4)
		simd.MaxPool2D(s, y, index, x, 0, 1, nil)
		for i, k := range []int64{0, 7, 13, 14} { // the later NaN of a window replaces the earlier
			if index[i] != k {
				t.Errorf("index[%d] = %d, want %d", i, index[i], k)
			}
		}
		dx := make([]float32, 16)
		simd.MaxPool2DGrad(s, dx, []float32{10, 20, 30, 40}, x, false, 0, 1, nil)
		sameVecBits(t, "dx", dx, []float32{10, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0, 0, 30, 40, 0})
	})
}

// The fast path of 2x2 windows and the general one, which also reports positions, agree.
func TestMaxPoolPaths(t *testing.T) {
	s := &simd.PoolShape{Planes: 2, H: 8, W: 22, KH: 2, KW: 2, OH: 4, OW: 11, SH: 2, SW: 2}
	r := rand.New(rand.NewPCG(1, 2))
	x, dy := vecInput(r, s.Planes*s.H*s.W, 0, true).s, vecInput(r, s.Planes*s.OH*s.OW, 0, true).s
	for i := range x {
		if r.IntN(2) == 0 {
			x[i] = float32(r.IntN(3))
		}
	}
	eachSet(t, func(t *testing.T, _ string) {
		y, general, index := make([]float32, len(dy)), make([]float32, len(dy)), make([]int64, len(dy))
		simd.MaxPool2D(s, y, nil, x, 0, s.Planes, nil)
		simd.MaxPool2D(s, general, index, x, 0, s.Planes, nil)
		sameVecBits(t, "y", y, general)
		want, dx := make([]float32, len(x)), make([]float32, len(x))
		for i, k := range index {
			want[i/(s.OH*s.OW)*s.H*s.W+int(k)] += dy[i]
		}
		simd.MaxPool2DGrad(s, dx, dy, x, false, 0, s.Planes, nil)
		sameVecBits(t, "dx", dx, want)
	})
}

func TestPoolConformance(t *testing.T) {
	shapes := []simd.PoolShape{}
	for ow := range 20 {
		shapes = append(shapes, simd.PoolShape{Planes: 3, H: 6, W: 2*ow + 2, KH: 2, KW: 2, OH: 3, OW: ow + 1, SH: 2, SW: 2})
	}
	shapes = append(shapes,
		simd.PoolShape{Planes: 2, H: 7, W: 9, KH: 2, KW: 2, OH: 3, OW: 4, SH: 2, SW: 2},
		simd.PoolShape{Planes: 2, H: 7, W: 9, KH: 3, KW: 3, OH: 4, OW: 5, SH: 2, SW: 2, PT: 1, PL: 1, PB: 1, PR: 1},
		simd.PoolShape{Planes: 2, H: 7, W: 9, KH: 2, KW: 3, OH: 5, OW: 5, SH: 1, SW: 1, DH: 2, DW: 2})
	r := rand.New(rand.NewPCG(7, 1))
	for range 60 {
		s := simd.PoolShape{Planes: 2, KH: 1 + r.IntN(5), KW: 1 + r.IntN(5), SH: 1 + r.IntN(3), SW: 1 + r.IntN(3), DH: 1 + r.IntN(2), DW: 1 + r.IntN(2)}
		s.PT, s.PL, s.PB, s.PR = r.IntN(s.KH), r.IntN(s.KW), r.IntN(s.KH), r.IntN(s.KW)
		reach, wide := (s.KH-1)*s.DH+1, (s.KW-1)*s.DW+1
		s.H, s.W = reach+r.IntN(20), wide+r.IntN(40)
		s.OH, s.OW = (s.H+s.PT+s.PB-reach)/s.SH+1, (s.W+s.PL+s.PR-wide)/s.SW+1
		if r.IntN(3) == 0 && (s.OH*s.SH-s.PT) < s.H && (s.OW*s.SW-s.PL) < s.W { // rounded up
			s.OH++
			s.OW++
		}
		shapes = append(shapes, s)
	}
	eachSet(t, func(t *testing.T, oracle string) {
		name := simd.Current().Name
		for i, s := range shapes {
			r := rand.New(rand.NewPCG(1, uint64(s.W)))
			x := vecInput(r, s.Planes*s.H*s.W, 3, true)
			for j, v := range x.s { // ties
				if r.IntN(2) == 0 || i%3 > 0 && v-v != 0 { // most planes have finite elements only
					x.s[j] = float32(r.IntN(3))
				}
			}
			copy(x.copy, x.s)
			dy := vecInput(r, s.Planes*s.OH*s.OW, 5, true)
			run := func() (y, dx, dr, ya, da *guarded) {
				scratch := newGuarded(simd.PoolScratch(&s), 1).set(nan)
				y, dx, dr = newGuarded(len(dy.s), 1), newGuarded(len(x.s), 2), newGuarded(len(x.s), 6)
				ya, da = newGuarded(len(dy.s), 1), newGuarded(len(x.s), 2)
				simd.MaxPool2D(&s, y.s, nil, x.s, 0, 1, scratch.s)
				simd.MaxPool2D(&s, y.s, nil, x.s, 1, s.Planes, scratch.s)
				simd.MaxPool2DGrad(&s, dx.s, dy.s, x.s, false, 0, s.Planes, scratch.s)
				simd.MaxPool2DGrad(&s, dr.s, dy.s, x.s, true, 0, s.Planes, scratch.s)
				simd.AvgPool2D(&s, ya.s, x.s, i%2 == 0, 0, s.Planes, scratch.s)
				simd.AvgPool2DGrad(&s, da.s, dy.s, i%4 < 2, 0, s.Planes, scratch.s)
				scratch.check(t, "scratch", false)
				return y, dx, dr, ya, da
			}
			use(t, oracle)
			y0, dx0, dr0, ya0, da0 := run()
			use(t, name)
			y, dx, dr, ya, da := run()
			for i, p := range [][2]*guarded{{y, y0}, {dx, dx0}, {dr, dr0}, {ya, ya0}, {da, da0}} {
				sameVecBits(t, fmt.Sprintf("%+v, result %d", s, i), p[0].all, p[1].all)
			}
			composed := make([]float32, len(x.s))
			simd.Zip(simd.ReluGrad, composed, dx.s, x.s)
			sameVecBits(t, fmt.Sprintf("%+v, behind a ReLU", s), dr.s, composed)
		}
	})
}

// The gradient of an average spreads each dy over its window: the sums agree.
func TestAvgPoolGradSum(t *testing.T) {
	s := &simd.PoolShape{Planes: 1, H: 5, W: 5, KH: 3, KW: 3, OH: 3, OW: 3, SH: 2, SW: 2, PT: 1, PL: 1, PB: 1, PR: 1}
	dy := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	dx := make([]float32, 25)
	simd.AvgPool2DGrad(s, dx, dy, false, 0, 1, nil)
	var got float64
	for _, v := range dx {
		got += float64(v)
	}
	if math.Abs(got-45) > 1e-5 {
		t.Errorf("sum of dx = %v, want 45", got)
	}
}

func TestTranspose(t *testing.T) {
	eachSet(t, func(t *testing.T, _ string) {
		for _, s := range [][2]int{{0, 3}, {1, 1}, {7, 9}, {8, 8}, {9, 17}, {16, 5}, {5, 16}, {33, 40}, {64, 100}, {2, 70}, {70, 2}, {3, 70}, {130, 3}, {4, 130}, {130, 4}, {12, 6}} {
			rows, cols := s[0], s[1]
			ldx, ldd := cols+3, rows+2
			r := rand.New(rand.NewPCG(5, 6))
			x := vecInput(r, rows*ldx, 1, false)
			dst := newGuarded(cols*ldd, 3)
			simd.Transpose(dst.s, x.s, rows, cols, ldx, ldd)
			for j := range cols {
				for i := range ldd {
					want := guard
					if i < rows {
						want = x.s[i*ldx+j]
					}
					if dst.s[j*ldd+i] != want {
						t.Fatalf("%dx%d: [%d,%d] = %v, want %v", rows, cols, j, i, dst.s[j*ldd+i], want)
					}
				}
			}
		}
	})
}

func TestGatherScatter(t *testing.T) {
	x := make([]int32, 24)
	for i := range x {
		x[i] = int32(i)
	}
	// A [2,3,4] tensor with its axes reversed.
	dst := make([]int32, 24)
	simd.Gather(dst, x, 0, []int{4, 3, 2}, []int{1, 4, 12})
	for a := range 4 {
		for b := range 3 {
			for c := range 2 {
				if got, want := dst[a*6+b*2+c], int32(c*12+b*4+a); got != want {
					t.Fatalf("Gather[%d,%d,%d] = %d, want %d", a, b, c, got, want)
				}
			}
		}
	}
	back := make([]int32, 24)
	simd.Scatter(back, 0, dst, []int{4, 3, 2}, []int{1, 4, 12})
	for i, v := range back {
		if v != int32(i) {
			t.Fatalf("Scatter[%d] = %d", i, v)
		}
	}
	sum := make([]float32, 3)
	simd.ScatterAdd(sum, 0, []float32{1, 2, 3, 4, 5, 6}, []int{2, 3}, []int{0, 1})
	sameVecBits(t, "ScatterAdd", sum, []float32{5, 7, 9})
	flip := make([]int32, 4)
	simd.Gather(flip, x, 3, []int{4}, []int{-1})
	for i, v := range flip {
		if v != int32(3-i) {
			t.Fatalf("Gather backwards: %v", flip)
		}
	}
}

// Layouts change no bit of a pooling.
func TestPoolLast(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for _, s := range []simd.PoolShape{
		{Planes: 2, H: 8, W: 10, KH: 2, KW: 2, OH: 4, OW: 5, SH: 2, SW: 2},
		{Planes: 1, H: 15, W: 14, KH: 3, KW: 3, OH: 8, OW: 7, SH: 2, SW: 2, PT: 1, PL: 1, PB: 1, PR: 1},
		{Planes: 2, H: 7, W: 7, KH: 7, KW: 7, OH: 1, OW: 1, SH: 1, SW: 1},
		{Planes: 1, H: 9, W: 9, KH: 3, KW: 2, OH: 7, OW: 9, SH: 1, SW: 1, DH: 2, DW: 1, PT: 1, PL: 1, PB: 1, PR: 0},
	} {
		for _, c := range []int{1, 3, 16, 24, 37} {
			planes := s
			planes.Planes *= c
			x := vecInput(r, planes.Planes*s.H*s.W, 0, true).s
			for i := range x {
				if r.IntN(8) == 0 {
					x[i] = float32(r.IntN(3) - 1)
				}
			}
			pixels := s.OH * s.OW
			n := planes.Planes * pixels
			xl := newGuarded(len(x), 1)
			copy(xl.s, last(x, s.Planes, c, s.H*s.W))
			eachSet(t, func(t *testing.T, _ string) {
				want, y := make([]float32, n), newGuarded(n, 3)
				simd.MaxPool2D(&planes, want, nil, x, 0, planes.Planes, nil)
				simd.MaxPoolLast(&s, c, y.s, xl.s, 0, s.Planes*s.OH)
				y.check(t, "maximum", false)
				sameVecBits(t, fmt.Sprint("maximum ", s, c), y.s, last(want, s.Planes, c, pixels))
				for _, pad := range []bool{false, true} {
					simd.AvgPool2D(&planes, want, x, pad, 0, planes.Planes, nil)
					simd.AvgPoolLast(&s, c, y.s, xl.s, pad, 0, s.Planes*s.OH)
					sameVecBits(t, fmt.Sprint("mean ", s, c), y.s, last(want, s.Planes, c, pixels))
				}
			})
		}
	}
}
