//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// Sizes of what a convolution leaves for its pool at a time, in elements: planes, and channels-last rows. It is to stay in L2; less would cut the
// convolution into more runs of tiles, which costs more than L1 saves.
const (
	poolPlanes = 32 << 10
	poolRows   = 64 << 10
)

// poolPlan cuts the output of a pool into blocks.
type poolPlan struct {
	images, rows int // whole images, or rows of one image
	held         int // most rows of the convolution's output that a block reads
}

func (q *ConvPool) plan(s *ConvShape, most int) (p poolPlan) {
	image, row := s.M*s.OH*s.OW, s.M*s.OW
	if image <= most {
		return poolPlan{images: max(min(most/image, s.N), 1), rows: q.OH, held: q.H}
	}
	reach := (q.KH-1)*max(q.DH, 1) + 1
	p.images, p.rows = 1, min(max((most/row-reach)/q.SH+1, 1), q.OH)
	n := (q.OH + p.rows - 1) / p.rows
	p.rows = (q.OH + n - 1) / n
	p.held = min((p.rows-1)*q.SH+reach, q.H)
	return p
}

func (q *ConvPool) planOf(s *ConvShape, last bool) poolPlan {
	if last {
		return q.plan(s, poolRows)
	}
	return q.plan(s, poolPlanes)
}

// blockSize returns the elements that a block holds.
func (p *poolPlan) blockSize(s *ConvShape) int { return roundUp(p.images*s.M*p.held*s.OW+8, 16) }

// poolFits reports whether there is a way for a convolution: not where rows of the output are taken together.
func (t *tileSet) poolFits(s *ConvShape) bool {
	if t.choosesLast(s) {
		return true
	}
	_, oh, _ := s.forwardTable()
	return oh == s.OH
}

func (t *tileSet) pooledScratch(s *ConvShape, q *ConvPool) int {
	if !t.choosesLast(s) {
		plan, p := q.planOf(s, false), tapTable{}
		p, _, _ = s.forwardTable()
		return plan.blockSize(s) + roundUp(p.size(), 16) + t.poolPlanesScratch(&q.PoolShape) + alignSlack
	}
	plan, conv := q.planOf(s, true), *s
	conv.YLast = true
	n := plan.blockSize(s) + t.lastScratch(&conv)
	if !s.YLast {
		n += plan.images * plan.rows * q.OW * s.M
	}
	return n + alignSlack
}

func (t *tileSet) convPooled(s *ConvShape, q *ConvPool, x, packed, bias, y []float32, lo, hi float32, part, parts int, scratch []float32) {
	scratch = aligned(scratch)
	if t.choosesLast(s) {
		t.pooledLast(s, q, x, packed, bias, y, lo, hi, part, parts, scratch)
		return
	}
	cg, mg := s.cg(), s.mg()
	k := cg * s.KH * s.KW
	plan := q.planOf(s, false)
	p, _, ow := s.forwardTable()
	block := scratch[:plan.blockSize(s)]
	img := scratch[len(block):][:p.size()]
	rest := scratch[len(block)+roundUp(len(img), 16):]
	if p.copied {
		clear(img)
	}
	plane := plan.held * ow // of a channel in the block
	seg := convSeg{width: ow, yImage: s.M * plane, yRow: ow, yCh: plane, k: k, m: mg, lo: lo, hi: hi,
		offs: (*int32)(unsafe.Pointer(&packed[0])), xImage: s.C * p.h * p.w, xRow: p.cols}
	below := (s.KH-1)*s.DH/s.SH + 1 // rows of the copy that an output row reads
	held0, held1 := 0, 0            // rows that the block has
	filled := 0                     // rows of the image that have been copied, where one copy serves all groups
	u0, u1 := splitImages(s.N, q.OH, part, parts)
	for u := u0; u < u1; {
		row, n := u%q.OH, u/q.OH
		images, rows := 1, min(q.OH-row, u1-u, plan.rows)
		if row == 0 && u1-u >= q.OH && plan.rows == q.OH {
			images = min((u1-u)/q.OH, plan.images)
		}
		from, to := q.rowsRead(row, rows)
		if row == 0 {
			held1, filled = 0, 0
		}
		r := from
		if held1 > from { // rows that the windows of the block before have read
			for m := range s.M {
				copy(block[m*plane:][:(held1-from)*ow], block[m*plane+(from-held0)*ow:])
			}
			r = held1
		}
		held0, held1 = from, to
		for g := range s.Groups {
			seg.w, seg.bias = &packed[k+g*mg*k], nil
			if len(bias) > 0 {
				seg.bias = &bias[g*mg]
			}
			for i := 0; i < images && r < to; {
				image := ((n+i)*s.C + g*cg) * s.H * s.W
				seg.images, seg.rows = 1, to-r
				if p.copied {
					p.fill(img, x[image:][:cg*s.H*s.W], max(r, filled), to+below-1)
					if s.Groups == 1 && images == 1 {
						filled = to + below - 1
					}
					seg.x = &img[r*p.cols]
				} else {
					seg.images = images // whole ones, or one
					seg.x = &x[image+r*p.w]
				}
				seg.y = &block[(i*s.M+g*mg)*plane+(r-from)*ow]
				if cg == 1 && mg == 1 && k <= KChunk {
					t.runPlane(&seg)
				} else {
					t.runSeg(&seg)
				}
				i += seg.images
			}
		}
		sub := q.part(row, rows)
		if rows == q.OH && plan.held == sub.H {
			sub.Planes = images * s.M
			sub.run(y[n*s.M*q.OH*q.OW:], block, false, s.M, rest)
		} else {
			sub.Planes = 1
			for m := range images * s.M {
				sub.run(y[((n*s.M+m)*q.OH+row)*q.OW:], block[m*plane:], false, s.M, rest)
			}
		}
		u += images * rows
	}
}

// pooledLast is convPooled for channels-last convolutions.
func (t *tileSet) pooledLast(s *ConvShape, q *ConvPool, x, packed, bias, y []float32, lo, hi float32, part, parts int, scratch []float32) {
	plan := q.planOf(s, true)
	block := scratch[:plan.blockSize(s)]
	conv := *s
	conv.YLast = true
	c, out := t.lastCall(&conv, x, packed, bias, lo, hi, 0, 1, scratch[len(block):])
	length := s.OW * s.M // of a row of the block
	held0, held1 := 0, 0
	u0, u1 := split(s.N*q.OH, 1, part, parts)
	for u := u0; u < u1; {
		row, n := u%q.OH, u/q.OH
		images, rows := 1, min(q.OH-row, u1-u, plan.rows)
		if row == 0 && u1-u >= q.OH && plan.rows == q.OH {
			images = min((u1-u)/q.OH, plan.images)
		}
		from, to := q.rowsRead(row, rows)
		if row == 0 {
			held1 = 0
		}
		r := from
		if held1 > from {
			copy(block[:(held1-from)*length], block[(from-held0)*length:])
			r = held1
		}
		held0, held1 = from, to
		// Images as many as the convolution takes together, rows likewise.
		for i := 0; i < images; {
			some := 1
			if to-r <= c.p.rows {
				some = min(images-i, c.p.images)
			}
			for at := r; at < to; {
				h := min(to-at, c.p.rows)
				c.place(&conv, some, h)
				for g := range c.groups {
					t.lastBlock(&conv, &c, n+i, some, at, h, g, block[(i*(to-from)+at-from)*length+g*c.mg:], s.M, nil)
				}
				at += h
			}
			i += some
		}
		sub := q.part(row, rows)
		sub.Planes = images * s.M
		if s.YLast {
			sub.run(y[(n*q.OH+row)*q.OW*s.M:], block, true, s.M, nil)
		} else {
			sub.run(out, block, true, s.M, nil)
			for i := range images {
				t.planes(y[((n+i)*s.M*q.OH+row)*q.OW:], q.OH*q.OW, out[i*rows*q.OW*s.M:], s.M, rows*q.OW)
			}
		}
		u += images * rows
	}
}
