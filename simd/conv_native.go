//go:build !noasm && (amd64 || arm64)

package simd

import "unsafe"

// panelBytes is how many bytes of packed weights are kept in use at a time: half of a small L2.
const panelBytes = 512 << 10

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
	var ys [8]*float32
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
	// The last group of a row ends where the row ends, overlapping the one before: the same values are computed and stored twice.
	last := max(s.width-lanes, 0)
	xRow, yRow := 4*s.xRow, 4*s.yRow
	xSkip, ySkip := 4*(s.xImage-s.rows*s.xRow), 4*(s.yImage-s.rows*s.yRow) // from the row after an image's last to the next image
	// Weights are the outer loop when they do not stay in cache.
	together := min(max(panelBytes/(4*s.k*tallest), 1), panels)
	for p0 := 0; p0 < panels; p0 += together {
		x, y := unsafe.Pointer(s.x), unsafe.Pointer(s.y) // of the row
		col, row := 0, s.rows
		for g := 0; g < groups; g += per {
			n := min(per, groups-g)
			for i := range n {
				c := 4 * min(col, last)
				args.x[i&7], ys[i&7] = (*float32)(unsafe.Add(x, c)), (*float32)(unsafe.Add(y, c))
				if col += lanes; col < s.width {
					continue
				}
				col = 0
				x, y = unsafe.Add(x, xRow), unsafe.Add(y, yRow)
				if row--; row == 0 {
					row = s.rows
					x, y = unsafe.Add(x, xSkip), unsafe.Add(y, ySkip)
				}
			}
			for i := n; i < per; i++ { // the last group is repeated
				args.x[i&7], ys[i&7] = args.x[n-1], ys[n-1]
			}
			for p := p0; p < min(p0+together, panels); p++ {
				m0, m1 := panelRows(s.m, panels, p)
				h := m1 - m0
				f := table.f[h][vecs]
				channel := 4 * m0 * s.yCh
				for i := range per {
					args.y[i&7] = (*float32)(unsafe.Add(unsafe.Pointer(ys[i&7]), channel))
				}
				if s.bias != nil {
					args.bias = at(s.bias, m0)
				}
				for k0 := 0; k0 < s.k; k0 += KChunk {
					args.k = min(KChunk, s.k-k0)
					args.w = at(s.w, m0*(s.before+s.k+s.after)+(s.before+k0)*h)
					args.offs = (*int32)(unsafe.Add(unsafe.Pointer(s.offs), 4*k0))
					args.flags = 0
					if k0 > 0 || s.add != 0 {
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

// lastGroup is how many bytes of weights all pixels of a segment go over before the next ones: those in use and those that are fetched
// meanwhile share a small L2 with the image.
const lastGroup = 64 << 10

// runLast computes pixels by all output channels of a segment: all pixels go over a group of weights, then over the next, which is fetched
// evenly meanwhile, so that weights that come from L3 or memory are waited for once, at the start.
func (t *tileSet) runLast(s *lastSeg) {
	panel := t.lastPanel()
	tallest := t.last.tall((min(s.m, panel) + lastUnit - 1) / lastUnit)
	clamp := 0
	if s.lo > -inf32 || s.hi < inf32 {
		clamp = tileClamp
	}
	args := lastArgs{ys: s.ys, lo: s.lo, hi: s.hi}
	tiles := (s.pixels + tallest - 1) / tallest
	low, high := s.pixels/tiles, s.pixels%tiles         // tiles have low pixels, the first ones one more
	together := max(lastGroup/(4*panel*s.k), 1) * panel // channels of a group
	products := s.k                                     // of a group
	if together == panel {
		products = min(max(lastGroup/(4*panel*KChunk), 1)*KChunk, s.k)
	}
	base := uintptr(unsafe.Pointer(s.w))
	end := base + uintptr(4*s.k*roundUp(s.m, lastUnit))
	for m0 := 0; m0 < s.m; m0 += together {
		m1 := min(m0+together, s.m)
		width := roundUp(m1-m0, lastUnit)
		runs := s.runs
		for k0 := 0; k0 < s.k; k0 += products {
			k1 := min(k0+products, s.k)
			// What follows in memory is the next group.
			args.ahead = base + uintptr(4*(m0*s.k+width*k1))
			calls := tiles * ((m1 - m0 + panel - 1) / panel) * (k1 - k0)
			args.step = min((min(int(end-args.ahead), 4*products*together)+calls-1)/calls, 64)
			after := runs
			for i, px := 0, 0; i < tiles; i++ {
				h := low
				if i < high {
					h++
				}
				for i := range h {
					args.x[i] = (*float32)(unsafe.Add(unsafe.Pointer(s.x), *offAt(s.offs, px+i)))
				}
				row := &t.last.f[h]
				for m := m0; m < m1; m += panel {
					n := panel
					args.bits, args.mask = -1, nil
					if n > s.m-m {
						n = s.m - m
						if rem := n & (t.lanes - 1); rem != 0 {
							args.bits = 1<<rem - 1
							if t.lanes <= 8 {
								args.mask = laneMask(rem)
							}
						}
					}
					units := (n + lastUnit - 1) / lastUnit
					f := row[units]
					off := px*s.ys + 4*m
					args.y = (*float32)(unsafe.Add(unsafe.Pointer(s.y), off))
					args.near = nil
					if s.k > KChunk {
						args.near = args.y // of the sums so far
					}
					if s.res != nil {
						args.res = (*float32)(unsafe.Add(unsafe.Pointer(s.res), off))
						if k1 == s.k {
							args.near = args.res
						}
					}
					if s.bias != nil {
						args.bias = at(s.bias, m)
					}
					args.w = at(s.w, m*s.k+k0*units*lastUnit)
					after = runs
					for q := k0; q < k1; q += KChunk {
						args.count = int(*after)
						args.runs = offAt(after, 2)
						args.flags = 0
						if q > 0 {
							args.flags = tileAdd
						}
						if q+KChunk >= s.k {
							args.flags |= tileFinish | clamp
						}
						f(noescape(&args))
						n := int(*offAt(after, 1))
						args.w = at(args.w, n*units*lastUnit)
						args.ahead += uintptr(n * args.step)
						after = offAt(after, 2+2*args.count)
					}
				}
				px += h
			}
			runs = after
		}
	}
}

// runDepthwise computes pixels of a depthwise convolution: runs are the offsets of the k taps, m the channels.
func (t *tileSet) runDepthwise(s *lastSeg) {
	args := depthwiseArgs{offs: s.runs, taps: s.k, w: s.w, bias: s.bias, whole: s.m / t.lanes * t.lanes * 4, ys: s.ys, lo: s.lo, hi: s.hi}
	if s.lo > -inf32 || s.hi < inf32 {
		args.flags = tileClamp
	}
	if rem := s.m % t.lanes; rem != 0 {
		args.bits = 1<<rem - 1
		if t.lanes <= 8 {
			args.mask = laneMask(rem)
		}
	}
	tiles := (s.pixels + depthwisePixels - 1) / depthwisePixels
	for left, px := tiles, 0; left > 0; left-- {
		h := panelHeight(s.pixels-px, left)
		for i := range h {
			args.x[i] = (*float32)(unsafe.Add(unsafe.Pointer(s.x), *offAt(s.offs, px+i)))
		}
		args.y = (*float32)(unsafe.Add(unsafe.Pointer(s.y), px*s.ys))
		if s.res != nil {
			args.res = (*float32)(unsafe.Add(unsafe.Pointer(s.res), px*s.ys))
		}
		t.depthwise.f[h][1](noescape(&args))
		px += h
	}
}

// depthwiseRowKey is the column of the table of tiles of pixels in a row.
func depthwiseRowKey(kernel, stride int) int { return kernel + stride - 1 }

// The pixels of the tiles of pixels in a row, and how much of the image all tiles of a row should read of the first-level cache before the next
// channels have their turn.
const (
	dwRowLeast, dwRowMost = 4, 8
	dwRowBytes            = 28 << 10
)

// zeroRow is what is read in the place of a row above or below the image.
var zeroRow [1 << 15]float32

// hasDepthwiseRows reports whether there are tiles of pixels in a row for a depthwise convolution.
func (t *tileSet) hasDepthwiseRows(s *ConvShape) bool {
	if t.dwRow.rows == 0 || s.DW != 1 || s.OW < dwRowLeast || s.KH > dwRows || s.KW > dwRows || s.KW%2 == 0 || s.SW > 2 || t.dwRow.f[dwRowMost][depthwiseRowKey(s.KW, s.SW)] == nil {
		return false
	}
	n := (s.OW + dwRowMost - 1) / dwRowMost
	tall := (s.OW + n - 1) / n // some tiles have a pixel less
	return n*tall == s.OW || tall > dwRowLeast
}

// depthwiseDirect reports whether the tiles read the image where it lies, padding included: half of a kernel's columns on either side.
func (t *tileSet) depthwiseDirect(s *ConvShape) bool {
	return s.XLast && s.depthwise() && t.readsPadding(s, s.C)
}

// readsPadding reports whether there are tiles of pixels in a row that see to the padding of an image of that many channels.
func (t *tileSet) readsPadding(s *ConvShape, channels int) bool {
	right := (s.OW-1)*s.SW + s.KW - s.PL - s.W
	return t.hasDepthwiseRows(s) && s.PL <= s.KW/2 && right <= s.KW/2 && ((s.OW-1)*s.SW+s.KW)*channels <= len(zeroRow)
}

// depthwiseParts reports whether a depthwise convolution of [N,C,H,W] is better off with channels in the lanes, although they are transposed on the way in and
// out: where rows are short, or the kernel is large.
func (t *tileSet) depthwiseParts(s *ConvShape) bool {
	if s.XLast || s.YLast || !s.depthwise() || s.C < t.lanes || !t.readsPadding(s, min(s.C, partChannels)) {
		return false
	}
	if t.lanes > groupLanes || s.KW > 3 {
		return s.H*s.W <= 1<<12
	}
	return s.H*s.W <= 1<<10
}

// depthwiseRows computes rows of images of a depthwise convolution, where there are tiles for its pixels.
func (t *tileSet) depthwiseRows(s *ConvShape, g *lastSeg, from *rowSource, images, rows int) bool {
	if !t.hasDepthwiseRows(s) {
		return false
	}
	key := depthwiseRowKey(s.KW, s.SW)
	parts := (s.OW + dwRowMost - 1) / dwRowMost
	tall := (s.OW + parts - 1) / parts
	short := parts*tall - s.OW
	a := depthwiseRowArgs{col: 4 * from.per, rows: s.KH, ys: g.ys, lo: g.lo, hi: g.hi, zeros: &zeroRow[0]}
	if g.lo > -inf32 || g.hi < inf32 {
		a.flags = tileClamp
	}
	// Columns of padding on the left and on the right.
	left, right := 0, 0
	if from.x != nil {
		left, right = s.PL, max((s.OW-1)*s.SW+s.KW-s.PL-s.W, 0)
	}
	vector := 4 * t.lanes
	step := max(dwRowBytes/(s.KH*((s.OW-1)*s.SW+s.KW)*vector), 1) * t.lanes
	for c := 0; c < g.m; c += step {
		m := min(step, g.m-c)
		a.whole = m / t.lanes * vector
		a.bits, a.mask = 0, nil
		if rem := m % t.lanes; rem != 0 {
			a.bits = 1<<rem - 1
			if t.lanes <= groupLanes {
				a.mask = laneMask(rem)
			}
		}
		a.w = at(g.w, c*s.KH*s.KW)
		if g.bias != nil {
			a.bias = at(g.bias, c)
		}
		for i := range images * rows {
			for k := range s.KH {
				h := (from.row+i%rows)*s.SH - s.PT + k*s.DH
				switch outside := h < 0 || h >= s.H; {
				case from.ring > 0 && outside:
					a.x[k] = uintptr(unsafe.Pointer(at(g.x, c+from.ring*from.pitch)))
				case from.ring > 0:
					a.x[k] = uintptr(unsafe.Pointer(at(g.x, c+h%from.ring*from.pitch)))
				case from.x == nil:
					a.x[k] = uintptr(unsafe.Pointer(at(g.x, c+k*s.DH*from.pitch))) + uintptr(*offAt(g.offs, i*s.OW))
				case outside:
					a.x[k] = uintptr(unsafe.Pointer(&zeroRow))
				default:
					a.x[k] = uintptr(unsafe.Pointer(&from.x[((from.image+i/rows)*s.H+h)*s.W*s.C+c])) - uintptr(4*left*s.C)
				}
			}
			off := i*s.OW*g.ys + 4*c
			a.y = (*float32)(unsafe.Add(unsafe.Pointer(g.y), off))
			if g.res != nil {
				a.res = (*float32)(unsafe.Add(unsafe.Pointer(g.res), off))
			}
			for j := range 2 {
				px := tall - j
				a.tiles = parts - short
				if j == 1 {
					a.tiles = short
				}
				if a.tiles == 0 {
					continue
				}
				a.edges = [2][dwSide]int{}
				for i := range dwSide {
					if j == 0 && i < left {
						a.edges[0][i] = 1
					}
					if (j == 1 || short == 0) && i < right {
						a.edges[1][i] = 1
					}
				}
				a.xStep, a.yStep = px*s.SW*a.col, px*a.ys
				t.dwRow.f[px][key](noescape(&a))
				for k := range s.KH {
					a.x[k] += uintptr(a.tiles * a.xStep)
				}
				a.y = (*float32)(unsafe.Add(unsafe.Pointer(a.y), a.tiles*a.yStep))
				if a.res != nil {
					a.res = (*float32)(unsafe.Add(unsafe.Pointer(a.res), a.tiles*a.yStep))
				}
			}
		}
	}
	return true
}

// runPlane computes a segment of one channel with one input channel and at most KChunk products.
func (t *tileSet) runPlane(s *convSeg) {
	args := planeArgs{xRow: 4 * s.xRow, yRow: 4 * s.yRow, rows: s.rows, offs: s.offs, taps: s.k, w: s.w, bias: s.bias, lo: s.lo, hi: s.hi}
	vecs, most := (s.width+t.lanes-1)/t.lanes, t.plane.wide[1]
	if s.width < t.lanes {
		args.mask = &poolMasks[len(poolMasks)/2-s.width]
	} else {
		most = min(most, s.width/t.lanes) // the last vectors of a row may overlap those before
	}
	tiles := (vecs + most - 1) / most
	for i := range s.images {
		x, y := at(s.x, i*s.xImage), at(s.y, i*s.yImage)
		for left, v := tiles, 0; left > 0; left-- {
			n := panelHeight(vecs-v, left)
			col := max(min(v*t.lanes, s.width-n*t.lanes), 0)
			args.x, args.y = at(x, col), at(y, col)
			t.plane.f[1][n](noescape(&args))
			v += n
		}
	}
}

// runPool pools a run of pixels.
func (t *tileSet) runPool(r *poolRun) {
	if rem := r.c % t.lanes; rem > 0 {
		r.mask = &poolMasks[len(poolMasks)/2-rem]
	}
	if r.avg != 0 {
		t.poolAvg(r)
	} else {
		t.poolMax(r)
	}
}

// poolMasks holds words of ones before as many zeros.
var poolMasks = [32]int32{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}

// offAt returns the address of p[i], without a check.
func offAt(p *int32, i int) *int32 { return (*int32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

// lastPanel returns the channels of a panel of weights.
func (t *tileSet) lastPanel() int { return lastUnit * t.last.wide[1] }

// depthwiseLanes returns the channels of a block of a depthwise convolution's weights.
func (t *tileSet) depthwiseLanes() int { return t.lanes }

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
