//go:build !noasm

package simd

import "sync"

// lastUnit is what the width of channels-last tiles is a multiple of.
const lastUnit = 4

// blockingNEON takes 512 KiB of L2 for a block of B and 2 MiB for rows of A.
var blockingNEON = blocking{size: KChunk * 256, wide: 256, rows: 1022, together: 256, panels: 1}

// archKernels returns the sets for this architecture, best first. Every arm64 processor has NEON.
var archKernels = sync.OnceValue(func() []*Kernels {
	neon := &Kernels{Name: "neon", Class: FMA}
	(&tileSet{
		lanes: 4, block: blockingNEON,
		gemm: newTileTable(gemmTilesNEON), conv: newTileTable(convTilesNEON),
		last: newTileTable(lastTilesNEON), depthwise: newTileTable(depthwiseTilesNEON), plane: newTileTable(planeTilesNEON), poolMax: poolMaxNEON, poolAvg: poolAvgNEON,
		grad: newTileTable(gradTilesNEON), transpose: transpose8NEON,
	}).fill(neon)
	vecNEON.fillARM64(neon)
	muladd := &Kernels{Name: "neon-muladd", Class: MulAdd}
	(&tileSet{
		lanes: 4, block: blockingNEON,
		gemm: newTileTable(gemmTilesNEONMulAdd), conv: newTileTable(convTilesNEONMulAdd),
		last: newTileTable(lastTilesNEONMulAdd), depthwise: newTileTable(depthwiseTilesNEONMulAdd), plane: newTileTable(planeTilesNEONMulAdd), poolMax: poolMaxNEONMulAdd, poolAvg: poolAvgNEONMulAdd,
		grad: newTileTable(gradTilesNEONMulAdd), transpose: transpose8NEON,
	}).fill(muladd)
	vecNEONMulAdd.fillARM64(muladd)
	return []*Kernels{neon, muladd}
})

// fillARM64 puts the vector kernels into a set.
func (t *vecTable) fillARM64(k *Kernels) {
	t.fill(k)
	k.vec.transpose = func(dst, x []float32, rows, cols, ldx, ldd int) {
		transposeTiles(transpose8NEON, vecTranspose4NEON, dst, x, rows, cols, ldx, ldd)
	}
}
