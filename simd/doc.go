// Package simd holds Weft's numeric kernels: plain functions over slices, each with one
// portable Go version that defines its result and faster versions for the processors at hand.
//
// # The contract of every kernel
//
//   - A kernel takes slices and ints, allocates nothing, returns nothing and checks nothing: the
//     compiler (core/compile) validates shapes once, before the first kernel runs.
//   - Two numeric classes exist. In class FMA a multiplication followed by an addition rounds once
//     (AVX2, AVX-512, NEON, relaxed wasm SIMD that is fused); in class MulAdd it rounds twice (plain wasm SIMD,
//     builds without assembly). Within a class every kernel set gives identical bits, for every
//     tile shape and thread count, because each kernel's documentation states its ONE order of accumulation:
//   - matrix products and forward convolutions add sequentially over k inside chunks of [KChunk]
//     (each chunk's accumulator starts at +0), and the chunk sums are added in order, then the epilogue is applied;
//     k of a convolution runs (kh, kw, ci), kh outermost;
//   - reductions over a contiguous run use [Lanes] lanes (lane = index mod Lanes), each sequential, which are
//     combined by a fixed tree: lane l with lane l+16, then l+8, l+4, l+2, l+1;
//   - max(a, b) is a < b ? b : a and min(a, b) is b < a ? b : a; NaNs compare equal whatever their payload;
//   - no approximate reciprocals or reciprocal square roots.
//   - Subnormals are kept; nothing changes the rounding or flush modes.
//
// # Kernel sets
//
// amd64 has avx512, avx2 and avx2-muladd, arm64 has neon and neon-muladd: assembly that the generators in simd/_asm write. In the page
// (GOOS=js) the accelerated kernels are a WebAssembly module of their own on the program's memory, which simd/wasmkernels writes:
// relaxed, of class FMA, and simd128, of class MulAdd. The host chooses the module and gives its exports to the program as the
// import module "weft"; without SIMD it gives functions that trap, of which variant returns 0, and the generic sets run. Go calls a kernel by its
// number, with the address of a struct of arguments, like those of the assembly; a call costs about 15 ns, so what works on
// short rows takes all rows in one call. Elementwise functions, reductions and optimizers are written once, in the little language
// of simd/internal/vecir, for all of these. Builds with the tag noasm have the generic sets only, and import nothing.
package simd

// KChunk is the number of consecutive k whose products one accumulator of a matrix product or convolution adds up.
const KChunk = 512

// Lanes is the number of independent accumulators of a reduction over a contiguous run.
const Lanes = 32

// Class says how a multiplication followed by an addition rounds.
type Class uint8

const (
	MulAdd Class = iota // two roundings
	FMA                 // one rounding
)

// String returns "muladd" or "fma".
func (c Class) String() string {
	if c == FMA {
		return "fma"
	}
	return "muladd"
}
