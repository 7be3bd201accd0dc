//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// Direct convolution without im2col. A tile computes a panel of output channels for several groups of 8 neighbouring
// pixels; k's position in the image is one table of byte offsets, shared by all groups. With padding or strides the image is first
// copied: padded, and split by the strides' phases so that neighbouring outputs read neighbouring pixels. The input gradient is
// the same computation over dy, once per phase of the strides.

// convSeg is a run of output rows of one or more images that share weights.
type convSeg struct {
	x                 *float32 // pixel of output (image 0, row 0, column 0) for offset 0
	y                 *float32 // output (image 0, row 0, column 0) of the first channel
	images, rows      int
	width             int // pixels in an output row
	xImage, xRow      int // elements between images and output rows in x
	yImage, yRow, yCh int // elements between images, rows and channels in y
	offs              *int32
	w                 *float32 // packed panels: [panel][k][row of the panel]
	k, m              int      // products per output, output channels
	bias              *float32 // nil for none
	lo, hi            float32
	before, after     int // products of the packed panels that are left out, before and after these k
	add               int // 1: the sums are added to what y holds
}

// convPanels returns into how many panels m output channels are cut: as few as possible, but AVX2 computes 4 channels
// by 3 vectors with fewer loads than 5 by 2.
func (t *tileSet) convPanels(m int) int {
	if t.lanes == 8 && m%4 == 0 && m%6 != 0 {
		return m / 4
	}
	return (m + t.conv.rows - 1) / t.conv.rows
}

// groupLanes is the pixels of a group on amd64; on arm64 a group is one vector of 4, which fits wherever 8 do.
const groupLanes = 8

// panelRows returns the rows of panel p when n rows are cut into panels that differ by at most one row, tall ones first.
func panelRows(n, panels, p int) (lo, hi int) {
	h, extra := n/panels, n%panels
	lo = p*h + min(p, extra)
	hi = lo + h
	if p < extra {
		hi++
	}
	return lo, hi
}

// packTaps writes n products for each of some taps of packed weights of m rows, [panel][k][row], from k = q on. Element
// (row, q + tap*n + i) is w[row*ws + tap*ts + i*is].
func (t *tileSet) packTaps(dst []float32, m, k, q, taps, n int, w []float32, first, ws, ts, is int) {
	panels := t.convPanels(m)
	for p := range panels {
		m0, m1 := panelRows(m, panels, p)
		h := m1 - m0
		copyBlock(&blockArgs{dst: &dst[m0*k+q*h], src: &w[first+m0*ws], outer: taps, rows: n, n: h,
			dOuter: n * h, dRow: h, dCol: 1, sOuter: ts, sRow: is, sCol: ws})
	}
}

// putOffset stores a table entry in a buffer of float32, as bits.
func putOffset(dst []float32, i, elements int) {
	*(*int32)(unsafe.Pointer(&dst[i])) = int32(4 * elements)
}

// tapTable is the geometry of a padded image, split by phases: [phase][channel][rows][cols], phases being those that some
// tap reads.
type tapTable struct {
	copied     bool // false: the image is read in place
	sh, sw     int  // phases of rows and columns
	rows, cols int  // of a phase
	ph, pw     int  // number of phases that taps use: taps touch (0..ph-1) x (0..pw-1)
	top, left  int  // padding before the image
	h, w       int  // the image
	channels   int
	valid      int // width of an output row
}

// size returns the elements of the copy, with room to read a group past the end.
func (p *tapTable) size() int {
	if !p.copied {
		return 0
	}
	return p.ph*p.pw*p.channels*p.rows*p.cols + 16
}

// offset returns where output (0,0) finds row r, column c of the padded image, for a channel.
func (p *tapTable) offset(ch, r, c int) int {
	if !p.copied {
		return (ch*p.h+r)*p.w + c
	}
	phase := r%p.sh*p.pw + c%p.sw
	return ((phase*p.channels+ch)*p.rows+r/p.sh)*p.cols + c/p.sw
}

// fill copies rows r0..r1 (of every phase) of the image x[channels,h,w] into dst, whose borders are zero already.
func (p *tapTable) fill(dst, x []float32, r0, r1 int) {
	for a := range p.ph {
		q0, q1 := inside(a-p.top, p.sh, p.h, p.rows)
		q0, q1 = max(q0, r0), min(q1, r1)
		for b := range p.pw {
			c0, c1 := inside(b-p.left, p.sw, p.w, p.cols)
			if q0 >= q1 || c0 >= c1 {
				continue
			}
			copyBlock(&blockArgs{
				dst: &dst[((a*p.pw+b)*p.channels*p.rows+q0)*p.cols+c0], src: &x[(q0*p.sh+a-p.top)*p.w+c0*p.sw+b-p.left],
				outer: p.channels, rows: q1 - q0, n: c1 - c0,
				dOuter: p.rows * p.cols, dRow: p.cols, dCol: 1, sOuter: p.h * p.w, sRow: p.sh * p.w, sCol: p.sw,
			})
		}
	}
}

// splitImages is split for images of rows: between images where there are enough of them, else between rows.
func splitImages(images, rows, part, parts int) (lo, hi int) {
	unit := 1
	if images >= 2*parts {
		unit = rows
	}
	return split(images*rows, unit, part, parts)
}

// forwardTable returns the geometry of the forward pass. A 1x1 convolution that reads every pixel is one row.
func (s *ConvShape) forwardTable() (p tapTable, oh, ow int) {
	oh, ow = s.OH, s.OW
	p = tapTable{sh: s.SH, sw: s.SW, top: s.PT, left: s.PL, h: s.H, w: s.W, channels: s.cg()}
	inPlace := s.PT == 0 && s.PL == 0 && s.SH == 1 && s.SW == 1 &&
		s.OH+(s.KH-1)*s.DH <= s.H && s.OW+(s.KW-1)*s.DW <= s.W
	if inPlace && s.KH == 1 && s.KW == 1 && s.OH == s.H && s.OW == s.W {
		p.h, p.w = 1, s.H*s.W
		oh, ow = 1, s.OH*s.OW
	}
	if inPlace && ow >= groupLanes {
		p.rows, p.cols = p.h, p.w
		return p, oh, ow
	}
	p.copied = true
	p.ph, p.pw = min(s.SH, (s.KH-1)*s.DH+1), min(s.SW, (s.KW-1)*s.DW+1)
	if p.h != s.H {
		p.ph, p.pw = 1, 1
	}
	p.rows = oh + (s.KH-1)*s.DH/s.SH
	p.cols = max(ow, groupLanes) + (s.KW-1)*s.DW/s.SW
	return p, oh, ow
}

// rowCut is what the parts of a row that is cut are multiples of, but the last.
const rowCut = 64

// choosesLast reports whether the forward pass computes channels-last.
func (t *tileSet) choosesLast(s *ConvShape) bool {
	if s.XLast || s.YLast {
		return true
	}
	cg, mg := s.cg(), s.mg()
	if !s.Reaches() {
		return false
	}
	if s.depthwise() {
		return s.C >= 8 && s.OW < planeWidth || t.depthwiseParts(s) // else lanes run along the row
	}
	return cg >= 8 && mg >= 16 && cg*mg*s.KH*s.KW >= lastProducts*(cg+mg)
}

// planeWidth is from how many pixels in a row a depthwise convolution of [N,C,H,W] runs plane by plane.
const planeWidth = 12

// lastProducts is from how many products per element that is transposed on the way in and out a convolution of [N,C,H,W] is worth
// computing channels-last.
const lastProducts = 128

func (t *tileSet) convPackSize(s *ConvShape) int {
	if t.choosesLast(s) {
		return t.lastPackSize(s)
	}
	k := s.cg() * s.KH * s.KW
	return k + s.M*k
}

// convPack writes the table of offsets, then each group's panels.
func (t *tileSet) convPack(s *ConvShape, dst, w []float32) {
	if t.choosesLast(s) {
		t.lastPack(s, dst, w)
		return
	}
	p, _, _ := s.forwardTable()
	cg, mg := s.cg(), s.mg()
	k := 0
	for kh := range s.KH {
		for kw := range s.KW {
			for ci := range cg {
				putOffset(dst, k, p.offset(ci, kh*s.DH, kw*s.DW))
				k++
			}
		}
	}
	taps := s.KH * s.KW
	for g := range s.Groups {
		t.packTaps(dst[k+g*mg*k:], mg, k, 0, taps, cg, w, g*mg*k, k, 1, taps)
	}
}

func (t *tileSet) convForwardScratch(s *ConvShape) int {
	if t.choosesLast(s) {
		return t.lastScratch(s)
	}
	p, _, _ := s.forwardTable()
	return p.size() + alignSlack
}

func (t *tileSet) convForward(s *ConvShape, x, packed, bias, res, y []float32, lo, hi float32, part, parts int, scratch []float32) {
	cg, mg := s.cg(), s.mg()
	k := cg * s.KH * s.KW
	if k == 0 || s.N*s.M*s.OH*s.OW == 0 {
		convForwardGeneric(MulAdd, s, x, nil, bias, res, y, lo, hi, part, parts)
		return
	}
	if t.choosesLast(s) {
		t.convLast(s, x, packed, bias, res, y, lo, hi, part, parts, scratch)
		return
	}
	p, oh, ow := s.forwardTable()
	seg := convSeg{width: ow, yImage: s.M * oh * ow, yRow: ow, yCh: oh * ow, k: k, m: mg, lo: lo, hi: hi,
		offs: (*int32)(unsafe.Pointer(&packed[0])), xImage: s.C * p.h * p.w, xRow: p.cols}
	var img []float32
	if p.copied {
		img = aligned(scratch)[:p.size()]
		clear(img)
	}
	// A 1x1 convolution of whole images has one long row an image: where tiles outnumber those, rows are cut.
	col0, width, cuts := 0, ow, 1
	if most := parts / (s.N * s.Groups); oh == 1 && !p.copied && most > 1 {
		cuts = max(min(most, ow/rowCut), 1)
		if part >= parts/cuts*cuts {
			return
		}
		cut, whole := part%cuts, ow/rowCut
		col0 = cut * whole / cuts * rowCut
		if cut < cuts-1 {
			width = (cut + 1) * whole / cuts * rowCut
		}
		width -= col0
		part, parts = part/cuts, parts/cuts
	}
	seg.width = width
	u0, u1 := splitImages(s.N*s.Groups, oh, part, parts)
	for u := u0; u < u1; {
		r, g, n := u%oh, u/oh%s.Groups, u/oh/s.Groups
		rows := min(oh-r, u1-u)
		seg.images = 1
		if s.Groups == 1 && !p.copied && r == 0 && u1-u >= oh {
			seg.images = (u1 - u) / oh // whole images in one go
			rows = oh
		}
		seg.rows = rows
		seg.w = &packed[k+g*mg*k]
		seg.bias = first(bias, 0)
		if seg.bias != nil {
			seg.bias = &bias[g*mg]
		}
		image := (n*s.C + g*cg) * s.H * s.W
		if p.copied {
			p.fill(img, x[image:][:cg*s.H*s.W], r, r+rows+(s.KH-1)*s.DH/s.SH+1)
			seg.x = &img[r*p.cols]
		} else {
			seg.x = &x[image+r*p.w+col0]
		}
		seg.y = &y[((n*s.M+g*mg)*oh+r)*ow+col0]
		if cg == 1 && mg == 1 && k <= KChunk {
			t.runPlane(&seg)
		} else {
			t.runSeg(&seg)
		}
		u += seg.images * rows
	}
}
