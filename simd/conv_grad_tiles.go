//go:build !noasm && (amd64 || arm64 || js)

package simd

// gradCopyBytes bounds the copy of padded images from which one job of the weight gradient reads.
const gradCopyBytes = 1 << 20

// gradTable returns how the weight gradient reads x, and how many input channels a job covers. Masked tails read no pixel that
// does not exist, so only padding and strides need a copy; and rows that end within a block where tiles read whole blocks.
func (s *ConvShape) gradTable() (p tapTable, channels int) {
	p = tapTable{sh: s.SH, sw: s.SW, top: s.PT, left: s.PL, h: s.H, w: s.W, channels: s.cg(), rows: s.H, cols: s.W}
	if s.PT == 0 && s.PL == 0 && s.SH == 1 && s.SW == 1 && s.OH+(s.KH-1)*s.DH <= s.H && s.OW+(s.KW-1)*s.DW <= s.W && (gradMasks || s.OW%gradLanes == 0) {
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
	if s.gradByChannels() {
		return t.gradChannelsScratch(s)
	}
	p, channels := s.gradTable()
	return lanesSize + t.gradExtra(s, channels*s.KH*s.KW) + s.N*p.size() + alignSlack
}

// gradWeight computes the weight gradient. A job is a run of k = (ci, kh, kw) of one group: all of a tile's taps where x is read in
// place, a block of input channels where it is copied.
func (t *tileSet) gradWeight(s *ConvShape, x, dy, dw []float32, part, parts int, scratch []float32) {
	if s.gradByChannels() {
		t.gradChannels(s, x, dy, dw, part, parts, scratch)
		return
	}
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
	img := scratch[lanesSize+t.gradExtra(s, channels*taps):]
	imgSize := p.size()
	if p.copied {
		clear(img[:s.N*imgSize])
	}
	for u := u0; u < u1; {
		g, k0 := u/jobs, u%jobs*run
		if !p.copied { // the jobs of a group that follow one another are one
			last := min(u1, (g+1)*jobs)
			k1 := min((last-g*jobs)*run, k)
			t.gradJob(s, &p, x[g*cg*s.H*s.W:], s.C*s.H*s.W, dy, dw, g, k0, k1, 0, panels, scratch)
			u = last
			continue
		}
		u++
		k1 := min(k0+run, k)
		c0 := k0 / taps
		q := p
		q.channels = min(channels, cg-c0) // the layout is that of p when it is the same; each job uses its own consistently
		for n := range s.N {
			image := x[((n*s.C+g*cg+c0)*s.H)*s.W:][:q.channels*s.H*s.W]
			q.fill(img[n*imgSize:], image, 0, q.rows)
		}
		t.gradJob(s, &q, img, imgSize, dy, dw, g, k0, k1, c0, panels, scratch)
		if q.channels != p.channels {
			clear(img[:s.N*imgSize]) // another layout has other borders
		}
	}
}
