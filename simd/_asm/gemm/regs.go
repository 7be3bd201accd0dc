package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/reg"
)

const attrNoSplit = attr.NOSPLIT

var (
	args = reg.R15 // the argument struct, throughout a function

	ymm = [16]reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}
	zmm = [32]reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
		reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}
)

// half returns the low 256 bits of a vector register.
func half(v reg.VecPhysical) reg.VecPhysical { return v.AsY().(reg.VecPhysical) }

// quarter returns the low 128 bits of a vector register.
func quarter(v reg.VecPhysical) reg.VecPhysical { return v.AsX().(reg.VecPhysical) }

// Offsets in tileArgs (simd/tiles.go).
const (
	tileK         = 8 * iota // products
	tileA                    // op(A): element (row, k) is at a + row*ars + k*acs
	tileARS                  // bytes between rows of op(A)
	tileACS                  // bytes between columns of op(A)
	tileB                    // op(B): row k is at b + k*bs
	tileBS                   // bytes between rows of op(B)
	tileC                    // C
	tileCS                   // bytes between rows of C
	tileBiasM                // per row, or nil
	tileBiasN                // per column, or nil
	tileMask                 // AVX2: lanes of the last vector as 8 words of ones or zeros; nil: all
	tileBits                 // AVX-512: lanes of the last vector as bits
	tileLo                   // lo, hi: two float32
	tileFlags                // see flag constants; above flagBits: bytes from b to what is fetched ahead
	tileWant                 // of a packed tile: what it asks for, element (row, line) at want + row*step + line*64
	tileWantStep             // bytes between rows
	tileWantRows             // 0: nothing
	tileWantLines            // cache lines of a row, at least 1
	tileDeal                 // of a tile that packs: where its panel of B goes
	tileDealAhead            // bytes from b to what is asked for: rows of this panel
	tileDealNext             // and in the end: the first rows of the next panel
	tileDealSteps            // steps until then, at least 1, or 0 when there are not that many products
	tileDealLast             // steps from then on; the tile overwrites it
)

// Offsets in convArgs.
const (
	convK     = 8 * iota // products
	convW                // packed weights: element (row, k) is at w + (k*rows + row)*4
	convOffs             // int32 per k: bytes from a group's pointer to its pixels
	convYS               // bytes between rows (output channels) of y
	convBias             // per row, or nil
	convMask             // lanes of every group that are stored, as 8 words; nil: all
	convLo               // lo, hi: two float32
	convFlags            // see flag constants
	convX                // pointers to groups of pixels of the image
	convY     = convX + 8*8
)

// Offsets in lastArgs.
const (
	lastW     = 8 * iota // weights: row k is at w + k*32*units
	lastRuns             // pairs of int32: bytes from a pixel's pointer to a run of its inputs, and to the run's end
	lastCount            // runs
	lastY                // y
	lastYS               // bytes between pixels of y and of the residual
	lastRes              // residual, or nil
	lastBias             // per channel, or nil
	lastMask             // AVX2: lanes of the last vector as 8 words of ones or zeros; nil: all
	lastBits             // AVX-512: lanes of the last vector as bits
	lastLo               // lo, hi: two float32
	lastFlags            // see flag constants
	lastAhead            // what is fetched into L2, one line a product
	lastStep             // bytes from one of them to the next
	lastNear             // y or the residual: what the epilogue reads is fetched into L1
	lastX                // a pointer per pixel
)

// Offsets in depthwiseArgs.
const (
	dwW     = 8 * iota // weights: [vector of channels][tap][lanes]
	dwOffs             // int32 per tap: bytes from a pixel's pointer
	dwTaps             // taps
	dwWhole            // bytes of whole vectors of channels
	dwY                // y
	dwYS               // bytes between pixels of y and of the residual
	dwRes              // residual, or nil
	dwBias             // per channel, or nil
	dwMask             // AVX2: lanes of the vector after the whole ones, as 8 words; nil: there is none
	dwBits             // AVX-512: the same as bits; 0: there is none
	dwLo               // lo, hi: two float32
	dwFlags            // see flag constants
	dwX                // a pointer per pixel
)

// Offsets in gradArgs.
const (
	gradImages = 8 * iota
	gradRows   // output rows of an image
	gradBlocks // whole blocks of 8 pixels in a row
	gradMask   // lanes of the block that ends a row, as 8 words; nil: none
	gradTail   // bytes of dy in that block
	gradDY     // dy
	gradDYC    // bytes between output channels of dy
	gradDYSkip // bytes from the end of an image's rows to the next image's, in dy
	gradXRow   // bytes from the end of the whole blocks of a row to the next row, in x
	gradXSkip  // bytes from the row after an image's last to the next image, in x
	gradLanes  // totals: [rows][taps][8]float32
	gradFlags  // see flag constants
	gradDW     // where the tile's first element goes
	gradDWRow  // bytes between output channels of dw
	gradX      // per tap, its first pixel
)

// Flags.
const (
	flagAdd    = 1  // add to what is there
	flagFinish = 2  // the last call for this tile: epilogue (tile, conv), reduction of the lanes (grad)
	flagClamp  = 4  // the epilogue clamps to [lo, hi]
	flagPacked = 8  // of matrix-product tiles: op(A) is packed as rows rows, op(B) as all columns; sweepAhead follows the arguments
	flagDeal   = 16 // and op(B) is not packed yet: the tile copies it to where it will be
	flagBits   = 8  // how many bits there are for flags
)
