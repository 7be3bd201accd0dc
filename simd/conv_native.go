//go:build !noasm && (amd64 || arm64)

package simd

import "unsafe"

// panelBytes is how many bytes of packed weights are kept in use at a time: half of a small L2.
const panelBytes = 512 << 10

// groupCursor walks over the groups of a segment.
type groupCursor struct {
	image, row, col int
}

// next moves to the next group of size lanes. The last group of a row ends where the row ends, overlapping the one before:
// the same values are computed and stored twice.
func (c *groupCursor) next(s *convSeg, lanes int) {
	c.col += lanes
	if c.col < s.width {
		return
	}
	c.col = 0
	c.row++
	if c.row == s.rows {
		c.row = 0
		c.image++
	}
}

// runSeg computes a segment.
func (t *tileSet) runSeg(s *convSeg) {
	table, lanes, perVector := &t.conv, groupLanes, t.lanes/groupLanes
	if t.lanes < groupLanes {
		lanes, perVector = t.lanes, 1
	}
	panels := t.convPanels(s.m)
	tallest := panelHeight(s.m, panels)
	if p := &t.convPlain; s.width%16 == 0 && p.rows > 0 && p.wide[tallest] == p.wide[s.m/panels] {
		table, lanes, perVector = p, 16, 1
	}
	var args convArgs
	if s.width < lanes {
		args.mask = laneMask(s.width)
	}
	args.ys = 4 * s.yCh
	args.lo, args.hi = s.lo, s.hi
	perRow := (s.width + lanes - 1) / lanes
	groups := s.images * s.rows * perRow
	// How many vectors a call takes: evenly, so that no call runs half empty.
	most := table.wide[tallest] * perVector
	calls := (groups + most - 1) / most
	per := (groups + calls - 1) / calls
	vecs := (per + perVector - 1) / perVector
	for table.f[tallest][vecs] == nil {
		vecs++
	}
	per = vecs * perVector
	// Weights are the outer loop when they do not stay in cache.
	together := min(max(panelBytes/(4*s.k*tallest), 1), panels)
	for p0 := 0; p0 < panels; p0 += together {
		var cur groupCursor
		for g := 0; g < groups; g += per {
			var y [8]*float32
			for i := range per {
				col := cur.col
				if s.width >= lanes {
					col = min(col, s.width-lanes)
				}
				args.x[i] = at(s.x, cur.image*s.xImage+cur.row*s.xRow+col)
				y[i] = at(s.y, cur.image*s.yImage+cur.row*s.yRow+col)
				if g+i+1 < groups {
					cur.next(s, lanes)
				} // else the last group is repeated
			}
			for p := p0; p < min(p0+together, panels); p++ {
				m0, m1 := panelRows(s.m, panels, p)
				h := m1 - m0
				f := table.f[h][vecs]
				for i := range per {
					args.y[i] = at(y[i], m0*s.yCh)
				}
				if s.bias != nil {
					args.bias = at(s.bias, m0)
				}
				for k0 := 0; k0 < s.k; k0 += KChunk {
					args.k = min(KChunk, s.k-k0)
					args.w = at(s.w, m0*s.k+k0*h)
					args.offs = (*int32)(unsafe.Add(unsafe.Pointer(s.offs), 4*k0))
					args.flags = 0
					if k0 > 0 {
						args.flags = tileAdd
					}
					if k0+KChunk >= s.k {
						args.flags |= tileFinish | tileClamp
					}
					f(noescape(&args))
				}
			}
		}
	}
}

// gradMasks says that the tiles read only the lanes that exist.
const gradMasks = true

// gradExtra is how much of gradJob's scratch lies after the lanes.
func (t *tileSet) gradExtra(s *ConvShape, k int) int { return 0 }

// gradJob computes dw of group g for k0 <= k < k1 and all output channels. src holds input channels from c0 on.
func (t *tileSet) gradJob(s *ConvShape, p *tapTable, src []float32, xImage int, dy, dw []float32, g, k0, k1, c0, panels int, scratch []float32) {
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
	args.lanes = &scratch[0]
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
