// Package random is the one source of randomness in Weft: the counter-based generator
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11,
// https://doi.org/10.1145/2063384.2063405) with an explicit seed and stream.
//
// The n-th number of (seed, stream) is a pure function of the three, with the same bits on every
// target, so that results never depend on threads, order or machine, a position can be saved in a
// few bytes, and parallel code gives every sample its own stream.
//
// What each method draws, in 32-bit words, is part of its contract: Uint32 and Float32 one, Uint64
// and Float64 two, Normal four, and IntN as many pairs as rejection asks for (almost always one).
package random

import "math/bits"

// Round constants of Philox4x32.
const (
	mul0, mul1 = 0xD2511F53, 0xCD9E8D57
	key0, key1 = 0x9E3779B9, 0xBB67AE85 // golden ratio, sqrt(3)-1
	rounds     = 10
)

// Philox is the raw bijection Philox4x32-10: a block of four words from a counter and a key. Other
// code that fills buffers (kernels, the ONNX random operators) builds on it: word w of the sequence
// of (seed, stream) is Philox(ctr, key)[w%4] with
//
//	ctr = {lo32(w/4), hi32(w/4), lo32(stream), hi32(stream)}
//	key = {lo32(seed), hi32(seed)}
func Philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	c0, c1, c2, c3 := ctr[0], ctr[1], ctr[2], ctr[3]
	k0, k1 := key[0], key[1]
	for range rounds {
		h0, l0 := bits.Mul32(mul0, c0)
		h1, l1 := bits.Mul32(mul1, c2)
		c0, c1, c2, c3 = h1^c1^k0, l1, h0^c3^k1, l0
		k0 += key0
		k1 += key1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Block returns words 4*block to 4*block+3 of the sequence of (seed, stream).
func Block(seed, stream, block uint64) [4]uint32 {
	return Philox(
		[4]uint32{uint32(block), uint32(block >> 32), uint32(stream), uint32(stream >> 32)},
		[2]uint32{uint32(seed), uint32(seed >> 32)})
}

// Derive returns a stream number made from several, for example (epoch, sample index): a hash by
// the same bijection, so that neighbouring numbers give unrelated streams. The order counts, and
// so does how many there are.
func Derive(parts ...uint64) uint64 {
	h := uint64(len(parts))
	for _, p := range parts {
		h = mix(h, p)
	}
	return h
}

// mix folds p into h by one Philox block under a key that no seed reaches by accident more often
// than any other.
func mix(h, p uint64) uint64 {
	b := Philox([4]uint32{uint32(p), uint32(p >> 32), uint32(h), uint32(h >> 32)}, [2]uint32{0x77656674, 0x73747265})
	return uint64(b[1])<<32 | uint64(b[0])
}
