package vecir

import "math"

// PhiloxBlocks is how far apart, in numbers, the four words of a block lie in the output of the kernels below.
const PhiloxBlocks = 256

// philox lists the fills with random numbers (simd/random.go): a lane has one block of Philox4x32-10, in0 the number of the block from the first
// on, and out0 the four numbers made of it, PhiloxBlocks apart. p0 to p5 are the bits of the words of the first block's counter and key.
func philox(add func(Kernel)) {
	words := func(b *Body) (c [4]*Node) {
		c = [4]*Node{b.iadd(b.in(0), b.p(0)), b.p(1), b.p(2), b.p(3)}
		const m0, m1, w0, w1 = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85
		for round := range uint32(10) {
			k0, k1 := b.p(4), b.p(5)
			if round > 0 {
				k0, k1 = b.iadd(k0, b.bits(round*w0)), b.iadd(k1, b.bits(round*w1))
			}
			h0, l0 := b.mulHi(c[0], b.bits(m0)), b.imul(c[0], b.bits(m0))
			h1, l1 := b.mulHi(c[2], b.bits(m1)), b.imul(c[2], b.bits(m1))
			c = [4]*Node{b.xor(b.xor(h1, c[1]), k0), l1, b.xor(b.xor(h0, c[3]), k1), l0}
		}
		return c
	}
	put := func(b *Body, i int, z *Node) { // two roundings
		b.outAt(0, 4*PhiloxBlocks*i, b.add(b.mul(z, b.p(6)), b.p(7)))
	}
	upper24 := func(b *Body, w *Node) *Node { return b.and(b.shr(w, 8), b.bits(0x00ffffff)) }
	add(Kernel{Name: "PhiloxUniform", Slot: "philoxUniform", Doc: "random numbers unit*p6 + p7.", Ins: 1, Outs: 1, Params: 8, whole: true, do: func(b *Body) {
		for i, w := range words(b) {
			put(b, i, b.mul(b.itof(upper24(b, w)), b.c(0x1p-24)))
		}
	}})
	add(Kernel{Name: "PhiloxNormal", Slot: "philoxNormal", Doc: "random numbers z*p6 + p7, z normally distributed.", Ins: 1, Outs: 1, Params: 8, whole: true, do: func(b *Body) {
		b.unfused = true
		c := words(b)
		for i := 0; i < 4; i += 2 {
			u := b.mul(b.itof(b.iadd(upper24(b, c[i]), b.bits(1))), b.c(0x1p-24))
			r := b.sqrt(b.mul(b.log(u), b.c(-2)))
			f := b.shr(b.shl(c[i+1], 2), 8) // the fraction of the quadrant; below 0 it is the next one's
			q := b.isub(b.and(b.shr(c[i+1], 30), b.bits(3)), b.shr(f, 31))
			sin, cos := b.sinCosOf(b.mul(b.itof(f), b.c(math.Pi/2*0x1p-24)), q)
			put(b, i, b.mul(r, cos))
			put(b, i+1, b.mul(r, sin))
		}
	}})
}
