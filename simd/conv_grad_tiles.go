//go:build !noasm && (amd64 || arm64)

package simd

// gradCopyBytes bounds the copy of padded images from which one job of the weight gradient reads.
const gradCopyBytes = 1 << 20

// gradTable returns how the weight gradient reads x, and how many input channels a job covers. Masked tails read no pixel that
// does not exist, so only padding and strides need a copy.
func (s *ConvShape) gradTable() (p tapTable, channels int) {
	p = tapTable{sh: s.SH, sw: s.SW, top: s.PT, left: s.PL, h: s.H, w: s.W, channels: s.cg(), rows: s.H, cols: s.W}
	if s.PT == 0 && s.PL == 0 && s.SH == 1 && s.SW == 1 && s.OH+(s.KH-1)*s.DH <= s.H && s.OW+(s.KW-1)*s.DW <= s.W {
		return p, s.cg()
	}
	p.copied = true
	p.ph, p.pw = min(s.SH, (s.KH-1)*s.DH+1), min(s.SW, (s.KW-1)*s.DW+1)
	p.rows = s.OH + (s.KH-1)*s.DH/s.SH
	p.cols = s.OW + (s.KW-1)*s.DW/s.SW
	one := 4 * s.N * p.ph * p.pw * p.rows * p.cols
	channels = min(max(gradCopyBytes/one, 1), s.cg())
	p.channels = channels
	return p, channels
}

// lanesSize is the room for the lanes of one tile.
const lanesSize = 512

func (t *tileSet) gradWeightScratch(s *ConvShape) int {
	if s.N*s.OH*s.OW == 0 {
		return 0
	}
	p, _ := s.gradTable()
	return lanesSize + s.N*p.size() + alignSlack
}

// gradWeight computes the weight gradient. A job is a run of k = (ci, kh, kw) of one group: all of a tile's taps where x is read in
// place, a block of input channels where it is copied.
func (t *tileSet) gradWeight(s *ConvShape, x, dy, dw []float32, part, parts int, scratch []float32) {
	p, channels := s.gradTable()
	cg, mg, taps := s.cg(), s.mg(), s.KH*s.KW
	rows := min(mg, t.grad.rows)
	panels := (mg + rows - 1) / rows
	tallest := panelHeight(mg, panels)
	run := channels * taps
	if !p.copied {
		run = t.grad.wide[tallest]
	}
	k := cg * taps
	jobs := (k + run - 1) / run
	u0, u1 := split(s.Groups*jobs, 1, part, parts)
	scratch = aligned(scratch)
	lanes, img := scratch[:lanesSize], scratch[lanesSize:]
	imgSize := p.size()
	if p.copied {
		clear(img[:s.N*imgSize])
	}
	for u := u0; u < u1; u++ {
		g, k0 := u/jobs, u%jobs*run
		k1 := min(k0+run, k)
		c0 := k0 / taps
		src, xImage := x[g*cg*s.H*s.W:], s.C*s.H*s.W
		if p.copied {
			q := p
			q.channels = min(channels, cg-c0) // the layout is that of p when it is the same; each job uses its own consistently
			for n := range s.N {
				image := x[((n*s.C+g*cg+c0)*s.H)*s.W:][:q.channels*s.H*s.W]
				q.fill(img[n*imgSize:], image, 0, q.rows)
			}
			src, xImage = img, imgSize
			t.gradJob(s, &q, src, xImage, dy, dw, g, k0, k1, c0, panels, lanes)
			if q.channels != p.channels {
				clear(img[:s.N*imgSize]) // another layout has other borders
			}
			continue
		}
		t.gradJob(s, &p, src, xImage, dy, dw, g, k0, k1, 0, panels, lanes)
	}
}

// gradJob computes dw of group g for k0 <= k < k1 and all output channels. src holds input channels from c0 on.
func (t *tileSet) gradJob(s *ConvShape, p *tapTable, src []float32, xImage int, dy, dw []float32, g, k0, k1, c0, panels int, lanes []float32) {
	cg, mg, taps := s.cg(), s.mg(), s.KH*s.KW
	k, slice := cg*taps, s.gradSlice()
	args := gradArgs{rows: s.OH, blocks: s.OW / gradLanes}
	if r := s.OW % gradLanes; r != 0 {
		args.mask, args.tail = laneMask(r), 4*r
	}
	args.dyC = 4 * s.OH * s.OW
	args.dySkip = 4 * (s.M - 1) * s.OH * s.OW
	args.xRow = 4 * (p.cols - args.blocks*gradLanes)
	args.xSkip = 4 * (xImage - s.OH*p.cols)
	args.dwRow = 4 * k
	args.lanes = &lanes[0]
	for kk := k0; kk < k1; {
		step := k1 - kk
		for m := range panels {
			m0, m1 := panelRows(mg, panels, m)
			// All panels take the taps that the tallest, which comes first, can.
			if m == 0 {
				step = t.grad.fit(m1-m0, step)
			}
			f := t.grad.f[m1-m0][step]
			args.dw = &dw[(g*mg+m0)*k+kk]
			for n := 0; n < s.N; n += slice {
				args.images = min(slice, s.N-n)
				args.flags = 0
				if n > 0 {
					args.flags = tileAdd
				}
				if n+slice >= s.N {
					args.flags |= tileFinish
				}
				args.dy = &dy[(n*s.M+g*mg+m0)*s.OH*s.OW]
				for i := range step {
					q := kk + i
					tap := q % taps
					args.x[i] = &src[n*xImage+p.offset(q/taps-c0, tap/s.KW*s.DH, tap%s.KW*s.DW)]
				}
				f(noescape(&args))
			}
		}
		kk += step
	}
}
