//go:build !noasm

package simd

import "unsafe"

// In the page the leaves of the drivers are kernels of the kernel module (simd/wasmkernels): one call for a sweep, a segment, a
// job. Loops over tiles, and the tiles, are there.

// tileSet is what the drivers need to know of the kernel module.
type tileSet struct {
	lanes            int // float32 in a vector
	gemm, conv, grad tileSizes
}

// tileSizes are the sizes of one kind of tile.
type tileSizes struct {
	rows int               // the tallest tile
	wide [mostRows + 1]int // the widest tile for a number of rows, in vectors or taps
}

// relaxedTiles and simd128Tiles are the tiles of the two variants of the module.
var (
	relaxedTiles = tileSet{
		lanes: 4,
		gemm:  tileSizes{rows: 6, wide: [mostRows + 1]int{0, 2, 2, 2, 2, 2, 2}},
		conv:  tileSizes{rows: 6, wide: [mostRows + 1]int{0, 4, 4, 3, 2, 2, 2}},
		grad:  tileSizes{rows: 3, wide: [mostRows + 1]int{0, 3, 3, 2}},
	}
	simd128Tiles = tileSet{
		lanes: 4,
		gemm:  tileSizes{rows: 4, wide: [mostRows + 1]int{0, 2, 2, 2, 2}},
		conv:  tileSizes{rows: 4, wide: [mostRows + 1]int{0, 4, 4, 3, 2}},
		grad:  tileSizes{rows: 3, wide: [mostRows + 1]int{0, 3, 3, 2}},
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

// sweep computes a panel of rows of a product.
func (t *tileSet) sweep(s *sweepArgs) { callKernel(idGemmSweep, unsafe.Pointer(s)) }

// packRows transposes n rows of k elements each, ld apart, into dst[k][width] with n <= width. When width is not a multiple of 4, up to 3
// elements after the panel are overwritten.
func (t *tileSet) packRows(dst []float32, width int, src []float32, ld, n, k int) {
	callKernel(idPackRows, unsafe.Pointer(&rowsArgs{dst: &dst[0], ds: 4 * width, src: &src[0], ss: 4 * ld, n: n, k: k}))
}

// copyBlock copies a block.
func copyBlock(a *blockArgs) { callKernel(idCopyBlock, unsafe.Pointer(a)) }

// runSeg computes a segment.
func (t *tileSet) runSeg(s *convSeg) { callKernel(idConvSegment, unsafe.Pointer(s)) }

// gradJobArgs are the arguments of gradJob in the kernel module. Steps are in bytes.
type gradJobArgs struct {
	images, slice      int
	rows, blocks, tail int // blocks: whole blocks of 8 pixels in a row, tail: pixels in the block that ends it
	dy                 *float32
	dyC, dySkip        int // between output channels, from the end of an image's rows to the next image's
	x                  *float32
	xRow, xSkip        int    // from the end of a row's pixels to the next row, from the row after an image's last to the next image
	offs               *int32 // where each tap finds the pixel of output (0, 0), from x
	taps, m            int
	dw                 *float32
	dwRow              int // between output channels of dw
	lanes              *float32
}

// gradOffsets is how much room the table of a job's taps takes in gradJob's scratch.
func (t *tileSet) gradOffsets(k int) int { return k }

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
	callKernel(idConvGradJob, unsafe.Pointer(&gradJobArgs{
		images: s.N, slice: s.gradSlice(), rows: s.OH, blocks: s.OW / gradLanes, tail: s.OW % gradLanes,
		dy: &dy[g*mg*pixels], dyC: 4 * pixels, dySkip: 4 * (s.M - 1) * pixels,
		x: &src[0], xRow: 4 * (p.cols - s.OW), xSkip: 4 * (xImage - s.OH*p.cols),
		offs: (*int32)(unsafe.Pointer(&offs[0])), taps: k1 - k0, m: mg,
		dw: &dw[g*mg*k+k0], dwRow: 4 * k, lanes: &scratch[0],
	}))
}
