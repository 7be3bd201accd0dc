package simd

import "math"

// PoolShape describes a two-dimensional pooling over Planes images of H x W (Planes = batch times channels). One-dimensional
// pooling has H = KH = OH = 1. Window o covers the rows o*SH-PT+i*DH, i < KH, that lie in the image; columns likewise.
type PoolShape struct {
	Planes, H, W, KH, KW, OH, OW, SH, SW, DH, DW, PT, PL, PB, PR int
}

// halves reports whether the pooling is the common one: 2x2 windows, stride 2, no padding.
func (s *PoolShape) halves() bool {
	return s.KH == 2 && s.KW == 2 && s.SH == 2 && s.SW == 2 && s.DH <= 1 && s.DW <= 1 && s.PT == 0 && s.PL == 0 && 2*s.OH <= s.H && 2*s.OW <= s.W
}

// window returns the taps from <= i < to of output o that lie in an image of n rows (or columns), and the row of tap 0.
func window(o, stride, dilation, pad, k, n int) (base, from, to int) {
	base = o*stride - pad
	from, to = 0, k
	for from < k && base+from*dilation < 0 {
		from++
	}
	for to > from && base+(to-1)*dilation >= n {
		to--
	}
	return base, from, to
}

// MaxPool2D computes y[p,oh,ow] = the maximum of the window in x[p], scanned in row order: a value replaces the maximum if it is
// greater or NaN, so a NaN stays; a window of nothing gives -Inf. index, if not nil, receives where in its plane the maximum
// is (h*W + w). Only the planes from <= p < to are computed. Scratch of [PoolScratch] elements makes it faster; it may be empty.
func MaxPool2D(s *PoolShape, y []float32, index []int64, x []float32, from, to int, scratch []float32) {
	if index == nil && s.halves() && to > from {
		f := current.vec.maxPool2
		if f == nil {
			f = maxPool2Generic
		}
		if s.H == 2*s.OH { // the rows of all planes follow one another
			f(y[from*s.OH*s.OW:], x[from*s.H*s.W:], (to-from)*s.OH, s.OW, s.W)
			return
		}
		for p := from; p < to; p++ {
			f(y[p*s.OH*s.OW:], x[p*s.H*s.W:], s.OH, s.OW, s.W)
		}
		return
	}
	if f := current.conv.poolPlanes; f != nil && index == nil && len(scratch) > 0 && to > from && f(noescape(s), y, x, false, false, from, to, scratch) {
		return
	}
	maxPoolGeneric(s, y, index, x, from, to)
}

// newer reports whether v replaces m as the maximum of a window.
func newer(v, m float32) bool { return v > m || v != v }

// maxPool2Generic pools 2x2 windows with stride 2 into rows of ow values; rows of x are w long.
func maxPool2Generic(dst, x []float32, rows, ow, w int) {
	for r := range rows {
		top, bottom, out := x[2*r*w:][:2*ow], x[(2*r+1)*w:][:2*ow], dst[r*ow:][:ow]
		for j := range out {
			m := top[2*j]
			if v := top[2*j+1]; newer(v, m) {
				m = v
			}
			if v := bottom[2*j]; newer(v, m) {
				m = v
			}
			if v := bottom[2*j+1]; newer(v, m) {
				m = v
			}
			out[j] = m
		}
	}
}

// maxPool2GradGeneric is the gradient of maxPool2Generic for w = 2*ow; relu: only of maxima above 0.
func maxPool2GradGeneric(dx, dy, x []float32, relu bool, rows, ow, w int) {
	clear(dx[:2*rows*w])
	for r := range rows {
		top, bottom, g := x[2*r*w:][:2*ow], x[(2*r+1)*w:][:2*ow], dy[r*ow:][:ow]
		for j, v := range g {
			at, m := 2*r*w+2*j, top[2*j]
			k := at
			if u := top[2*j+1]; newer(u, m) {
				k, m = at+1, u
			}
			if u := bottom[2*j]; newer(u, m) {
				k, m = at+w, u
			}
			if u := bottom[2*j+1]; newer(u, m) {
				k, m = at+w+1, u
			}
			if !relu || m > 0 {
				dx[k] += v
			}
		}
	}
}

func maxPoolGeneric(s *PoolShape, y []float32, index []int64, x []float32, from, to int) {
	for p := from; p < to; p++ {
		plane := x[p*s.H*s.W : (p+1)*s.H*s.W]
		at := p * s.OH * s.OW
		for oh := range s.OH {
			for ow := range s.OW {
				k := s.argMax(plane, oh, ow)
				if k >= 0 {
					y[at] = plane[k]
				} else {
					y[at] = -inf32
				}
				if index != nil {
					index[at] = int64(max(k, 0))
				}
				at++
			}
		}
	}
}

// argMax returns the position in the plane of the window's first maximum (or NaN), -1 for an empty window.
func (s *PoolShape) argMax(plane []float32, oh, ow int) int {
	h, h0, h1 := window(oh, s.SH, max(s.DH, 1), s.PT, s.KH, s.H)
	w, w0, w1 := window(ow, s.SW, max(s.DW, 1), s.PL, s.KW, s.W)
	best := -1
	var m float32
	for i := h0; i < h1; i++ {
		row := (h + i*max(s.DH, 1)) * s.W
		for j := w0; j < w1; j++ {
			k := row + w + j*max(s.DW, 1)
			if v := plane[k]; best < 0 || newer(v, m) {
				best, m = k, v
			}
		}
	}
	return best
}

// MaxPool2DGrad computes dx: every dy[p,oh,ow] is added, in the order of the outputs, to the position of its window's first maximum, which is
// found again in x. dx is zero elsewhere. With relu, x is what a ReLU gave and dx the gradient by what it took: maxima that are not
// above 0 pass nothing on. Planes and scratch are as for MaxPool2D.
func MaxPool2DGrad(s *PoolShape, dx, dy, x []float32, relu bool, from, to int, scratch []float32) {
	if s.halves() && s.W == 2*s.OW && s.H == 2*s.OH && to > from {
		f := current.vec.maxPool2Grad
		if f == nil {
			f = maxPool2GradGeneric
		}
		f(dx[from*s.H*s.W:], dy[from*s.OH*s.OW:], x[from*s.H*s.W:], relu, (to-from)*s.OH, s.OW, s.W)
		return
	}
	if f := current.conv.poolPlanesGrad; f != nil && len(scratch) > 0 && to > from && f(noescape(s), dx, dy, x, relu, false, from, to, scratch) {
		return
	}
	maxPoolGradGeneric(s, dx, dy, x, relu, from, to)
}

func maxPoolGradGeneric(s *PoolShape, dx, dy, x []float32, relu bool, from, to int) {
	for p := from; p < to; p++ {
		plane, out := x[p*s.H*s.W:(p+1)*s.H*s.W], dx[p*s.H*s.W:(p+1)*s.H*s.W]
		clear(out)
		at := p * s.OH * s.OW
		for oh := range s.OH {
			for ow := range s.OW {
				if k := s.argMax(plane, oh, ow); k >= 0 && (!relu || plane[k] > 0) {
					out[k] += dy[at]
				}
				at++
			}
		}
	}
}

// PoolScratch returns how many float32 of scratch one worker needs for pools and their gradients.
func PoolScratch(s *PoolShape) int {
	if f := current.conv.poolPlanesScratch; f != nil {
		return f(noescape(s))
	}
	return 0
}

// count returns the divisor of an average: the taps in the image or, with padding counted, in the padded image.
func (s *PoolShape) count(oh, ow, taps int, includePad bool) float32 {
	if !includePad {
		return float32(taps)
	}
	_, h0, h1 := window(oh, s.SH, max(s.DH, 1), 0, s.KH, s.H+s.PT+s.PB)
	_, w0, w1 := window(ow, s.SW, max(s.DW, 1), 0, s.KW, s.W+s.PL+s.PR)
	return float32((h1 - h0) * (w1 - w0))
}

// AvgPool2D computes y[p,oh,ow] = the average of the window: a sequential sum in row order, divided by the number of values in the image or,
// with includePad, in the padded image (ONNX count_include_pad). A window of nothing gives 0. Planes and scratch are as for
// [MaxPool2D].
func AvgPool2D(s *PoolShape, y, x []float32, includePad bool, from, to int, scratch []float32) {
	if f := current.conv.poolPlanes; f != nil && len(scratch) > 0 && to > from && !s.halves() && f(noescape(s), y, x, true, includePad, from, to, scratch) {
		return
	}
	for p := from; p < to; p++ {
		if s.halves() {
			f := current.vec.avgPool2
			if f == nil {
				f = avgPool2
			}
			f(y[p*s.OH*s.OW:], x[p*s.H*s.W:], s.OH, s.OW, s.W)
			continue
		}
		plane := x[p*s.H*s.W : (p+1)*s.H*s.W]
		at := p * s.OH * s.OW
		for oh := range s.OH {
			h, h0, h1 := window(oh, s.SH, max(s.DH, 1), s.PT, s.KH, s.H)
			for ow := range s.OW {
				w, w0, w1 := window(ow, s.SW, max(s.DW, 1), s.PL, s.KW, s.W)
				sum := float32(math.Copysign(0, -1)) // so that the sum of zeros keeps their sign
				for i := h0; i < h1; i++ {
					row := (h+i*max(s.DH, 1))*s.W + w
					for j := w0; j < w1; j++ {
						sum += plane[row+j*max(s.DW, 1)]
					}
				}
				if taps := (h1 - h0) * (w1 - w0); taps > 0 {
					sum /= s.count(oh, ow, taps, includePad)
				} else {
					sum = 0
				}
				y[at] = sum
				at++
			}
		}
	}
}

// avgPool2 is AvgPool2D of one plane for 2x2 windows with stride 2. Preparing a plane for vectors takes longer than all of it.
func avgPool2(dst, x []float32, rows, ow, w int) {
	for r := range rows {
		top, bottom, out := x[2*r*w:][:2*ow], x[(2*r+1)*w:][:2*ow], dst[r*ow:][:ow]
		for j := range out {
			out[j] = (top[2*j] + top[2*j+1] + bottom[2*j] + bottom[2*j+1]) / 4
		}
	}
}

// AvgPool2DGrad computes dx of [AvgPool2D]: every dy, divided as there, is added to its window, in the order of the outputs.
func AvgPool2DGrad(s *PoolShape, dx, dy []float32, includePad bool, from, to int, scratch []float32) {
	if f := current.conv.poolPlanesGrad; f != nil && len(scratch) > 0 && to > from && !s.halves() && f(noescape(s), dx, dy, nil, false, includePad, from, to, scratch) {
		return
	}
	for p := from; p < to; p++ {
		out := dx[p*s.H*s.W : (p+1)*s.H*s.W]
		if f := current.vec.avgPool2Grad; f != nil && s.halves() && s.W == 2*s.OW && s.H == 2*s.OH {
			f(out, dy[p*s.OH*s.OW:], s.OH, s.OW, s.W)
			continue
		}
		clear(out)
		if s.halves() {
			for r := range s.OH {
				top, bottom := out[2*r*s.W:][:2*s.OW], out[(2*r+1)*s.W:][:2*s.OW]
				for j, g := range dy[(p*s.OH+r)*s.OW:][:s.OW] {
					g = float32(g/4) + 0 // added to zero, as below; the conversion keeps arm64 from fusing the two
					top[2*j], top[2*j+1], bottom[2*j], bottom[2*j+1] = g, g, g, g
				}
			}
			continue
		}
		at := p * s.OH * s.OW
		for oh := range s.OH {
			h, h0, h1 := window(oh, s.SH, max(s.DH, 1), s.PT, s.KH, s.H)
			for ow := range s.OW {
				w, w0, w1 := window(ow, s.SW, max(s.DW, 1), s.PL, s.KW, s.W)
				taps := (h1 - h0) * (w1 - w0)
				if taps > 0 {
					g := dy[at] / s.count(oh, ow, taps, includePad)
					for i := h0; i < h1; i++ {
						row := (h+i*max(s.DH, 1))*s.W + w
						for j := w0; j < w1; j++ {
							out[row+j*max(s.DW, 1)] += g
						}
					}
				}
				at++
			}
		}
	}
}
