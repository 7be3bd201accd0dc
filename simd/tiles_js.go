//go:build !noasm

package simd

import "unsafe"

// In the page the leaves of the drivers are kernels of the kernel module (simd/wasmkernels): one call for a sweep, a segment, a
// job. Loops over tiles, and the tiles, are there.

// tileSet is what the drivers need to know of the kernel module.
type tileSet struct {
	lanes            int // float32 in a vector
	block            blocking
	gemm, conv, grad tileSizes
}

// tileSizes are the sizes of one kind of tile.
type tileSizes struct {
	rows int               // the tallest tile
	wide [mostRows + 1]int // the widest tile for a number of rows, in vectors or taps
}

// lastUnit is what the width of channels-last tiles is a multiple of.
const lastUnit = 8

// relaxedTiles and simd128Tiles are the tiles of the two variants of the module.
var (
	relaxedTiles = tileSet{
		lanes: 4, block: pageBlocking,
		gemm: tileSizes{rows: 6, wide: [mostRows + 1]int{0, 2, 2, 2, 2, 2, 2}},
		conv: tileSizes{rows: 6, wide: [mostRows + 1]int{0, 4, 4, 3, 2, 2, 2}},
		grad: tileSizes{rows: 3, wide: [mostRows + 1]int{0, 3, 3, 2}},
	}
	simd128Tiles = tileSet{
		lanes: 4, block: pageBlocking,
		gemm: tileSizes{rows: 4, wide: [mostRows + 1]int{0, 2, 2, 2, 2}},
		conv: tileSizes{rows: 4, wide: [mostRows + 1]int{0, 4, 4, 3, 2}},
		grad: tileSizes{rows: 1, wide: [mostRows + 1]int{0, 3}},
	}
)

// fillMatrix fills the matrix and convolution fields of a set.
func fillMatrix(k *Kernels) {
	if k.Class == FMA {
		relaxedTiles.fill(k)
	} else {
		simd128Tiles.fill(k)
	}
}

// Cache blocking of the matrix product: 256 KiB of B in L2, 1 MiB of A, two cache lines of each row of B.
var pageBlocking = blocking{size: KChunk * 128, wide: 128, rows: 510, together: 32, panels: 1}

const (
	// packATimes is from how many uses on a panel of A is worth packing: in place, its rows may lie at strides that evict each other from
	// L1. A transposed one has each k in another page.
	packATimes, packATTimes = 4, 2
	// streamBlock is how many columns of B are packed just before their only use.
	streamBlock = 32
)

// packsA says whether panels of A are worth packing, for sums of kc products, columns of C of which most are in a block, and panels of nw columns.
func (t *tileSet) packsA(a *GemmArgs, kc, cols, most, nw int) bool {
	times := packATimes
	if a.TransA {
		times = packATTimes
	}
	return min(cols, most) > times*nw
}

// packsB says whether a block of B that could be read in place is worth packing, for that many rows of A in panels and a chunk of B
// that spans that many elements. In place every cache line is fetched twice, by two neighbouring tiles, which is worse the further it comes.
func (t *tileSet) packsB(rows, panels, span, size int) bool {
	return panels >= 3 && span > 1<<15 || rows > 1 && span > 1<<20
}

// dotsB is false: what the page has for these products, streamsB chooses.
func (t *tileSet) dotsB(a *GemmArgs, rows, cols int) bool { return false }

func (t *tileSet) dotScratch(rows, k int) int { return 0 }

// In the page a transposed B of few rows of A is read in place by gemmDots, not by sweep.
func (t *tileSet) readsRows(a *GemmArgs, rows, cols int) bool { return false }

// In the page nothing is fetched ahead.
const (
	fetches   = false
	fetchB    = 0
	fetchSpan = 0
)

type sweepAhead struct{}

func (t *tileSet) wantC(s *sweepArgs, k, size int) {}

func (t *tileSet) packedTiles(*gemmRun) int { return 0 }

func (t *tileSet) deals(*gemmRun, int) bool { return false }

func (t *tileSet) weightA() int { return 1 }

func (t *tileSet) dealFrom(*sweepArgs, *GemmArgs, int, int) {}

func (t *tileSet) wantNothing(*sweepArgs) {}

func (t *tileSet) wantPacked(*sweepArgs, []float32, int) {}

func (t *tileSet) wantPlace(*sweepArgs, []float32) {}

func dotPack(rows, k int) int { return 0 }

func (t *tileSet) packDots(*sweepArgs, []float32) {}

// swapsColumns says whether a product of few columns is computed as the transposed one, whose large operand is read in place.
func (t *tileSet) swapsColumns(a *GemmArgs) bool {
	if a.TransA {
		return a.N <= t.nr()
	}
	return a.N <= dotTall
}

func (t *tileSet) wantRows(*sweepArgs, *GemmArgs, int, int, int, int) {}

// sweep computes a panel of rows of a product.
func (t *tileSet) sweep(s *sweepArgs) { callKernel(idGemmSweep, unsafe.Pointer(s)) }

// packRows transposes n rows of k elements each, ld apart, into dst[k][width] with n <= width. When width is not a multiple of 4, up to 3
// elements after the panel are overwritten.
func (t *tileSet) packRows(dst []float32, width int, src []float32, ld, n, k int) {
	callKernel(idPackRows, unsafe.Pointer(&rowsArgs{dst: &dst[0], ds: 4 * width, src: &src[0], ss: 4 * ld, n: n, k: k}))
}

// copyBlock copies a block.
func copyBlock(a *blockArgs) { callKernel(idCopyBlock, unsafe.Pointer(a)) }

// lastPanel returns the channels of a panel of weights.
func (t *tileSet) lastPanel() int { return lastUnit }

// depthwiseLanes returns the channels of a block of a depthwise convolution's weights.
func (t *tileSet) depthwiseLanes() int { return lastUnit }

// runLast computes pixels by all output channels of a segment.
func (t *tileSet) runLast(s *lastSeg) { callKernel(idLastSegment, unsafe.Pointer(s)) }

// depthwiseRows computes a segment by tiles of pixels in a row; the page has none.
func (t *tileSet) depthwiseRows(s *ConvShape, g *lastSeg, from *rowSource, images, rows int) bool {
	return false
}

// depthwiseParts reports whether they serve images [N,C,H,W].
func (t *tileSet) depthwiseParts(s *ConvShape) bool { return false }

// depthwiseDirect reports whether such tiles read the image where it lies.
func (t *tileSet) depthwiseDirect(s *ConvShape) bool { return false }

// runDepthwise computes pixels of a depthwise convolution: runs are the offsets of the k taps, m the channels.
func (t *tileSet) runDepthwise(s *lastSeg) { callKernel(idDepthwiseSegment, unsafe.Pointer(s)) }

func (t *tileSet) copyBlock(a *blockArgs) { copyBlock(a) }

func (t *tileSet) dealPieces(a *blockArgs) { copyBlock(a) }

// runPool pools a run of pixels.
func (t *tileSet) runPool(r *poolRun) { callKernel(idPoolLast, unsafe.Pointer(r)) }

// runSeg computes a segment.
func (t *tileSet) runSeg(s *convSeg) { callKernel(idConvSegment, unsafe.Pointer(s)) }

// addColumns adds shifted rows.
func addColumns(a *columnsArgs) { callKernel(idAddColumns, unsafe.Pointer(a)) }

// gradMasks says that the tiles read whole blocks of 8 pixels.
const gradMasks = false

// laneMasks holds n words of ones before 8-n zeros, at laneMasks[8-n].
var laneMasks = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// gradJobArgs are the arguments of gradJob in the kernel module. Steps are in bytes.
type gradJobArgs struct {
	images, slice      int
	rows, blocks, tail int    // blocks: whole blocks of 8 pixels in a row, tail: pixels in the block that ends it
	mask               *int32 // lanes of that block
	dy                 *float32
	dyC, dyImage       int // between output channels and images
	pack               *float32
	x                  *float32
	xStep, xRow, xSkip int    // between blocks, from a row's last block to the next row, from there after an image's last to the next image
	offs               *int32 // where each tap finds the pixel of output (0, 0), from x
	taps, m            int
	dw                 *float32
	dwRow              int // between output channels of dw
	lanes              *float32
}

// gradPack returns the room for a copy of dy for the channels of one tile, in the order in which it is read.
func (t *tileSet) gradPack(s *ConvShape) int {
	return s.N * s.OH * roundUp(s.OW, gradLanes) * min(s.mg(), t.grad.rows)
}

// gradExtra is how much of gradJob's scratch lies after the lanes: the table of a job's taps and the copy of dy.
func (t *tileSet) gradExtra(s *ConvShape, k int) int {
	return roundUp(k, 16) + roundUp(t.gradPack(s), 16)
}

// gradJob computes dw of group g for k0 <= k < k1 and all output channels. src holds input channels from c0 on.
func (t *tileSet) gradJob(s *ConvShape, p *tapTable, src []float32, xImage int, dy, dw []float32, g, k0, k1, c0, panels int, scratch []float32) {
	cg, mg, taps := s.cg(), s.mg(), s.KH*s.KW
	k, pixels := cg*taps, s.OH*s.OW
	offs := scratch[lanesSize:][:k1-k0]
	kw, kh, ci := k0%s.KW, k0/s.KW%s.KH, k0/taps-c0
	for i := range offs {
		putOffset(offs, i, p.offset(ci, kh*s.DH, kw*s.DW))
		if kw++; kw == s.KW {
			kw = 0
			if kh++; kh == s.KH {
				kh = 0
				ci++
			}
		}
	}
	tail := s.OW % gradLanes
	blocks := (s.OW + gradLanes - 1) / gradLanes
	args := gradJobArgs{
		images: s.N, slice: s.gradSlice(), rows: s.OH, blocks: s.OW / gradLanes, tail: tail, mask: &laneMasks[gradLanes-tail],
		dy: &dy[g*mg*pixels], dyC: 4 * pixels, dyImage: 4 * s.M * pixels, pack: &scratch[lanesSize+roundUp(k1-k0, 16)],
		x: &src[0], xStep: 4 * gradLanes, xRow: 4 * (p.cols - gradLanes*blocks), xSkip: 4 * (xImage - s.OH*p.cols),
		offs: (*int32)(unsafe.Pointer(&offs[0])), taps: k1 - k0, m: mg,
		dw: &dw[g*mg*k+k0], dwRow: 4 * k, lanes: &scratch[0],
	}
	// Rows of one block, and rows without a gap, are one row.
	switch {
	case s.OW == gradLanes:
		args.rows, args.blocks, args.xStep, args.xRow = 1, s.OH, 4*p.cols, 0
	case s.OW == p.cols && tail == 0:
		args.rows, args.blocks = 1, s.OH*args.blocks
	}
	callKernel(idConvGradJob, unsafe.Pointer(&args))
}

// runPlane computes a segment of one channel with one input channel and at most KChunk products.
func (t *tileSet) runPlane(s *convSeg) {
	if s.width < 4 {
		t.runSeg(s)
		return
	}
	callKernel(idPlaneSegment, unsafe.Pointer(s))
}
