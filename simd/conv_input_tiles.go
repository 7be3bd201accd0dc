//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// gradPhase is one phase of the input gradient: the pixels h = ph + SH*q, w = pw + SW*r share taps, and each reads dy at
// unit stride.
type gradPhase struct {
	ph, pw     int
	rows, cols int // pixels of the phase
	k          int // products per pixel
	at         int // where its table and weights start in the packed buffer
}

// gradGeometry is how the input gradient reads dy: rows and columns from lowH and lowW on, zero outside.
type gradGeometry struct {
	pad        tapTable
	lowH, lowW int
	oneRow     bool // a 1x1 convolution over whole images, seen as one row
	flat       bool // rows of dx follow one another in the copy of dy as in dx, so that a run of rows is one long row
}

// phaseTap returns the row (or column) of dy that tap k adds to the first pixel of a phase.
func phaseTap(phase, pad, k, dilation, stride int) (o int, ok bool) {
	o = phase + pad - k*dilation
	if o%stride != 0 {
		return 0, false
	}
	return o / stride, true
}

// phaseTaps counts the taps of a phase.
func phaseTaps(phase, pad, taps, dilation, stride int) (n int) {
	for k := range taps {
		if _, ok := phaseTap(phase, pad, k, dilation, stride); ok {
			n++
		}
	}
	return n
}

// phaseRange returns the lowest row that taps of any phase read for their first pixel, and one past the highest for their last.
func phaseRange(size, pad, taps, dilation, stride, group int) (lo, hi int) {
	for phase := range min(stride, size) {
		n := (size - phase + stride - 1) / stride
		for k := range taps {
			if o, ok := phaseTap(phase, pad, k, dilation, stride); ok {
				lo, hi = min(lo, o), max(hi, o+max(n, group))
			}
		}
	}
	return lo, hi
}

func (s *ConvShape) gradGeometry() gradGeometry {
	var g gradGeometry
	g.pad = tapTable{sh: 1, sw: 1, ph: 1, pw: 1, h: s.OH, w: s.OW, channels: s.mg()}
	if s.KH == 1 && s.KW == 1 && s.SH == 1 && s.SW == 1 && s.PT == 0 && s.PL == 0 && s.OH == s.H && s.OW == s.W && s.H*s.W >= groupLanes {
		g.oneRow = true
		g.pad.h, g.pad.w = 1, s.OH*s.OW
		g.pad.rows, g.pad.cols = 1, s.OH*s.OW
		return g
	}
	var highH, highW int
	g.lowH, highH = phaseRange(s.H, s.PT, s.KH, s.DH, s.SH, 1)
	g.lowW, highW = phaseRange(s.W, s.PL, s.KW, s.DW, s.SW, groupLanes)
	g.pad.top, g.pad.left = -g.lowH, -g.lowW
	g.pad.rows, g.pad.cols = max(highH-g.lowH, 1), max(highW-g.lowW, 1)
	g.pad.copied = true
	// Without padding of columns, dx is as much wider than dy as zeros are needed on either side, and the zeros right of a row
	// of dy can be those left of the next.
	if gap := (s.KW - 1) * s.DW; s.SH == 1 && s.SW == 1 && s.PL == 0 && s.W == s.OW+gap && gap <= groupLanes {
		g.flat = true
		g.pad.cols = s.W
	}
	return g
}

// gradPhase returns phase i of SH*SW given where its part of the packed buffer starts.
func (s *ConvShape) gradPhase(i, at int) gradPhase {
	p := gradPhase{ph: i / s.SW, pw: i % s.SW, at: at}
	p.rows = max((s.H-p.ph+s.SH-1)/s.SH, 0)
	p.cols = max((s.W-p.pw+s.SW-1)/s.SW, 0)
	p.k = phaseTaps(p.ph, s.PT, s.KH, s.DH, s.SH) * phaseTaps(p.pw, s.PL, s.KW, s.DW, s.SW) * s.mg()
	return p
}

// size returns the packed elements of a phase.
func (p *gradPhase) size(s *ConvShape) int { return p.k + p.k*s.C }

func (t *tileSet) gradInputPackSize(s *ConvShape) int {
	n := 0
	for i := range s.SH * s.SW {
		p := s.gradPhase(i, n)
		n += p.size(s)
	}
	return n
}

// gradInputPack writes, for every phase, the table of offsets and each group's transposed panels.
func (t *tileSet) gradInputPack(s *ConvShape, dst, w []float32) {
	geo := s.gradGeometry()
	cg, mg, taps, at := s.cg(), s.mg(), s.KH*s.KW, 0
	for i := range s.SH * s.SW {
		p := s.gradPhase(i, at)
		at += p.size(s)
		if p.k == 0 {
			continue
		}
		d := dst[p.at:]
		// The taps of the phase, in order: kh and kw descending.
		q := 0
		for kh := s.KH - 1; kh >= 0; kh-- {
			oh, ok := phaseTap(p.ph, s.PT, kh, s.DH, s.SH)
			if !ok {
				continue
			}
			for kw := s.KW - 1; kw >= 0; kw-- {
				ow, ok := phaseTap(p.pw, s.PL, kw, s.DW, s.SW)
				if !ok {
					continue
				}
				for m := range mg {
					putOffset(d, q+m, geo.pad.offset(m, oh-geo.lowH, ow-geo.lowW))
				}
				for g := range s.Groups {
					t.packTaps(d[p.k+g*cg*p.k:], cg, p.k, q, 1, mg, w, g*mg*cg*taps+kh*s.KW+kw, taps, 0, cg*taps)
				}
				q += mg
			}
		}
	}
}

func (t *tileSet) gradInputScratch(s *ConvShape) int {
	geo := s.gradGeometry()
	n := geo.pad.size() + 2*alignSlack
	if s.SW > 1 {
		n += s.cg() * ((s.H + s.SH - 1) / s.SH) * ((s.W + s.SW - 1) / s.SW)
	}
	return n
}

func (t *tileSet) gradInput(s *ConvShape, dy, packed, dx []float32, part, parts int, scratch []float32) {
	if s.N*s.C*s.H*s.W == 0 {
		return
	}
	geo := s.gradGeometry()
	cg, mg := s.cg(), s.mg()
	lo, hi := ActNone.bounds(0, 0)
	img := aligned(scratch)[:geo.pad.size()]
	out := aligned(scratch)[geo.pad.size():]
	clear(img)
	// Units are bands of rows with all phases in each, so that one copy of dy serves them all.
	bands := (s.H + s.SH - 1) / s.SH
	if geo.oneRow {
		bands = 1
	}
	u0, u1 := splitImages(s.N*s.Groups, bands, part, parts)
	for u := u0; u < u1; {
		b, g, n := u%bands, u/bands%s.Groups, u/bands/s.Groups
		count := min(bands-b, u1-u)
		u += count
		src := dy[(n*s.M+g*mg)*s.OH*s.OW:][:mg*s.OH*s.OW]
		if geo.pad.copied {
			geo.pad.fill(img, src, b, b+count+geo.pad.rows-bands+1)
		}
		at0 := 0
		for i := range s.SH * s.SW {
			p := s.gradPhase(i, at0)
			at0 += p.size(s)
			rows := min(b+count, p.rows) - b
			if rows <= 0 || p.cols <= 0 {
				continue
			}
			seg := convSeg{images: 1, rows: rows, width: p.cols, xRow: geo.pad.cols, k: p.k, m: cg, lo: lo, hi: hi}
			base := (n*s.C + g*cg) * s.H * s.W
			start := base + (p.ph+b*s.SH)*s.W + p.pw
			if p.k == 0 {
				for c := range cg {
					for r := range rows {
						row := dx[start+c*s.H*s.W+r*s.SH*s.W:]
						for q := range p.cols {
							row[q*s.SW] = 0
						}
					}
				}
				continue
			}
			seg.offs = (*int32)(unsafe.Pointer(&packed[p.at]))
			seg.w = &packed[p.at+p.k+g*cg*p.k]
			switch {
			case geo.flat:
				seg.rows, seg.width = 1, rows*s.W
				seg.x, seg.y, seg.yCh = &img[b*s.W], &dx[start], s.H*s.W
			case geo.oneRow:
				seg.width = s.H * s.W
				seg.x, seg.y, seg.yCh = &src[0], &dx[base], s.H*s.W
			case s.SW == 1:
				seg.x, seg.y, seg.yRow, seg.yCh = &img[b*geo.pad.cols], &dx[start], s.SH*s.W, s.H*s.W
			default:
				seg.x, seg.y, seg.yRow, seg.yCh = &img[b*geo.pad.cols], &out[0], p.cols, rows*p.cols
			}
			t.runSeg(&seg)
			if s.SW == 1 {
				continue
			}
			for c := range cg {
				for r := range rows {
					v := out[(c*rows+r)*p.cols:][:p.cols]
					row := dx[start+c*s.H*s.W+r*s.SH*s.W:]
					for q, e := range v {
						row[q*s.SW] = e
					}
				}
			}
		}
	}
}
