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
	packed       bool // dy is packed as a matrix product wants it
	pixels       int  // of a packed block
}

// gradBlock bounds t, in elements; it stays in the second-level cache.
const gradBlock = 1 << 16

func (s *ConvShape) gradBlocks() gradBlocks {
	b := gradBlocks{bands: (s.H + s.SH - 1) / s.SH, images: 1}
	b.flat = s.SH == 1 && s.SW == 1 && s.OW == s.W && s.W < 2*groupLanes
	b.rows = b.bands
	rows, k := s.cg()*s.KW, s.gradOffsets()
	b.packed = rows >= packedRows && k >= packedRows
	perRow := rows * s.OW
	n := 0 // pixels of t
	switch {
	case b.packed:
		b.pixels = max(min(packedBlock/max(rows, k), packedPixels), s.OW)
		if s.Groups == 1 {
			b.images = s.N
		}
		n = b.pixels
	case perRow*b.bands > gradBlock:
		b.rows = max(gradBlock/perRow, 1)
		n = b.rows * s.OW
	default:
		if s.Groups == 1 {
			b.images = max(min(gradBlock/max(perRow*b.bands, 1), s.N), 1)
		}
		n = b.images * b.rows * s.OW
	}
	if !b.packed {
		b.copied = s.OW < groupLanes
		b.direct = s.KW == 1 && s.PL == 0 && s.SH == 1 && s.SW == 1 && s.OW == s.W
	}
	b.pitch = roundUp(n, 16)
	if b.pitch%32 == 0 {
		b.pitch += 16 // so that rows of a tile do not share cache sets
	}
	b.slack = roundUp(max(s.PL+s.SW, s.KW*s.DW)/s.SW, 16) + 4*groupLanes
	return b
}

// A convolution with as many rows of weights and products as packedRows packs dy, in blocks of at most packedPixels and packedBlock elements: its
// products do not fit the first-level cache, where those at many places of dy would come from.
const (
	packedRows   = 160
	packedBlock  = 96 << 10
	packedPixels = 512
)

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
	if s.gradFlips() {
		return t.flipPackSize(s)
	}
	if s.gradPhases() {
		return s.phasePackSize()
	}
	n := s.gradOffsets() + s.cg()
	for i := range s.SH {
		p := s.gradRows(i, n)
		n += p.size(s)
	}
	return n
}

// gradInputPack writes the table of offsets, C/Groups zeros, and for every phase each group's panels of rows (ci, kw).
func (t *tileSet) gradInputPack(s *ConvShape, dst, w []float32) {
	if s.gradFlips() {
		t.flipPack(s, dst, w)
		return
	}
	if s.gradPhases() {
		s.phasePack(dst, w)
		return
	}
	cg, mg, next := s.cg(), s.mg(), s.gradOffsets()
	step := s.gradStep()
	for i := range next {
		putOffset(dst, i, (i%mg*s.OH+i/mg*step)*s.OW)
	}
	clear(dst[next : next+cg])
	next += cg
	khStep := s.khStep()
	rows := cg * s.KW
	panels := t.convPanels(rows)
	const block = 16 // output channels whose weights stay in the first-level cache
	for i := range s.SH {
		p := s.gradRows(i, next)
		next += p.size(s)
		k := p.taps * mg
		for g := range s.Groups {
			d := dst[p.at+g*rows*k:]
			for m0 := 0; m0 < mg; m0 += block {
				for panel := range panels {
					r0, r1 := panelRows(rows, panels, panel)
					h := r1 - r0
					var from [mostRows]int // where each row of the panel is in w[m, :, kh, :]
					for j := range h {
						from[j] = (r0+j)/s.KW*s.KH*s.KW + (r0+j)%s.KW
					}
					for tap := range p.taps {
						m, next := m0, cg*s.KH*s.KW
						for ; m+4 <= min(m0+block, mg); m += 4 {
							src, out := &w[(g*mg+m)*next+(p.kh-tap*khStep)*s.KW], d[r0*k+(tap*mg+m)*h:][:4*h]
							a, b, c, e := out[:h], out[h:2*h], out[2*h:3*h], out[3*h:]
							a, b, c, e = a[:h], b[:h], c[:h], e[:h]
							for j := range h {
								v := at(src, from[j])
								a[j], b[j], c[j], e[j] = *v, *at(v, next), *at(v, 2*next), *at(v, 3*next)
							}
						}
						for ; m < min(m0+block, mg); m++ {
							src := &w[(g*mg+m)*next+(p.kh-tap*khStep)*s.KW]
							out := d[r0*k+(tap*mg+m)*h:][:h]
							for j := range out {
								out[j] = *at(src, from[j])
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
	if s.gradFlips() {
		return t.flipScratch(s)
	}
	if s.gradPhases() {
		return s.phaseScratch()
	}
	b := s.gradBlocks()
	n := alignSlack
	if b.copied {
		n += roundUp(b.images*s.mg()*s.OH*s.OW+groupLanes, 16)
	}
	if b.packed {
		n += s.gradOffsets() * roundUp(b.pixels, t.nr())
	}
	if !b.direct {
		n += s.cg()*s.KW*b.pitch + 2*b.slack + roundUp(2*s.KW, 16) + s.KW*b.maskLen(s)
		if s.SW > 1 {
			n += s.cg() * b.pitch / s.OW * s.columns()
		}
	}
	return n
}

// inputGrad is the state of one call of gradInput.
type inputGrad struct {
	gradBlocks
	img, b, t, table, masks, out []float32
}

func (t *tileSet) gradInput(s *ConvShape, dy, packed, dx []float32, part, parts int, scratch []float32) {
	if s.N*s.C*s.H*s.W == 0 {
		return
	}
	if s.gradFlips() {
		t.flipRun(s, dy, packed, dx, part, parts, scratch)
		return
	}
	if s.gradPhases() {
		t.phaseRun(s, dy, packed, dx, part, parts, scratch)
		return
	}
	a := inputGrad{gradBlocks: s.gradBlocks()}
	cg, mg := s.cg(), s.mg()
	scratch = aligned(scratch)
	if a.copied {
		n := roundUp(a.images*mg*s.OH*s.OW+groupLanes, 16)
		a.img, scratch = scratch[:n], scratch[n:]
	}
	if a.packed {
		n := s.gradOffsets() * roundUp(a.pixels, t.nr())
		a.b, scratch = scratch[:n], scratch[n:]
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
			if a.packed {
				t.gradPacked(s, a, &p, src, packed, dx[base+(q-q0)*s.SH*s.W:], images, q, end-q, from, to, g)
				q = end
				continue
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
		if !a.direct && !a.packed {
			addPhases(s, a, dx[base:], images, q1-q0)
		}
	}
}

// gradPacked computes some rows, which share the taps from .. to, of all images: blocks of dy are packed, t is a matrix product of the
// weights and them.
func (t *tileSet) gradPacked(s *ConvShape, a *inputGrad, p *gradRows, src, packed, dx []float32, images, q, rows, from, to, g int) {
	if from == to {
		for i := range images {
			for c := range s.cg() {
				for r := range rows {
					clear(dx[((i*s.C+c)*s.H+r*s.SH)*s.W:][:s.W])
				}
			}
		}
		return
	}
	mg, m, nw := s.mg(), s.cg()*s.KW, t.nr()
	taps, k := to-from, (to-from)*mg
	all := p.taps * mg
	w := packed[p.at+g*m*all:]
	most := max(a.pixels/s.OW, 1) // rows of a block
	panels := t.convPanels(m)
	for r0 := 0; r0 < rows; {
		nr := min(rows-r0, most)
		for i0 := 0; i0 < images; {
			ni := min(images-i0, most/nr)
			run := nr * s.OW
			for i := range ni {
				for at := 0; at < run; {
					j := i*run + at
					n := min(nw-j%nw, run-at)
					copyBlock(&blockArgs{dst: &a.b[j/nw*k*nw+j%nw], src: &src[(i0+i)*s.M*s.OH*s.OW+(p.first+from*p.step+q+r0)*s.OW+at], outer: taps, rows: mg, n: n,
						dOuter: mg * nw, dRow: nw, dCol: 1, sOuter: p.step * s.OW, sRow: s.OH * s.OW, sCol: 1})
					at += n
				}
			}
			for k0 := 0; k0 < k; k0 += KChunk {
				args := sweepArgs{n: ni * run, nw: nw, bstep: 4 * k * nw}
				args.k, args.ars, args.b, args.bs, args.cs = min(KChunk, k-k0), 4, &a.b[k0*nw], 4*nw, 4*a.pitch
				if k0 > 0 {
					args.flags = tileAdd
				}
				for panel := range panels {
					m0, m1 := panelRows(m, panels, panel)
					args.rows, args.acs = m1-m0, 4*(m1-m0)
					args.a, args.c = &w[m0*all+(from*mg+k0)*(m1-m0)], &a.t[a.slack+m0*a.pitch]
					args.b = &a.b[k0*nw]
					t.sweep(noescape(&args))
				}
			}
			addPhases(s, a, dx[(i0*s.C*s.H+r0*s.SH)*s.W:], ni, nr)
			i0 += ni
		}
		r0 += nr
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
	mask                        *int32   // lanes of a row shorter than a group
	even                        *float32 // nil, or rows of at least a group whose elements go before the sums: dst has twice as many columns
	evenRow                     int
	left                        [4]uintptr // planes, and where t, dst and even are, as the assembly goes on
}

// addPhases adds the columns of t up, for each phase of the columns of dx.
func addPhases(s *ConvShape, a *inputGrad, dx []float32, images, rows int) {
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
		if i == 1 && s.SW == 2 && cols >= groupLanes {
			// Both phases go to dx. A last even column has no odd one beside it.
			args.dst, args.dPlane, args.dImage, args.dRow = &dx[0], 4*s.H*s.W, 4*s.C*s.H*s.W, 4*s.SH*s.W
			args.even, args.evenRow = &a.out[0], 4*s.columns()
			addColumns(&args)
			if s.W%2 != 0 {
				spread(s, a.out[cols:], dx[2*cols:], images, rows, s.columns(), 1)
			}
			continue
		}
		args.dst, args.dPlane, args.dImage, args.dRow = &a.out[0], 4*images*rows*cols, 4*rows*cols, 4*cols
		addColumns(&args)
		if i > 0 || s.SW != 2 || s.W/2 < groupLanes {
			spread(s, a.out, dx[i:], images, rows, cols, cols)
		}
	}
}

// spread copies n columns of a phase, in rows of cols, to dx.
func spread(s *ConvShape, out, dx []float32, images, rows, cols, n int) {
	for i := range images {
		copyBlock(&blockArgs{dst: &dx[i*s.C*s.H*s.W], src: &out[i*rows*cols], outer: s.cg(), rows: rows, n: n,
			dOuter: s.H * s.W, dRow: s.SH * s.W, dCol: s.SW, sOuter: images * rows * cols, sRow: cols, sCol: 1})
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
