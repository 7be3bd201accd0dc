//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// Accelerated kernels compute tiles: small blocks of outputs whose accumulators stay in registers. One driver cuts the work
// for every instruction set (gemm_tiles.go, conv_tiles.go, conv_grad_tiles.go, conv_input_tiles.go). Below it is a seam of six
// leaves: sweep, packRows, copyBlock, runSeg, addColumns and gradJob. In assembly the leaves are loops in Go that call the tiles of a table
// (tiles_native.go, conv_native.go); in the page each is one call into the kernel module, which has loops and tiles (tiles_js.go). The driver
// itself is plain: no interfaces, closures, maps or allocation.

// blocking says how a set's matrix products use the caches. No number changes a bit of a result.
type blocking struct {
	size     int // elements of a block of op(B), which stays in L2 while panels of A run over it
	wide     int // columns it has at most
	rows     int // rows of A that wait packed in L3, KChunk of each, for the next block
	together int // columns of B that are packed at a time, panels of at least that width alone: long runs of memory
	panels   int // panels of a transposed A that are packed at a time, for the same reason
	pad      int // elements between them, which keep them out of each other's way in L1
}

// cols returns the columns of a block whose sums have k products.
func (b *blocking) cols(k int) int { return min(b.wide, b.size/k&^63) }

// tileArgs are the arguments of a matrix-product tile. Sizes of steps are in bytes.
type tileArgs struct {
	k            int      // products, at least 1
	a            *float32 // op(A): element (r, k) is at a + r*ars + k*acs
	ars, acs     int
	b            *float32 // op(B): row k is at b + k*bs
	bs           int
	c            *float32
	cs           int      // bytes between rows of C
	biasM, biasN *float32 // nil for none
	mask         *int32   // lanes of the last vector, as words of ones and zeros; nil for all (not AVX-512)
	bits         int      // lanes of the last vector as bits (AVX-512)
	lo, hi       float32
	flags        int
}

// sweepArgs are the arguments of a sweep: one panel of rows of A against neighbouring columns of op(B), which lies in panels of nw
// columns.
type sweepArgs struct {
	tileArgs       // b, c and biasN of the first column; mask and bits are free
	sweepAhead     // what is wanted next
	rows, n    int // rows of the panel, columns
	nw, bstep  int // columns of a panel of B, bytes between panels; bstep 0: op(B) is transposed and read in place, column j at b + j*bs
}

// rowsArgs are the arguments of packRows in the kernel module.
type rowsArgs struct {
	dst  *float32
	ds   int // bytes
	src  *float32
	ss   int // bytes
	n, k int
}

// blockArgs describe a copy of outer x rows x n elements. Strides are in elements.
type blockArgs struct {
	dst, src           *float32
	outer, rows, n     int
	dOuter, dRow, dCol int
	sOuter, sRow, sCol int
}

// Flags of a tile.
const (
	tileAdd    = 1  // add to what the output (the lanes of a gradient) holds
	tileFinish = 2  // the last call for this output: apply the epilogue (add up the lanes)
	tileClamp  = 4  // the epilogue clamps to [lo, hi]
	tilePacked = 8  // of a matrix product in a sweep: op(A) is packed as one panel, op(B) in panels of nr columns (native)
	tileDeal   = 16 // and op(B) is in place: the tile packs it (native)
	tileBits   = 8  // above these bits: bytes from b to what a matrix-product tile fetches ahead (native)
)

// Limits of the tables.
const (
	mostRows = 14
	mostCols = 9
)

// kernels fills the matrix and convolution fields of a set.
func (t *tileSet) fill(k *Kernels) {
	k.gemm = gemmKernels{
		region: t.gemmRegion, scratch: t.gemmScratch, mr: t.gemm.rows, nr: t.nr(),
		packBSize: t.packBSize, packB: t.packB, prepacks: t.prepacks, tileCols: t.tileCols, weightA: t.weightA(), tall: t.tall(),
	}
	k.conv = convKernels{
		packSize: t.convPackSize, pack: t.convPack, forward: t.convForward, forwardScratch: t.convForwardScratch,
		gradInputPackSize: t.gradInputPackSize, gradInputPack: t.gradInputPack, gradInput: t.gradInput, gradInputScratch: t.gradInputScratch,
		gradWeight: t.gradWeight, gradWeightScratch: t.gradWeightScratch, pool: t.runPool,
		poolPlanes: t.poolPlanes, poolPlanesGrad: t.poolPlanesGrad, poolPlanesScratch: t.poolPlanesScratch,
		poolFits: t.poolFits, pooled: t.convPooled, pooledScratch: t.pooledScratch,
		chain: t.convChain, chainScratch: t.chainScratch,
	}
}

// at returns the address of p[i], without a check.
func at(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

// first returns the address of s[i], or nil for an empty slice.
func first(s []float32, i int) *float32 {
	if len(s) == 0 {
		return nil
	}
	return &s[i]
}

// aligned drops elements until the slice starts at a cache line.
func aligned(s []float32) []float32 {
	if len(s) == 0 {
		return s
	}
	return s[-int(uintptr(unsafe.Pointer(&s[0]))/4)&15:]
}

// alignSlack is how many elements aligned may drop.
const alignSlack = 15

// panelHeight returns the height of the next panel when rest rows remain for left panels, which are to be as even as possible.
func panelHeight(rest, left int) int { return (rest + left - 1) / left }

// panelsHeight returns the height of the first p of n panels of rows.
func panelsHeight(rows, n, p int) int { return p*(rows/n) + min(p, rows%n) }
