//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// The weight gradient of many channels is a matrix product over pixels: of dy's output channels and, tap by tap, the input channels side by side.
// Both are transposed block by block, pixels outermost, x with its padding; then the tiles of the direct convolution compute it. Their table of offsets
// says where each product finds its pixel: strides cost nothing, and small images waste no lane.

// Sizes of a block, in elements.
const (
	gradWidth = 32        // input channels side by side
	gradStage = 128 << 10 // of transposed pixels of x
	gradKeep  = 512 << 10 // of packed dy that is kept for all input channels
)

// gradPlan is how the pixels are cut into blocks: whole images, or parts of one that are multiples of KChunk.
type gradPlan struct {
	padded         bool // pixels of x are transposed first, then copied to where they belong
	cols           int  // pixels of a row of x with what is beside it
	slice          int  // images that share a chunk of products
	images, pixels int  // of a block; pixels of one image
	perImage       int  // blocks of an image; 1 where blocks are whole images
	rows           int  // of x in a block, of each image
}

func (s *ConvShape) gradPlan() gradPlan {
	plane, reach := s.OH*s.OW, (s.KH-1)*s.DH+1
	p := gradPlan{slice: s.gradImages(), images: 1, pixels: plane, perImage: 1, cols: (s.OW-1)*s.SW + (s.KW-1)*s.DW + 1, rows: (s.OH-1)*s.SH + reach}
	p.padded = s.PT > 0 || s.PL > 0 || p.rows > s.H || p.cols > s.W
	if !p.padded {
		p.cols = s.W
	}
	if one := p.rows * p.cols * gradWidth; one*p.slice <= gradStage || plane <= KChunk {
		p.images = min(max(gradStage/one/p.slice, 1)*p.slice, s.N)
		return p
	}
	rows := max(gradStage/(p.cols*gradWidth)-reach, 0)/s.SH + 1
	p.pixels = min(max(rows*s.OW/KChunk, 1)*KChunk, plane)
	p.perImage = (plane + p.pixels - 1) / p.pixels
	p.rows = min(((p.pixels-1)/s.OW+1)*s.SH+reach, p.rows)
	return p
}

// keeps reports whether dy is packed once for all input channels.
func (p *gradPlan) keeps(s *ConvShape) bool { return s.N*s.OH*s.OW*s.mg() <= gradKeep }

// parts returns the sizes of the parts of the scratch: offsets, pixels of x, the same before they are copied, packed dy, sums, and elements of dw.
func (p *gradPlan) parts(s *ConvShape) (table, stage, plain, packed, sums, line int) {
	taps := s.KH * s.KW
	if p.padded {
		plain = min(p.rows, s.H) * s.W * gradWidth
	}
	packed = p.images * p.pixels
	if p.keeps(s) {
		packed = s.N * s.OH * s.OW
	}
	return roundUp(p.images*p.pixels, 16), p.images * p.rows * p.cols * gradWidth, plain, roundUp(packed*s.mg()+8, 16), taps * s.mg() * gradWidth, taps*gradWidth + 8
}

func (t *tileSet) gradChannelsScratch(s *ConvShape) int {
	p := s.gradPlan()
	table, stage, plain, packed, sums, line := p.parts(s)
	return table + stage + plain + packed + sums + line + alignSlack
}

// gradPixels is a block of pixels.
type gradPixels struct {
	n0, images   int
	q0, pixels   int // of each image
	first, count int // rows of x with what is above it
}

func (p *gradPlan) block(s *ConvShape, i int) gradPixels {
	b := gradPixels{n0: i / p.perImage * p.images, q0: i % p.perImage * p.pixels}
	b.images, b.pixels = min(p.images, s.N-b.n0), min(p.pixels, s.OH*s.OW-b.q0)
	r0, r1 := b.q0/s.OW, (b.q0+b.pixels-1)/s.OW
	b.first, b.count = r0*s.SH, (r1-r0)*s.SH+(s.KH-1)*s.DH+1
	return b
}

// offsets fills the table of a block: where each product's pixel is for the first tap.
func (b *gradPixels) offsets(s *ConvShape, p *gradPlan, table []float32) {
	k := 0
	for i := range b.images {
		row, ow := i*b.count, b.q0%s.OW
		for left := b.pixels; left > 0; {
			n := min(s.OW-ow, left)
			at := (row*p.cols + ow*s.SW) * gradWidth
			for j := range table[k : k+n] {
				putOffset(table[k:], j, at)
				at += s.SW * gradWidth
			}
			k += n
			left -= n
			row, ow = row+s.SH, 0
		}
	}
}

// fill transposes some channels of one image's rows.
func (t *tileSet) gradFill(s *ConvShape, p *gradPlan, b *gradPixels, stage, plain, x []float32, channels int) {
	if !p.padded {
		t.packRows(stage, gradWidth, x[b.first*s.W:], s.H*s.W, channels, b.count*s.W)
		return
	}
	r0, r1 := max(b.first-s.PT, 0), min(b.first+b.count-s.PT, s.H)
	c0, c1 := max(-s.PL, 0), min(p.cols-s.PL, s.W)
	if p.perImage > 1 {
		clear(stage[:b.count*p.cols*gradWidth])
	}
	if r0 >= r1 || c0 >= c1 {
		return
	}
	t.packRows(plain, gradWidth, x[r0*s.W:], s.H*s.W, channels, (r1-r0)*s.W)
	t.copyBlock(&blockArgs{dst: &stage[((r0+s.PT-b.first)*p.cols+c0+s.PL)*gradWidth], src: &plain[c0*gradWidth],
		outer: 1, rows: r1 - r0, n: (c1 - c0) * gradWidth, dRow: p.cols * gradWidth, dCol: 1, sRow: s.W * gradWidth, sCol: 1})
}

// gradChannels computes the weight gradient of many channels. A unit is a run of output channels by gradWidth input channels of a group.
func (t *tileSet) gradChannels(s *ConvShape, x, dy, dw []float32, part, parts int, scratch []float32) {
	cg, mg, taps, plane := s.cg(), s.mg(), s.KH*s.KW, s.OH*s.OW
	p := s.gradPlan()
	nTable, nStage, nPlain, nPacked, nSums, _ := p.parts(s)
	scratch = aligned(scratch)
	table, scratch := scratch[:nTable], scratch[nTable:]
	stage, scratch := scratch[:nStage], scratch[nStage:]
	plain, scratch := scratch[:nPlain], scratch[nPlain:]
	packed, scratch := scratch[:nPacked], scratch[nPacked:]
	sums, line := scratch[:nSums], scratch[nSums:]
	if p.padded {
		clear(stage)
	}
	columns := (cg + gradWidth - 1) / gradWidth
	cuts := min((parts+s.Groups*columns-1)/(s.Groups*columns), max(mg/gradCut, 1))
	blocks := (s.N + p.images - 1) / p.images * p.perImage
	keeps := p.keeps(s)
	tabled, kept := -1, -1 // the block of the table, the channels whose dy is packed whole
	lo, hi := ActNone.bounds(0, 0)
	u0, u1 := split(s.Groups*cuts*columns, 1, part, parts)
	for u := u0; u < u1; u++ {
		c0, rows := u%columns*gradWidth, u/columns
		g := rows / cuts
		m0, m1 := panelRows(mg, cuts, rows%cuts)
		m, channels := m1-m0, min(gradWidth, cg-c0)
		panels := t.convPanels(m)
		seg := convSeg{x: &stage[0], y: &sums[0], images: s.KH, rows: s.KW, width: roundUp(channels, gradLanes), m: m, lo: lo, hi: hi,
			xImage: s.DH * p.cols * gradWidth, xRow: s.DW * gradWidth, yImage: s.KW * m * gradWidth, yRow: m * gradWidth, yCh: gradWidth}
		for i := range blocks {
			b := p.block(s, i)
			k := b.images * b.pixels
			if i != tabled {
				b.offsets(s, &p, table)
				tabled = i
			}
			for j := range b.images {
				t.gradFill(s, &p, &b, stage[j*b.count*p.cols*gradWidth:], plain, x[((b.n0+j)*s.C+g*cg+c0)*s.H*s.W:], channels)
			}
			w := packed
			if keeps {
				w = packed[(b.n0*plane+b.q0)*m:]
			}
			for q := range panels {
				if kept == rows {
					break
				}
				r0, r1 := panelRows(m, panels, q)
				h := r1 - r0
				for j := range b.images {
					t.packRows(w[r0*k+j*b.pixels*h:], h, dy[((b.n0+j)*s.M+g*mg+m0+r0)*plane+b.q0:], plane, h, b.pixels)
				}
			}
			seg.w = &w[0]
			for j := 0; j < b.images; j += p.slice {
				end := min(j+p.slice, b.images) * b.pixels
				for k0 := j * b.pixels; k0 < end; k0 += KChunk {
					seg.k = min(KChunk, end-k0)
					seg.before, seg.after = k0, k-k0-seg.k
					seg.offs = (*int32)(unsafe.Pointer(&table[k0]))
					t.runSeg(&seg)
					seg.add = 1
				}
			}
		}
		if keeps {
			kept = rows
		}
		// Taps are innermost in dw.
		for r := range m {
			to := dw[((g*mg+m0+r)*cg+c0)*taps:][:channels*taps]
			if taps == 1 {
				copy(to, sums[r*gradWidth:])
				continue
			}
			t.packRows(line, taps, sums[r*gradWidth:], m*gradWidth, taps, seg.width)
			copy(to, line)
		}
	}
}
