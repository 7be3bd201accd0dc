//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// Channels-last convolution: an implicit matrix product. A tile is some pixels by output channels side by side; the inputs of a
// pixel are runs of memory at the same places for every pixel, read from where they lie, so pixels of different rows and
// images share a tile and no lane is wasted on small images. With padding, and where x is [N,C,H,W], a block of the image is copied first:
// padded, and transposed where needed, block by block, so that the copy is still in cache when it is read.

// lastSeg is a number of output pixels that share weights.
type lastSeg struct {
	x      *float32
	offs   *int32 // per pixel, bytes from x to its inputs
	pixels int
	y      *float32 // first channel of the first pixel
	ys     int      // bytes between pixels of y and res
	res    *float32 // nil for none
	runs   *int32   // per chunk of k: number of runs, products, then per run where it starts and ends, in bytes from a pixel's inputs
	w      *float32 // [panel][k][channels of the panel, rounded up to lastUnit]
	k, m   int      // products per output, output channels
	bias   *float32 // nil for none
	lo, hi float32
}

// Sizes of a block, in elements.
const (
	lastImage  = 72 << 10 // of the copied image
	lastOutput = 64 << 10 // of what is transposed afterwards
	lastPixels = 4096
	lastReach  = 1 << 28 // that a pixel's offset may have
)

// lastPlan is how a channels-last convolution reads its image.
type lastPlan struct {
	copied       bool
	depthwise    bool // one channel per group: lanes run over groups, which count as one group of all channels
	cols, per    int  // pixels of a row, channels of a pixel of what is read
	images, rows int  // of a block: output rows of one image, or whole images
}

// depthwise reports whether every channel is a group of its own.
func (s *ConvShape) depthwise() bool {
	return s.Groups > 1 && s.Groups == s.C && s.M == s.C && s.KH*s.KW <= KChunk
}

// lastRowsIn returns the rows of the image that some rows of the output read.
func (s *ConvShape) lastRowsIn(rows int) int { return (rows-1)*s.SH + (s.KH-1)*s.DH + 1 }

func (s *ConvShape) lastPlan() lastPlan {
	right, bottom := (s.OW-1)*s.SW+(s.KW-1)*s.DW+1-s.PL, s.lastRowsIn(s.OH)-s.PT
	p := lastPlan{copied: !s.XLast || s.PT > 0 || s.PL > 0 || bottom > s.H || right > s.W, cols: s.W, per: s.C, images: 1}
	p.depthwise = s.depthwise()
	most := lastReach / 2
	if p.copied {
		p.cols, p.per = (s.OW-1)*s.SW+(s.KW-1)*s.DW+1, s.cg()
		if p.depthwise {
			p.per = s.C
		}
		most = lastImage
	}
	p.rows = (most/(p.cols*p.per)-(s.KH-1)*s.DH-1)/s.SH + 1
	p.rows = min(p.rows, lastPixels/s.OW)
	if !s.YLast {
		p.rows = min(p.rows, lastOutput/(s.OW*s.M))
	}
	switch {
	case p.rows < 1:
		p.rows = 1
	case p.rows >= s.OH:
		p.images = min(p.rows/s.OH, s.N)
		p.rows = s.OH
	}
	if p.images == 1 { // blocks of even size
		n := (s.OH + p.rows - 1) / p.rows
		p.rows = (s.OH + n - 1) / n
	}
	return p
}

// imageRows returns the rows of one image of a block.
func (p *lastPlan) imageRows(s *ConvShape) int {
	if p.copied {
		return s.lastRowsIn(p.rows)
	}
	return s.H
}

// copySize returns the elements of the copy of a block.
func (p *lastPlan) copySize(s *ConvShape) int {
	if !p.copied {
		return 0
	}
	return roundUp(p.images*p.imageRows(s)*p.cols*p.per+8, 16)
}

// lastScratch returns what one worker needs: the copy, the pixels' offsets, and y and res where y is [N,M,OH,OW].
func (t *tileSet) lastScratch(s *ConvShape) int {
	p := s.lastPlan()
	n := p.copySize(s) + roundUp(p.images*p.rows*s.OW, 16) + alignSlack
	if !s.YLast {
		n += p.images * p.rows * s.OW * s.M
	}
	return n
}

// putWord stores an integer in a buffer of float32, as bits.
func putWord(dst []float32, i, v int) {
	if i < len(dst) {
		*(*int32)(unsafe.Pointer(&dst[i])) = int32(v)
	}
}

// lastRuns writes the table of runs, as far as it fits, and returns its length.
func (s *ConvShape) lastRuns(p *lastPlan, dst []float32) int {
	if p.depthwise {
		for i := range s.KH * s.KW {
			putWord(dst, i, 4*(i/s.KW*s.DH*p.cols+i%s.KW*s.DW)*p.per)
		}
		return s.KH * s.KW
	}
	n, head := 0, 0
	cg := s.cg()
	last := -1 // where the last run ends, in elements
	count := 0
	for kh := range s.KH {
		for kw := range s.KW {
			off := (kh*s.DH*p.cols + kw*s.DW) * p.per
			for ci := 0; ci < cg; {
				k := (kh*s.KW+kw)*cg + ci
				if k%KChunk == 0 {
					head, count, last = n, 0, -1
					putWord(dst, head+1, min(KChunk, cg*s.KH*s.KW-k))
					n += 2
				}
				step := min(cg-ci, KChunk-k%KChunk)
				if off+ci != last {
					putWord(dst, n, 4*(off+ci))
					n += 2
					count++
					putWord(dst, head, count)
				}
				ci += step
				last = off + ci
				putWord(dst, n-1, 4*last)
			}
		}
	}
	return n
}

// lastTable returns the length of the table of runs in a packed buffer.
func (s *ConvShape) lastTable(p *lastPlan) int { return roundUp(s.lastRuns(p, nil), 16) }

func (t *tileSet) lastPackSize(s *ConvShape) int {
	p := s.lastPlan()
	if p.depthwise {
		return s.lastTable(&p) + s.KH*s.KW*roundUp(s.M, t.depthwiseLanes())
	}
	return s.lastTable(&p) + s.Groups*s.cg()*s.KH*s.KW*roundUp(s.mg(), lastUnit)
}

// lastPack writes the table of runs, then each group's panels.
func (t *tileSet) lastPack(s *ConvShape, dst, w []float32) {
	p := s.lastPlan()
	cg, mg, taps, panel := s.cg(), s.mg(), s.KH*s.KW, t.lastPanel()
	k := cg * taps
	table := s.lastTable(&p)
	s.lastRuns(&p, dst[:table])
	dst = dst[table:]
	if p.depthwise {
		lanes := t.depthwiseLanes()
		for c := 0; c < s.M; c += lanes {
			n := min(lanes, s.M-c)
			d := dst[c*taps:][:lanes*taps]
			if n < lanes {
				clear(d)
			}
			copyBlock(&blockArgs{dst: &d[0], src: &w[c*taps], outer: 1, rows: taps, n: n, dRow: lanes, dCol: 1, sRow: 1, sCol: taps})
		}
		return
	}
	for g := range s.Groups {
		for m := 0; m < mg; m += panel {
			n := min(panel, mg-m)
			width := roundUp(n, lastUnit)
			d := dst[(g*roundUp(mg, lastUnit)+m)*k:][:width*k]
			copyBlock(&blockArgs{dst: &d[0], src: &w[(g*mg+m)*k], outer: taps, rows: cg, n: n,
				dOuter: width * cg, dRow: width, dCol: 1, sOuter: 1, sRow: taps, sCol: k})
			if n < width {
				for q := range k {
					clear(d[q*width+n:][:width-n])
				}
			}
		}
	}
}

// fill copies what output rows r0 to r0+rows of image n read of channels c0 to c0+cg.
func (p *lastPlan) fill(t *tileSet, s *ConvShape, img, x []float32, n, c0, cg, r0, rows int) {
	left := min(s.PL, p.cols)
	w := min(s.W, p.cols-left)
	length := p.cols * p.per
	for i := range s.lastRowsIn(rows) {
		if s.KH == 1 && i%s.SH != 0 {
			continue // no tap reads it
		}
		row := img[i*length:]
		h := r0*s.SH - s.PT + i
		if h < 0 || h >= s.H || w == 0 {
			clear(row[:length])
			continue
		}
		inner := row[left*cg:]
		switch {
		case !s.XLast:
			t.packRows(inner, cg, x[((n*s.C+c0)*s.H+h)*s.W:], s.H*s.W, cg, w)
		case cg == s.C:
			copy(inner[:w*cg], x[(n*s.H+h)*s.W*s.C:])
		default:
			copyBlock(&blockArgs{dst: &inner[0], src: &x[(n*s.H+h)*s.W*s.C+c0], outer: 1, rows: w, n: cg, dRow: cg, dCol: 1, sRow: s.C, sCol: 1})
		}
		clear(row[:left*cg])
		clear(row[(left+w)*cg : length])
	}
}

// planes writes pixels of m channels side by side as columns of planes that are ld apart.
func (t *tileSet) planes(dst []float32, ld int, src []float32, m, pixels int) {
	if pixels < 8 {
		copyBlock(&blockArgs{dst: &dst[0], src: &src[0], outer: 1, rows: m, n: pixels, dRow: ld, dCol: 1, sRow: 1, sCol: m})
		return
	}
	whole := pixels &^ 7
	t.packRows(dst, ld, src, m, whole, m)
	if whole < pixels { // the last 8 overlap the ones before
		t.packRows(dst[pixels-8:], ld, src[(pixels-8)*m:], m, 8, m)
	}
}

// lastGrid divides the work among tiles: rows, or channels where the weights are what takes memory traffic or rows run out.
func (t *tileSet) lastGrid(s *ConvShape, parts int) (rows, channels int) {
	units, panels := s.N*s.OH, (s.mg()+t.lastPanel()-1)/t.lastPanel() // a depthwise convolution has one
	if weights := s.M * s.cg() * s.KH * s.KW; weights > 1<<17 && weights > s.N*s.C*s.H*s.W {
		channels = min(parts, panels)
		return max(min(parts/channels, units), 1), channels
	}
	rows = max(min(parts, units), 1)
	return rows, max(min(parts/rows, panels), 1)
}

// runPixels computes a segment.
func (t *tileSet) runPixels(p *lastPlan, s *lastSeg) {
	if p.depthwise {
		t.runDepthwise(s)
	} else {
		t.runLast(s)
	}
}

func (t *tileSet) convLast(s *ConvShape, x, packed, bias, res, y []float32, lo, hi float32, part, parts int, scratch []float32) {
	rowParts, chParts := t.lastGrid(s, parts)
	if part >= rowParts*chParts {
		return
	}
	p := s.lastPlan()
	cg, mg, groups := s.cg(), s.mg(), s.Groups
	k := cg * s.KH * s.KW
	if p.depthwise {
		cg, mg, groups = s.C, s.M, 1
	}
	table := s.lastTable(&p)
	m0, m1 := split(mg, t.lastPanel(), part%chParts, chParts)
	scratch = aligned(scratch)
	img := scratch[:p.copySize(s)]
	scratch = scratch[len(img):]
	offs := scratch[:roundUp(p.images*p.rows*s.OW, 16)]
	block := scratch[len(offs):]
	seg := lastSeg{offs: (*int32)(unsafe.Pointer(&offs[0])), runs: (*int32)(unsafe.Pointer(&packed[0])), k: k, m: m1 - m0, lo: lo, hi: hi}
	imageRows := p.imageRows(s)
	u0, u1 := split(s.N*s.OH, 1, part/chParts, rowParts)
	for u := u0; u < u1; {
		r, n := u%s.OH, u/s.OH
		images, rows := 1, min(s.OH-r, u1-u, p.rows)
		if p.images > 1 && r == 0 && u1-u >= s.OH {
			images = min((u1-u)/s.OH, p.images)
		}
		u += images * rows
		i := 0
		for a := range images {
			for b := range rows {
				at := 4 * (a*imageRows + b*s.SH) * p.cols * p.per
				for range s.OW {
					putWord(offs, i, at)
					at += 4 * s.SW * p.per
					i++
				}
			}
		}
		seg.pixels = i
		for g := range groups {
			if p.copied {
				for a := range images {
					p.fill(t, s, img[a*imageRows*p.cols*p.per:], x, n+a, g*cg, cg, r, rows)
				}
				seg.x = &img[0]
			} else {
				seg.x = &x[((n*s.H+r*s.SH)*s.W)*s.C+g*cg]
			}
			seg.w = &packed[table+(g*roundUp(mg, lastUnit)+m0)*k]
			if len(bias) > 0 {
				seg.bias = &bias[g*mg+m0]
			}
			if s.YLast {
				at := (n*s.OH+r)*s.OW*s.M + g*mg + m0
				seg.y, seg.ys = &y[at], 4*s.M
				if res != nil {
					seg.res = &res[at]
				}
				t.runPixels(&p, &seg)
				continue
			}
			seg.y, seg.ys = &block[0], 4*seg.m
			t.runPixels(&p, &seg)
			for a := range images {
				t.planes(y[(((n+a)*s.M+g*mg+m0)*s.OH+r)*s.OW:], s.OH*s.OW, block[a*rows*s.OW*seg.m:], seg.m, rows*s.OW)
			}
		}
	}
}
