package simd

import "math"

// Act is the activation an epilogue applies.
type Act uint8

const (
	ActNone Act = iota // x
	ActRelu            // x < 0 ? 0 : x  (NaN stays NaN, -0 stays -0)
	ActClip            // min(max(x, lo), hi) with the package's min and max (NaN stays NaN)
)

// bounds returns the interval to which an activation clamps: every activation here is a clamp, and the clamp to
// [-Inf, +Inf] changes no value.
func (a Act) bounds(lo, hi float32) (float32, float32) {
	switch a {
	case ActRelu:
		return 0, float32(math.Inf(1))
	case ActClip:
		return lo, hi
	}
	return float32(math.Inf(-1)), float32(math.Inf(1))
}

// GemmArgs describes the matrix product
//
//	C[M,N] = act(op(A)[M,K] * op(B)[K,N] + BiasM + BiasN + Res[M,N])        Acc == false: C is not read
//	C[M,N] = act(C + op(A)[M,K] * op(B)[K,N] + BiasM + BiasN + Res[M,N])    Acc == true
//
// All matrices are row-major. op(A) is A stored as [M,K] with LDA >= K, or under TransA stored as [K,M] with
// LDA >= M; op(B) is B stored as [K,N] with LDB >= N, or under TransB stored as [N,K] with LDB >= K. C must not
// overlap A, B or Res.
//
// Order: for each element the products are added in the order of k inside chunks of KChunk, each chunk from +0;
// the first chunk's sum replaces C, or is added to it under Acc, and the following sums are added in order: ((C + s0) + s1) + ...;
// then BiasM is added, then BiasN, then Res, then the activation is applied. With K == 0 the sum is +0 (C under Acc).
type GemmArgs struct {
	M, N, K int
	A       []float32
	LDA     int
	TransA  bool
	B       []float32 // not read when PackedB is given
	LDB     int
	TransB  bool
	C       []float32
	LDC     int
	Acc     bool      // C += ...; when false C is not read
	PackedB []float32 // optional: op(B) packed once by GemmPackB, by the kernel set that is current
	BiasN   []float32 // optional: added per column, length N
	BiasM   []float32 // optional: added per row, length M
	Res     []float32 // optional: added per element, stored as C is, with LDC
	Act     Act
	Lo, Hi  float32 // bounds of ActClip
}

// gemmKernels are the matrix product's fields of a kernel set. The seam is a whole region of C, so that a set
// may keep the loops over tiles on its own side.
type gemmKernels struct {
	// region computes C[i0:i1, j0:j1]. Regions of one product are independent.
	region func(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32)
	// scratch returns how many float32 region needs, for any region of the product.
	scratch func(a *GemmArgs) int
	// mr and nr are what region boundaries should be multiples of.
	mr, nr int
	// packBSize and packB define the layout of PackedB.
	packBSize func(k, n int) int
	packB     func(dst, b []float32, ldb int, transB bool, k, n int)
	// prepacks says whether products like this one are faster with PackedB.
	prepacks func(a *GemmArgs) bool
	// tall is how many rows the tiles have that are faster than lower ones; 0 where that makes no difference.
	tall int
	// weightA is how many times as much packing op(A) costs as packing op(B); 0: as much.
	weightA int
	// tileCols returns how many columns a tile should have at least if there are as many tiles as threads; nil: 1.
	tileCols func(a *GemmArgs) int
}

// Gemm computes the whole product on the calling goroutine. scratch has at least GemmScratch(a) elements; its
// contents do not matter before or after.
func Gemm(a *GemmArgs, scratch []float32) {
	gemmRegion(noescape(a), 0, a.M, 0, a.N, scratch)
}

func gemmRegion(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	if i0 >= i1 || j0 >= j1 {
		return
	}
	if f := current.gemm.region; f != nil {
		f(a, i0, i1, j0, j1, scratch)
		return
	}
	gemmGeneric(current.Class, a, i0, i1, j0, j1)
}

// GemmScratch returns how many float32 of scratch one worker needs for Gemm or GemmTile.
func GemmScratch(a *GemmArgs) int {
	if f := current.gemm.scratch; f != nil {
		return f(noescape(a))
	}
	return 0
}

const (
	maxTiles       = 64
	tilesPerThread = 4 // a worker that starts late, or not at all, leaves its share to the others
)

// GemmTiles returns into how many independent tiles the product is worth splitting for a number of threads: at least 1, and 1 for
// small products and for one thread, since neighbouring tiles pack what they share twice. Any other number is valid for GemmTile
// too, and none changes a bit of the result.
func GemmTiles(a *GemmArgs, threads int) int {
	if threads <= 1 {
		return 1
	}
	flops := 2 * float64(a.M) * float64(a.N) * float64(a.K)
	tiles := min(tilesFor(flops), tilesPerThread*threads)
	if tiles < threads {
		tiles = min(tilesFor(2*flops), threads) // without waste of a second tile for the same thread, half the work is enough
	}
	if f := current.gemm.tileCols; f != nil {
		tiles = min(tiles, max(threads, a.N/f(noescape(a))))
	}
	rows, cols := gemmGrid(a, EvenTiles(tiles, threads))
	return EvenTiles(rows*cols, threads)
}

// GemmTall returns how many rows a product should have, or a multiple of them, where those of m rows are computed in much lower tiles, which are slower; 0 else.
func GemmTall(m int) int {
	tall := current.gemm.tall
	if tall == 0 || m == 0 {
		return 0
	}
	panels := (m + tall - 1) / tall
	if height := (m + panels - 1) / panels; 4*height > 3*tall {
		return 0
	}
	return tall
}

// EvenTiles returns the number of tiles, at most tiles, that gives every thread as many: of three tiles, two threads take as long as one takes for two.
func EvenTiles(tiles, threads int) int {
	if threads > 1 && tiles > threads {
		tiles -= tiles % threads
	}
	return tiles
}

// tilesFor returns how many tiles that many floating-point operations are worth.
func tilesFor(flops float64) int {
	return int(min(max(flops/tileFlops, 1), maxTiles))
}

// gemmGrid arranges at most tiles tiles as a grid over C, so that what is packed twice is least: every tile reads its rows of op(A) and its
// columns of op(B).
func gemmGrid(a *GemmArgs, tiles int) (rows, cols int) {
	mr, nr := max(current.gemm.mr, 1), max(current.gemm.nr, 1)
	most, wide := max((a.M+mr-1)/mr, 1), max((a.N+nr-1)/nr, 1)
	rows, cols = 1, 1
	least, weightA := 0, max(current.gemm.weightA, 1)
	for r := 1; r <= min(tiles, most); r++ {
		c := min(tiles/r, wide)
		if cost := r*a.N + c*a.M*weightA; r*c > rows*cols || r*c == rows*cols && cost < least {
			rows, cols, least = r, c, cost
		}
	}
	return rows, cols
}

// GemmTile computes tile number tile of tiles; all tiles together are Gemm. Tiles write disjoint parts of C and may run
// at the same time, each with its own scratch of GemmScratch(a).
func GemmTile(args *GemmArgs, tile, tiles int, scratch []float32) {
	a := noescape(args) // a new variable: an assignment to the parameter would let it escape after all
	rows, cols := gemmGrid(a, tiles)
	if tile >= rows*cols {
		return
	}
	mr, nr := max(current.gemm.mr, 1), max(current.gemm.nr, 1)
	i0, i1 := split(a.M, mr, tile/cols, rows)
	j0, j1 := split(a.N, nr, tile%cols, cols)
	gemmRegion(a, i0, i1, j0, j1, scratch)
}

// split returns part p of parts of [0, n), with boundaries at multiples of unit.
func split(n, unit, p, parts int) (lo, hi int) {
	units := (n + unit - 1) / unit
	return min(p*units/parts*unit, n), min((p+1)*units/parts*unit, n)
}

// GemmPrepacks reports whether products like this one, whose op(B) stays the same for many of them, are faster when GemmPackB has packed it once.
// Few rows of A, and a large B that has to come from memory anyway, are better off with B as it is.
func GemmPrepacks(a *GemmArgs) bool {
	f := current.gemm.prepacks
	return f != nil && f(noescape(a))
}

// GemmPackBSize returns the length of the buffer that GemmPackB fills for op(B)[k,n].
func GemmPackBSize(k, n int) int {
	if f := current.gemm.packBSize; f != nil {
		return f(k, n)
	}
	return k * n
}

// GemmPackB packs op(B)[k,n] once, for use as GemmArgs.PackedB by the current kernel set.
func GemmPackB(dst, b []float32, ldb int, transB bool, k, n int) {
	if f := current.gemm.packB; f != nil {
		f(dst, b, ldb, transB, k, n)
		return
	}
	for p := range k {
		row := dst[p*n : p*n+n]
		if !transB {
			copy(row, b[p*ldb:])
			continue
		}
		for j := range row {
			row[j] = b[j*ldb+p]
		}
	}
}
