//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// The input gradient of a depthwise convolution with strides: the pixels of dx that differ by the strides form phases, and each phase is a
// convolution of dy, stride one, with those taps of the turned kernel that reach it. All read one padded copy of the plane of dy. As where the
// stride is one, zeros beside dy are multiplied, so the portable loops run where weights are not finite.

// gradPhase is one phase of the rows (or of the columns) of dx: pixels i + stride*q.
type gradPhase struct {
	n           int // pixels
	taps        int // of the kernel that reach the phase
	k, kStep    int // the last of them, tap 0; the others follow every kStep down
	first, step int // row of dy that tap 0 adds to pixel 0, and from one tap to the next
}

func newGradPhase(i, size, pad, k, dilation, stride int) gradPhase {
	p := gradPhase{n: (size - i + stride - 1) / stride, kStep: stride / gcd(stride, dilation), step: dilation / gcd(stride, dilation)}
	for kh := k - 1; kh >= 0; kh-- {
		if o, ok := phaseTap(i, pad, kh, dilation, stride); ok {
			if p.taps == 0 {
				p.first, p.k = o, kh
			}
			p.taps++
		}
	}
	return p
}

// end returns the row after the last one that the phase reads.
func (p *gradPhase) end() int { return p.first + max(p.taps-1, 0)*p.step + p.n }

func (s *ConvShape) rowPhase(i int) gradPhase { return newGradPhase(i, s.H, s.PT, s.KH, s.DH, s.SH) }
func (s *ConvShape) colPhase(i int) gradPhase { return newGradPhase(i, s.W, s.PL, s.KW, s.DW, s.SW) }

// phaseCopy is the geometry of the padded copy of a plane of dy.
type phaseCopy struct{ top, left, rows, cols int }

func (s *ConvShape) phaseCopy() (c phaseCopy) {
	c.rows, c.cols = s.OH, s.OW
	for i := range min(s.SH, s.H) {
		p := s.rowPhase(i)
		c.top, c.rows = max(c.top, -p.first), max(c.rows, p.end())
	}
	for i := range min(s.SW, s.W) {
		p := s.colPhase(i)
		c.left, c.cols = max(c.left, -p.first), max(c.cols, p.end())
	}
	c.rows += c.top
	c.cols += c.left
	return c
}

// The packed buffer holds a word that is zero if the weights are finite, zeros to start from, the weights, and for every phase the offsets of its
// taps and the weights of every channel.
func (s *ConvShape) phaseParts() (zeros, weights, phases int) {
	return 1, 1 + s.C, 1 + s.C + s.C*s.KH*s.KW
}

func (s *ConvShape) phasePackSize() int {
	_, _, n := s.phaseParts()
	return n + (1+s.C)*s.KH*s.KW
}

func (s *ConvShape) phasePack(dst, w []float32) {
	_, weights, at := s.phaseParts()
	clear(dst[:weights])
	all := s.KH * s.KW
	for i, v := range w[:s.C*all] {
		dst[0] += v * 0 // NaN of an infinity or a NaN
		dst[weights+i] = v
	}
	c := s.phaseCopy()
	for i := range s.SH {
		r := s.rowPhase(i)
		for j := range s.SW {
			q := s.colPhase(j)
			taps := r.taps * q.taps
			for t := range taps {
				a, b := t/q.taps, t%q.taps
				putOffset(dst, at+t, (c.top+r.first+a*r.step)*c.cols+c.left+q.first+b*q.step)
				k := (r.k-a*r.kStep)*s.KW + q.k - b*q.kStep
				for ch := range s.C {
					dst[at+(1+ch)*taps+t] = w[ch*all+k]
				}
			}
			at += (1 + s.C) * taps
		}
	}
}

// phaseFlat reports whether a plane of dx is put together as one row: rows are short, and both phases of the columns are equally long.
func (s *ConvShape) phaseFlat() bool {
	return s.SW == 2 && s.W%2 == 0 && s.W < 8*groupLanes && s.H*s.W >= 2*groupLanes
}

// phaseLen returns the elements of a buffer for one phase of the columns of dx, all rows.
func (s *ConvShape) phaseLen() int { return roundUp(s.H*s.columns()+2*groupLanes, 16) }

func (s *ConvShape) phaseScratch() int {
	c := s.phaseCopy()
	n := s.columns()
	if s.phaseFlat() {
		n *= s.H
	}
	return roundUp(c.rows*c.cols+2*groupLanes, 16) + 2*s.phaseLen() + 16 + n + groupLanes + alignSlack
}

// phaseRun computes its part of dx, plane by plane.
func (t *tileSet) phaseRun(s *ConvShape, dy, packed, dx []float32, part, parts int, scratch []float32) {
	zeros, weights, phases := s.phaseParts()
	if packed[0] != 0 {
		convGradInputGeneric(current.Class, s, dy, packed[weights:], dx, part, parts)
		return
	}
	c := s.phaseCopy()
	scratch = aligned(scratch)
	n := roundUp(c.rows*c.cols+2*groupLanes, 16)
	img, scratch := scratch[:n], scratch[n:]
	n = s.phaseLen()
	even, odd, scratch := scratch[:n], scratch[n:2*n], scratch[2*n:] // the phases of two columns; of more all are in the first, one by one
	table, masks := scratch[:16], scratch[16:]
	clear(img)
	clear(table)
	var rows, cols [phasesMost]gradPhase
	for i := range s.SH {
		rows[i] = s.rowPhase(i)
	}
	for i := range s.SW {
		cols[i] = s.colPhase(i)
	}
	// How the two phases of stride two come together.
	join := columnsArgs{planes: 1, images: 1, width: s.W / 2, t: &odd[0], tRow: 4 * (s.W / 2), dRow: 4 * s.SH * s.W,
		taps: 1, table: (*int32)(unsafe.Pointer(&table[0])), masks: (*int32)(unsafe.Pointer(&masks[0])), even: &even[0], evenRow: 4 * s.columns()}
	flat := s.phaseFlat()
	if flat {
		join.width = s.H * s.W / 2
	}
	joins := s.SW == 2 && join.width >= groupLanes
	if joins {
		fillMask(masks, join.width, join.width, 0, join.width)
	}
	lo, hi := ActNone.bounds(0, 0)
	seg := convSeg{images: 1, xRow: c.cols, x: &img[0], m: 1, lo: lo, hi: hi}
	u0, u1 := split(s.N*s.C, 1, part, parts)
	for u := u0; u < u1; u++ {
		copyBlock(&blockArgs{dst: &img[c.top*c.cols+c.left], src: &dy[u*s.OH*s.OW], outer: 1, rows: s.OH, n: s.OW, dRow: c.cols, dCol: 1, sRow: s.OW, sCol: 1})
		plane, ch := dx[u*s.H*s.W:][:s.H*s.W], u%s.C
		at := phases // of a phase's offsets and weights
		for i := range min(s.SH, s.H) {
			first, step := 0, 1 // of the phase's rows in its buffer
			if flat {
				first, step = i, s.SH
			}
			for j := range s.SW {
				taps, width, to, here := rows[i].taps*cols[j].taps, cols[j].n, even, at
				at += (1 + s.C) * taps
				switch {
				case s.SW == 1:
					to, first, step = plane, i, s.SH
				case s.SW == 2 && j == 1:
					to = odd
				}
				if width <= 0 {
					continue
				}
				if taps > 0 {
					seg.y, seg.rows, seg.width, seg.yRow = &to[first*width], rows[i].n, width, step*width
					seg.k, seg.offs, seg.w, seg.bias = taps, (*int32)(unsafe.Pointer(&packed[here])), &packed[here+(1+ch)*taps], &packed[zeros+ch]
					t.runPlane(&seg)
				} else {
					for r := range rows[i].n {
						clear(to[(first+r*step)*width:][:width])
					}
				}
				if s.SW > 1 && !joins {
					s.placePhase(plane[i*s.W+j:], to, rows[i].n, width, width)
				}
			}
			if joins && !flat {
				join.dst, join.rows = &plane[i*s.W], rows[i].n
				addColumns(&join)
				if s.W%2 != 0 { // a last even column has no odd one beside it
					s.placePhase(plane[i*s.W+s.W-1:], even[s.W/2:], rows[i].n, s.columns(), 1)
				}
			}
		}
		if flat {
			join.dst, join.rows = &plane[0], 1
			addColumns(&join)
		}
	}
}

// placePhase copies n columns of a phase, in rows of cols, to their places in a plane of dx.
func (s *ConvShape) placePhase(dx, out []float32, rows, cols, n int) {
	copyBlock(&blockArgs{dst: &dx[0], src: &out[0], outer: 1, rows: rows, n: n, dRow: s.SH * s.W, dCol: s.SW, sRow: cols, sCol: 1})
}
