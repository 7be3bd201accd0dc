//go:build !noasm && (amd64 || arm64)

package simd

import "unsafe"

// convArgs are the arguments of a convolution tile. A group is 8 neighbouring pixels of an output row (16 for the
// plain AVX-512 tiles).
type convArgs struct {
	k      int      // products, at least 1
	w      *float32 // element (r, k) is at w + (k*rows + r)*4
	offs   *int32   // per k, bytes from a group's pointer to its pixels of the image
	ys     int      // bytes between output channels
	bias   *float32 // nil for none
	mask   *int32   // lanes of every group that exist, as words; nil for all
	lo, hi float32
	flags  int
	x, y   [8]*float32 // per group
}

// mostPixels is how many pixels a channels-last tile may have.
const mostPixels = 12

// lastArgs are the arguments of a channels-last convolution tile: pixels by output channels side by side.
type lastArgs struct {
	w         *float32 // row k is at w + k*(channels of the tile, rounded up)*4
	runs      *int32   // pairs: bytes from a pixel's pointer to a run of its inputs, and to the run's end
	count     int      // runs
	y         *float32
	ys        int // bytes between pixels of y and res
	res, bias *float32
	mask      *int32 // lanes of the last vector, as words of ones and zeros; nil for all (not AVX-512)
	bits      int    // lanes of the last vector as bits (AVX-512)
	lo, hi    float32
	flags     int
	ahead     uintptr  // what will be wanted next: a line of it is fetched into L2 with every product
	step      int      // bytes from one to the next
	near      *float32 // y or res: what the epilogue reads is fetched into L1
	x         [mostPixels]*float32
}

// depthwisePixels is how many pixels a tile of a depthwise convolution may have.
const depthwisePixels = 8

// depthwiseArgs are the arguments of a channels-last tile of a depthwise convolution: pixels by all channels.
type depthwiseArgs struct {
	w         *float32 // [vector of channels][tap][lanes]
	offs      *int32   // per tap, bytes from a pixel's pointer
	taps      int
	whole     int // bytes of whole vectors of channels
	y         *float32
	ys        int // bytes between pixels of y and res
	res, bias *float32
	mask      *int32 // lanes of the vector after the whole ones, as words; nil when there is none (not AVX-512)
	bits      int    // the same as bits (AVX-512)
	lo, hi    float32
	flags     int
	x         [depthwisePixels]*float32
}

// depthwiseRowArgs are the arguments of some tiles of pixels that follow one another in a row of a depthwise convolution.
type depthwiseRowArgs struct {
	w            *float32 // [vector of channels][tap][lanes]
	col          int      // bytes between columns of x
	rows         int      // of the kernel
	tiles        int
	xStep, yStep int // bytes between tiles
	whole        int // bytes of whole vectors of channels
	y            *float32
	ys           int // bytes between pixels of y and res
	res, bias    *float32
	mask         *int32 // lanes of the vector after the whole ones, as words; nil when there is none (not AVX-512)
	bits         int    // the same as bits (AVX-512)
	lo, hi       float32
	flags        int
	zeros        *float32        // a vector of zeros
	edges        [2][dwSide]int  // 1: the first columns of the first tile, and the last ones of the last, from the last on, are padding
	x            [dwRows]uintptr // per row of the kernel, where the inputs of the first pixel begin, which with padding may be outside the image
}

// dwRows is how many rows kernels of tiles of pixels in a row may have.
const dwRows = 7

// dwSide is how many columns of padding the tiles see to on a side; those of smaller kernels half of their columns.
const dwSide = 3

// planeArgs are the arguments of a tile of one channel of a depthwise convolution: some vectors of every row.
type planeArgs struct {
	x      *float32
	xRow   int // bytes between rows
	y      *float32
	yRow   int
	rows   int
	offs   *int32 // per tap, bytes from a pixel's pointer
	taps   int
	w      *float32 // per tap
	bias   *float32 // nil for none
	mask   *int32   // lanes that exist, as words, of a tile of one vector; nil for all
	lo, hi float32
}

// gradArgs are the arguments of a weight-gradient tile.
type gradArgs struct {
	images, rows, blocks int    // blocks: whole blocks of 8 pixels in a row
	mask                 *int32 // lanes of the block that ends a row; nil when there is none
	tail                 int    // bytes of dy in that block
	dy                   *float32
	dyC                  int // bytes between output channels
	dySkip               int // bytes from the end of an image's rows to the next image's
	xRow                 int // bytes from the end of a row's whole blocks to the next row
	xSkip                int // bytes from the row after an image's last to the next image
	lanes                *float32
	flags                int
	dw                   *float32
	dwRow                int // bytes between output channels of dw
	x                    [mostCols]*float32
}

// dotArgs are the arguments of a tile of rows of A and columns of a transposed op(B), which lie in rows of k.
type dotArgs struct {
	k, k4 int      // blocks of 16 products, and of 4 after them
	a     *float32 // element (r, k) is at a + (k*rows + r)*4
	b     *float32 // column j is at b + j*bs
	bs    int
	ahead int      // bytes from a column to the one that is fetched when it is used
	acc   *float32 // accumulators, [rows][columns]; AVX2 with an odd number of rows > 1: one row more
	rows  int
	block *float32 // dotBlock elements that are overwritten
}

// dotPairs returns the table of tiles that take rows in pairs, any number of them.
func dotPairs(list []tile[dotArgs]) tileTable[dotArgs] {
	t := newTileTable(list)
	for ; t.rows < mostDot; t.rows++ {
		t.f[t.rows+1], t.wide[t.rows+1] = t.f[2], t.wide[2]
	}
	return t
}

// copyArgs are the arguments of copyRows.
type copyArgs struct {
	dst, src   *float32
	dRow, sRow int // bytes between rows
	rows, n    int // n: bytes of a row, at least 32
}

// piecesArgs are the arguments of copyPieces. Steps are in bytes.
type piecesArgs struct {
	dst, src     *float32
	dPiece, sRow int // between pieces in dst, between rows of src
	rows, count  int // count: pieces of a row
	step         int // a piece; in dst the next row's follows
	ahead        int // from what is read to what is fetched
}

// fetchArgs are the arguments of fetchRows.
type fetchArgs struct {
	p                 *float32
	step, rows, lines int // step: bytes between rows
}

// transposeArgs are the arguments of transpose8.
type transposeArgs struct {
	n   int // blocks of 8 columns
	dst *float32
	ds  int // bytes between rows of dst
	src [8]*float32
}

// tile is a function of assembly for rows x cols vectors, or rows x cols taps.
type tile[A any] struct {
	rows, cols int
	f          func(*A)
}

// tileTable holds the tiles of one kind by size.
type tileTable[A any] struct {
	f    [mostRows + 1][mostCols + 1]func(*A)
	wide [mostRows + 1]int // the widest tile for a number of rows
	rows int               // the tallest tile
}

func newTileTable[A any](list []tile[A]) tileTable[A] {
	var t tileTable[A]
	for _, e := range list {
		t.f[e.rows][e.cols] = e.f
		t.wide[e.rows] = max(t.wide[e.rows], e.cols)
		t.rows = max(t.rows, e.rows)
	}
	return t
}

// fit returns the widest tile of a number of rows that is not wider than cols.
func (t *tileTable[A]) fit(rows, cols int) int {
	c := min(cols, t.wide[rows])
	for t.f[rows][c] == nil {
		c--
	}
	return c
}

// tall returns the height of the tallest tile of a width.
func (t *tileTable[A]) tall(cols int) int {
	r := mostRows
	for t.f[r][cols] == nil {
		r--
	}
	return r
}

// tileSet is what the drivers need of an instruction set.
type tileSet struct {
	lanes     int // float32 in a vector
	block     blocking
	gemm      tileTable[tileArgs]
	conv      tileTable[convArgs] // groups of 8 pixels, groupsPerVector in a vector
	convPlain tileTable[convArgs] // AVX-512: one group of 16 pixels a vector; empty otherwise
	last      tileTable[lastArgs] // channels-last pixels by units of lastUnit channels
	depthwise tileTable[depthwiseArgs]
	dwRow     tileTable[depthwiseRowArgs] // by pixels and depthwiseRowKey; rows == 0: none
	plane     tileTable[planeArgs]
	poolMax   func(*poolRun)
	poolAvg   func(*poolRun)
	grad      tileTable[gradArgs]
	transpose func(*transposeArgs)

	// Where they pay:
	dot   tileTable[dotArgs] // tiles by rows and groups of 8 columns; rows == 0: none
	copy  func(*copyArgs)
	fetch func(*fetchArgs)
	// pieces copies rows whose parts go to panels beside each other.
	pieces func(*piecesArgs)

	stream tileTable[streamArgs] // by rows of B; rows == 0: none
	finish func(*finishArgs)
}

// laneMasks holds n words of ones before 8-n zeros, at laneMasks[8-n].
var laneMasks = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// laneMask returns the mask of the first n of 8 lanes.
func laneMask(n int) *int32 { return &laneMasks[8-n] }

// packATimes is how many panels of B a panel of A meets in place at most. packAFar is the same for more rows than ways of L1 at strides that evict
// each other, and for a transposed A whose rows of k come from many pages.
const packATimes, packAFar = 8, 6

// packsA says whether panels of A are worth packing, for sums of kc products, columns of C of which most are in a block, and panels of nw columns.
func (t *tileSet) packsA(a *GemmArgs, kc, cols, most, nw int) bool {
	if min(cols, most) <= packAFar*nw {
		return false
	}
	far := a.LDA*kc > fetchSpan
	if !a.TransA {
		far = t.lanes > 8 && a.LDA%1024 == 0
	}
	return far || cols > packATimes*nw
}

// streamBlock is how many columns of B, at least a panel, are packed just before their only use.
const streamBlock = 1

// packsB says whether a block of B that could be read in place is worth packing, for that many rows of A in panels, a chunk of B
// that spans that many elements and all of it. What comes from memory is worth packing for its second use, and what stays in the large L2 beside
// AVX-512 only for many.
func (t *tileSet) packsB(rows, panels, span, size int) bool {
	most := 8
	if t.lanes > 8 && span <= 1<<19 {
		most = 20
	}
	return panels >= most && span > 1<<15 || t.fetch != nil && panels >= 2 && size >= fetchB
}

// sweep computes a panel of rows of a product.
func (t *tileSet) sweep(s *sweepArgs) {
	if s.bstep == 0 {
		t.sweepRows(s)
		return
	}
	args, f := &s.tileArgs, &t.gemm.f[s.rows]
	b, c, biasN := unsafe.Pointer(s.b), s.c, s.biasN
	j, fetched := 0, 0
	packed, flags, bs := s.flags&tilePacked != 0, s.flags, s.bs
	args.bits, args.mask = 1<<t.lanes-1, nil
	if s.from != nil {
		args.bs = s.fromStep
		args.flags |= tileDeal
	}
	if tile := f[s.nw/t.lanes]; tile != nil { // whole panels of B
		for ; j+s.nw <= s.n; j += s.nw {
			args.b, args.c = (*float32)(b), at(c, j)
			if biasN != nil {
				args.biasN = at(biasN, j)
			}
			next := j + s.nw
			switch {
			case packed:
				s.share(j, next)
				if s.from != nil {
					s.dealTile(at(s.from, j), args.b)
				}
			case s.aheadRows > 0:
				fetched = t.fetchAhead(s, fetched, next)
			}
			if next < s.n {
				b = unsafe.Add(b, s.bstep)
				if s.fetchC && !packed {
					a := fetchArgs{p: at(c, next), step: s.cs, rows: s.rows, lines: (4*s.nw + 63) / 64}
					t.fetch(noescape(&a))
				}
			}
			tile(args)
		}
	}
	args.flags, args.bs = flags&^tilePacked, bs
	for col := 0; j < s.n; { // parts of a panel, from column col on
		n := min(s.nw-col, s.n-j)
		vecs := (n + t.lanes - 1) / t.lanes
		if v := t.gemm.fit(s.rows, vecs); v < vecs {
			vecs, n = v, v*t.lanes
		}
		rem := n - (vecs-1)*t.lanes
		args.bits, args.mask = 1<<rem-1, nil
		if rem < t.lanes && t.lanes <= 8 {
			args.mask = laneMask(rem)
		}
		args.b, args.c = (*float32)(unsafe.Add(b, 4*col)), at(c, j)
		if biasN != nil {
			args.biasN = at(biasN, j)
		}
		tile := f[vecs]
		if vecs == 1 && rem <= 8 && f[0] != nil {
			tile = f[0]
		}
		if s.aheadRows > 0 {
			fetched = t.fetchAhead(s, fetched, j+n)
		}
		tile(args)
		j += n
		if col += n; col == s.nw && j < s.n {
			col, b = 0, unsafe.Add(b, s.bstep)
		}
	}
	args.flags, s.from = flags, nil
}

// fetchAhead asks for the share of the rows ahead that belongs to the columns before j; those before fetched are under way.
func (t *tileSet) fetchAhead(s *sweepArgs, fetched, j int) int {
	upTo := s.aheadRows * j / s.n
	if upTo > fetched {
		p := (*float32)(unsafe.Add(unsafe.Pointer(s.ahead), fetched*s.aheadStep))
		a := fetchArgs{p: p, step: s.aheadStep, rows: upTo - fetched, lines: s.aheadLines}
		t.fetch(noescape(&a))
	}
	return upTo
}

// packRows transposes n rows of k elements each, ld apart, into dst[k][width] with n <= width. When width is not a multiple of 8, up
// to 7 elements after the panel are overwritten.
func (t *tileSet) packRows(dst []float32, width int, src []float32, ld, n, k int) {
	k8 := k / 8
	if k8 > 0 {
		// The blocks of 8 rows go from the last to the first: where a block writes past its panel's width, a later
		// one writes the right values.
		for r := (n - 1) / 8 * 8; r >= 0; r -= 8 {
			a := transposeArgs{n: k8, dst: &dst[r], ds: 4 * width}
			for i := range a.src {
				a.src[i] = &src[min(r+i, n-1)*ld]
			}
			t.transpose(noescape(&a))
		}
	}
	for p := 8 * k8; p < k; p++ {
		for r := range n {
			dst[p*width+r] = src[r*ld+p]
		}
	}
}

// A transposition runs in strips of transposeStrip columns and, within one, 16 rows at a time, so that a cache line of dst is whole
// before it leaves the cache, whatever the distance between lines is.
const transposeStrip = 64

// transposeTiles transposes in blocks of 8x8, what is left in blocks of 4x4, the last rows and columns element by element.
func transposeTiles(eight func(*transposeArgs), four func(*wholeTransposeArgs), dst, x []float32, rows, cols, ldx, ldd int) {
	r8, c8 := rows&^7, cols&^7
	for j := 0; j < c8 && r8 > 0; j += transposeStrip {
		n := min(c8-j, transposeStrip) / 8
		for i := 0; i < r8; i += 8 {
			a := transposeArgs{n: n, dst: &dst[j*ldd+i], ds: 4 * ldd}
			for k := range a.src {
				a.src[k] = &x[(i+k)*ldx+j]
			}
			eight(noescape(&a))
		}
	}
	r4, c4 := rows&^3, cols&^3
	fours := func(i0, i1, j0, j1 int) {
		if i0 < i1 && j0 < j1 {
			a := wholeTransposeArgs{&dst[j0*ldd+i0], &x[i0*ldx+j0], i1 - i0, j1 - j0, 4 * ldx, 4 * ldd}
			four(noescape(&a))
		}
	}
	fours(0, r8, c8, c4)
	fours(r8, r4, 0, c4)
	if c4 < cols && r4 > 0 {
		TransposeAny(dst[c4*ldd:], x[c4:], r4, cols-c4, ldx, ldd)
	}
	if r4 < rows && cols > 0 {
		TransposeAny(dst[r4:], x[r4*ldx:], rows-r4, cols, ldx, ldd)
	}
}

// piecesAhead is how many rows ahead of what it copies dealPieces fetches.
const piecesAhead = 8

// dealPieces copies a.outer rows of a.rows pieces of a.n elements, which follow one another, each piece to a panel of its own; rows follow one
// another in a panel. Pieces of less than 8 elements overwrite up to 7 elements after a panel.
func (t *tileSet) dealPieces(a *blockArgs) {
	rows := a.outer
	if a.n < 8 {
		rows-- // past the last row there may be nothing to read
	}
	if t.pieces == nil || a.n > 8 && a.n != 16 || rows == 0 || a.n*a.rows < 8 {
		t.copyBlock(a)
		return
	}
	t.pieces(noescape(&piecesArgs{dst: a.dst, src: a.src, dPiece: 4 * a.dRow, sRow: 4 * a.sOuter, rows: rows, count: a.rows, step: 4 * a.n, ahead: 4 * a.sOuter * piecesAhead}))
	if rows < a.outer {
		t.copyBlock(&blockArgs{dst: at(a.dst, rows*a.n), src: at(a.src, rows*a.sOuter), outer: 1, rows: a.rows, n: a.n, dRow: a.dRow, dCol: 1, sRow: a.n, sCol: 1})
	}
}

// copyBlock is copyBlock with the set's kernel.
func (t *tileSet) copyBlock(a *blockArgs) {
	if t.copy != nil && a.n >= 8 && a.dCol == 1 && a.sCol == 1 {
		c := copyArgs{dRow: 4 * a.dRow, sRow: 4 * a.sRow, rows: a.rows, n: 4 * a.n}
		for o := range a.outer {
			c.dst, c.src = at(a.dst, o*a.dOuter), at(a.src, o*a.sOuter)
			t.copy(noescape(&c))
		}
		return
	}
	copyBlock(a)
}

// copyBlock copies a block.
func copyBlock(a *blockArgs) {
	for o := range a.outer {
		if a.dCol == 1 && a.n >= 8 && a.rows > 0 {
			c := copyArgs{at(a.dst, o*a.dOuter), at(a.src, o*a.sOuter), 4 * a.dRow, 4 * a.sRow, a.rows, 4 * a.n}
			if rowsBy(a.sCol, &c) {
				continue
			}
		}
		for r := range a.rows {
			d, s := at(a.dst, o*a.dOuter+r*a.dRow), at(a.src, o*a.sOuter+r*a.sRow)
			if a.dCol == 1 && a.sCol == 1 {
				copyRow(unsafe.Slice(d, a.n), unsafe.Slice(s, a.n))
				continue
			}
			if a.dCol == 1 && a.sCol == 2 {
				copyEven(unsafe.Slice(d, a.n), s)
				continue
			}
			for i := range a.n {
				*at(d, i*a.dCol) = *at(s, i*a.sCol)
			}
		}
	}
}

// copyEven copies every second element of s.
func copyEven(d []float32, s *float32) {
	i := 0
	for ; i+8 <= len(d); i += 8 {
		e, v := (*[8]float32)(d[i:]), (*[15]float32)(unsafe.Pointer(at(s, 2*i)))
		e[0], e[1], e[2], e[3] = v[0], v[2], v[4], v[6]
		e[4], e[5], e[6], e[7] = v[8], v[10], v[12], v[14]
	}
	for ; i < len(d); i++ {
		d[i] = *at(s, 2*i)
	}
}

// copyRow copies a row. Short ones are two blocks that may overlap, which costs less than a call of memmove.
func copyRow(d, s []float32) {
	n := len(d)
	if n < 8 || n > 16 {
		copy(d, s)
		return
	}
	s = s[:n]
	*(*[8]float32)(d) = *(*[8]float32)(s)
	*(*[8]float32)(d[n-8:]) = *(*[8]float32)(s[n-8:])
}
