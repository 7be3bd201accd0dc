//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// The input gradient takes the columns of the kernel apart. Of each (ci, kw) it computes t[ci,kw], the sums over kh and m at the columns of
// dy: that is a convolution with C*KW output channels whose kernel is one column wide, so it reads dy where it lies, rows without a gap,
// and multiplies nothing that does not exist. addColumns then adds the t of every kw where they belong in dx. Rows of dx that differ by
// the stride form a phase: they share taps.

// gradRows is one phase of the rows of dx: h = phase + SH*q.
type gradRows struct {
	rows        int // of the phase
	taps        int // values of kh that reach the phase
	kh          int // the highest of them, tap 0; the others follow every khStep down
	first, step int // row of dy that tap 0 adds to row 0, and from one tap to the next
	at          int // where the weights start in the packed buffer
}

// phaseTap returns the row (or column) of dy that tap k adds to the first pixel of a phase.
func phaseTap(phase, pad, k, dilation, stride int) (o int, ok bool) {
	o = phase + pad - k*dilation
	if o%stride != 0 {
		return 0, false
	}
	return o / stride, true
}

// gradRows returns phase i of SH, given where its weights start.
func (s *ConvShape) gradRows(i, at int) gradRows {
	p := gradRows{rows: max((s.H-i+s.SH-1)/s.SH, 0), at: at}
	for kh := s.KH - 1; kh >= 0; kh-- {
		o, ok := phaseTap(i, s.PT, kh, s.DH, s.SH)
		if !ok {
			continue
		}
		switch p.taps {
		case 0:
			p.first, p.kh = o, kh
		case 1:
			p.step = o - p.first
		}
		p.taps++
	}
	p.step = max(p.step, 1)
	return p
}

// size returns the packed weights of a phase.
func (p *gradRows) size(s *ConvShape) int { return p.taps * s.M * s.cg() * s.KW }

// gradTable returns the entries of the table of offsets, which all phases share.
func (s *ConvShape) gradOffsets() int {
	n := 0
	for i := range s.SH {
		p := s.gradRows(i, 0)
		n = max(n, p.taps)
	}
	return n * s.mg()
}

// gradBlocks is how the work is cut.
type gradBlocks struct {
	bands        int  // rows of the largest phase
	images, rows int  // of a block: whole images, or rows of a phase of one image
	pitch        int  // elements of t from one (ci, kw) to the next
	slack        int  // elements before and after t that addColumns may read
	direct       bool // t is dx
	copied       bool // rows of dy shorter than a group are read from a copy
	flat         bool // rows of t and dx are equally long
}

// gradBlock bounds t, in elements; it stays in the second-level cache.
const gradBlock = 1 << 16

func (s *ConvShape) gradBlocks() gradBlocks {
	b := gradBlocks{bands: (s.H + s.SH - 1) / s.SH, images: 1, copied: s.OW < groupLanes}
	b.direct = s.KW == 1 && s.PL == 0 && s.SH == 1 && s.SW == 1 && s.OW == s.W
	b.flat = s.SH == 1 && s.SW == 1 && s.OW == s.W && s.W < 2*groupLanes
	perRow := s.cg() * s.KW * s.OW
	b.rows = b.bands
	if perRow*b.bands > gradBlock && !b.direct {
		b.rows = max(gradBlock/perRow, 1)
	} else if s.Groups == 1 {
		b.images = max(min(gradBlock/max(perRow*b.bands, 1), s.N), 1)
	}
	b.pitch = roundUp(b.images*b.rows*s.OW, 16)
	if b.pitch%32 == 0 {
		b.pitch += 16 // so that rows of a tile do not share cache sets
	}
	b.slack = roundUp(max(s.PL+s.SW, s.KW*s.DW)/s.SW, 16) + 4*groupLanes
	return b
}

// columns returns the pixels of the longest phase of a row of dx.
func (s *ConvShape) columns() int { return (s.W + s.SW - 1) / s.SW }

// maskLen returns the words of one tap's mask.
func (b *gradBlocks) maskLen(s *ConvShape) int {
	n := s.columns()
	if b.flat {
		n *= b.rows
	}
	return roundUp(n, 16) + 16
}

func (t *tileSet) gradInputPackSize(s *ConvShape) int {
	n := s.gradOffsets() + s.cg()
	for i := range s.SH {
		p := s.gradRows(i, n)
		n += p.size(s)
	}
	return n
}

// gradInputPack writes the table of offsets, C/Groups zeros, and for every phase each group's panels of rows (ci, kw).
func (t *tileSet) gradInputPack(s *ConvShape, dst, w []float32) {
	cg, mg, at := s.cg(), s.mg(), s.gradOffsets()
	step := s.gradStep()
	for i := range at {
		putOffset(dst, i, (i%mg*s.OH+i/mg*step)*s.OW)
	}
	clear(dst[at : at+cg])
	at += cg
	khStep := s.khStep()
	rows := cg * s.KW
	panels := t.convPanels(rows)
	for i := range s.SH {
		p := s.gradRows(i, at)
		at += p.size(s)
		k := p.taps * mg
		for g := range s.Groups {
			d := dst[p.at+g*rows*k:]
			for panel := range panels {
				r0, r1 := panelRows(rows, panels, panel)
				h := r1 - r0
				for tap := range p.taps {
					kh := p.kh - tap*khStep
					for m := range mg {
						out := d[r0*k+(tap*mg+m)*h:][:h]
						src := w[(g*mg+m)*cg*s.KH*s.KW+kh*s.KW:]
						ci, kw := r0/s.KW, r0%s.KW
						from := ci * s.KH * s.KW
						for j := range out {
							out[j] = src[from+kw]
							if kw++; kw == s.KW {
								kw = 0
								from += s.KH * s.KW
							}
						}
					}
				}
			}
		}
	}
}

// khStep returns the distance of kernel rows that reach the same phase, gradStep that of the rows of dy which they read.
func (s *ConvShape) khStep() int   { return s.SH / gcd(s.SH, s.DH) }
func (s *ConvShape) gradStep() int { return s.DH / gcd(s.SH, s.DH) }

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (t *tileSet) gradInputScratch(s *ConvShape) int {
	b := s.gradBlocks()
	n := alignSlack
	if b.copied {
		n += roundUp(b.images*s.mg()*s.OH*s.OW+groupLanes, 16)
	}
	if !b.direct {
		n += s.cg()*s.KW*b.pitch + 2*b.slack + roundUp(2*s.KW, 16) + s.KW*b.maskLen(s)
		if s.SW > 1 {
			n += s.cg() * b.images * b.rows * s.columns()
		}
	}
	return n
}

// inputGrad is the state of one call of gradInput.
type inputGrad struct {
	gradBlocks
	img, t, table, masks, out []float32
}

func (t *tileSet) gradInput(s *ConvShape, dy, packed, dx []float32, part, parts int, scratch []float32) {
	if s.N*s.C*s.H*s.W == 0 {
		return
	}
	a := inputGrad{gradBlocks: s.gradBlocks()}
	cg, mg := s.cg(), s.mg()
	scratch = aligned(scratch)
	if a.copied {
		n := roundUp(a.images*mg*s.OH*s.OW+groupLanes, 16)
		a.img, scratch = scratch[:n], scratch[n:]
	}
	if !a.direct {
		n := cg*s.KW*a.pitch + 2*a.slack
		a.t, scratch = scratch[:n], scratch[n:]
		n = roundUp(2*s.KW, 16)
		a.table, scratch = scratch[:n], scratch[n:]
		n = s.KW * a.maskLen(s)
		a.masks, a.out = scratch[:n], scratch[n:]
	}
	u0, u1 := splitImages(s.N*s.Groups, a.bands, part, parts)
	for u := u0; u < u1; {
		q, g, n := u%a.bands, u/a.bands%s.Groups, u/a.bands/s.Groups
		rows, images := min(a.bands-q, u1-u, a.rows), 1
		if s.Groups == 1 && rows == a.bands {
			images = min((u1-u)/a.bands, a.images)
		}
		u += rows * images
		t.gradBlock(s, &a, dy, packed, dx, n, g, images, q, rows)
	}
}

// gradBlock computes rows q0 .. q0+rows of every phase of some images of one group.
func (t *tileSet) gradBlock(s *ConvShape, a *inputGrad, dy, packed, dx []float32, n, g, images, q0, rows int) {
	cg, mg := s.cg(), s.mg()
	src := dy[(n*s.M+g*mg)*s.OH*s.OW:]
	xImage := s.M * s.OH * s.OW
	if a.copied {
		size := mg * s.OH * s.OW
		for i := range images {
			copy(a.img[i*size:], src[i*xImage:][:size])
		}
		src, xImage = a.img, size
	}
	zeros := s.gradOffsets()
	at := zeros + cg
	for i := range min(s.SH, s.H) {
		p := s.gradRows(i, at)
		at += p.size(s)
		q1 := min(q0+rows, p.rows)
		if q0 >= q1 {
			continue
		}
		base := (n*s.C+g*cg)*s.H*s.W + (i+q0*s.SH)*s.W
		for q := q0; q < q1; {
			from, to := inside(p.first+q, p.step, s.OH, p.taps)
			end := q + 1
			for end < q1 {
				f, e := inside(p.first+end, p.step, s.OH, p.taps)
				if f != from || e != to {
					break
				}
				end++
			}
			seg := convSeg{images: images, rows: 1, width: (end - q) * s.OW, xImage: xImage, m: cg * s.KW,
				before: from * mg, k: (to - from) * mg, after: (p.taps - to) * mg}
			seg.lo, seg.hi = ActNone.bounds(0, 0)
			if a.direct {
				seg.y, seg.yImage, seg.yCh, seg.bias = &dx[base+(q-q0)*s.W], s.C*s.H*s.W, s.H*s.W, &packed[zeros]
			} else {
				seg.y, seg.yImage, seg.yCh = &a.t[a.slack+(q-q0)*s.OW], (q1-q0)*s.OW, a.pitch
			}
			if seg.k > 0 {
				seg.x = &src[(p.first+from*p.step+q)*s.OW]
				seg.offs = (*int32)(unsafe.Pointer(&packed[0]))
				seg.w = &packed[p.at+g*cg*s.KW*p.taps*mg]
				t.runSeg(&seg)
			} else {
				clearSeg(&seg)
			}
			q = end
		}
		if !a.direct {
			t.addPhases(s, a, dx[base:], images, q1-q0)
		}
	}
}

// clearSeg writes zeros where a segment without products goes.
func clearSeg(s *convSeg) {
	for m := range s.m {
		for i := range s.images {
			clear(unsafe.Slice(at(s.y, m*s.yCh+i*s.yImage), s.width))
		}
	}
}

// columnsArgs are the arguments of addColumns: dst[plane,image,row,j] is the sum, from +0 on, over the taps of t[plane,image,row,j], each at its
// own distance, where the tap's mask has ones. Steps are in bytes.
type columnsArgs struct {
	planes, images, rows, width int
	t                           *float32
	tPlane, tImage, tRow        int
	dst                         *float32
	dPlane, dImage, dRow        int
	taps                        int
	table                       *int32 // per tap: bytes from t, bytes from masks
	masks                       *int32
	mask                        *int32 // lanes of a row shorter than a group
}

// addPhases adds the columns of t up, for each phase of the columns of dx.
func (t *tileSet) addPhases(s *ConvShape, a *inputGrad, dx []float32, images, rows int) {
	cg, maskLen := s.cg(), a.maskLen(s)
	for i := range min(s.SW, s.W) {
		cols := (s.W - i + s.SW - 1) / s.SW
		args := columnsArgs{planes: cg, images: images, rows: rows, width: cols, t: &a.t[a.slack], tPlane: 4 * s.KW * a.pitch, tImage: 4 * rows * s.OW, tRow: 4 * s.OW,
			table: (*int32)(unsafe.Pointer(&a.table[0])), masks: (*int32)(unsafe.Pointer(&a.masks[0]))}
		period := cols
		if a.flat {
			args.rows, args.width = 1, rows*s.W
		}
		if args.width < groupLanes {
			args.mask = &laneMasks[groupLanes-args.width]
		}
		for kw := range s.KW {
			o, ok := phaseTap(i, s.PL, kw, s.DW, s.SW)
			if !ok {
				continue
			}
			lo, hi := inside(o, 1, s.OW, cols)
			if lo == hi {
				continue
			}
			putOffset(a.table, 2*args.taps, kw*a.pitch+o)
			putOffset(a.table, 2*args.taps+1, args.taps*maskLen)
			fillMask(a.masks[args.taps*maskLen:], args.width, period, lo, hi)
			args.taps++
		}
		if s.SW == 1 {
			args.dst, args.dPlane, args.dImage, args.dRow = &dx[0], 4*s.H*s.W, 4*s.C*s.H*s.W, 4*s.SH*s.W
			addColumns(&args)
			continue
		}
		args.dst, args.dPlane, args.dImage, args.dRow = &a.out[0], 4*images*rows*cols, 4*rows*cols, 4*cols
		addColumns(&args)
		for n := range images {
			copyBlock(&blockArgs{dst: &dx[n*s.C*s.H*s.W+i], src: &a.out[n*rows*cols], outer: cg, rows: rows, n: cols,
				dOuter: s.H * s.W, dRow: s.SH * s.W, dCol: s.SW, sOuter: images * rows * cols, sRow: cols, sCol: 1})
		}
	}
}

// fillMask writes n words: ones where the position in the period is in [lo, hi), zeros elsewhere and up to a whole group.
func fillMask(dst []float32, n, period, lo, hi int) {
	p := 0
	m := unsafe.Slice((*int32)(unsafe.Pointer(&dst[0])), roundUp(n, groupLanes))
	for i := range m {
		m[i] = 0
		if i < n && p >= lo && p < hi {
			m[i] = -1
		}
		if p++; p == period {
			p = 0
		}
	}
}
