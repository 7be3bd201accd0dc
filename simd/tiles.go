//go:build !noasm && (amd64 || arm64)

package simd

import "unsafe"

// The assembly computes tiles: small blocks of outputs whose accumulators stay in registers. Go cuts the work into
// tiles, packs what needs packing, and calls them. One driver serves every instruction set (gemm_tiles.go,
// conv_tiles.go, conv_grad_tiles.go); a set is its tables of tiles.

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
	x                    [8]*float32
}

// transposeArgs are the arguments of transpose8.
type transposeArgs struct {
	n   int // blocks of 8 columns
	dst *float32
	ds  int // bytes between rows of dst
	src [8]*float32
}

// Flags of a tile.
const (
	tileAdd    = 1 // add to what the output (the lanes of a gradient) holds
	tileFinish = 2 // the last call for this output: apply the epilogue (add up the lanes)
	tileClamp  = 4 // the epilogue clamps to [lo, hi]
)

// tile is a function of assembly for rows x cols vectors, or rows x cols taps.
type tile[A any] struct {
	rows, cols int
	f          func(*A)
}

// Limits of the tables.
const (
	mostRows = 14
	mostCols = 8
)

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

// tileSet is what the drivers need of an instruction set.
type tileSet struct {
	lanes     int // float32 in a vector
	gemm      tileTable[tileArgs]
	conv      tileTable[convArgs] // groups of 8 pixels, groupsPerVector in a vector
	convPlain tileTable[convArgs] // AVX-512: one group of 16 pixels a vector; empty otherwise
	grad      tileTable[gradArgs]
	transpose func(*transposeArgs)
}

// kernels fills the matrix and convolution fields of a set.
func (t *tileSet) fill(k *Kernels) {
	k.gemm = gemmKernels{
		region: t.gemmRegion, scratch: t.gemmScratch, mr: t.gemm.rows, nr: t.nr(),
		packBSize: t.packBSize, packB: t.packB,
	}
	k.conv = convKernels{
		packSize: t.convPackSize, pack: t.convPack, forward: t.convForward, forwardScratch: t.convForwardScratch,
		gradInputPackSize: t.gradInputPackSize, gradInputPack: t.gradInputPack, gradInput: t.gradInput, gradInputScratch: t.gradInputScratch,
		gradWeight: t.gradWeight, gradWeightScratch: t.gradWeightScratch,
	}
}

// laneMasks holds n words of ones before 8-n zeros, at laneMasks[8-n].
var laneMasks = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// laneMask returns the mask of the first n of 8 lanes.
func laneMask(n int) *int32 { return &laneMasks[8-n] }

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
