package main

// Offsets in tileArgs (simd/tiles.go).
const (
	tileK     = 8 * iota // products
	tileA                // op(A): element (row, k) is at a + row*ars + k*acs
	tileARS              // bytes between rows of op(A)
	tileACS              // bytes between columns of op(A)
	tileB                // op(B): row k is at b + k*bs
	tileBS               // bytes between rows of op(B)
	tileC                // C
	tileCS               // bytes between rows of C
	tileBiasM            // per row, or nil
	tileBiasN            // per column, or nil
	tileMask             // lanes of the last vector as words of ones or zeros; nil: all
	tileBits             // not used here
	tileLo               // lo, hi: two float32
	tileFlags            // bits: see flag constants
)

// Offsets in convArgs.
const (
	convK     = 8 * iota // products
	convW                // packed weights: element (row, k) is at w + (k*rows + row)*4
	convOffs             // int32 per k: bytes from a group's pointer to its pixels
	convYS               // bytes between rows (output channels) of y
	convBias             // per row, or nil
	convMask             // lanes of every group that are stored, as words; nil: all
	convLo               // lo, hi: two float32
	convFlags            // bits: see flag constants
	convX                // pointers to groups of pixels of the image
	convY     = convX + 8*8
)

// Offsets in gradArgs.
const (
	gradImages = 8 * iota
	gradRows   // output rows of an image
	gradBlocks // whole blocks of 8 pixels in a row
	gradMask   // nil when no shorter block ends a row
	gradTail   // bytes of dy in that block
	gradDY     // dy
	gradDYC    // bytes between output channels of dy
	gradDYSkip // bytes from the end of an image's rows to the next image's, in dy
	gradXRow   // bytes from the end of the whole blocks of a row to the next row, in x
	gradXSkip  // bytes from the row after an image's last to the next image, in x
	gradLanes  // totals: [rows][taps][8]float32
	gradFlags  // bits: see flag constants
	gradDW     // where the tile's first element goes
	gradDWRow  // bytes between output channels of dw
	gradX      // per tap, its first pixel
)

// Offsets in transposeArgs.
const (
	transN   = 8 * iota // blocks of 8 columns
	transDst            // dst
	transDS             // bytes between rows of dst
	transSrc            // pointers to 8 rows
)

// Flags, as bit numbers.
const (
	flagAdd    = 0 // add to what is there
	flagFinish = 1 // the last call for this tile: epilogue (gemm, conv), reduction of the lanes (grad)
	flagClamp  = 2 // the epilogue clamps to [lo, hi]
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
	lastMask             // lanes of the last vector as words of ones or zeros; nil: all
	lastBits             // AVX-512: lanes of the last vector as bits
	lastLo               // lo, hi: two float32
	lastFlags            // see flag constants
	lastAhead            // not used here
	lastStep             // not used here
	lastNear             // not used here
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
	dwMask             // lanes of the vector after the whole ones, as words; nil: there is none
	dwBits             // AVX-512: the same as bits; 0: there is none
	dwLo               // lo, hi: two float32
	dwFlags            // see flag constants
	dwX                // a pointer per pixel
)
