//go:build !noasm && (amd64 || arm64 || js)

package simd

import (
	"math"
	"unsafe"
)

// Pooling of [N,C,H,W] by windows of any kind, plane by plane. Lanes run along the rows of the output: a plane is copied padded and split by
// the phases of the strides, so that neighbouring outputs read neighbouring elements at every tap. Maxima are padded with -Inf, averages with -0,
// neither of which changes a bit of a window that has an element of the image. Gradients take a plane as one row, tap by tap: the outputs of a row are as
// far from those of the next as the copy's rows are.

// planeTable returns the geometry of the copy of a plane.
func (s *PoolShape) planeTable() (p tapTable) {
	dh, dw := max(s.DH, 1), max(s.DW, 1)
	p = tapTable{copied: true, sh: s.SH, sw: s.SW, top: s.PT, left: s.PL, h: s.H, w: s.W, channels: 1}
	if s.OH == 1 {
		p.sh = 1
	}
	if s.OW == 1 {
		p.sw = 1
	}
	p.ph, p.pw = min(p.sh, (s.KH-1)*dh+1), min(p.sw, (s.KW-1)*dw+1)
	p.rows, p.cols = s.OH+(s.KH-1)*dh/p.sh, s.OW+(s.KW-1)*dw/p.sw
	return p
}

// inPlace reports whether the outputs can be computed from the image as it lies.
func (p *tapTable) inPlace(s *PoolShape) bool {
	return p.sw == 1 && s.PT == 0 && s.PL == 0 && (s.OH-1)*s.SH+(s.KH-1)*max(s.DH, 1) < s.H && p.cols <= s.W
}

// reach returns the elements of a plane's outputs as the gradients hold them: rows as far apart as those of the copy.
func (p *tapTable) reach(s *PoolShape) int { return (s.OH-1)*p.cols + s.OW }

// planeSlack is what kernels may read or write past a buffer.
const planeSlack = 2 * groupLanes

func (t *tileSet) poolPlanesScratch(s *PoolShape) int {
	p := s.planeTable()
	return 2*roundUp(p.size()+planeSlack, 16) + 4*roundUp(max(p.reach(s), s.OH*s.OW)+planeSlack, 16) + roundUp(s.W+groupLanes, 16) + 16 + alignSlack
}

// poolCounts writes the divisors of the averages of a plane. It returns false where a window has no element of the image, and whether all divisors are
// the same.
func (s *PoolShape) poolCounts(dst []float32, includePad bool) (same, ok bool) {
	same = true
	for oh := range s.OH {
		_, h0, h1 := window(oh, s.SH, max(s.DH, 1), s.PT, s.KH, s.H)
		for ow := range s.OW {
			_, w0, w1 := window(ow, s.SW, max(s.DW, 1), s.PL, s.KW, s.W)
			taps := max(h1-h0, 0) * max(w1-w0, 0)
			if taps == 0 {
				return false, false
			}
			v := s.count(oh, ow, taps, includePad)
			dst[oh*s.OW+ow] = v
			same = same && v == dst[0]
		}
	}
	return same, true
}

// poolPlanes computes the planes from <= n < to of y. It returns false where the portable loops have to.
func (t *tileSet) poolPlanes(s *PoolShape, y, x []float32, avg, includePad bool, from, to int, scratch []float32) bool {
	taps := s.KH * s.KW
	if taps > poolTaps {
		return false
	}
	p := s.planeTable()
	dh, dw := max(s.DH, 1), max(s.DW, 1)
	scratch = aligned(scratch)
	n := roundUp(p.size()+planeSlack, 16)
	img, counts := scratch[:n], scratch[n:]
	outs := s.OH * s.OW
	same := true
	if avg {
		var ok bool
		if same, ok = s.poolCounts(counts, includePad); !ok {
			return false
		}
	}
	direct := p.inPlace(s)
	var offs [poolTaps]int32
	for k := range taps {
		i, j := k/s.KW*dh, k%s.KW*dw
		if direct {
			offs[k] = int32(4 * (i*s.W + j))
		} else {
			offs[k] = int32(4 * p.offset(0, i, j))
		}
	}
	run := poolRun{x: &img[0], offs: &offs[0], pixels: s.OH, taps: taps, xs: 4 * p.cols, ys: 4 * s.OW, c: s.OW, div: 1}
	if avg {
		run.avg = 1
		if same {
			run.div = counts[0]
		}
	}
	if direct {
		run.xs = 4 * s.SH * s.W
	} else {
		pad := -inf32
		if avg {
			pad = float32(math.Copysign(0, -1))
		}
		for i := range img {
			img[i] = pad
		}
	}
	for n := from; n < to; n++ {
		plane, out := x[n*s.H*s.W:][:s.H*s.W], y[n*outs:][:outs]
		if direct {
			run.x = &plane[0]
		} else {
			p.fill(img, plane, 0, p.rows)
		}
		run.y = &out[0]
		current.conv.pool(noescape(&run))
		if !same {
			Zip(Div, out, out, counts[:outs])
		}
	}
	return true
}

// fewOutputs is how many outputs a plane has at least for its gradient to be worth passing over once for every tap.
const fewOutputs = 24

// poolPlanesGrad computes the planes from <= n < to of dx: of averages, or if x is given of maxima, behind a ReLU or not. It returns false where the
// portable loops have to.
func (t *tileSet) poolPlanesGrad(s *PoolShape, dx, dy, x []float32, relu, includePad bool, from, to int, scratch []float32) bool {
	if s.OH*s.OW < fewOutputs {
		return false
	}
	p := s.planeTable()
	dh, dw := max(s.DH, 1), max(s.DW, 1)
	scratch = aligned(scratch)
	n := roundUp(p.size()+planeSlack, 16)
	img, grad, scratch := scratch[:n], scratch[n:2*n], scratch[2*n:]
	outs, reach := s.OH*s.OW, p.reach(s)
	n = roundUp(max(reach, outs)+planeSlack, 16)
	g, best, index, counts, scratch := scratch[:n], scratch[n:2*n], scratch[2*n:3*n], scratch[3*n:4*n], scratch[4*n:]
	table, masks := scratch[:16], scratch[16:]
	clear(table)
	same, div := true, float32(1)
	if x == nil {
		var ok bool
		if same, ok = s.poolCounts(counts, includePad); !ok {
			return false
		}
		div = counts[0]
	} else {
		for i := range img {
			img[i] = -inf32
		}
	}
	clear(g)
	g, best, index = g[:reach], best[:reach], index[:reach]
	spread := p.spreadPlan(s, table, masks)
	for n := from; n < to; n++ {
		out, from := dx[n*s.H*s.W:][:s.H*s.W], dy[n*outs:][:outs]
		if x != nil {
			plane := x[n*s.H*s.W:][:s.H*s.W]
			sum := table[8:9]
			ReduceInner(Sum, sum, plane, 1, len(plane))
			if sum[0]-sum[0] != 0 { // not finite: padding could win over -Inf, and a NaN wins over all
				maxPoolGradGeneric(s, dx, dy, x, relu, n, n+1)
				continue
			}
			p.fill(img, plane, 0, p.rows)
			for i := range index {
				best[i], index[i] = -inf32, -1
			}
			for k := 0; k < s.KH*s.KW; k += 2 {
				l := min(k+1, s.KH*s.KW-1)
				a, b := p.offset(0, k/s.KW*dh, k%s.KW*dw), p.offset(0, l/s.KW*dh, l%s.KW*dw)
				current.vec.poolNewer(best, index, img[a:], img[b:], float32(k), float32(l))
			}
		} else if same {
			ZipScalar(Div, counts[:outs], from, div)
			from = counts[:outs]
		} else {
			Zip(Div, best[:outs], from, counts[:outs])
			from = best[:outs]
		}
		copyBlock(&blockArgs{dst: &g[0], src: &from[0], outer: 1, rows: s.OH, n: s.OW, dRow: p.cols, dCol: 1, sRow: s.OW, sCol: 1})
		if relu {
			Zip(ReluGrad, g, g, best)
		}
		// Every element of dx adds what it gets in the order of the outputs, which is that of the taps from the last to the first.
		clear(grad)
		for k := s.KH*s.KW - 1; k >= 0; k-- {
			to := grad[p.offset(0, k/s.KW*dh, k%s.KW*dw):][:reach]
			if x != nil {
				current.vec.poolPick(to, index, g, float32(k))
			} else {
				Zip(Add, to, to, g)
			}
		}
		spread.run(s, &p, out, grad)
	}
	return true
}

// poolSpread puts the phases of a gradient to their places.
type poolSpread struct {
	join  columnsArgs // for two phases of the columns
	joins bool
	whole bool // every element of the plane is in the copy
}

func (p *tapTable) spreadPlan(s *PoolShape, table, masks []float32) (a poolSpread) {
	a.whole = p.ph == p.sh && p.pw == p.sw && p.rows*p.sh-p.top >= s.H && p.cols*p.sw-p.left >= s.W
	a.joins = a.whole && p.sw == 2 && s.W/2 >= groupLanes
	if a.joins {
		a.join = columnsArgs{planes: 1, images: 1, width: s.W / 2, tRow: 4 * p.cols, dRow: 4 * p.sh * s.W, taps: 1,
			table: (*int32)(unsafe.Pointer(&table[0])), masks: (*int32)(unsafe.Pointer(&masks[0])), evenRow: 4 * p.cols}
		fillMask(masks, s.W/2, s.W/2, 0, s.W/2)
	}
	return a
}

func (a *poolSpread) run(s *PoolShape, p *tapTable, dx, grad []float32) {
	if !a.whole {
		clear(dx)
	}
	for i := range p.ph {
		q0, q1 := inside(i-p.top, p.sh, p.h, p.rows)
		if q0 >= q1 {
			continue
		}
		row := (q0*p.sh + i - p.top) * s.W
		if a.joins {
			even := ((i*2+p.left%2)*p.rows+q0)*p.cols + p.left/2
			odd := ((i*2+1-p.left%2)*p.rows+q0)*p.cols + (p.left+1)/2
			a.join.rows, a.join.dst, a.join.t, a.join.even = q1-q0, &dx[row], &grad[odd], &grad[even]
			addColumns(&a.join)
			if s.W%2 != 0 {
				copyBlock(&blockArgs{dst: &dx[row+s.W-1], src: &grad[even+s.W/2], outer: 1, rows: q1 - q0, n: 1, dRow: p.sh * s.W, dCol: 1, sRow: p.cols, sCol: 1})
			}
			continue
		}
		for b := range p.pw {
			c0, c1 := inside(b-p.left, p.sw, p.w, p.cols)
			if c0 < c1 {
				copyBlock(&blockArgs{dst: &dx[row+c0*p.sw+b-p.left], src: &grad[((i*p.pw+b)*p.rows+q0)*p.cols+c0], outer: 1, rows: q1 - q0, n: c1 - c0,
					dRow: p.sh * s.W, dCol: p.sw, sRow: p.cols, sCol: 1})
			}
		}
	}
}
