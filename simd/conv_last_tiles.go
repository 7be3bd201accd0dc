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

	lastWeights = 1 << 16 // from which on tiles have their own weights, where there are more of them than of the image
)

// lastPlan is how a channels-last convolution reads its image.
type lastPlan struct {
	copied       bool
	direct       bool // a depthwise convolution's tiles see to the padding
	depthwise    bool // one channel per group: lanes run over groups, which count as one group of all channels
	cols, per    int  // pixels of a row, channels of a pixel of what is read
	images, rows int  // of a block: output rows of one image, or whole images
}

// lastRowsIn returns the rows of the image that some rows of the output read.
func (s *ConvShape) lastRowsIn(rows int) int { return (rows-1)*s.SH + (s.KH-1)*s.DH + 1 }

func (t *tileSet) lastPlan(s *ConvShape) lastPlan {
	right, bottom := (s.OW-1)*s.SW+(s.KW-1)*s.DW+1-s.PL, s.lastRowsIn(s.OH)-s.PT
	p := lastPlan{copied: !s.XLast || s.PT > 0 || s.PL > 0 || bottom > s.H || right > s.W, cols: s.W, per: s.C, images: 1}
	p.depthwise = s.depthwise()
	if t.depthwiseDirect(s) {
		p.copied, p.direct = false, true
	}
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
	if t.depthwiseParts(s) {
		return partSize(s) + alignSlack
	}
	p := t.lastPlan(s)
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
	p := t.lastPlan(s)
	if p.depthwise {
		return s.lastTable(&p) + s.KH*s.KW*roundUp(s.M, t.depthwiseLanes())
	}
	return s.lastTable(&p) + s.Groups*s.cg()*s.KH*s.KW*roundUp(s.mg(), lastUnit)
}

// lastPack writes the table of runs, then each group's panels.
func (t *tileSet) lastPack(s *ConvShape, dst, w []float32) {
	p := t.lastPlan(s)
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
			t.lastPackPanel(d, w[(g*mg+m)*k:], n, cg, taps)
			if n < width {
				for q := range k {
					clear(d[q*width+n:][:width-n])
				}
			}
		}
	}
}

// packBlock is how many elements of transposed weights are on the stack.
const packBlock = 4 << 10

// lastPackPanel writes n output channels side by side, products in the order (tap, input channel). w has taps innermost: some input channels at a time
// are transposed, and what belongs to a tap goes to its place.
func (t *tileSet) lastPackPanel(dst, w []float32, n, cg, taps int) {
	width, k := roundUp(n, lastUnit), cg*taps
	some := packBlock / (width * taps)
	if some > 8 {
		some &^= 7
	}
	switch {
	case width%8 != 0 || some < 2: // transpositions write 8 side by side
		copyBlock(&blockArgs{dst: &dst[0], src: &w[0], outer: taps, rows: cg, n: n,
			dOuter: width * cg, dRow: width, dCol: 1, sOuter: 1, sRow: taps, sCol: k})
		return
	case taps == 1:
		t.packRows(dst, width, w, k, n, k)
		return
	}
	var block [packBlock]float32
	for c := 0; c < cg; c += some {
		c1 := min(c+some, cg)
		t.packRows(block[:], width, w[c*taps:], k, n, (c1-c)*taps)
		t.copyBlock(&blockArgs{dst: &dst[c*width], src: &block[0], outer: taps, rows: c1 - c, n: width,
			dOuter: width * cg, dRow: width, dCol: 1, sOuter: width, sRow: taps * width, sCol: 1})
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
	if weights := s.M * s.cg() * s.KH * s.KW; weights > lastWeights && weights > s.N*s.C*s.H*s.W {
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

// lastCall is what the blocks of one call have in common.
type lastCall struct {
	p               lastPlan
	cg, mg, groups  int // as lanes see them: the groups of a depthwise convolution are channels of one
	k, table        int // products per output, length of the table of runs
	imageRows       int
	img, offs       []float32
	x, packed, bias []float32
	lo, hi          float32
	from, to        int // of a group's output channels
}

// lastCall prepares the blocks of some panels of the output channels, and returns the rest of scratch.
func (t *tileSet) lastCall(s *ConvShape, x, packed, bias []float32, lo, hi float32, part, parts int, scratch []float32) (c lastCall, rest []float32) {
	c = lastCall{p: t.lastPlan(s), cg: s.cg(), mg: s.mg(), groups: s.Groups, k: s.cg() * s.KH * s.KW, x: x, packed: packed, bias: bias, lo: lo, hi: hi}
	if c.p.depthwise {
		c.cg, c.mg, c.groups = s.C, s.M, 1
	}
	c.table = s.lastTable(&c.p)
	c.from, c.to = split(c.mg, t.lastPanel(), part, parts)
	scratch = aligned(scratch)
	c.img = scratch[:c.p.copySize(s)]
	scratch = scratch[len(c.img):]
	c.offs = scratch[:roundUp(c.p.images*c.p.rows*s.OW, 16)]
	c.imageRows = c.p.imageRows(s)
	return c, scratch[len(c.offs):]
}

// place writes the offsets of the pixels of some rows of some images.
func (c *lastCall) place(s *ConvShape, images, rows int) {
	i := 0
	for a := range images {
		for b := range rows {
			at := 4 * (a*c.imageRows + b*s.SH) * c.p.cols * c.p.per
			for range s.OW {
				putWord(c.offs, i, at)
				at += 4 * s.SW * c.p.per
				i++
			}
		}
	}
}

// lastBlock computes the channels of group g at the placed pixels: rows from r on of images from n on. y and res are at the first channel of the
// first pixel, pixels are ys elements apart.
func (t *tileSet) lastBlock(s *ConvShape, c *lastCall, n, images, r, rows, g int, y []float32, ys int, res *float32) {
	seg := lastSeg{offs: (*int32)(unsafe.Pointer(&c.offs[0])), runs: (*int32)(unsafe.Pointer(&c.packed[0])), pixels: images * rows * s.OW,
		k: c.k, m: c.to - c.from, lo: c.lo, hi: c.hi, y: &y[0], ys: 4 * ys, res: res}
	if c.p.copied {
		for a := range images {
			c.p.fill(t, s, c.img[a*c.imageRows*c.p.cols*c.p.per:], c.x, n+a, g*c.cg, c.cg, r, rows)
		}
		seg.x = &c.img[0]
	} else {
		seg.x = &c.x[((n*s.H+r*s.SH)*s.W)*s.C+g*c.cg]
	}
	seg.w = &c.packed[c.table+(g*roundUp(c.mg, lastUnit)+c.from)*c.k]
	if len(c.bias) > 0 {
		seg.bias = &c.bias[g*c.mg+c.from]
	}
	if c.p.depthwise {
		from := rowSource{per: c.p.per, pitch: c.p.cols * c.p.per, image: n, row: r}
		if c.p.direct {
			from.x = c.x
		}
		if t.depthwiseRows(s, &seg, &from, images, rows) {
			return
		}
	}
	t.runPixels(&c.p, &seg)
}

// rowSource is where a depthwise convolution's tiles of pixels in a row find their inputs: in a copy of the image, where the segment says; in a ring of
// rows, where it begins; or in the image.
type rowSource struct {
	per, pitch int       // elements between pixels, and between rows
	ring       int       // rows of the ring, behind which is one of zeros; 0: there is none
	x          []float32 // images [N,H,W,C]; nil: there is a copy
	image, row int       // the first image, and the first row of the output
}

func (t *tileSet) convLast(s *ConvShape, x, packed, bias, res, y []float32, lo, hi float32, part, parts int, scratch []float32) {
	if t.depthwiseParts(s) {
		t.convParts(s, x, packed, bias, y, lo, hi, part, parts, scratch)
		return
	}
	rowParts, chParts := t.lastGrid(s, parts)
	if part >= rowParts*chParts {
		return
	}
	c, block := t.lastCall(s, x, packed, bias, lo, hi, part%chParts, chParts, scratch)
	m := c.to - c.from
	u0, u1 := split(s.N*s.OH, 1, part/chParts, rowParts)
	for u := u0; u < u1; {
		r, n := u%s.OH, u/s.OH
		images, rows := 1, min(s.OH-r, u1-u, c.p.rows)
		if c.p.images > 1 && r == 0 && u1-u >= s.OH {
			images = min((u1-u)/s.OH, c.p.images)
		}
		u += images * rows
		c.place(s, images, rows)
		for g := range c.groups {
			if s.YLast {
				at := (n*s.OH+r)*s.OW*s.M + g*c.mg + c.from
				t.lastBlock(s, &c, n, images, r, rows, g, y[at:], s.M, first(res, at))
				continue
			}
			t.lastBlock(s, &c, n, images, r, rows, g, block, m, nil)
			for a := range images {
				t.planes(y[(((n+a)*s.M+g*c.mg+c.from)*s.OH+r)*s.OW:], s.OH*s.OW, block[a*rows*s.OW*m:], m, rows*s.OW)
			}
		}
	}
}

// partChannels is how many channels of an image [N,C,H,W] a depthwise convolution transposes at a time: with what they give they fit L2 where the image
// does not.
const partChannels = 64

// partSize returns the elements of a part of an image and of what it gives.
func partSize(s *ConvShape) int {
	c := min(s.C, partChannels)
	return roundUp(c*s.H*s.W, 16) + c*s.OH*s.OW
}

// convParts computes a depthwise convolution of [N,C,H,W] by tiles of pixels in a row: some channels are transposed, and what they give is transposed back.
func (t *tileSet) convParts(s *ConvShape, x, packed, bias, y []float32, lo, hi float32, part, parts int, scratch []float32) {
	plan := t.lastPlan(s)
	weights := packed[s.lastTable(&plan):]
	per := (s.C + partChannels - 1) / partChannels
	hw, pixels := s.H*s.W, s.OH*s.OW
	scratch = aligned(scratch)
	img := scratch[:min(s.C, partChannels)*hw]
	out := scratch[roundUp(len(img), 16):]
	u0, u1 := split(s.N*per, 1, part, parts)
	for u := u0; u < u1; u++ {
		n, c := u/per, u%per*partChannels
		q := *s
		q.C = min(partChannels, s.C-c)
		q.M, q.Groups = q.C, q.C
		Transpose(img, x[(n*s.C+c)*hw:], q.C, hw, hw, q.C)
		g := lastSeg{y: &out[0], ys: 4 * q.C, w: &weights[c*s.KH*s.KW], m: q.C, lo: lo, hi: hi}
		if len(bias) > 0 {
			g.bias = &bias[c]
		}
		t.depthwiseRows(&q, &g, &rowSource{per: q.C, x: img}, 1, s.OH)
		Transpose(y[(n*s.C+c)*pixels:], out, pixels, q.C, q.C, pixels)
	}
}
