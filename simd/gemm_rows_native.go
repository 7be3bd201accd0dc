//go:build !noasm && (amd64 || arm64)

package simd

import (
	"math"
	"unsafe"
)

const (
	mostDot   = 8  // rows of the tallest tile of a transposed B in place
	dotWide   = 32 // columns of the widest
	dotFar    = 16 // and of a B of dotSpan elements, which comes from memory: fewer rows of it side by side
	dotSpan   = 3 << 20
	dotSwaps  = 4 // columns of a product that is computed as the transposed one, with AVX2
	dotPasses = 2 // how many times, at most, a block of columns is read for the rows of A
	dotSize   = 1 << 12
	dotBlock  = 64 * dotWide // elements of B that a tile transposes at a time
	// fetchSize is from how many elements on C is fetched ahead, fetchB the same for B in place, which then comes from memory.
	fetchSize = 1 << 18
	fetchB    = 1 << 22
	fetches   = true
	fetchSpan = 1 << 16 // the same for a transposed A in place, of which each row of k is in another page
	// dealNear is how many rows of op(B), a multiple of dealStep, lie between what a tile packs and what it asks for; dealFar is the same when op(B)
	// has dealSpan elements and does not come from L2.
	dealNear = 8
	dealFar  = 48
	dealSpan = 1 << 20
	dealStep = 4 // rows between two looks at the counters
)

// readsRows says whether sweep reads B where it lies, in rows of k, for that many rows of A and columns.
func (t *tileSet) readsRows(a *GemmArgs, rows, cols int) bool {
	most := dotPasses * t.dot.rows
	if t.dot.rows == mostDot {
		rows, most = a.M, mostDot // gemmDots, whose scratch is for all of k
	}
	return a.TransB && a.PackedB == nil && rows <= most && cols >= 8 && cols*a.K >= dotSize && a.K >= 16
}

// dotsB says whether a product of few rows takes all of k before it goes on with the next columns of a transposed B, which it reads where it lies.
func (t *tileSet) dotsB(a *GemmArgs, rows, cols int) bool {
	return t.dot.rows == mostDot && t.readsRows(a, rows, cols)
}

// dotScratch is what gemmDots needs.
func (t *tileSet) dotScratch(rows, k int) int {
	if t.dot.rows < mostDot || rows > mostDot {
		return 0
	}
	return rows*roundUp(k, 4) + 4 + dotBlock + 2*alignSlack
}

// gemmDots computes C[i0:i1, j0:j1] with a transposed B.
func (t *tileSet) gemmDots(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	s := sweepArgs{rows: i1 - i0, n: j1 - j0}
	s.ars, s.acs = 4*a.LDA, 4
	if a.TransA {
		s.ars, s.acs = s.acs, s.ars
	}
	scratch = aligned(scratch)
	s.block = &scratch[0]
	packed := scratch[dotBlock:]
	for k := 0; k < a.K; k += KChunk {
		s.k = min(a.K-k, KChunk)
		if s.a = &a.A[i0*a.LDA+k]; a.TransA {
			s.a = &a.A[k*a.LDA+i0]
		}
		t.packRowsOf(&s, packed[k*s.rows:])
	}
	s.bs, s.c, s.cs = 4*a.LDB, &a.C[i0*a.LDC+j0], 4*a.LDC
	if a.BiasM != nil {
		s.biasM = &a.BiasM[i0]
	}
	if a.BiasN != nil {
		s.biasN = &a.BiasN[j0]
	}
	s.lo, s.hi = a.Act.bounds(a.Lo, a.Hi)
	widest := dotWide
	if a.K*a.N >= dotSpan {
		widest = dotFar
	}
	for j := 0; j < s.n; {
		w := widest
		for w > s.n-j && w > 8 {
			w /= 2
		}
		from := min(j, s.n-w)
		for k := 0; k < a.K; k += KChunk {
			s.k = min(a.K-k, KChunk)
			s.a, s.b, s.flags = &packed[k*s.rows], &a.B[j0*a.LDB+k], 0
			if k > 0 || a.Acc {
				s.flags = tileAdd
			}
			if k+s.k == a.K {
				s.flags |= tileFinish
				if a.Act != ActNone {
					s.flags |= tileClamp
				}
			}
			t.dotTile(noescape(&s), s.a, 0, s.rows, from, w, j-from)
		}
		j = from + w
	}
}

// swapsColumns says whether a product of few columns is computed as the transposed one: lanes then run along A, which is read once.
func (t *tileSet) swapsColumns(a *GemmArgs) bool {
	if a.TransA {
		return a.N < t.lanes
	}
	most := dotPasses * t.dot.rows
	if t.dot.rows == mostDot {
		most = dotSwaps
	}
	return a.N <= min(most, swapColumns) && a.N < t.lanes && a.K >= swapDepth
}

// More columns than swapColumns, and sums shorter than swapDepth, cost less by tiles that are not full than the transposition of the result does.
const swapColumns, swapDepth = 4, 12

// sweepAhead is what a sweep asks for while it computes: rows of memory, and the next tiles' parts of C when that comes from far.
type sweepAhead struct {
	wanted                           // by the tile at work: packed tiles find it behind their arguments
	ahead                            *float32
	aheadStep, aheadRows, aheadLines int      // bytes between rows, rows, cache lines of a row
	also                             *float32 // as many rows of k elements, one after the other, that are wanted too
	fetchC                           bool
	from                             *float32 // where op(B) lies if the next sweep packs it
	fromStep, dealRows               int      // bytes between its rows; rows between what is packed and what is asked for
	block                            *float32 // dotBlock elements
}

// wanted is a block of memory, of which a packed tile asks for a line now and then.
type wanted struct {
	want                          *float32
	wantStep, wantRows, wantLines int // bytes between rows, rows (0: nothing), cache lines of a row

	dealt
}

// dealt is what a tile with tileDeal needs: where its panel of B goes, and what of B it asks for. A step is dealStep rows.
type dealt struct {
	deal                *float32
	dealAhead, dealNext int // bytes from what is packed to what is asked for: rows of the same panel; in the last steps the next one's first rows
	dealSteps, dealLast int // steps before the last ones, and these
}

// dealTile prepares for the tile whose columns of op(B) are at b, to be packed at p.
func (s *sweepArgs) dealTile(b, p *float32) {
	s.b, s.deal = b, p
	s.dealAhead, s.dealNext = s.dealRows*s.bs, 0
	s.dealSteps, s.dealLast = s.k/dealStep, 0
	if ahead := s.dealRows / dealStep; s.dealSteps > ahead {
		s.dealSteps, s.dealLast = s.dealSteps-ahead, ahead
		s.dealNext = 4*s.nw - s.dealSteps*dealStep*s.bs
	}
}

// share says that the tile at work, columns j to next of the sweep, asks for its part of the rows ahead. Packed rows are few and long, those of
// a matrix in place may be many and short.
func (s *sweepArgs) share(j, next int) {
	if s.wantRows = 0; s.aheadRows == 0 {
		return
	}
	p, step, rows, lines := s.ahead, s.aheadStep, s.aheadRows, s.aheadLines
	if s.also != nil { // in the second half
		if j, next = 2*j, 2*next; j >= s.n {
			j, next = j-s.n, next-s.n
			p, step, lines = s.also, 4*s.k, (s.k+15)/16
		}
		next = min(next, s.n)
	}
	s.wantStep = step
	if lines >= rows || lines >= s.n/s.nw {
		from := lines * j / s.n
		if s.wantLines = lines*next/s.n - from; s.wantLines > 0 {
			s.want, s.wantRows = at(p, 16*from), rows
		}
		return
	}
	from := rows * j / s.n
	s.want = (*float32)(unsafe.Add(unsafe.Pointer(p), from*step))
	s.wantRows, s.wantLines = rows*next/s.n-from, lines
}

// packedTiles returns tilePacked if the tiles of a product find both operands packed.
func (t *tileSet) packedTiles(g *gemmRun) int {
	if t.fetch != nil && g.packsA && g.nw == t.nr() && (g.packs || g.PackedB != nil) {
		return tilePacked
	}
	return 0
}

// deals says whether the first of some panels of A packs op(B) while it computes.
func (t *tileSet) deals(g *gemmRun, panels int) bool {
	return g.packs && g.always&tilePacked != 0 && !g.TransB && panels > 1
}

// dealFrom says that the next sweep packs op(B), of which it needs row k0 and the following from column j0 on.
func (t *tileSet) dealFrom(s *sweepArgs, a *GemmArgs, k0, j0 int) {
	s.from, s.fromStep, s.dealRows = &a.B[k0*a.LDB+j0], 4*a.LDB, dealNear
	if a.LDB*a.K >= dealSpan {
		s.dealRows = dealFar
	}
}

// weightA is how many times as much packing op(A) costs as packing op(B), which costs little where tiles pack it.
func (t *tileSet) weightA() int {
	if t.fetch != nil {
		return 3
	}
	return 1
}

// wantC says that C has that many elements and each is a sum of k products.
func (t *tileSet) wantC(s *sweepArgs, k, size int) {
	s.fetchC = t.fetch != nil && k >= 128 && size > fetchSize
}

// wantNothing forgets what the panel before wanted.
func (t *tileSet) wantNothing(s *sweepArgs) { s.aheadRows, s.also = 0, nil }

// wantPacked asks for packed rows while a sweep of a large product is at work.
func (t *tileSet) wantPacked(s *sweepArgs, p []float32, rows int) {
	if s.fetchC {
		s.ahead, s.aheadStep, s.aheadRows, s.aheadLines = &p[0], 4*s.k, rows, (s.k+15)/16
	}
}

// wantPlace asks, after wantRows, for where these rows will be packed too.
func (t *tileSet) wantPlace(s *sweepArgs, p []float32) { s.also = &p[0] }

// wantRows asks for rows i to i+h of op(A), k0 <= k < k1, while a sweep is at work.
func (t *tileSet) wantRows(s *sweepArgs, a *GemmArgs, i, h, k0, k1 int) {
	if t.fetch == nil || k0 == k1 {
		return
	}
	s.aheadStep = 4 * a.LDA
	if a.TransA {
		s.ahead, s.aheadRows, s.aheadLines = &a.A[k0*a.LDA+i], k1-k0, (4*h+63)/64
		return
	}
	s.ahead, s.aheadRows, s.aheadLines = &a.A[i*a.LDA+k0], h, (4*(k1-k0)+63)/64
}

// dotPanels returns how the rows of A are cut for a transposed B in place.
func (t *tileSet) dotPanels(rows int) int { return (rows + t.dot.rows - 1) / t.dot.rows }

// dotPack returns how many elements sweepRows needs for rows of A: see packDots.
func dotPack(rows, k int) int { return rows*roundUp(k, 4) + 1024 + alignSlack }

// packDots packs rows of A for sweepRows, in panels of [k][row]. Products up to a multiple of 4 are added: -0 of A times +0 of B is -0,
// which changes no sum. The copy starts half a page from where B does, modulo pages: rows of B whose lengths are powers of two
// fill all ways of one set of L1.
func (t *tileSet) packDots(s *sweepArgs, dst []float32) {
	away := (int(uintptr(unsafe.Pointer(s.b)))/4 + 512 - int(uintptr(unsafe.Pointer(&dst[0])))/4) & 1023
	dst = dst[away:]
	first := &dst[0]
	t.packRowsOf(s, dst)
	s.a = first
}

// packRowsOf packs rows of A from the start of dst.
func (t *tileSet) packRowsOf(s *sweepArgs, dst []float32) {
	k4 := roundUp(s.k, 4)
	for i, p := 0, t.dotPanels(s.rows); p > 0; p-- {
		h := panelHeight(s.rows-i, p)
		for r := range h {
			src := (*float32)(unsafe.Add(unsafe.Pointer(s.a), (i+r)*s.ars))
			for k := range s.k {
				dst[k*h+r] = *(*float32)(unsafe.Add(unsafe.Pointer(src), k*s.acs))
			}
		}
		for k := s.k * h; k < k4*h; k++ {
			dst[k] = float32(math.Copysign(0, -1))
		}
		dst = dst[k4*h:]
		i += h
	}
}

// sweepRows computes a panel of rows, which packDots has packed, times columns of a transposed B in place, at least 8 of them.
func (t *tileSet) sweepRows(s *sweepArgs) {
	for j := 0; j < s.n; {
		w := dotWide
		for w > s.n-j && w > 8 {
			w /= 2
		}
		if s.rows > 1 && w < dotWide {
			w = 8
		}
		from := min(j, s.n-w)
		for i, p := 0, t.dotPanels(s.rows); p > 0; p-- {
			h := panelHeight(s.rows-i, p)
			t.dotTile(s, at(s.a, i*roundUp(s.k, 4)), i, h, from, w, j-from)
			i += h
		}
		j = from + w
	}
}

// dotTile computes rows i to i+h of columns from to from+w of a sweep, and stores them without the first skip columns.
func (t *tileSet) dotTile(s *sweepArgs, a *float32, i, h, from, w, skip int) {
	var (
		acc  [mostDot * dotWide]float32
		args dotArgs
	)
	args.k, args.k4, args.a, args.acc = s.k/16, s.k%16/4, a, &acc[0]
	args.b, args.bs, args.ahead = (*float32)(unsafe.Add(unsafe.Pointer(s.b), from*s.bs)), s.bs, dotWide*s.bs
	args.rows, args.block = h, s.block
	f := t.dot.f[h][w/8]
	f(noescape(&args))
	if k := s.k &^ 3; k < s.k {
		var tail [dotWide * 4]float32
		for q := range w {
			src := unsafe.Add(unsafe.Pointer(args.b), q*s.bs)
			for p := range s.k - k {
				tail[4*q+p] = *(*float32)(unsafe.Add(src, 4*(k+p)))
			}
		}
		args.k, args.k4, args.a, args.b, args.bs = 0, 1, at(a, k*h), &tail[0], 16
		f(noescape(&args))
	}
	end := finishArgs{n: w - skip, flags: s.flags & (1<<tileBits - 1), lo: s.lo, hi: s.hi}
	if s.biasN != nil {
		end.biasN = at(s.biasN, from+skip)
	}
	for r := range h {
		if s.biasM != nil {
			end.biasM = at(s.biasM, i+r)
		}
		end.sums = &acc[r*w+skip]
		end.c = (*float32)(unsafe.Add(unsafe.Pointer(s.c), (i+r)*s.cs+4*(from+skip)))
		t.finish(noescape(&end))
	}
}

// addResidualRow computes c = act(c + res).
func (t *tileSet) addResidualRow(c, res []float32, a *GemmArgs) {
	if t.finish == nil {
		addVectors(c, res, a)
		return
	}
	end := finishArgs{sums: &res[0], c: &c[0], n: len(c), flags: tileAdd | tileFinish}
	if a.Act != ActNone {
		end.flags |= tileClamp
		end.lo, end.hi = a.Act.bounds(a.Lo, a.Hi)
	}
	t.finish(noescape(&end))
}
