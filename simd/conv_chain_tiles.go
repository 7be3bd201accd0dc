//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// A chain of convolutions runs block by block of output rows. Rows of the first convolution go to a ring, where the depthwise one finds them,
// each row that windows share computed once; what that gives goes to a block, which the last one reads. The rows of the ring are padded, so that
// windows lie in it as they are: their rows are looked up, since they are anywhere in the ring; those outside the image are a row of zeros behind it.

// chainKept is how many elements of what is between the convolutions a block may have: less than L2, and not so few that windows share most rows.
const chainKept = 96 << 10

// chainPlan is how a chain is cut into blocks.
type chainPlan struct {
	first lastPlan // of the first convolution
	dw    int      // which is depthwise
	rows  int      // of the last convolution's output, of a block

	// The ring, where the first convolution is not the depthwise one.
	ring        int // rows; one of zeros is behind them
	cols, width int // pixels of a row, and those that the first convolution computes
	left        int // zeros before them
	block       int // elements of what the depthwise convolution leaves for the last
}

// chainPlan cuts a chain.
func (t *tileSet) chainPlan(c *ConvChain) (p chainPlan) {
	p.first = t.lastPlan(&c.Conv[0])
	if !p.first.depthwise {
		p.dw = 1
	}
	d := &c.Conv[p.dw]
	reach := (d.KH-1)*d.DH + 1
	if p.dw > 0 {
		p.cols = (d.OW-1)*d.SW + (d.KW-1)*d.DW + 1
		p.left = min(d.PL, p.cols)
		p.width = min(d.W, p.cols-p.left)
	}
	// A block of r rows has (r-1)*SH + reach rows in the ring, and r rows behind the depthwise convolution.
	row := d.SH * p.cols * d.C
	most := chainKept - (reach-d.SH)*p.cols*d.C
	if c.Stages > p.dw+1 {
		row += d.OW * d.M
	}
	p.rows = min(max(most/max(row, 1), 1), d.OH)
	n := (d.OH + p.rows - 1) / p.rows
	p.rows = (d.OH + n - 1) / n
	if p.dw > 0 {
		p.ring = (p.rows-1)*d.SH + reach
	}
	if c.Stages > p.dw+1 {
		p.block = roundUp(p.rows*d.OW*d.M, 16)
	}
	return p
}

// Sizes of the parts of a chain's scratch.
func (p *chainPlan) ringSize(c *ConvChain) int {
	if p.dw == 0 {
		return 0
	}
	return roundUp((p.ring+1)*p.cols*c.Conv[1].C, 16)
}

func (p *chainPlan) offsSize(c *ConvChain, i int) int {
	s := &c.Conv[i]
	if i == p.dw && i > 0 {
		return roundUp(s.OW, 16)
	}
	return roundUp(p.rows*s.OW, 16)
}

func (t *tileSet) chainScratch(c *ConvChain) int {
	p := t.chainPlan(c)
	n := p.first.copySize(&c.Conv[0]) + p.ringSize(c) + p.block + roundUp(c.Conv[p.dw].KH*c.Conv[p.dw].KW, 16) + alignSlack
	for i := range c.Stages {
		n += p.offsSize(c, i)
	}
	return n
}

// chainRun is a chain under way.
type chainRun struct {
	c     *ConvChain
	p     chainPlan
	seg   [ChainMost]lastSeg
	img   []float32 // the copy of what the first convolution reads
	ring  []float32
	block []float32
	taps  []float32
	x, y  []float32
	res   []float32
}

func (t *tileSet) convChain(c *ConvChain, x []float32, packed, bias *[ChainMost][]float32, res, y []float32, part, parts int, scratch []float32) {
	r := chainRun{c: c, p: t.chainPlan(c), x: x, y: y, res: res}
	p := &r.p
	d, last := &c.Conv[p.dw], c.last()
	scratch = aligned(scratch)
	r.ring, scratch = scratch[:p.ringSize(c)], scratch[p.ringSize(c):]
	r.pad()
	r.block, scratch = scratch[:p.block], scratch[p.block:]
	n := p.first.copySize(&c.Conv[0])
	r.img, scratch = scratch[:n], scratch[n:]
	n = roundUp(d.KH*d.KW, 16)
	r.taps, scratch = scratch[:n], scratch[n:]
	for i := range c.Stages {
		s := &c.Conv[i]
		offs := scratch[:p.offsSize(c, i)]
		scratch = scratch[len(offs):]
		lo, hi := c.Act[i].bounds(c.Lo[i], c.Hi[i])
		plan := t.lastPlan(s)
		g := &r.seg[i]
		g.offs, g.runs = (*int32)(unsafe.Pointer(&offs[0])), (*int32)(unsafe.Pointer(&packed[i][0]))
		g.w = &packed[i][s.lastTable(&plan)]
		g.k, g.m, g.ys, g.lo, g.hi, g.bias = s.cg()*s.KH*s.KW, s.M, 4*s.M, lo, hi, first(bias[i], 0)
		row, pixel := 0, 4*s.SW*s.C
		switch {
		case i == 0:
			row = 4 * s.SH * plan.cols * plan.per
			pixel = 4 * s.SW * plan.per
		case i == p.dw:
			g.runs = (*int32)(unsafe.Pointer(&r.taps[0]))
		default:
			row = 4 * s.W * s.C
		}
		for j := range len(offs) {
			putWord(offs, j, j/s.OW*row+j%s.OW*pixel)
		}
	}
	u0, u1 := split(last.N*last.OH, 1, part, parts)
	done := 0
	for u := u0; u < u1; {
		a, image := u%last.OH, u/last.OH
		b := min(a+p.rows, last.OH, a+u1-u)
		if a == 0 || u == u0 {
			done = 0
		}
		t.chainBlock(&r, image, a, b, done)
		done = min((b-1)*d.SH-d.PT+(d.KH-1)*d.DH+1, d.H)
		u += b - a
	}
}

// pad clears what nothing is written to in the ring: the ends of its rows, and the row of zeros.
func (r *chainRun) pad() {
	p := &r.p
	if p.dw == 0 {
		return
	}
	ch := r.c.Conv[1].C
	length := p.cols * ch
	for i := range p.ring {
		row := r.ring[i*length:][:length]
		clear(row[:p.left*ch])
		clear(row[(p.left+p.width)*ch:])
	}
	clear(r.ring[p.ring*length:])
}

// chainBlock computes rows a to b of an image. The rows of the first convolution before done are in the ring.
func (t *tileSet) chainBlock(r *chainRun, image, a, b, done int) {
	c, p := r.c, &r.p
	d, last := &c.Conv[p.dw], c.last()
	if p.dw > 0 {
		from := max(min(a*d.SH-d.PT, d.H), done, 0)
		to := min((b-1)*d.SH-d.PT+(d.KH-1)*d.DH+1, d.H)
		t.chainFirst(r, image, from, to)
	}
	// The depthwise convolution: to the block, or to y.
	g := &r.seg[p.dw]
	if c.Stages > p.dw+1 {
		g.y = &r.block[0]
	} else {
		at := (image*last.OH + a) * last.OW * last.M
		g.y, g.res = &r.y[at], first(r.res, at)
	}
	if p.dw == 0 {
		t.chainFirst(r, image, a, b)
	} else {
		pitch := p.cols * d.C
		g.x = &r.ring[0]
		byPixels := !t.depthwiseRows(d, g, &rowSource{per: d.C, pitch: pitch, ring: p.ring, row: a}, 1, b-a)
		g.pixels = d.OW
		length := d.OW * d.M
		for row := a; row < b && byPixels; row++ {
			i := 0
			for kh := range d.KH {
				h := row*d.SH - d.PT + kh*d.DH
				in := p.ring
				if h >= 0 && h < d.H {
					in = h % p.ring
				}
				for kw := range d.KW {
					putWord(r.taps, i, 4*(in*pitch+kw*d.DW*d.C))
					i++
				}
			}
			t.runDepthwise(g)
			g.y = at(g.y, length)
			if g.res != nil {
				g.res = at(g.res, length)
			}
		}
	}
	if c.Stages > p.dw+1 {
		g := &r.seg[c.Stages-1]
		at := (image*last.OH + a) * last.OW * last.M
		g.x, g.y, g.res, g.pixels = &r.block[0], &r.y[at], first(r.res, at), (b-a)*last.OW
		t.runLast(g)
	}
}

// chainFirst computes rows from to to of the first convolution's output: into the ring, or, where it is the depthwise one, to where its segment says.
func (t *tileSet) chainFirst(r *chainRun, image, from, to int) {
	s, p, g := &r.c.Conv[0], &r.p, &r.seg[0]
	f := &p.first
	for row := from; row < to; {
		rows := to - row
		step := s.SH * f.cols * f.per
		if f.copied {
			rows = min(rows, f.rows)
			f.fill(t, s, r.img, r.x, image, 0, s.C, row, rows)
			g.x = &r.img[0]
		} else {
			g.x = &r.x[(image*s.H+row*s.SH)*s.W*s.C]
		}
		if p.dw == 0 {
			rows = min(rows, p.rows)
			g.pixels = rows * s.OW
			source := rowSource{per: f.per, pitch: f.cols * f.per, image: image, row: row}
			if f.direct {
				source.x = r.x
			}
			if !t.depthwiseRows(s, g, &source, 1, rows) {
				t.runDepthwise(g)
			}
			g.y = at(g.y, rows*s.OW*s.M)
			row += rows
			continue
		}
		pitch := p.cols * s.M
		g.pixels = p.width
		for i := range rows {
			g.y = &r.ring[(row+i)%p.ring*pitch+p.left*s.M]
			t.runLast(g)
			g.x = at(g.x, step)
		}
		row += rows
	}
}
