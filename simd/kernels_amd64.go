//go:build !noasm

package simd

import "sync"

// lastUnit is what the width of channels-last tiles is a multiple of.
const lastUnit = 8

// With AVX-512 a block of B takes 512 KiB of 1 MiB or more of L2. Of processors that have no more than AVX2 most servers' have
// 512 KiB of L2 (Zen 1 to 3): a block takes half of that. 8 MiB of packed A wait for the next block in L3, or behind it: a sweep takes so long that
// its next panel comes in time from memory too, while a B that is packed again for every lot of rows costs more.
var (
	blocking512 = blocking{size: KChunk * 256, wide: 256, rows: 4200, together: 256, panels: 1}
	blocking256 = blocking{size: KChunk * 128, wide: 256, rows: 4200, together: 128, panels: 8, pad: 16}
)

// archKernels returns the sets for this architecture, best first.
var archKernels = sync.OnceValue(func() []*Kernels {
	noAVX2, noAVX512 := cpuFeatures()
	avx512 := &Kernels{Name: "avx512", Class: FMA, Unavailable: noAVX512}
	(&tileSet{
		lanes: 16, block: blocking512,
		gemm: newTileTable(gemmTilesAVX512), conv: newTileTable(convPairsTilesAVX512), convPlain: newTileTable(convTilesAVX512),
		last: newTileTable(lastTilesAVX512), depthwise: newTileTable(depthwiseTilesAVX512), dwRow: newTileTable(depthwiseRowTilesAVX512), plane: newTileTable(planeTilesAVX512), poolMax: poolMaxAVX512, poolAvg: poolAvgAVX512,
		grad: newTileTable(gradTilesAVX512), dot: newTileTable(dotTilesAVX512), stream: newTileTable(streamTilesAVX512),
		transpose: transpose8AVX2, copy: copyRowsAVX2, fetch: fetchRowsAVX2, finish: finishRowAVX2,
	}).fill(avx512)
	vecAVX512.fillAMD64(avx512)
	avx2 := &Kernels{Name: "avx2", Class: FMA, Unavailable: noAVX2}
	(&tileSet{
		lanes: 8, block: blocking256,
		gemm: newTileTable(gemmTilesAVX2), conv: newTileTable(convTilesAVX2),
		last: newTileTable(lastTilesAVX2), depthwise: newTileTable(depthwiseTilesAVX2), dwRow: newTileTable(depthwiseRowTilesAVX2), plane: newTileTable(planeTilesAVX2), poolMax: poolMaxAVX2, poolAvg: poolAvgAVX2,
		grad: newTileTable(gradTilesAVX2), dot: dotPairs(dotTilesAVX2), stream: newTileTable(streamTilesAVX2),
		transpose: transpose8AVX2, copy: copyRowsAVX2, fetch: fetchRowsAVX2, pieces: copyPiecesAVX2, finish: finishRowAVX2,
	}).fill(avx2)
	vecAVX2.fillAMD64(avx2)
	muladd := &Kernels{Name: "avx2-muladd", Class: MulAdd, Unavailable: noAVX2}
	(&tileSet{
		lanes: 8, block: blocking256,
		gemm: newTileTable(gemmTilesAVX2MulAdd), conv: newTileTable(convTilesAVX2MulAdd),
		last: newTileTable(lastTilesAVX2MulAdd), depthwise: newTileTable(depthwiseTilesAVX2MulAdd), dwRow: newTileTable(depthwiseRowTilesAVX2MulAdd), plane: newTileTable(planeTilesAVX2MulAdd), poolMax: poolMaxAVX2MulAdd, poolAvg: poolAvgAVX2MulAdd,
		grad: newTileTable(gradTilesAVX2MulAdd), dot: dotPairs(dotTilesAVX2MulAdd), stream: newTileTable(streamTilesAVX2MulAdd),
		transpose: transpose8AVX2, copy: copyRowsAVX2, fetch: fetchRowsAVX2, pieces: copyPiecesAVX2, finish: finishRowAVX2,
	}).fill(muladd)
	vecAVX2MulAdd.fillAMD64(muladd)
	return []*Kernels{avx512, avx2, muladd}
})
