//go:build !noasm && (amd64 || arm64 || js)

package simd

// swapSize is how many elements of A are too many for L1.
const swapSize = 1 << 14

// streamSize is how many elements of a panel of B stay in L1 together with what it is packed from.
const streamSize = 8192

// nr returns the columns of a packed panel of B.
func (t *tileSet) nr() int { return 2 * t.lanes }

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

func (t *tileSet) packBSize(k, n int) int { return k * roundUp(n, t.nr()) }

// packB lays op(B) out as panels of nr columns, each [k][nr]; the last is filled up with zeros.
func (t *tileSet) packB(dst, b []float32, ldb int, transB bool, k, n int) {
	nr := t.nr()
	t.packPanels(dst, nr, b, ldb, transB, 0, k, 0, n)
	if j := n / nr * nr; j < n {
		for p := range k {
			clear(dst[j*k+p*nr+n-j:][:nr-(n-j)])
		}
	}
}

// Limits of products whose B is worth packing once, from measurements of all sets. A transposed B would have to be packed each time, or read across
// vectors: it is worth it for any A while it stays in L2, and from prepackRows rows on where it does not; a plain one from prepackRows rows on. For fewer
// rows, and for few of a B of prepackFar elements, a product is as fast as memory, which streams B best as it lies. Beyond prepackTall
// rows packing it each time is lost in the product, and the copy would only take memory.
const (
	prepackRows = 8
	prepackNear = 1 << 18
	prepackFar  = 1 << 22
	prepackFew  = 16
	prepackTall = 256
)

// prepacks says whether a product gains from a B that was packed before.
func (t *tileSet) prepacks(a *GemmArgs) bool {
	size := a.K * a.N
	switch {
	case size == 0 || a.M == 0 || a.M > prepackTall || t.swaps(a):
		return false
	case a.M < prepackRows:
		return a.TransB && size <= prepackNear
	case a.TransB:
		return size < prepackFar || t.lanes <= 8
	}
	return size < prepackFar || a.M > prepackFew
}

// packPanels writes op(B)[k0:k1, j0:j1] as panels of width columns, one after the other.
func (t *tileSet) packPanels(dst []float32, width int, b []float32, ldb int, transB bool, k0, k1, j0, j1 int) {
	k := k1 - k0
	j := j0
	if together := t.block.together / width; together > 1 && !transB {
		for ; j+together*width <= j1; j += together * width { // whole cache lines of each row
			t.dealPieces(&blockArgs{dst: &dst[(j-j0)*k], src: &b[k0*ldb+j], outer: k, rows: together, n: width,
				dOuter: width, dRow: k * width, dCol: 1, sOuter: ldb, sRow: width, sCol: 1})
		}
	}
	for ; j < j1; j += width {
		t.packPanel(dst[(j-j0)*k:][:k*width], width, b, ldb, transB, k0, k1, j, min(j+width, j1))
	}
}

// packPanel writes op(B)[k0:k1, j0:j1] as dst[k1-k0][width]. Columns from j1-j0 on hold anything.
func (t *tileSet) packPanel(dst []float32, width int, b []float32, ldb int, transB bool, k0, k1, j0, j1 int) {
	n := j1 - j0
	if transB {
		t.packRows(dst, width, b[j0*ldb+k0:], ldb, n, k1-k0)
		return
	}
	t.copyBlock(&blockArgs{dst: &dst[0], src: &b[k0*ldb+j0], outer: 1, rows: k1 - k0, n: n, dRow: width, dCol: 1, sRow: ldb, sCol: 1})
}

// gemmScratch bounds what gemmRegion needs: a block of B, panels of A, and a row of results.
func (t *tileSet) gemmScratch(a *GemmArgs) int {
	k := min(a.K, KChunk)
	most := t.block.cols(max(k, 1))
	n, m := min(max(a.N, 1), most)+mostCols*t.lanes, t.block.panels*t.gemm.rows
	if t.swaps(a) {
		n, m = min(a.M, most)+mostCols*t.lanes, max(a.N, m)
	}
	if a.N > most {
		m = max(min(a.M, t.block.rows), m)
	}
	s := k*n + max(m*k+(m/t.gemm.rows+1)*t.block.pad+8, dotPack(m, k)) + 2*alignSlack
	if t.swaps(a) {
		return max(s, t.streamScratch(a.N, a.M, a.K), t.dotScratch(a.N, a.K)) + a.N*min(a.M, swapBlock)
	}
	return max(s, t.streamScratch(a.M, a.N, a.K), t.dotScratch(a.M, a.K))
}

// swaps says whether a product is computed as the transposed one.
func (t *tileSet) swaps(a *GemmArgs) bool {
	if a.M <= a.N || a.PackedB != nil || a.BiasM != nil && a.BiasN != nil { // the biases would be added in the other order
		return false
	}
	return a.N == 1 || a.M*a.K >= swapSize && t.swapsColumns(a)
}

// gemmSwapped computes a product of few columns as C^T = op(B)^T * op(A)^T, so that lanes run over rows of A, swapBlock of them at a time.
func (t *tileSet) gemmSwapped(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	r := *a
	r.M, r.N = a.N, a.M
	r.A, r.LDA, r.TransA = a.B, a.LDB, !a.TransB
	r.B, r.LDB, r.TransB = a.A, a.LDA, !a.TransA
	r.BiasM, r.BiasN = a.BiasN, a.BiasM
	if a.N == 1 && a.LDC == 1 {
		t.gemmRegion(&r, j0, j1, i0, i1, scratch)
		return
	}
	w := min(a.M, swapBlock)
	c := scratch[:a.N*w]
	scratch = scratch[len(c):]
	r.C, r.LDC = c, w
	for ; i0 < i1; i0 += w {
		n := min(w, i1-i0)
		at := i0 * a.LDA
		if a.TransA {
			at = i0
		}
		r.B, r.N = a.A[at:], n
		if a.BiasM != nil {
			r.BiasN = a.BiasM[i0:]
		}
		if a.Acc {
			Transpose(c[j0*w:], a.C[i0*a.LDC+j0:], n, j1-j0, a.LDC, w)
		}
		t.gemmRegion(&r, j0, j1, 0, n, scratch)
		Transpose(a.C[i0*a.LDC+j0:], c[j0*w:], j1-j0, n, w, a.LDC)
	}
}

// gemmRegion computes C[i0:i1, j0:j1].
func (t *tileSet) gemmRegion(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	if a.K == 0 {
		gemmGeneric(MulAdd, a, i0, i1, j0, j1)
		return
	}
	swaps, streams := t.swaps(a), t.streamsB(a)
	dots := !swaps && t.dotsB(a, i1-i0, j1-j0)
	if a.Res != nil && (swaps || streams || dots) { // these paths have small results, to which it is added afterwards
		r := *a
		r.Res, r.Act = nil, ActNone
		t.gemmRegion(noescape(&r), i0, i1, j0, j1, scratch)
		t.addResidual(a, i0, i1, j0, j1)
		return
	}
	if swaps {
		t.gemmSwapped(a, i0, i1, j0, j1, scratch)
		return
	}
	if streams {
		t.gemmStream(a, i0, i1, j0, j1, scratch)
		return
	}
	if dots {
		t.gemmDots(a, i0, i1, j0, j1, scratch)
		return
	}
	rows, cols := i1-i0, j1-j0
	panels := (rows + t.gemm.rows - 1) / t.gemm.rows
	tallest := panelHeight(rows, panels)

	// How B is read: packed before, packed here block by block, or in place.
	width := 2
	kc := min(a.K, KChunk)
	inRows := t.readsRows(a, rows, cols)
	packs := a.PackedB == nil && !inRows && (a.TransB || t.packsB(rows, panels, a.LDB*kc, a.LDB*a.K))
	if panels == 1 && a.PackedB == nil {
		width = t.gemm.wide[tallest]
	}
	// A panel of B that is used once is packed just before its use and stays in L1.
	streams = packs && panels == 1
	if streams {
		width = min(width, max(streamSize/(kc*t.lanes), 1))
	}
	most := t.block.cols(kc)
	g := gemmRun{GemmArgs: noescape(a), nw: width * t.lanes, packs: packs, inRows: inRows, block: most}
	if inRows {
		g.block = max(cols, most)
	}
	scratch = aligned(scratch)
	if packs {
		n := kc * roundUp(min(cols, most), g.nw)
		g.blockB, scratch = scratch[:n], aligned(scratch[n:])
	}
	if streams {
		g.block = max(g.nw, streamBlock) // and all its k follow one another: long runs of memory
	}
	g.sweepArgs.cs, g.sweepArgs.nw = 4*a.LDC, g.nw
	if a.Act != ActNone && a.Res == nil {
		g.finish = tileClamp
		g.lo, g.hi = a.Act.bounds(a.Lo, a.Hi)
	}
	g.finish |= tileFinish
	t.wantC(&g.sweepArgs, kc, rows*cols)
	g.packedA = scratch
	if a.TransA {
		g.pad = t.block.pad
	}
	g.packsA = t.packsA(a, kc, cols, most, g.nw)
	if inPlace := !packs && !inRows && a.PackedB == nil; fetches && inPlace && panels <= 2 && a.LDB*a.K > fetchB {
		g.always = 4 * g.nw << tileBits
	}
	g.always |= t.packedTiles(&g)
	if streams {
		for j := j0; j < j1; j += g.block {
			for k0 := 0; k0 < a.K; k0 += KChunk {
				t.sweepBlock(&g, i0, i1, panels, k0, j, min(j+g.block, j1), true)
			}
		}
		return
	}
	// Panels of A are packed once for all blocks of B, not more at a time than stay in L3.
	blocks := 1
	if g.holdsA = g.packsA && cols > most; g.holdsA {
		held := t.block.rows / t.gemm.rows
		blocks = (panels + held - 1) / held
	}
	for ; blocks > 0; blocks-- {
		p, end := panels, i1
		if blocks > 1 {
			p = panelHeight(panels, blocks)
			end = i0 + panelsHeight(i1-i0, panels, p)
		}
		for k0 := 0; k0 < a.K; k0 += KChunk {
			for j := j0; j < j1; j += g.block {
				t.sweepBlock(&g, i0, end, p, k0, j, min(j+g.block, j1), j == j0)
			}
		}
		i0, panels = end, panels-p
	}
}

// gemmRun is a product at work.
type gemmRun struct {
	*GemmArgs
	sweepArgs
	nw      int // columns of a panel of B
	block   int // columns of a block of B
	packs   bool
	inRows  bool // B is read in rows of k
	packsA  bool
	pad     int       // elements between packed panels of A
	holdsA  bool      // packed panels of A follow one another and serve all blocks of B
	finish  int       // flags of the last chunk
	always  int       // flags of all chunks
	blockB  []float32 // a block of B, packed
	packedA []float32
}

// sweepBlock adds the products of one chunk of k to C[i0:i1, j0:j1], whose rows are cut into panels. Panels of A are packed one after the
// other where first says so, else they lie packed from an earlier block of columns.
func (t *tileSet) sweepBlock(g *gemmRun, i0, i1, panels, k0, j0, j1 int, first bool) {
	a, args := g.GemmArgs, &g.sweepArgs
	k1 := min(k0+KChunk, a.K)
	args.k = k1 - k0
	args.flags = g.always
	if k0 > 0 || a.Acc {
		args.flags |= tileAdd
	}
	if k1 == a.K {
		args.flags |= g.finish
	}
	deals := t.deals(g, panels)
	if g.packs {
		from := j0
		if deals {
			from += (j1 - j0) / g.nw * g.nw
		}
		t.packPanels(g.blockB[(from-j0)*args.k:], g.nw, a.B, a.LDB, a.TransB, k0, k1, from, j1)
	}
	// Regions start where panels of B do.
	var b *float32
	switch {
	case g.packs:
		b = &g.blockB[0]
		args.bs, args.bstep = 4*g.nw, 4*g.nw*args.k
	case a.PackedB != nil:
		b = &a.PackedB[j0*a.K+k0*g.nw]
		args.bs, args.bstep = 4*g.nw, 4*g.nw*a.K
	case g.inRows:
		b = &a.B[j0*a.LDB+k0]
		args.bs, args.bstep = 4*a.LDB, 0
	default:
		b = &a.B[k0*a.LDB+j0]
		args.bs, args.bstep = 4*a.LDB, 4*g.nw
	}
	args.n = j1 - j0
	packed := g.packedA
	group, ready := 0, 0 // panels of A that were packed together, and those of them that have still to be used
	for i, left := i0, panels; left > 0; left-- {
		h := panelHeight(i1-i, left)
		base := i*a.LDA + k0
		args.ars, args.acs = 4*a.LDA, 4
		if a.TransA {
			base = k0*a.LDA + i
			args.ars, args.acs = 4, 4*a.LDA
		}
		below := 0
		if left > 1 {
			below = panelHeight(i1-i-h, left-1)
		}
		t.wantNothing(args)
		switch {
		case g.inRows:
			args.a, args.b, args.rows = &a.A[base], b, h
			t.packDots(args, packed)
		case !g.packsA:
			args.a = &a.A[base]
			if a.TransA && below > 0 && a.LDA*args.k > fetchSpan {
				t.wantRows(args, a, i+h, below, k0, k1)
			}
		default:
			if first && ready == 0 {
				if !g.holdsA {
					packed = g.packedA
				}
				group = t.packA(g, packed, i, i1, h, left, k0)
				ready = group
			}
			switch {
			case first && a.TransA:
				t.wantNext(g, i, i1, left, group, ready, k0)
			case first && below > 0:
				t.wantRows(args, a, i+h, below, k0, k1)
			}
			ready--
			args.a, args.ars, args.acs = &packed[0], 4, 4*h
			packed = packed[h*args.k+g.pad:]
			switch {
			case below == 0:
			case !first:
				t.wantPacked(args, packed, below)
			case g.holdsA && !a.TransA:
				t.wantPlace(args, packed)
			}
		}
		args.rows, args.b, args.c = h, b, &a.C[i*a.LDC+j0]
		if a.BiasM != nil {
			args.biasM = &a.BiasM[i]
		}
		if a.BiasN != nil {
			args.biasN = &a.BiasN[j0]
		}
		if deals && left == panels {
			t.dealFrom(args, a, k0, j0)
		}
		t.sweep(noescape(args))
		if a.Res != nil && k1 == a.K {
			t.addResidual(a, i, i+h, j0, j1)
		}
		i += h
	}
}

// groupA returns how many panels of a transposed A are packed at a time, the first of which has h rows, when there are left panels of rest rows.
func (t *tileSet) groupA(h, rest, left int) int {
	if h*left > rest { // the others are lower
		left = rest - (h-1)*left
	}
	return min(left, t.block.panels)
}

// packA packs panels of op(A), of which there are left from row i to i1, the first of h rows, and returns how many.
func (t *tileSet) packA(g *gemmRun, dst []float32, i, i1, h, left, k0 int) int {
	a, k := g.GemmArgs, g.k
	if !a.TransA {
		t.packRows(dst, h, a.A[i*a.LDA+k0:], a.LDA, h, k)
		return 1
	}
	n := t.groupA(h, i1-i, left)
	src := &a.A[k0*a.LDA+i]
	if n == 1 {
		t.copyBlock(&blockArgs{dst: &dst[0], src: src, outer: 1, rows: k, n: h, dRow: h, dCol: 1, sRow: a.LDA, sCol: 1})
		return 1
	}
	t.dealPieces(&blockArgs{dst: &dst[0], src: src, outer: k, rows: n, n: h, dOuter: h, dRow: h*k + g.pad, dCol: 1, sOuter: a.LDA, sRow: h, sCol: 1})
	return n
}

// wantNext asks, while the first of ready panels of a transposed A that are left of a group is at work, for a share of what packA packs after
// the group: some rows of k.
func (t *tileSet) wantNext(g *gemmRun, i, i1, left, group, ready, k0 int) {
	i += ready * panelHeight(i1-i, left)
	if left -= ready; left == 0 {
		return
	}
	h := panelHeight(i1-i, left)
	done := group - ready
	t.wantRows(&g.sweepArgs, g.GemmArgs, i, h*t.groupA(h, i1-i, left), k0+done*g.k/group, k0+(done+1)*g.k/group)
}

// addResidual applies what is left of the epilogue to C[i0:i1, j0:j1], which has just been computed: the residual, then the activation. A tile
// has no registers to spare for it, and one pass more over what is in cache costs less than a K of ten.
func (t *tileSet) addResidual(a *GemmArgs, i0, i1, j0, j1 int) {
	n := j1 - j0
	if n == a.LDC { // whole rows follow one another
		n, i0 = n*(i1-i0), i0*a.LDC
		t.addResidualRow(a.C[i0:i0+n], a.Res[i0:i0+n], a)
		return
	}
	for i := i0; i < i1; i++ {
		at := i*a.LDC + j0
		t.addResidualRow(a.C[at:at+n], a.Res[at:at+n], a)
	}
}

// addVectors computes c = act(c + res) with the vector kernels.
func addVectors(c, res []float32, a *GemmArgs) {
	Zip(Add, c, c, res)
	if a.Act != ActNone {
		lo, hi := a.Act.bounds(a.Lo, a.Hi)
		Map(Clip, c, c, lo, hi)
	}
}
