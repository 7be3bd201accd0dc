package simd

import (
	"math"
	"math/bits"
)

// trigLimit is the largest |x| whose reduction modulo pi/2 is done in three float32 steps; larger arguments (rare) take the integer path.
const trigLimit = 8192

// pi/2 in pieces of few bits, so that their products with a quadrant number below 2**13 are exact in both classes.
const (
	piHalf1 = 0x1.92p+0
	piHalf2 = 0x1.fb4p-12
	piHalf3 = 0x1.444p-24
	piHalf4 = 0x1.68c234c4c6629p-39
)

// trigReduce returns r in about [-pi/4, pi/4] and the quadrant q with x = q*pi/2 + r (modulo 2 pi).
func (c Class) trigReduce(x float32) (r float32, q int32) {
	if !(abs32(x) <= trigLimit) {
		return trigReduceLarge(x)
	}
	t := c.madd(x, 2/math.Pi, roundMagic)
	n := t - roundMagic
	q = int32(math.Float32bits(t)) - int32(math.Float32bits(roundMagic))
	r = c.madd(n, -piHalf1, x)
	r = c.madd(n, -piHalf2, r)
	r = c.madd(n, -piHalf3, r)
	r = c.madd(n, -piHalf4, r)
	return r, q
}

// twoOverPi holds the bits of 2/pi after the binary point, most significant word first.
var twoOverPi = [...]uint32{0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561}

// trigReduceLarge is trigReduce in integers (Payne and Hanek): x*2/pi modulo 4 to 62 fractional bits.
func trigReduceLarge(x float32) (r float32, q int32) {
	b := math.Float32bits(x) &^ signBit
	if b >= inf32bits {
		return nan32, 0
	}
	m := uint64(b&0x007fffff | 0x00800000)
	e := int(b>>23) - 150 // |x| = m * 2**e
	// The wanted window of 2/pi starts at the bit of weight 2**(1-e): what lies before contributes multiples of 4.
	start := max(e-2, 0)
	w, k := start/32, uint(start%32)
	word := func(i int) uint64 { return uint64(twoOverPi[i]) }
	hi := word(w)<<32 | word(w+1)
	lo := word(w+2)<<32 | word(w+3)
	if k > 0 {
		hi, lo = hi<<k|lo>>(64-k), lo<<k
	}
	if e < 2 { // the window starts before the binary point
		k = uint(2 - e)
		hi, lo = hi>>k, hi<<(64-k)|lo>>k
	}
	// The top bit of hi has weight 2 in the product with m: bits of higher weight are multiples of 4 and fall off.
	carry, _ := bits.Mul64(lo, m)
	v := hi*m + carry
	q = int32(v >> 62)
	f := int64(v<<2) >> 1 // fraction of a quadrant, in 2**-63, as [-1/2, 1/2) after the carry
	if v<<2>>63 == 1 {
		q++
	}
	r = float32(float64(float64(f) * (math.Pi / 2 * 0x1p-63)))
	if math.Float32bits(x)&signBit != 0 {
		r, q = -r, -q
	}
	return r, q
}

// sinCosPoly returns sin(r) and cos(r) for |r| <= pi/4.
func (c Class) sinCosPoly(r float32) (s, k float32) {
	z := float32(r * r)
	s = copysign32(c.madd(float32(c.poly(z, coefSin[:])*z), r, r), r) // the sign is that of -0 too
	k = c.madd(float32(z*z), c.poly(z, coefCos[:]), c.madd(z, -0.5, 1))
	return s, k
}

// sinCos returns the sine and cosine of x.
func (c Class) sinCos(x float32) (sin, cos float32) {
	r, q := c.trigReduce(x)
	s, k := c.sinCosPoly(r)
	return sinCosQuadrant(s, k, q)
}

// sinCosQuadrant turns sin(r) and cos(r) into those of r + q*pi/2.
func sinCosQuadrant(s, k float32, q int32) (sin, cos float32) {
	if q&1 != 0 {
		s, k = k, -s
	}
	if q&2 != 0 {
		s, k = -s, -k
	}
	return s, k
}

// tan returns sin(x)/cos(x).
func (c Class) tan(x float32) float32 {
	s, k := c.sinCos(x)
	return s / k
}
