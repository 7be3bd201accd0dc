package simd

import (
	"math"
	"math/bits"
	"unsafe"
)

// Random numbers come from Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011). Word w of
// the sequence (seed, stream) is element w mod 4 of the block with counter {lo(w/4), hi(w/4), lo(stream), hi(stream)}
// and key {lo(seed), hi(seed)}, as in package core/random. A fill takes consecutive words from the given counter, so a range may be
// split anywhere. The fills use separate multiplications and additions in both numeric classes: the bits are the same everywhere.

const (
	philoxM0, philoxM1 = 0xD2511F53, 0xCD9E8D57
	philoxW0, philoxW1 = 0x9E3779B9, 0xBB67AE85
)

// philoxBlock returns the four words of a block.
func philoxBlock(seed, stream, block uint64) [4]uint32 {
	c0, c1, c2, c3 := uint32(block), uint32(block>>32), uint32(stream), uint32(stream>>32)
	k0, k1 := uint32(seed), uint32(seed>>32)
	for range 10 {
		h0, l0 := bits.Mul32(philoxM0, c0)
		h1, l1 := bits.Mul32(philoxM1, c2)
		c0, c1, c2, c3 = h1^c1^k0, l1, h0^c3^k1, l0
		k0 += philoxW0
		k1 += philoxW1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// unit maps a word to a multiple of 2**-24 in [0, 1).
func unit(w uint32) float32 { return float32(w>>8) * 0x1p-24 }

// philoxBlocks is how many blocks a kernel fills at once, and how far apart in its output the four numbers of a block lie; the fewest that
// are worth a call are philoxFew.
const philoxBlocks, philoxFew = 256, 16

// philoxFill fills the front of dst by the set's kernel, with unit*a + b or, normal, z*a + b, and returns how many numbers that was: none where
// there is no kernel, the counter does not start a block or there are too few.
func philoxFill(normal bool, dst []float32, seed, stream, counter uint64, a, b float32) int {
	f := current.vec.philox
	if f == nil || counter%4 != 0 || len(dst) < 4*philoxFew {
		return 0
	}
	block := counter / 4
	n := min(len(dst)/4, philoxBlocks)
	if left := 1<<32 - int(uint32(block)); left < n { // the kernel does not carry
		if n = left; n < philoxFew {
			return 0
		}
	}
	p := [8]float32{
		math.Float32frombits(uint32(block)), math.Float32frombits(uint32(block >> 32)), math.Float32frombits(uint32(stream)),
		math.Float32frombits(uint32(stream >> 32)), math.Float32frombits(uint32(seed)), math.Float32frombits(uint32(seed >> 32)), a, b,
	}
	var rows [4 * philoxBlocks]float32
	for i := range (n + 15) &^ 15 { // the blocks' numbers, which the first words replace
		rows[i] = math.Float32frombits(uint32(i))
	}
	out := unsafe.Slice(noescape(&rows[0]), 4*philoxBlocks)
	f(normal, out, (n+15)&^15, noescape(&p))
	Transpose(dst[:4*n], out, 4, n, philoxBlocks, 4)
	return 4 * n
}

// FillUniform sets dst[i] = unit*(hi-lo) + lo (two roundings), unit being the upper 24 bits of word counter+i as a fraction in [0, 1).
// Rounding can make a value equal hi.
func FillUniform(dst []float32, seed, stream, counter uint64, lo, hi float32) {
	scale := hi - lo
	for len(dst) > 0 {
		if k := philoxFill(false, dst, seed, stream, counter, scale, lo); k > 0 {
			dst, counter = dst[k:], counter+uint64(k)
			continue
		}
		if at := counter % 4; at != 0 || len(dst) < 4 {
			b := philoxBlock(seed, stream, counter/4)
			k := min(len(dst), int(4-at))
			for i := range k {
				dst[i] = float32(unit(b[int(at)+i])*scale) + lo
			}
			dst, counter = dst[k:], counter+uint64(k)
			continue
		}
		b := philoxBlock(seed, stream, counter/4)
		for i, w := range b {
			dst[i] = float32(unit(w)*scale) + lo
		}
		dst, counter = dst[4:], counter+4
	}
}

// FillNormal sets dst to normally distributed numbers by the Box-Muller transform: words w, w+1 (w even) give elements
//
//	z[w] = r*cos(t), z[w+1] = r*sin(t); r = sqrt(-2*log(u)), u = (upper 24 bits of word w + 1) * 2**-24, t = 2*pi*(word w+1)*2**-32
//
// dst[i] = z[counter+i]*std + mean, two roundings. (The sine's argument keeps the quadrant exactly and 24 bits within it.)
func FillNormal(dst []float32, seed, stream, counter uint64, mean, std float32) {
	for i := 0; i < len(dst); {
		w := counter + uint64(i)
		if k := philoxFill(true, dst[i:], seed, stream, w, std, mean); k > 0 {
			i += k
			continue
		}
		b := philoxBlock(seed, stream, w/4)
		for ; i < len(dst) && (counter+uint64(i))/4 == w/4; i++ {
			k := (counter + uint64(i)) % 4
			c, s := boxMuller(b[k&^1], b[k|1])
			if k&1 == 0 {
				dst[i] = float32(c*std) + mean
				if i+1 == len(dst) {
					return
				}
				i++
			}
			dst[i] = float32(s*std) + mean
		}
	}
}

// boxMuller returns two independent standard normal numbers made from two words.
func boxMuller(a, b uint32) (c, s float32) {
	u := float32(a>>8+1) * 0x1p-24
	r := sqrt32(-2 * MulAdd.log(u))
	q := int32(b >> 30)
	f := int32(b<<2) >> 8 // the fraction of the quadrant as [-1/2, 1/2): the upper half belongs to the next one
	if f < 0 {
		q++
	}
	sin, cos := MulAdd.sinCosPoly(float32(float32(f) * float32(math.Pi/2*0x1p-24)))
	sin, cos = sinCosQuadrant(sin, cos, q)
	return r * cos, r * sin
}

// FillBernoulli sets dst[i] to value where the number of [FillUniform] in [0, 1) is below p, else to 0. A dropout mask
// is FillBernoulli with p = 1-rate and value = 1/(1-rate).
func FillBernoulli(dst []float32, seed, stream, counter uint64, p, value float32) {
	FillUniform(dst, seed, stream, counter, 0, 1)
	below(dst, p, value)
}

// below sets x[i] to value where it is below p, else to 0.
func below(x []float32, p, value float32) {
	if f := current.vec.below; f != nil {
		f(x, p, value)
		return
	}
	for i, u := range x {
		if u < p {
			x[i] = value
		} else {
			x[i] = 0
		}
	}
}
